import type { BatchPreview, CreateBatch, Endpoint } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { kindOf, localPool, type PoolConfig } from '../policy/pools.ts';
import { noQuotas, type Quotas } from '../policy/quotas.ts';
import { sayExceeded } from '../quotas/exceeded.ts';
import { usesAfter } from '../quotas/quotas.ts';
import { dryRun, type DryRunDeps } from './dry-run.ts';
import { isParent, labelsOf, type Pinned } from './pinned.ts';

export interface PreviewDeps extends DryRunDeps {
  pools?: readonly PoolConfig[] | undefined;
  quotas?: Quotas | undefined;
}

interface PoolRow {
  pool: string;
  workers: number;
}

/** Workers that take requests now, of each pool. */
const workersOf = async (db: Db): Promise<Map<string, number>> =>
  new Map(
    (
      await db.many<PoolRow>(
        sql`select pool, count(*) as workers from workers where state = 'ready' and drain_requested_at is null and seen_at > now() - interval '60 seconds' group by 1`,
      )
    ).map(({ pool, workers }) => [pool, workers]),
  );

/** Requests a second of one worker of a kind, where that was measured. */
const ratesByKind = async (db: Db, models: readonly string[], tenant: string): Promise<Map<string, number>> =>
  new Map(
    (
      await db.many<{ model: string; kind: string; rate: number }>(
        sql`select model, kind, rate from pool_rates where model = any(${[...models, ...models.map((model) => `${tenant}:${model}`)]}::text[])`,
      )
    ).map(({ model, kind, rate }) => [`${kind}/${model.slice(model.indexOf(':') + 1)}`, rate]),
  );

/**
 * What a create would come to: who runs its lines, how many requests that makes, how long and how much in each pool, and
 * what quotas leave. By the code of a create, so that the two cannot disagree; nothing is kept.
 */
export const previewBatch = async (
  deps: PreviewDeps,
  identity: Identity,
  asked: { body: CreateBatch & { endpoint: Endpoint }; pinned: Pinned },
): Promise<BatchPreview> => {
  const { db, pools = [localPool], quotas = noQuotas } = deps;
  const { body, pinned } = asked;
  const found = await dryRun(deps, identity, asked);
  const names = found.models.map(({ model }) => model);
  const labels = labelsOf(names);
  const weights = new Map(pinned.models.map(({ model, weight }) => [model, weight]));
  const requests = found.models.reduce((sum, { lines }) => sum + lines, 0);
  const [workers, rates] = [await workersOf(db), await ratesByKind(db, names, identity.tenant)];
  const estimates = pools.map((pool): BatchPreview['pools'][number] => {
    const kind = kindOf(pool);
    const work = found.models.reduce((sum, { model, lines, rate }) => sum + lines / (rates.get(`${kind}/${model}`) ?? rate), 0);
    const there = workers.get(pool.name) ?? 0;
    return {
      pool: pool.name,
      kind,
      price: pool.price,
      workers: there,
      maximum: pool.maximum,
      worker_seconds: work,
      seconds: there === 0 ? null : work / there,
      cost: (work / 3_600) * pool.price,
      takes: typeof body.pool !== 'string' || body.pool === pool.name,
    };
  });
  // Requests of rows that have a problem are not queued.
  const uses = await usesAfter(db, quotas, identity, { batches: 1, requests, bytes: found.bytes });
  const exceeded = uses.find(({ used, more, limit }) => used + more > limit);
  const quotaError =
    exceeded === undefined ? [] : [{ code: 'quota_exceeded', message: sayExceeded(exceeded, exceeded.more), param: null, line: null }];
  const errors = [...quotaError, ...(found.errors?.data ?? [])];
  return {
    object: 'batch.preview',
    valid: found.valid && exceeded === undefined,
    errors: errors.length === 0 ? null : { object: 'list', data: errors, total: (found.errors?.total ?? 0) + quotaError.length },
    kind: isParent(pinned) ? 'parent' : 'batch',
    route: pinned.route,
    models: found.models.map(({ model, lines, ...rest }) => ({
      model,
      label: labels.get(model)!,
      weight: weights.get(model) ?? 1,
      requests: lines,
      ...rest,
    })),
    lines: found.lines,
    bytes: found.bytes,
    requests,
    table: found.table,
    workers: found.workers,
    estimated_seconds: found.estimated_seconds,
    pools: estimates,
    quotas: uses.map(({ scope, name, limit, used, more }) => ({
      scope,
      what: name,
      limit,
      used,
      needed: more,
      left: Math.max(0, limit - used - more),
    })),
    admitted: found.admitted,
    expires_at: found.expires_at,
  };
};
