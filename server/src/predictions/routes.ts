import { errors, Predict, PredictBody, Prediction, type ErrorCode } from '@sluice/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { AskingCache } from '../cache/asking.ts';
import { policyOf } from '../cache/policy.ts';
import type { JsonObject, Outcome } from '../executors/executor.ts';
import type { App } from '../lib/app.ts';
import { ApiError } from '../lib/errors.ts';
import { takesLong } from '../models/models.ts';
import type { Times } from './infer.ts';
import type { Predictor, Wish } from './predictor.ts';
import type { Recorder } from './records.ts';

export interface PredictParts {
  predictor: Predictor;
  /**
   * Answers 202 with a job, for `Prefer: respond-async`. Without it the preference is ignored, as RFC 7240 allows.
   * `body` is that of `POST /v1/predict`.
   */
  later?: (request: FastifyRequest, reply: FastifyReply, body: Predict) => Promise<FastifyReply>;
  /** Where each that was answered is written down. */
  recorder?: Recorder;
  /** Answers that are kept; without it each is computed. */
  asking?: AskingCache;
}

const isKnown = (code: string): code is ErrorCode => Object.hasOwn(errors, code);

/** An outcome as the reply it becomes; a failure is the model server's own reply where there is one. */
const answer = (outcome: Outcome, reply: FastifyReply): FastifyReply => {
  if (outcome.ok) return reply.code(outcome.status).type('application/json').send(outcome.body);
  const { status, body, code, message, retryAfterMs } = outcome;
  if (retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(retryAfterMs / 1000));
  if (status !== undefined && body !== undefined) return reply.code(status).type('application/json').send(body);
  throw isKnown(code) && errors[code].status > 0 ? new ApiError(code, message) : new ApiError('executor_error', message);
};

/** The id that an answer begins with. */
const idOf = (body: string): string | null => /^\{"id":"([^"]{1,100})"/.exec(body)?.[1] ?? null;

const states = { HIT: 'hit', MISS: 'miss', BYPASS: 'bypass' } as const;

/** What the reply says of the cache; null where it was not asked. */
const cacheOf = (reply: FastifyReply): 'hit' | 'miss' | 'bypass' | null => {
  const said = reply.getHeader('x-cache');
  return said === 'HIT' || said === 'MISS' || said === 'BYPASS' ? states[said] : null;
};

/** As the W3C's Server-Timing has it, in milliseconds. */
const timing = ({ queueMs, batchMs, computeMs }: Times): string =>
  `queue;dur=${queueMs.toFixed(3)}, batch;dur=${batchMs.toFixed(3)}, compute;dur=${computeMs.toFixed(3)}`;

const wantsLater = (request: FastifyRequest): boolean =>
  request.headers.prefer !== undefined && /(^|[,;\s])respond-async($|[,;\s])/i.test([request.headers.prefer].flat().join());

/** Answers one prediction by the model that `reference` means. */
export const predictWith =
  ({ predictor, later, recorder, asking }: PredictParts) =>
  async (request: FastifyRequest, reply: FastifyReply, reference: string, wish: Wish): Promise<FastifyReply> => {
    const asked = { ...wish, model: reference } as Predict;
    if (later && wantsLater(request)) return await later(request, reply, asked);
    const began = performance.now();
    const model = await predictor.model(reference, request.identity.tenant);
    if (later && takesLong(model)) return await later(request, reply, asked);
    const note = (body: string | null, times: Times | null, status: number, error: { code: string; message: string } | null): void =>
      recorder?.record({
        id: body === null ? null : idOf(body),
        identity: request.identity,
        model,
        inputs: wish.inputs,
        inputBytes: Number(request.headers['content-length']) || null,
        body,
        status,
        error,
        cache: cacheOf(reply),
        times,
        totalMs: performance.now() - began,
        requestId: request.id,
      });
    const policy = policyOf(request.headers, wish.skip_cache);
    const { identity } = request;
    const keep = asking?.about({ identity, model, policy });
    try {
      if (model.executor !== 'onnx') {
        const gone = new AbortController();
        reply.raw.once('close', () => gone.abort());
        const { outcome, headers } = await predictor.outcome(
          model,
          { ...wish, model: reference } as unknown as JsonObject,
          gone.signal,
          keep,
        );
        if (asking) reply.headers(headers);
        if (outcome.ok) note(outcome.body, null, outcome.status, null);
        // One without a status is thrown below, and noted there.
        else if (outcome.status !== undefined && outcome.body !== undefined) note(null, null, outcome.status, outcome);
        return answer(outcome, reply);
      }
      const { body, times, headers } = await predictor.predict(model, wish, { onGone: (left) => reply.raw.once('close', left) }, keep);
      if (headers) reply.headers(headers);
      note(body, times, 200, null);
      if (times) reply.header('server-timing', timing(times));
      return reply.type('application/json').send(body);
    } catch (error) {
      if (error instanceof ApiError) note(null, null, error.status, error);
      throw error;
    }
  };

const model = Type.String({ description: '`name`, `name@version` or `name@alias`. A name may hold `/`.' });
const name = Type.String({ description: 'The name of a model; it may hold `/`.' });

/** Predictions at once: the same body and answer as a line of a batch, and more. */
export const predictRoutes = (app: App, parts: PredictParts): void => {
  app.addHook('onClose', () => parts.predictor[Symbol.asyncDispose]());
  const predict = predictWith(parts);
  const response = { 200: Prediction };
  // Nothing is logged of each that goes well: a line costs more than a prediction.
  const config = { quiet: true };
  app.post(
    '/v1/predict',
    { config, schema: { summary: 'Predict now', operationId: 'predict', body: Predict, response } },
    async (request, reply) => await predict(request, reply, request.body.model, request.body),
  );
  app.post(
    '/v1/models/:model/predict',
    {
      config,
      schema: {
        summary: 'Predict now, with a model',
        description: 'A model whose answers take minutes, such as Boltz-2, answers with a job: 202, and where its answer will be.',
        operationId: 'predictWithModel',
        params: Type.Object({ model }),
        body: PredictBody,
        response,
      },
    },
    async (request, reply) => await predict(request, reply, request.params.model, request.body),
  );
  const params = Type.Object({ model: name, version: Type.String({ description: 'Semantic: `1.10.0`.' }) });
  app.post(
    '/v1/models/:model/versions/:version/predict',
    { config, schema: { summary: 'Predict now, with a version', operationId: 'predictWithVersion', params, body: PredictBody, response } },
    async (request, reply) => await predict(request, reply, `${request.params.model}@${request.params.version}`, request.body),
  );
};
