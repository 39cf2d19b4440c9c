import { DeletedModel, ModelDetails, ModelList, UpdateModel } from '@sluice/contract';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { App } from '../lib/app.ts';
import { anyVersion, named, nameOf, versionIn } from './params.ts';
import { getLatest, getModel, getVersions } from './read.ts';
import { archiveModel, deleteModel, restoreModel, updateModel, type RegisterDeps } from './register.ts';

/** A model's versions, by its name. */
export const versionRoutes = (app: App, deps: RegisterDeps): void => {
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
        description: 'Tags, card and columns of outputs at any time, options and schema until it is ready.',
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
