import { DeletedRoute, endpoints, resultFormats, Route, RouteHistory, RouteList, RouteOptions, SetRoute } from '@sluice/contract';
import { Type } from 'typebox';
import type { App } from '../lib/app.ts';
import { removeRoute, setRoute } from './change.ts';
import { KeptOptions, optionSeconds, type OptionLimits } from './options.ts';
import { getRoute, listRoutes, routeHistory, routeKey, type RouteDeps } from './read.ts';

const anyTarget = Type.Object({ target: Type.String() });
const ofSeries = Type.Object({
  series: Type.Optional(Type.String({ description: 'Absent: the route of every series that has none of its own.' })),
});

/** `/v1/routes`: which models are recommended for a target. */
export const routeRoutes = (app: App, deps: RouteDeps & { limits: OptionLimits }): void => {
  const kept = new KeptOptions();
  const optionDeps = { ...deps, endpoints, outputFormats: resultFormats };

  app.get(
    '/v1/routes',
    { schema: { summary: 'List the routes, by target and series', operationId: 'listRoutes', response: { 200: RouteList } } },
    async (request) => ({ object: 'list' as const, data: await listRoutes(deps, request.identity) }),
  );
  app.get(
    '/v1/routes/options',
    {
      schema: {
        summary: 'What can be chosen for a batch',
        description: 'Targets, series, models, output formats and limits. As of at most 60 seconds ago.',
        operationId: 'getRouteOptions',
        response: { 200: RouteOptions },
      },
    },
    async (request, reply): Promise<RouteOptions> => {
      reply.header('cache-control', `private, max-age=${optionSeconds}`);
      return kept.of(optionDeps, request.identity);
    },
  );
  app.get(
    '/v1/routes/:target',
    { schema: { summary: 'Get a route', operationId: 'getRoute', params: anyTarget, querystring: ofSeries, response: { 200: Route } } },
    (request): Promise<Route> => getRoute(deps, request.identity, routeKey(request.params.target, request.query.series)),
  );
  app.put(
    '/v1/routes/:target',
    {
      schema: {
        summary: 'Make a route, or have it recommend other models',
        description: 'Batches that are there keep the models they were given.',
        operationId: 'setRoute',
        params: anyTarget,
        querystring: ofSeries,
        body: SetRoute,
        response: { 200: Route },
      },
    },
    async (request): Promise<Route> => {
      const route = await setRoute(deps, request.identity, routeKey(request.params.target, request.query.series), request.body);
      kept.forget(request.identity.tenant);
      return route;
    },
  );
  app.delete(
    '/v1/routes/:target',
    {
      schema: {
        summary: 'Remove a route',
        description: 'Its history stays. A route of the configuration that it hid is seen again.',
        operationId: 'deleteRoute',
        params: anyTarget,
        querystring: ofSeries,
        response: { 200: DeletedRoute },
      },
    },
    async (request): Promise<DeletedRoute> => {
      const key = routeKey(request.params.target, request.query.series);
      await removeRoute(deps, request.identity, key);
      kept.forget(request.identity.tenant);
      return { object: 'route', ...key, deleted: true };
    },
  );
  app.get(
    '/v1/routes/:target/history',
    {
      schema: {
        summary: 'Who changed a route, when, from what to what',
        operationId: 'getRouteHistory',
        params: anyTarget,
        querystring: ofSeries,
        response: { 200: RouteHistory },
      },
    },
    async (request) => ({
      object: 'list' as const,
      data: await routeHistory(deps, request.identity, routeKey(request.params.target, request.query.series)),
    }),
  );
};
