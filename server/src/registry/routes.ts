import {
  CreateModel,
  DeletedModel,
  ListModels,
  ModelAlias,
  ModelAliasHistory,
  ModelAliasList,
  ModelDetails,
  ModelList,
  MoveAlias,
  UpdateModel,
} from '@sluice/contract';
import { Type } from 'typebox';
import type { FastifyRequest } from 'fastify';
import type { App } from '../lib/app.ts';
import { ApiError } from '../lib/errors.ts';
import type { Reference } from '../models/names.ts';
import { aliasHistory, deleteAlias, getAlias, listAliases, moveAlias, rollBackAlias } from './aliases.ts';
import { getLatest, getModel, getVersions, listModels, noModel, referenceOf } from './read.ts';
import { archiveModel, createModel, deleteModel, restoreModel, updateModel, type RegisterDeps } from './register.ts';
import { inputSchema } from './schema.ts';
import { uploadModel, type Earlier } from './upload.ts';

export interface RegistryRouteDeps extends RegisterDeps {
  /** Bytes a model's file may have. */
  maxBytes: number;
}

const model = Type.String({ title: 'model', description: '`name`, `name@version` or `name@alias`. A name may hold `/`.' });
const name = Type.String({ description: 'The name of a model; it may hold `/`.' });
const anyModel = Type.Object({ model });
const anyVersion = Type.Object({ model: name, version: Type.String({ description: 'Semantic: `1.10.0`.' }) });
const anyAlias = Type.Object({ model: name, alias: Type.String() });
const named = Type.Object({ model: name });

/** The name in a path that says the version elsewhere, or means all of them. */
const nameOf = (text: string): string => {
  const reference = referenceOf(text);
  if (reference.version !== undefined || reference.alias !== undefined) throw noModel(text);
  return reference.name;
};

const versionIn = ({ model: text, version }: { model: string; version: string }): Reference => {
  const reference = referenceOf(`${nameOf(text)}@${version}`);
  if (reference.version === undefined) throw noModel(`${text}@${version}`);
  return reference;
};

/** `/v1/models` and what hangs on it. */
export const registryRoutes = (app: App, deps: RegistryRouteDeps): void => {
  modelRoutes(app, deps);
  versionRoutes(app, deps);
  uploadRoutes(app, deps);
  aliasRoutes(app, deps);
};

const modelRoutes = (app: App, deps: RegistryRouteDeps): void => {
  app.get(
    '/v1/models',
    {
      schema: {
        summary: 'List the models',
        description:
          'Each model as its newest version, then its other versions that are ready, by name: whatever `model` of a request may say.',
        operationId: 'listModels',
        querystring: ListModels,
        response: { 200: ModelList },
      },
    },
    (request): Promise<ModelList> => listModels(deps, request.identity, request.query),
  );
  app.post(
    '/v1/models',
    {
      schema: {
        summary: 'Register a version of a model',
        description:
          'A model of executor `onnx` waits for its file then (`…/upload`), and is vetted before it is ready. Models that other servers answer for are registered with an admin key.',
        operationId: 'createModel',
        body: CreateModel,
        response: { 200: ModelDetails },
      },
    },
    async (request): Promise<ModelDetails> => getModel(deps, request.identity, await createModel(deps, request.identity, request.body)),
  );
  app.get(
    '/v1/models/:model',
    {
      schema: {
        summary: 'Get a model',
        description: 'A name alone is the model, with the status of its newest version.',
        operationId: 'getModel',
        params: anyModel,
        response: { 200: ModelDetails },
      },
    },
    (request): Promise<ModelDetails> => getModel(deps, request.identity, referenceOf(request.params.model)),
  );
  app.patch(
    '/v1/models/:model',
    {
      schema: {
        summary: 'Change what is said of a model',
        description: 'Of its newest version, or the one that is named: tags and card at any time, options and schema until it is ready.',
        operationId: 'updateModel',
        params: anyModel,
        body: UpdateModel,
        response: { 200: ModelDetails },
      },
    },
    async (request): Promise<ModelDetails> =>
      getModel(deps, request.identity, await updateModel(deps, request.identity, referenceOf(request.params.model), request.body)),
  );
  app.delete(
    '/v1/models/:model',
    {
      schema: {
        summary: 'Delete a model',
        description: 'With all its versions, or the one that is named. Refused while a batch or job that has not ended uses it.',
        operationId: 'deleteModel',
        params: anyModel,
        response: { 200: DeletedModel },
      },
    },
    (request): Promise<DeletedModel> => deleteModel(deps, request.identity, referenceOf(request.params.model)),
  );
  app.post(
    '/v1/models/:model/archive',
    {
      schema: {
        summary: 'Archive a model',
        description: 'All versions that are ready, or the one that is named: they take nothing new, and finish what was accepted for them.',
        operationId: 'archiveModel',
        params: anyModel,
        response: { 200: ModelDetails },
      },
    },
    async (request): Promise<ModelDetails> => {
      const reference = referenceOf(request.params.model);
      await archiveModel(deps, request.identity, reference);
      return getModel(deps, request.identity, reference);
    },
  );
  app.get(
    '/v1/models/:model/schema',
    {
      schema: {
        summary: "Get the JSON Schema of a model's inputs",
        operationId: 'getModelSchema',
        params: anyModel,
        response: { 200: Type.Unsafe<Record<string, unknown>>({ type: 'object' }) },
      },
    },
    (request) => inputSchema(deps, request.identity, referenceOf(request.params.model)),
  );
};

