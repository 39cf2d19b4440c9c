import type { Analytics } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { none, sql } from '../db/sql.ts';
import { shownColumn } from '../models/keys.ts';

export interface AnalyticsRange {
  /** Seconds since the epoch; batches created from here … */
  from: number;
  /** … up to here, not included. */
  to: number;
  user?: string;
}

/**
 * What a tenant's batches of a time came to. Counts are of requests that have settled: those of batches still running
 * count once their batch has ended.
 */
export const analyticsOf = async (db: Db, { tenant }: Identity, { from, to, user }: AnalyticsRange): Promise<Analytics> => {
  const scope = sql`b.tenant_id = ${tenant} and b.created_at >= to_timestamp(${from}::float8) and b.created_at < to_timestamp(${to}::float8)
    ${user === undefined ? none : sql`and b.created_by = ${user}`}`;
  // A batch of several models is one batch to whoever made it; its requests are those of its children.
  const top = sql`b.parent_no is null`;
  const asked = sql`b.kind <> 'parent'`;
  const ended = sql`coalesce(b.completed_at, b.expired_at, b.cancelled_at, b.failed_at)`;
  const [statuses, durations, requests, failures, models, users, days] = await Promise.all([
    db.many<{ status: string; count: number }>(sql`select b.status, count(*) as count from batches b where ${scope} and ${top} group by 1`),
    db.one<{ p50: number | null; p95: number | null; max: number | null }>(sql`
      select percentile_cont(0.5) within group (order by s) as p50, percentile_cont(0.95) within group (order by s) as p95, max(s) as max
      from (select extract(epoch from ${ended} - b.created_at)::float8 as s from batches b where ${scope} and ${top} and ${ended} is not null) d`),
    db.one<{ total: number; completed: number; failed: number; cancelled: number; expired: number }>(sql`
      select coalesce(sum(b.total), 0)::bigint as total, coalesce(sum(b.completed), 0)::bigint as completed, coalesce(sum(b.failed), 0)::bigint as failed,
        coalesce(sum(b.cancelled), 0)::bigint as cancelled, coalesce(sum(b.expired), 0)::bigint as expired from batches b where ${scope} and ${asked}`),
    db.many<{ code: string; requests: number }>(sql`
      select r.code, count(*) as requests from requests r join batches b on b.no = r.batch_no
      where ${scope} and r.state in ('failed', 'dead_lettered') group by 1 order by 2 desc, 1 limit 100`),
    db.many<Analytics['models'][number]>(sql`
      select ${shownColumn(sql`m.model`)} as model, count(*) as batches, sum(m.total)::bigint as requests, sum(m.completed)::bigint as completed, sum(m.failed)::bigint as failed,
        sum(m.input_tokens)::bigint as input_tokens, sum(m.output_tokens)::bigint as output_tokens
      from batch_models m join batches b on b.no = m.batch_no where ${scope} and ${asked} group by 1 order by 3 desc, 1`),
    db.many<Analytics['users'][number]>(sql`
      select b.created_by as user, count(*) filter (where ${top}) as batches, coalesce(sum(b.total) filter (where ${asked}), 0)::bigint as requests from batches b where ${scope} group by 1 order by 3 desc, 1`),
    db.many<Analytics['days'][number]>(sql`
      select to_char(b.created_at at time zone 'UTC', 'YYYY-MM-DD') as day, count(*) filter (where ${top}) as batches, coalesce(sum(b.total) filter (where ${asked}), 0)::bigint as requests,
        coalesce(sum(b.completed) filter (where ${asked}), 0)::bigint as completed, coalesce(sum(b.failed) filter (where ${asked}), 0)::bigint as failed
      from batches b where ${scope} group by 1 order by 1`),
  ]);
  return {
    object: 'analytics',
    from,
    to,
    batches: {
      total: statuses.reduce((sum, s) => sum + s.count, 0),
      by_status: Object.fromEntries(statuses.map((s) => [s.status, s.count])),
      duration_seconds: durations,
    },
    requests,
    failures,
    models,
    users,
    days,
  };
};
