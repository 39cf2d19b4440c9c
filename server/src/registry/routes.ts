import { CreateModel, DeletedModel, ListModels, ModelDetails, ModelList, UpdateModel } from '@sluice/contract';
import { Type } from 'typebox';
import type { App } from '../lib/app.ts';
import { aliasRoutes } from './alias-routes.ts';
import { anyModel } from './params.ts';
import { getModel, listModels, referenceOf } from './read.ts';
import { archiveModel, createModel, deleteModel, updateModel, type RegisterDeps } from './register.ts';
import { inputSchema } from './schema.ts';
import { uploadRoutes, type UploadRouteDeps } from './upload-routes.ts';
import { versionRoutes } from './version-routes.ts';

/** `/v1/models` and what hangs on it. */
export const registryRoutes = (app: App, deps: UploadRouteDeps): void => {
  modelRoutes(app, deps);
  versionRoutes(app, deps);
  uploadRoutes(app, deps);
  aliasRoutes(app, deps);
};

const modelRoutes = (app: App, deps: RegisterDeps): void => {
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
        description:
          'Of its newest version, or the one that is named: tags, card and columns of outputs at any time, options and schema until it is ready.',
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
        summary: "Get the JSON Schema of a model's inputs, and of its outputs as `$defs.outputs`",
        operationId: 'getModelSchema',
        params: anyModel,
        response: { 200: Type.Unsafe<Record<string, unknown>>({ type: 'object' }) },
      },
    },
    (request) => inputSchema(deps, request.identity, referenceOf(request.params.model)),
  );
};