const versionRoutes = (app: App, deps: RegistryRouteDeps): void => {
  const versionList = async (request: FastifyRequest, text: string): Promise<ModelList> => {
    const data = await getVersions(deps, request.identity, nameOf(text));
    return { object: 'list', data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, has_more: false };
  };
  app.get(
    '/v1/models/:model/versions',
    {
      schema: {
        summary: 'List the versions of a model, newest first',
        operationId: 'listModelVersions',
        params: named,
        response: { 200: ModelList },
      },
    },
    (request) => versionList(request, request.params.model),
  );
  app.get(
    '/v1/models/by-name/:model/versions',
    {
      schema: {
        summary: 'List the versions of a model, newest first',
        operationId: 'listVersionsByName',
        params: named,
        response: { 200: ModelList },
      },
    },
    (request) => versionList(request, request.params.model),
  );
  app.get(
    '/v1/models/by-name/:model/latest',
    {
      schema: {
        summary: 'Get the newest version of a model',
        operationId: 'getLatestByName',
        params: named,
        querystring: Type.Object({ ready_only: Type.Boolean({ default: false, description: 'Only of versions that are ready.' }) }),
        response: { 200: ModelDetails },
      },
    },
    (request): Promise<ModelDetails> => getLatest(deps, request.identity, nameOf(request.params.model), request.query.ready_only),
  );
  app.get(
    '/v1/models/:model/versions/:version',
    {
      schema: { summary: 'Get a version of a model', operationId: 'getModelVersion', params: anyVersion, response: { 200: ModelDetails } },
    },
    (request): Promise<ModelDetails> => getModel(deps, request.identity, versionIn(request.params)),
  );
  app.patch(
    '/v1/models/:model/versions/:version',
    {
      schema: {
        summary: 'Change what is said of a version',
        description: 'Tags and card at any time, options and schema until it is ready.',
        operationId: 'updateModelVersion',
        params: anyVersion,
        body: UpdateModel,
        response: { 200: ModelDetails },
      },
    },
    async (request): Promise<ModelDetails> =>
      getModel(deps, request.identity, await updateModel(deps, request.identity, versionIn(request.params), request.body)),
  );
  app.delete(
    '/v1/models/:model/versions/:version',
    {
      schema: {
        summary: 'Delete a version of a model',
        operationId: 'deleteModelVersion',
        params: anyVersion,
        response: { 200: DeletedModel },
      },
    },
    (request): Promise<DeletedModel> => deleteModel(deps, request.identity, versionIn(request.params)),
  );
  for (const [verb, act] of [
    ['archive', archiveModel],
    ['restore', restoreModel],
  ] as const)
    app.post(
      `/v1/models/:model/versions/:version/${verb}`,
      {
        schema: {
          summary: verb === 'archive' ? 'Archive a version of a model' : 'Put an archived version back into service',
          operationId: `${verb}ModelVersion`,
          params: anyVersion,
          response: { 200: ModelDetails },
        },
      },
      async (request): Promise<ModelDetails> => {
        const reference = versionIn(request.params);
        await act(deps, request.identity, reference);
        return getModel(deps, request.identity, reference);
      },
    );
};

/** For the document only: the form is read as it comes. */
const ModelForm = Type.Object({ file: Type.String({ format: 'binary' }) });

