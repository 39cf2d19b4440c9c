import { maxRouteModels, type CreateBatch } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import { ApiError } from '../lib/errors.ts';
import { answers, type ModelSpec } from '../models/models.ts';
import { validAt } from '../models/recommended.ts';
import { noRoute, routeKey, routesOf, shownRoute, type AnyRoute, type RouteDeps, type RouteKey } from './read.ts';

/** A model that a batch is run by. */
export interface ChosenModel {
  model: ModelSpec;
  weight: number;
}

/** What a body comes to: which models, and by which route. */
export interface Choice {
  /** None: the lines name theirs. */
  models: ChosenModel[];
  /** As it was asked for, and the series of the route that answered: null where that is the one of every series. */
  route: (RouteKey & { matched: string | null }) | null;
}

export type Asked = Pick<CreateBatch, 'model' | 'models' | 'route'> & { endpoint: string };

/**
 * The models that a batch is run by, each pinned to a version: a version made later, or a route changed later, does not
 * change a batch that is there. Submit and preview both ask here.
 */
export const chooseModels = async (deps: RouteDeps, identity: Identity, asked: Asked): Promise<Choice> => {
  const given = (['model', 'models', 'route'] as const).filter((field) => asked[field] !== undefined && asked[field] !== null);
  if (given.length > 1)
    throw new ApiError('invalid_value', `Give one of model, models and route, not ${given.join(' and ')}.`, { param: given[1]! });
  if (asked.route) return byRoute(deps, identity, asked.route, asked.endpoint);
  const references = asked.models ?? (asked.model ? [asked.model] : []);
  const models: ChosenModel[] = [];
  for (const [i, reference] of references.entries()) {
    const param = asked.models ? `models[${i}]` : 'model';
    const model = await resolve(deps, identity, reference, asked.endpoint, param);
    if (models.some((other) => other.model === model))
      throw new ApiError('invalid_value', `'${reference}' is named twice: it is ${model.name}@${model.version}.`, { param });
    models.push({ model, weight: 1 });
  }
  return { models, route: null };
};

const resolve = async (
  { models }: RouteDeps,
  { tenant }: Identity,
  reference: string,
  endpoint: string,
  param: string,
  whose = '',
): Promise<ModelSpec> => {
  const model = await models.resolve(reference, tenant).catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
    throw new ApiError('model_not_found', `The model '${reference}'${whose} does not exist, or has no version that is ready.`, { param });
  });
  if (!answers(model, endpoint))
    throw new ApiError('invalid_value', `The model '${model.name}@${model.version}'${whose} does not answer ${endpoint}.`, { param });
  return model;
};

const byRoute = async (
  deps: RouteDeps,
  identity: Identity,
  asked: { target: string; series?: string | null | undefined },
  endpoint: string,
): Promise<Choice> => {
  const key = routeKey(asked.target, asked.series);
  const { routes, now } = await routesOf(deps, identity, key.target);
  const route = routes.find(({ series }) => series === key.series) ?? routes.find(({ series }) => series === null);
  if (!route) throw noRoute(key);
  const valid = validAt(route.models, now);
  if (valid.length === 0) throw empty(route, now);
  const models: ChosenModel[] = [];
  for (const { model: reference, weight } of valid) {
    const model = await resolve(deps, identity, reference, endpoint, 'route', ` of the route '${shownRoute(route)}'`);
    // Two references may mean one version; the heavier one was first.
    if (!models.some((other) => other.model === model)) models.push({ model, weight });
  }
  if (models.length > maxRouteModels)
    throw new ApiError('invalid_value', `The route '${shownRoute(route)}' has more than ${maxRouteModels} models.`, { param: 'route' });
  return { models, route: { ...key, matched: route.series } };
};

const date = (seconds: number): string => new Date(seconds * 1_000).toISOString().slice(0, 16).replace('T', ' ');

const empty = (route: AnyRoute, now: number): ApiError => {
  const next = Math.min(...route.models.flatMap(({ valid_from: from }) => (from !== null && from > now ? [from] : [])));
  const when = Number.isFinite(next) ? `the first holds from ${date(next)} UTC on` : 'those it had do not hold any more';
  return new ApiError('route_empty', `The route '${shownRoute(route)}' has no model that holds now: ${when}.`, { param: 'route' });
};
