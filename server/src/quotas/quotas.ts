import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { quotasOf, scopes, type Quota, type Quotas, type Scope } from '../policy/quotas.ts';

/**
 * Quotas: what a user, a tenant and all of them may hold at once. Use is counted from the rows, under a lock where a
 * limit stands against it, so that creates side by side cannot pass it together. Requests in flight are held by the
 * planner of turns.
 */
/** A limit, and what is in use of it. */
export interface Use {
  scope: Scope;
  what: keyof Quota;
  limit: number;
  used: number;
}

/** Any number, the same everywhere. */
const lock = 730_581;

/** One at a time counts and adds, among those whom a limit joins. */
const takeLock = (tx: Db, limits: Record<Scope, Quota>, tenant: string, fields: readonly (keyof Quota)[]): Promise<number> =>
  tx.run(sql`select pg_advisory_xact_lock(${lock}, hashtext(${fields.some((field) => limits.global[field] !== null) ? '' : tenant}))`);

const usesOf = (limits: Record<Scope, Quota>, what: keyof Quota, used: Record<Scope, number>): Use[] =>
  scopes.flatMap((scope) => (limits[scope][what] === null ? [] : [{ scope, what, limit: limits[scope][what], used: used[scope] }]));

export interface Open {
  batches: Record<Scope, number>;
  bytes: Record<Scope, number>;
  /** Seconds until the first of the tenant's batches is expected to end; null: nobody knows. */
  soonest: number | null;
}

/** Batches that have not ended, and the bytes of their inputs; one of several models counts once. */
export const readOpen = async (tx: Db, { tenant, user }: Identity): Promise<Open> => {
  const row = await tx.one<Record<string, number> & { soonest: number | null }>(sql`
    select count(*) as all_batches, coalesce(sum(input_bytes), 0)::bigint as all_bytes,
      count(*) filter (where own) as batches, coalesce(sum(input_bytes) filter (where own), 0)::bigint as bytes,
      count(*) filter (where own and created_by = ${user}) as user_batches,
      coalesce(sum(input_bytes) filter (where own and created_by = ${user}), 0)::bigint as user_bytes,
      extract(epoch from min(forecast_p50) filter (where own and forecast_p50 > now()) - now())::float8 as soonest
    from (select *, tenant_id = ${tenant} as own from batches where status in ('validating', 'in_progress', 'finalizing', 'cancelling') and parent_no is null) b`);
  return {
    batches: { user: row['user_batches']!, tenant: row['batches']!, global: row['all_batches']! },
    bytes: { user: row['user_bytes']!, tenant: row['bytes']!, global: row['all_bytes']! },
    soonest: row.soonest,
  };
};

export interface Queue {
  queued: Record<Scope, number>;
  running: Record<Scope, number>;
}

/** Requests that wait to be run, retries among them, and requests that run; jobs are requests too. */
export const readQueue = async (tx: Db, { tenant, user }: Identity): Promise<Queue> => {
  const rows = await tx.many<{ own: boolean; self: boolean; queued: number; running: number }>(sql`
    with open as (
      select c.batch_no, sum(c.requests) filter (where c.state = 'queued') as queued,
        sum(least(c.requests, b.width, b.cap)) filter (where c.state = 'leased') as running
      from chunks c join batches b on b.no = c.batch_no
      where c.state in ('queued', 'leased') group by 1
      union all
      select batch_no, count(*), 0 from waiting group by 1)
    select tenant_id = ${tenant} as own, tenant_id = ${tenant} and created_by = ${user} as self,
      coalesce(sum(queued), 0)::bigint as queued, coalesce(sum(running), 0)::bigint as running
    from (
      select b.tenant_id, b.created_by, o.queued, o.running from open o join batches b on b.no = o.batch_no
      union all
      select tenant_id, created_by, 1, 0 from jobs where state in ('queued', 'waiting')
      union all
      select tenant_id, created_by, 0, 1 from jobs where state = 'running') held
    group by 1, 2`);
  const sum = (field: 'queued' | 'running', of: (row: (typeof rows)[number]) => boolean): number =>
    rows.reduce((total, row) => total + (of(row) ? row[field] : 0), 0);
  const each = (field: 'queued' | 'running'): Record<Scope, number> => ({
    user: sum(field, ({ self }) => self),
    tenant: sum(field, ({ own }) => own),
    global: sum(field, () => true),
  });
  return { queued: each('queued'), running: each('running') };
};

/**
 * To be called before a batch is created, in the transaction that does: from here on nobody else that a limit joins
 * creates one. Nothing is locked where nothing is limited.
 */
export const lockForCreate = async (tx: Db, quotas: Quotas, { tenant }: Identity): Promise<boolean> => {
  const limits = quotasOf(quotas, tenant);
  const fields = ['maxBatches', 'maxQueuedBytes'] as const;
  const limited = scopes.some((scope) => fields.some((field) => limits[scope][field] !== null));
  if (limited) await takeLock(tx, limits, tenant, fields);
  return limited;
};

/** What stands of the limits on creating, the new batch being counted. */
export const usesOfCreate = async (tx: Db, quotas: Quotas, identity: Identity): Promise<{ uses: Use[]; soonest: number | null }> => {
  const limits = quotasOf(quotas, identity.tenant);
  const { batches, bytes, soonest } = await readOpen(tx, identity);
  return { uses: [...usesOf(limits, 'maxBatches', batches), ...usesOf(limits, 'maxQueuedBytes', bytes)], soonest };
};

/** The limit that so many more queued requests would exceed; null: none. Others that queue wait until the transaction ends. */
export const exceededByQueueing = async (tx: Db, quotas: Quotas, identity: Identity, more: number): Promise<Use | null> => {
  const limits = quotasOf(quotas, identity.tenant);
  if (scopes.every((scope) => limits[scope].maxQueuedRequests === null)) return null;
  await takeLock(tx, limits, identity.tenant, ['maxQueuedRequests']);
  const { queued } = await readQueue(tx, identity);
  return usesOf(limits, 'maxQueuedRequests', queued).find(({ used, limit }) => used + more > limit) ?? null;
};

const shownNames = { maxBatches: 'batches', maxQueuedRequests: 'queued_requests', maxQueuedBytes: 'queued_bytes' } as const;

/** What stands of the limits that a batch would come under, and how much more it would take of each. */
export const usesAfter = async (
  db: Db,
  quotas: Quotas,
  identity: Identity,
  more: { batches: number; requests: number; bytes: number },
): Promise<(Use & { more: number; name: (typeof shownNames)[keyof typeof shownNames] })[]> => {
  const limits = quotasOf(quotas, identity.tenant);
  const fields = ['maxBatches', 'maxQueuedRequests', 'maxQueuedBytes'] as const;
  if (scopes.every((scope) => fields.every((field) => limits[scope][field] === null))) return [];
  const [{ batches, bytes }, { queued }] = [await readOpen(db, identity), await readQueue(db, identity)];
  const used = { maxBatches: batches, maxQueuedRequests: queued, maxQueuedBytes: bytes };
  const added = { maxBatches: more.batches, maxQueuedRequests: more.requests, maxQueuedBytes: more.bytes };
  return fields.flatMap((field) =>
    usesOf(limits, field, used[field]).map((use) => ({ ...use, more: added[field], name: shownNames[field] })),
  );
};