const earlierOf = (body: unknown): Earlier => {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return {};
  for (const [key, value] of Object.entries(body)) {
    if (key !== 'upload_id' && key !== 'file_id')
      throw new ApiError('unknown_parameter', `Unknown parameter: '${key.slice(0, 100)}'.`, { param: key.slice(0, 100) });
    if (typeof value !== 'string') throw new ApiError('invalid_type', `Invalid type for '${key}': expected a string.`, { param: key });
  }
  return body;
};

const uploadRoutes = (app: App, deps: RegistryRouteDeps): void => {
  // A form is read from the request itself, as it comes.
  const unchecked = { validatorCompiler: () => () => true };
  const schema = {
    description:
      'A form with the field `file`, or JSON with `upload_id` (a completed upload in parts, which can be resumed) or `file_id`. It is vetted then.',
    consumes: ['multipart/form-data', 'application/json'],
    body: ModelForm,
    response: { 200: ModelDetails },
  };
  const take = async (request: FastifyRequest, reference: Reference): Promise<ModelDetails> => {
    const isJson = /^application\/json\b/i.test(request.headers['content-type'] ?? '');
    const source = isJson ? { earlier: earlierOf(request.body) } : { request: request.raw };
    return getModel(deps, request.identity, await uploadModel({ ...deps, log: request.log }, request.identity, reference, source));
  };
  app.post(
    '/v1/models/:model/upload',
    {
      ...unchecked,
      schema: { summary: "Upload a model's file", operationId: 'uploadModel', params: anyModel, ...schema },
    },
    (request) => take(request, referenceOf(request.params.model)),
  );
  app.post(
    '/v1/models/:model/versions/:version/upload',
    {
      ...unchecked,
      schema: { summary: "Upload a version's file", operationId: 'uploadModelVersion', params: anyVersion, ...schema },
    },
    (request) => take(request, versionIn(request.params)),
  );
};

const aliasRoutes = (app: App, deps: RegistryRouteDeps): void => {
  const at = '/v1/models/:model/aliases';
  app.get(
    at,
    {
      schema: { summary: 'List the aliases of a model', operationId: 'listModelAliases', params: named, response: { 200: ModelAliasList } },
    },
    async (request) => ({
      object: 'list' as const,
      data: await listAliases(deps, request.identity, { name: nameOf(request.params.model) }),
    }),
  );
  app.get(
    `${at}/:alias`,
    { schema: { summary: 'Get an alias', operationId: 'getModelAlias', params: anyAlias, response: { 200: ModelAlias } } },
    (request): Promise<ModelAlias> => getAlias(deps, request.identity, { name: nameOf(request.params.model) }, request.params.alias),
  );
  app.put(
    `${at}/:alias`,
    {
      schema: {
        summary: 'Make an alias mean a version',
        description:
          'From then on requests that say `name@alias` are answered by it. What was accepted before stays with the version it began with.',
        operationId: 'moveModelAlias',
        params: anyAlias,
        body: MoveAlias,
        response: { 200: ModelAlias },
      },
    },
    (request): Promise<ModelAlias> =>
      moveAlias(deps, request.identity, { name: nameOf(request.params.model) }, request.params.alias, request.body.version),
  );
  app.delete(
    `${at}/:alias`,
    { schema: { summary: 'Remove an alias', operationId: 'deleteModelAlias', params: anyAlias, response: { 200: DeletedModel } } },
    async (request): Promise<DeletedModel> => {
      const { model: text, alias } = request.params;
      await deleteAlias(deps, request.identity, { name: nameOf(text) }, alias);
      return { id: `${text}@${alias}`, object: 'model', deleted: true };
    },
  );
  app.get(
    `${at}/:alias/history`,
    {
      schema: {
        summary: 'Who moved an alias, when, from where to where',
        operationId: 'getModelAliasHistory',
        params: anyAlias,
        response: { 200: ModelAliasHistory },
      },
    },
    async (request) => ({
      object: 'list' as const,
      data: await aliasHistory(deps, request.identity, { name: nameOf(request.params.model) }, request.params.alias),
    }),
  );
  app.post(
    `${at}/:alias/rollback`,
    {
      schema: {
        summary: 'Take the last move of an alias back',
        description: 'Asked again, the one before it.',
        operationId: 'rollBackModelAlias',
        params: anyAlias,
        response: { 200: ModelAlias },
      },
    },
    (request): Promise<ModelAlias> => rollBackAlias(deps, request.identity, { name: nameOf(request.params.model) }, request.params.alias),
  );
};
