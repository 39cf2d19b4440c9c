import type { BatchStatus, ErrorCode, ReasonCode } from '@sluice/contract';
import type { Db } from '../db/db.ts';
import { none, sql } from '../db/sql.ts';
import { shownColumn } from '../models/keys.ts';

/** How a batch stands, as its rows say at one moment of the database's clock; times in seconds since the epoch. */
export interface Standing {
  no: number;
  id: string;
  /** The batch of several models that it is one of. */
  parent_no: number | null;
  name: string | null;
  created_by: string;
  status: BatchStatus;
  sealed: boolean;
  expiring: boolean;
  cancel_mode: 'stop' | 'abort' | null;
  total: number;
  milestone: number;
  at_risk: boolean;
  admitted: boolean;
  escalated: boolean;
  /** When it last moved to dedicated workers, and why; null: it did not, or that was not written down. */
  moved: { at: number; reason: string } | null;
  /** Requests it may have in flight. */
  width: number | null;
  /** Whether quotas limit that. */
  capped: boolean;
  now: number;
  created_at: number;
  deadline: number;
  in_progress_at: number | null;
  forecast: number | null;
  /** Who validates or finalizes it: until when, and how often that was tried. Null: nobody. */
  held_until: number | null;
  tries: number;
  settled: number;
  /** Requests nobody has leased, those that run, and of these the ones whose worker is gone. */
  queued: number;
  running: number;
  lost: number;
  waiting: number;
  next_due: number | null;
  last_progress_at: number;
  /** Models with queued requests that no worker runs. */
  unserved: string[];
  /** Queued requests that wait for one pool, having run out of memory in a smaller one. */
  given: { pool: string; requests: number }[];
}

/** A worker that may take requests just now. */
export const readyWorker = (leaseSeconds: number) =>
  sql`w.state = 'ready' and w.drain_requested_at is null and w.seen_at > now() - make_interval(secs => ${leaseSeconds})`;

/** A leased chunk (`chunks c`) whose lease has run out, or whose worker is not there any more. */
export const lostLease = (leaseSeconds: number) => sql`
  (c.leased_until < now() or not exists (
    select from workers w where w.id = c.worker_id and w.state <> 'stopped' and w.seen_at > now() - make_interval(secs => ${leaseSeconds})))`;

export interface Which {
  tenant: string;
  /** One batch, whatever its state; else all that are open. */
  id?: string;
  limit?: number;
}

/** Open batches of a tenant, oldest first, or one batch. */
export const readStandings = (db: Db, { tenant, id, limit = 1_000 }: Which, leaseSeconds: number): Promise<Standing[]> =>
  db.many<Standing>(sql`
    select b.no, b.id, b.parent_no, b.name, b.created_by, b.status, b.sealed, b.expiring, b.cancel_mode, b.total, b.milestone, b.at_risk, b.admitted,
      b.escalated_at is not null as escalated,
      (select h from jsonb_array_elements(b.pool_history) with ordinality e (h, place) where place > 1 and h ->> 'pool' = 'dedicated' order by place desc limit 1) as moved,
      least(b.width, b.cap) as width, b.cap is not null as capped, extract(epoch from now())::float8 as now,
      extract(epoch from b.created_at)::float8 as created_at, extract(epoch from b.deadline)::float8 as deadline,
      extract(epoch from b.in_progress_at)::float8 as in_progress_at, extract(epoch from b.forecast_p90)::float8 as forecast,
      case when b.token is not null then extract(epoch from b.leased_until)::float8 end as held_until, b.tries,
      case when b.status in ('completed', 'expired', 'cancelled') then b.completed + b.failed else coalesce(c.settled, 0) end::bigint as settled,
      coalesce(c.queued, 0)::bigint as queued, coalesce(c.running, 0)::bigint as running, coalesce(c.lost, 0)::bigint as lost,
      coalesce(w.waiting, 0)::bigint as waiting, extract(epoch from w.next_due)::float8 as next_due,
      extract(epoch from greatest(b.created_at, b.in_progress_at, b.finalizing_at, b.cancelling_at,
        (select max(settled_at) from segments s where s.batch_no = b.no),
        (select max(s.settled_at) from batches k join segments s on s.batch_no = k.no where k.parent_no = b.no)))::float8 as last_progress_at,
      array(
        select distinct ${shownColumn(sql`c.model`)} from chunks c
        where c.batch_no = b.no and c.state = 'queued'
          and not exists (select from workers w where c.model = any(w.models) and ${readyWorker(leaseSeconds)})
        order by 1) as unserved,
      coalesce((
        select jsonb_agg(g order by g.pool) from (
          select c.pool, sum(c.requests) as requests from chunks c where c.batch_no = b.no and c.state = 'queued' and c.pool is not null group by 1) g), '[]') as given
    from batches b
      left join lateral (
        select sum(c.completed + c.failed) as settled, sum(n) filter (where c.state = 'queued') as queued,
          sum(n) filter (where c.state = 'leased') as running, sum(n) filter (where c.state = 'leased' and ${lostLease(leaseSeconds)}) as lost
        from chunks c, lateral (select coalesce(sum(upper(r) - lower(r)), 0) as n from unnest(c.lines) r) l
        where c.batch_no = b.no) c on true
      left join lateral (select count(*) as waiting, min(not_before) as next_due from waiting w where w.batch_no = b.no) w on true
    where b.tenant_id = ${tenant} ${id === undefined ? sql`and b.status in ('validating', 'in_progress', 'finalizing', 'cancelling')` : sql`and b.id = ${id}`}
    order by b.no ${id === undefined ? sql`limit ${limit}` : none}`);

