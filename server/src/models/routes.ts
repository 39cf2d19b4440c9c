import { endpoints, Model, ModelList } from '@sluice/contract';
import { Type } from 'typebox';
import type { App } from '../lib/app.ts';
import { executorEndpoints, type Models, type ModelSpec } from './models.ts';

const shown = (models: Models, model: ModelSpec, tenant: string): Model => ({
  id: models.find(model.name, tenant) === model ? model.name : `${model.name}@${model.version}`,
  object: 'model',
  created: 0,
  owned_by: 'sluice',
  name: model.name,
  version: model.version,
  executor: model.executor,
  endpoints: [...(executorEndpoints[model.executor] ?? endpoints)],
  status: 'ready',
});

/** Which models there are; the declared ones, and the tenant's own. */
export const modelRoutes = (app: App, { models }: { models: Models }): void => {
  app.get(
    '/v1/models',
    { schema: { summary: 'List the models', operationId: 'listModels', response: { 200: ModelList } } },
    ({ identity: { tenant } }): ModelList => ({
      object: 'list',
      data: models.seen(tenant).map((model) => shown(models, model, tenant)),
    }),
  );
  // A name may hold `/`, so the rest of the path is the name.
  const params = Type.Object({ '*': Type.String({ title: 'model', description: '`name` or `name@version`.' }) });
  app.get(
    '/v1/models/*',
    { schema: { summary: 'Get a model', operationId: 'getModel', params, response: { 200: Model } } },
    async ({ params: { '*': reference }, identity: { tenant } }): Promise<Model> =>
      shown(models, await models.resolve(reference, tenant), tenant),
  );
};
