import { DeletedModel, ModelAlias, ModelAliasHistory, ModelAliasList, MoveAlias } from '@sluice/contract';
import type { App } from '../lib/app.ts';
import { aliasHistory, deleteAlias, getAlias, listAliases, moveAlias, rollBackAlias } from './aliases.ts';
import { anyAlias, named, nameOf } from './params.ts';
import type { ReadDeps } from './read.ts';

/** Names that mean a version, and what they meant before. */
export const aliasRoutes = (app: App, deps: ReadDeps): void => {
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
