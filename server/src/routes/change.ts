import type { Route, SetRoute } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { ApiError } from '../lib/errors.ts';
import type { Recommended } from '../models/recommended.ts';
import { getRoute, noRoute, shownRoute, type RouteDeps, type RouteKey } from './read.ts';

const recommended = (each: SetRoute['models'][number]): Recommended =>
  typeof each === 'string'
    ? { model: each, weight: 1, valid_from: null, valid_until: null }
    : { model: each.model, weight: each.weight ?? 1, valid_from: each.valid_from ?? null, valid_until: each.valid_until ?? null };

/** What a body says, checked: each model is one that the tenant can ask now, and each is named once at a time. */
const checkModels = async (deps: RouteDeps, { tenant }: Identity, body: SetRoute): Promise<Recommended[]> => {
  const models = body.models.map(recommended);
  if (models.length === 0)
    throw new ApiError('route_empty', 'A route needs at least one model; to have none, remove the route.', { param: 'models' });
  for (const [i, each] of models.entries()) {
    const param = `models[${i}]`;
    if (each.valid_from !== null && each.valid_until !== null && each.valid_until <= each.valid_from)
      throw new ApiError('invalid_value', `'${each.model}' would never hold: valid_until is not after valid_from.`, { param });
    if (models.findIndex((other) => other.model === each.model && overlap(other, each)) < i)
      throw new ApiError('invalid_value', `'${each.model}' is named twice for the same time.`, { param });
    await deps.models.resolve(each.model, tenant).catch((error: unknown) => {
      throw error instanceof ApiError ? new ApiError('model_not_found', error.message, { param: `${param}.model` }) : error;
    });
  }
  return models;
};

const overlap = (a: Recommended, b: Recommended): boolean =>
  (a.valid_from ?? 0) < (b.valid_until ?? Infinity) && (b.valid_from ?? 0) < (a.valid_until ?? Infinity);

/** One at a time changes a route, whether it is there yet or not: its history has no gap. */
const lockRoute = (tx: Db, { tenant }: Identity, key: RouteKey): Promise<number> =>
  tx.run(sql`select pg_advisory_xact_lock(730582, hashtext(${`${tenant}/${shownRoute(key)}`}))`);

const write = async (
  tx: Db,
  { tenant, user }: Identity,
  { target, series }: RouteKey,
  models: Recommended[] | null,
  note: string | null,
) => {
  const before = await tx.maybe<{ models: Recommended[] }>(sql`
    select models from routes where tenant_id = ${tenant} and target = ${target} and series = ${series ?? ''}`);
  if (models === null && before === null) return false;
  const text = models === null ? null : JSON.stringify(models);
  if (text === null) await tx.run(sql`delete from routes where tenant_id = ${tenant} and target = ${target} and series = ${series ?? ''}`);
  else
    await tx.run(sql`
      insert into routes as r (tenant_id, target, series, models, note, created_by, updated_by)
      values (${tenant}, ${target}, ${series ?? ''}, ${text}::jsonb, ${note}, ${user}, ${user})
      on conflict (tenant_id, target, series) do update
      set models = excluded.models, note = excluded.note, updated_by = excluded.updated_by, updated_at = now()`);
  await tx.run(sql`
    insert into route_changes (tenant_id, target, series, from_models, to_models, note, changed_by)
    values (${tenant}, ${target}, ${series ?? ''}, ${before === null ? null : JSON.stringify(before.models)}::jsonb, ${text}::jsonb, ${note}, ${user})`);
  return true;
};

/** Makes a route, or has it recommend other models. Batches that are there keep what they were given. */
export const setRoute = async (deps: RouteDeps, identity: Identity, key: RouteKey, body: SetRoute): Promise<Route> => {
  const models = await checkModels(deps, identity, body);
  await deps.db.transaction(async (tx) => {
    await lockRoute(tx, identity, key);
    await write(tx, identity, key, models, body.note ?? null);
  });
  return getRoute(deps, identity, key);
};

/** Removes a tenant's own route; one of the configuration that it hid is seen again. */
export const removeRoute = async (deps: RouteDeps, identity: Identity, key: RouteKey): Promise<void> => {
  const removed = await deps.db.transaction(async (tx) => {
    await lockRoute(tx, identity, key);
    return write(tx, identity, key, null, null);
  });
  if (removed) return;
  if ((await getRoute(deps, identity, key)).declared)
    throw new ApiError(
      'conflict',
      `The route '${shownRoute(key)}' is declared in the configuration of the server, and can be changed there only.`,
    );
  throw noRoute(key);
};
