import { type Route, type RouteChange } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { none, sql } from '../db/sql.ts';
import { ApiError } from '../lib/errors.ts';
import type { Models } from '../models/models.ts';
import { routeNameProblem, validAt, type DeclaredRoute, type Recommended } from '../models/recommended.ts';

export interface RouteDeps {
  db: Db;
  models: Models;
  /** Those of the configuration; a tenant's own of the same target and series comes before. */
  declared: readonly DeclaredRoute[];
}

/** What a route is known by. `series` null: of every series that has none of its own. */
export interface RouteKey {
  target: string;
  series: string | null;
}

export interface RouteRow {
  target: string;
  /** '' where the route is of every series. */
  series: string;
  models: Recommended[];
  note: string | null;
  created_at: number;
  created_by: string;
  updated_at: number;
  updated_by: string;
}

/** A route as it is used, whoever made it. */
export type AnyRoute = DeclaredRoute & { row: RouteRow | null };

const columns = sql`
  r.target, r.series, r.models, r.note, floor(extract(epoch from r.created_at))::bigint as created_at, r.created_by,
  floor(extract(epoch from r.updated_at))::bigint as updated_at, r.updated_by`;

const fromRow = (row: RouteRow): AnyRoute => ({
  target: row.target,
  series: row.series === '' ? null : row.series,
  models: row.models,
  note: row.note,
  row,
});

const keyOf = ({ target, series }: RouteKey): string => `${target}/${series ?? ''}`;

/** The target and series of a request, checked. */
export const routeKey = (target: string, series: string | null | undefined): RouteKey => {
  const wrong = routeNameProblem(target);
  if (wrong !== null) throw new ApiError('invalid_value', `A target ${wrong}`, { param: 'target' });
  const wrongSeries = typeof series === 'string' ? routeNameProblem(series) : null;
  if (wrongSeries !== null) throw new ApiError('invalid_value', `A series ${wrongSeries}`, { param: 'series' });
  return { target, series: series ?? null };
};

/** As a client would write it. */
export const shownRoute = ({ target, series }: RouteKey): string => (series === null ? target : `${target}/${series}`);

export const noRoute = (key: RouteKey): ApiError =>
  new ApiError('route_not_found', `There is no route '${shownRoute(key)}'.`, { param: 'route' });

/** Every route the tenant sees, by target and series; with the time of the database's clock. */
export const routesOf = async (
  { db, declared }: Pick<RouteDeps, 'db' | 'declared'>,
  { tenant }: Pick<Identity, 'tenant'>,
  target?: string,
): Promise<{ routes: AnyRoute[]; now: number }> => {
  const { now } = await db.one<{ now: number }>(sql`select extract(epoch from now())::float8 as now`);
  const rows = await db.many<RouteRow>(
    sql`select ${columns} from routes r where r.tenant_id = ${tenant} ${target === undefined ? none : sql`and r.target = ${target}`}`,
  );
  const own = rows.map(fromRow);
  const taken = new Set(own.map(keyOf));
  const common = declared
    .filter((route) => (target === undefined || route.target === target) && !taken.has(keyOf(route)))
    .map((route) => ({ ...route, row: null }));
  const routes = [...own, ...common].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  return { routes, now };
};

/** As clients see it. */
export const toRoute = (route: AnyRoute, models: Models, tenant: string, now: number): Route => ({
  object: 'route',
  target: route.target,
  series: route.series,
  models: route.models.map((each) => {
    const found = models.find(each.model, tenant);
    return {
      ...each,
      resolved: found === null ? null : `${found.name}@${found.version}`,
      valid: validAt([each], now).length > 0,
    };
  }),
  note: route.note,
  declared: route.row === null,
  created_at: route.row?.created_at ?? null,
  created_by: route.row?.created_by ?? null,
  updated_at: route.row?.updated_at ?? null,
  updated_by: route.row?.updated_by ?? null,
});

export const listRoutes = async (deps: RouteDeps, identity: Identity): Promise<Route[]> => {
  const { routes, now } = await routesOf(deps, identity);
  return routes.map((route) => toRoute(route, deps.models, identity.tenant, now));
};

export const getRoute = async (deps: RouteDeps, identity: Identity, key: RouteKey): Promise<Route> => {
  const { routes, now } = await routesOf(deps, identity, key.target);
  const found = routes.find((route) => keyOf(route) === keyOf(key));
  if (!found) throw noRoute(key);
  return toRoute(found, deps.models, identity.tenant, now);
};

/** Every change of a tenant's own route, the last one first, also after it was removed. */
export const routeHistory = async (deps: RouteDeps, identity: Identity, key: RouteKey): Promise<RouteChange[]> => {
  const changes = await deps.db.many<RouteChange>(sql`
    select 'route.change' as object, floor(extract(epoch from changed_at))::bigint as at, changed_by as by,
      from_models as from, to_models as to, note
    from route_changes where tenant_id = ${identity.tenant} and target = ${key.target} and series = ${key.series ?? ''}
    order by no desc limit 1000`);
  // What the configuration declares has no history here, but it is there.
  if (changes.length === 0) await getRoute(deps, identity, key);
  return changes;
};