/** Who holds leases of a batch: the first of them, the ones that end first. */
export interface Holder {
  worker: string;
  requests: number;
  until: number;
  lost: boolean;
}

export const readHolders = (db: Db, batchNo: number, leaseSeconds: number): Promise<Holder[]> =>
  db.many<Holder>(sql`
    select c.worker_id as worker, sum((select sum(upper(r) - lower(r)) from unnest(c.lines) r))::bigint as requests,
      extract(epoch from min(c.leased_until))::float8 as until, bool_or(${lostLease(leaseSeconds)}) as lost
    from chunks c where c.batch_no = ${batchNo} and c.state = 'leased'
    group by 1 order by 3 limit 10`);

/** Seconds since turns were planned last; null: never. */
export const planAge = async (db: Db): Promise<number | null> =>
  (
    await db.one<{ age: number | null }>(
      sql`select case when isfinite(planned_at) then extract(epoch from now() - planned_at)::float8 end as age from plan`,
    )
  ).age;

/** A scheduler plans at least this often, seconds, be there work or not. */
export const planLimit = 30;

export interface Reason {
  code: ReasonCode | ErrorCode;
  text: string;
}

export const because = (code: Reason['code'], text: string): Reason => ({ code, text });

/** Seconds within which retries come due without a word. */
const soon = 60;

/**
 * Why nothing will move the batch as things stand, or why nothing has for longer than `patience` seconds; null: it
 * moves. A state that passes by itself within a few seconds is none.
 */
export const stallOf = (s: Standing, patience: number, schedulerAlive: boolean): Reason | null => {
  const open = s.queued + s.running + s.waiting;
  const leaseOver = s.held_until !== null && s.held_until < s.now;
  const scheduled = s.status === 'validating' || open === 0 || s.running === 0;
  if (s.status !== 'validating' && s.running > 0 && s.lost === s.running && s.queued === 0)
    return because('lost_leases', `All ${s.running} running requests are leased by workers that are gone.`);
  if (scheduled && !schedulerAlive && s.queued === 0)
    return because('no_scheduler', 'No scheduler has been heard of, and only a scheduler can move it on.');
  if (leaseOver)
    return because(
      s.status === 'validating' ? 'intake_lost' : 'finalize_lost',
      `Whoever ${s.status === 'validating' ? 'validated' : 'finalized'} it is gone: the lease ran out.`,
    );
  if (s.queued > 0 && s.running === 0 && s.unserved.length > 0 && s.status === 'in_progress')
    return because('no_worker', `No worker runs ${s.unserved.join(', ')}.`);
  if (s.status === 'in_progress' && s.waiting > 0 && s.waiting === open && (s.next_due! > s.now + soon || s.next_due! < s.now - 5))
    return because(
      'waiting_only',
      `All ${s.waiting} open requests wait for a retry; the first ${s.next_due! < s.now ? 'has been due for' : 'is due in'} ${Math.round(Math.abs(s.next_due! - s.now))} seconds.`,
    );
  if (s.now - s.last_progress_at > patience && (s.held_until === null || s.status !== 'finalizing'))
    return because('no_progress', `Nothing has settled for ${Math.round((s.now - s.last_progress_at) / 60)} minutes.`);
  return null;
};
