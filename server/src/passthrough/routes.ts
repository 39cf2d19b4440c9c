import { errors, type ErrorCode, PassedOn } from '@sluice/contract';
import type { FastifyReply } from 'fastify';
import type { Identity } from '../auth/identity.ts';
import { policyOf } from '../cache/policy.ts';
import type { Exchange, Forwarded, JsonObject, Usage } from '../executors/executor.ts';
import type { App } from '../lib/app.ts';
import { ApiError } from '../lib/errors.ts';
import { answers, type Models, type ModelSpec } from '../models/models.ts';
import type { Passthrough } from './passthrough.ts';

/** Who asks, and for whom the answer is. */
export interface Asked {
  model: ModelSpec;
  exchange: Exchange;
  identity: Identity;
  /** What it says of kept answers. */
  policy: ReturnType<typeof policyOf>;
  /** Aborts when the client is gone. */
  ended: AbortSignal;
}

export interface PassthroughParts {
  models: Models;
  passthrough: Passthrough;
  /** Told what a reply used, once it is over. */
  used?: (model: ModelSpec, usage: Usage) => void;
  /** What stands between a request and its model; asks the model unless it says otherwise. */
  answer?: (asked: Asked, ask: (asked: Asked) => Promise<Forwarded>) => Promise<Forwarded>;
}

const endpoints = {
  '/v1/chat/completions': { summary: 'Chat', operationId: 'createChatCompletion' },
  '/v1/completions': { summary: 'Complete a text', operationId: 'createCompletion' },
  '/v1/embeddings': { summary: 'Embed texts', operationId: 'createEmbedding' },
  '/v1/responses': { summary: 'Respond', operationId: 'createResponse' },
} as const;

const isKnown = (code: string): code is ErrorCode => Object.hasOwn(errors, code);

/** Why there is no reply, as the error a client sees. */
const failureOf = ({ code, message, retryAfterMs }: Exclude<Forwarded, { ok: true }>): ApiError => {
  const headers = retryAfterMs === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) };
  return new ApiError(isKnown(code) && errors[code].status > 0 ? code : 'upstream_error', message, { headers });
};

const send = (reply: FastifyReply, forwarded: Forwarded & { ok: true }): FastifyReply => {
  const { status, headers, body } = forwarded;
  reply.code(status).headers({ 'content-type': 'application/json', ...headers });
  // A proxy that gathers a stream would keep its client waiting.
  if (headers['content-type']?.startsWith('text/event-stream')) reply.header('x-accel-buffering', 'no');
  return reply.send(body);
};

/**
 * The endpoints of models that are served elsewhere, so that one address serves all: what a client sends goes to the
 * model's upstream, under the name the model has there, and the reply comes back as it is, streamed where that was asked.
 */
export const passthroughRoutes = (app: App, { models, passthrough, used, answer = (asked, ask) => ask(asked) }: PassthroughParts): void => {
  app.addHook('onClose', () => passthrough[Symbol.asyncDispose]());
  const ask = async ({ model, exchange, ended }: Asked): Promise<Forwarded> => {
    const forwarded = await passthrough.forward(model, exchange, ended);
    if (forwarded.ok) void forwarded.usage?.then((usage) => usage && used?.(model, usage));
    return forwarded;
  };
  for (const [url, about] of Object.entries(endpoints))
    app.post(url, { config: { exactNumbers: true }, schema: { ...about, body: PassedOn } }, async (request, reply) => {
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      const { identity } = request;
      const model = await models.resolve(request.body.model, identity.tenant);
      if (!answers(model, url))
        throw new ApiError(
          'invalid_value',
          `The model '${request.body.model}' does not answer at ${url}; see its endpoints at /v1/models.`,
          {
            param: 'model',
          },
        );
      // What JSON holds is what the contract leaves open.
      const exchange = { url, body: request.body as unknown as JsonObject };
      const forwarded = await answer({ model, exchange, identity, policy: policyOf(request.headers, undefined), ended: gone.signal }, ask);
      if (!forwarded.ok) throw failureOf(forwarded);
      return send(reply, forwarded);
    });
};
