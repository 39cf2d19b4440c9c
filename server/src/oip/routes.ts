import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../lib/app.ts';
import { ApiError, messageOf } from '../lib/errors.ts';
import type { Models, ModelSpec } from '../models/models.ts';
import type { Infers } from '../predictions/infer.ts';
import { configOf, metadataOf } from './about.ts';
import * as about from './described.ts';
import { described } from './described.ts';
import { asked, inferWith } from './infer.ts';
import { checkLoadAsk, checkUnloadAsk, readIndexAsk } from './repository.ts';
import { Statistics } from './statistics.ts';
import { findTarget, seenBy, targetOf, type Target, type Verb } from './target.ts';

export interface OipParts {
  models: Models;
  infers: Infers;
  /** Ends the processes that have a model loaded; its next request loads it again. */
  unload: (model: ModelSpec) => Promise<unknown>;
  /** Whether the server can do its work. */
  ready: () => Promise<boolean>;
  /** Of Sluice. */
  version: () => Promise<string>;
  /** Bytes a request may have. */
  maxBytes: number;
}

const ofModels: readonly Verb[] = ['metadata', 'ready', 'config', 'stats', 'infer'];

const extensions = ['binary_tensor_data', 'model_repository', 'model_configuration', 'statistics'];

/** Which verbs each method has. */
const methods: Record<'GET' | 'POST', readonly Verb[]> = {
  GET: ['metadata', 'ready', 'config', 'stats'],
  POST: ['infer', 'load', 'unload'],
};

/** What follows a prefix in the address as it was sent: decoding is done name by name. */
const after = (request: FastifyRequest, prefix: string): string => {
  const path = request.raw.url!.split('?', 1)[0]!;
  return path
    .split('/')
    .slice(prefix.split('/').length - 1)
    .join('/');
};

const checkMethod = (target: Target, method: 'GET' | 'POST', among: readonly Verb[]): void => {
  if (among.includes(target.verb) && methods[method].includes(target.verb)) return;
  if (!among.includes(target.verb)) throw new ApiError('not_found', `There is nothing at '${target.verb}' here.`);
  const allow = method === 'GET' ? 'POST' : 'GET, HEAD';
  throw new ApiError('method_not_allowed', `Not allowed to ${method} '${target.verb}'; send ${allow.split(',')[0]!}.`, {
    headers: { allow },
  });
};

/**
 * The Open Inference Protocol, version 2, for every ONNX model. Bodies are read by this room itself, as they come. An
 * error is `{"error": "…"}` under /v2: see `http/server.ts`.
 */
export const oipRoutes = (app: App, parts: OipParts): void => {
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    // The schemas describe; what a body holds is checked where it is read.
    scope.setValidatorCompiler(() => () => true);
    healthOf(scope, parts);
    modelsOf(scope, parts);
    repositoryOf(scope, parts);
  });
};

const hide = { schema: { hide: true } };

const healthOf = (app: App, { ready, version }: OipParts): void => {
  const open = (summary: string, operationId: string) =>
    ({ ...described(summary, operationId, { security: [] }), logLevel: 'warn' }) as const;
  app.get('/v2/health/live', open('Whether the server answers at all', 'inferenceLive'), () => ({ live: true }));
  app.get('/v2/health/ready', open('Whether it can do its work; 503 otherwise', 'inferenceReady'), async (_request, reply) => {
    const well = await ready();
    return reply.code(well ? 200 : 503).send({ ready: well });
  });
  app.get('/v2', about.server, async () => ({ name: 'sluice', version: await version(), extensions }));
};

const modelsOf = (app: App, { models, infers, maxBytes }: OipParts): void => {
  const statistics = new Statistics();
  const ofName = ({ name }: Pick<ModelSpec, 'name'>, tenant: string): ModelSpec[] =>
    seenBy(models, tenant).filter((model) => model.name === name);

  const show = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const target = targetOf(after(request, '/v2/models/'));
    checkMethod(target, 'GET', ofModels);
    const { tenant } = request.identity;
    const model = await findTarget(models, target, tenant);
    switch (target.verb) {
      case 'ready':
        try {
          await asked(infers.portsOf(model));
          return { name: model.name, ready: true };
        } catch (error) {
          return reply.code(503).send({ name: model.name, ready: false, error: messageOf(error) });
        }
      case 'stats':
        return { model_stats: (target.version === null ? ofName(model, tenant) : [model]).map((each) => statistics.of(each)) };
      case 'config':
        return configOf(model, await asked(infers.portsOf(model)));
      default: {
        const versions = ofName(model, tenant).map(({ version }) => version);
        return metadataOf(model, versions, await asked(infers.portsOf(model)));
      }
    }
  };

  const infer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const target = targetOf(after(request, '/v2/models/'));
    checkMethod(target, 'POST', ofModels);
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const { tenant } = request.identity;
    const model = await findTarget(models, target, tenant);
    const { headers, body } = await inferWith({ infers, statistics, maxBytes }, model, request.raw, tenant, gone.signal);
    return reply.headers(headers).send(body);
  };

  app.get('/v2/models', about.list, (request) => ({
    models: [...new Set(seenBy(models, request.identity.tenant).map(({ name }) => name))],
  }));
  app.get('/v2/models/stats', about.statistics, (request) => ({
    model_stats: seenBy(models, request.identity.tenant).map((model) => statistics.of(model)),
  }));
  for (const verb of ofModels)
    for (const [path, schema] of about.addresses(verb))
      if (verb === 'infer') app.post(path, schema, infer);
      else app.get(path, schema, show);
  // Names that hold `/`, and whatever has no such method.
  app.get('/v2/models/*', hide, show);
  app.post('/v2/models/*', hide, infer);
};

const repositoryOf = (app: App, { models, infers, unload }: OipParts): void => {
  const change = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const target = targetOf(after(request, '/v2/repository/models/'));
    if (target.verb !== 'load' && target.verb !== 'unload')
      throw new ApiError('not_found', 'A model is loaded or unloaded here: …/load, …/unload.');
    const model = await findTarget(models, target, request.identity.tenant);
    if (target.verb === 'load') {
      await checkLoadAsk(request.raw);
      await asked(infers.portsOf(model));
    } else {
      await checkUnloadAsk(request.raw);
      await unload(model);
    }
    return reply.code(200).send();
  };
  app.post('/v2/repository/index', about.index, async (request) => {
    await readIndexAsk(request.raw);
    // Those that are not ready are not run, and are seen in the registry alone.
    return seenBy(models, request.identity.tenant).map(({ name, version }) => ({ name, version, state: 'READY', reason: '' }));
  });
  app.post('/v2/repository/models/:model/load', about.load, change);
  app.post('/v2/repository/models/:model/unload', about.unload, change);
  app.post('/v2/repository/models/*', hide, change);
};
