import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import type { Kind } from '../policy/market.ts';

/** What is left of one batch and model. Times in seconds since the epoch. */
export interface DemandRow {
  batch_id: string;
  tenant_id: string;
  model: string;
  deadline: number;
  width: number | null;
  admitted: boolean;
  /** Requests that are not terminal: queued, leased, waiting. */
  requests: number;
  /** Of them, those nobody has leased, and of these the ones that wait for a retry. */
  queued: number;
  waiting: number;
  /** The tenant's weight. */
  weight: number;
  /** The batch of several models that it is one model's part of. */
  parent_no: number | null;
  /** What the last round wrote down. */
  at_risk: boolean;
  forecast_p50: number | null;
  forecast_p90: number | null;
}

/** What a batch may not exceed. What the controller of `adaptive` found is no limit to plan with: it gives way where throughput grows. */
const hardWidth = sql`case when b.adaptive is null and b.options ->> 'strategy' is distinct from 'adaptive' then b.width
  else (b.options ->> 'max_concurrent')::int end`;

/** Everything open, a row for each batch and model, in the order in which batches are due. */
export const readDemand = (tx: Db): Promise<DemandRow[]> =>
  tx.many<DemandRow>(sql`
    with open as (
      select batch_no, model, sum(requests) as requests,
        sum(requests) filter (where state = 'queued') as queued, 0 as waiting
      from chunks where state in ('queued', 'leased') group by 1, 2
      union all
      select batch_no, model, count(*), count(*), count(*) from waiting group by 1, 2)
    select b.id as batch_id, b.tenant_id, o.model, extract(epoch from b.deadline)::float8 as deadline, ${hardWidth} as width, b.admitted,
      sum(o.requests)::int as requests, coalesce(sum(o.queued), 0)::int as queued, sum(o.waiting)::int as waiting, coalesce(a.weight, 1) as weight, b.parent_no, b.at_risk,
      extract(epoch from b.forecast_p50)::float8 as forecast_p50, extract(epoch from b.forecast_p90)::float8 as forecast_p90
    from open o join batches b on b.no = o.batch_no left join accounts a on a.tenant_id = b.tenant_id
    where b.status = 'in_progress' and not b.expiring
    group by b.no, o.model, a.weight
    order by b.deadline, b.no`);

/** Jobs that have not ended, counted up to what no pool has workers for. */
export const readJobs = async (tx: Db): Promise<number> =>
  (
    await tx.one<{ jobs: number }>(sql`
      select count(*)::int as jobs from (select from jobs where state in ('queued', 'waiting', 'running') limit 100000) open`)
  ).jobs;

/** Who works: workers that may take more, and were heard of within a lease: those who were not have lost what they held. */
export interface Fleet {
  ready: (kind: Kind, model: string) => number;
}

export const readFleet = async (tx: Db, leaseSeconds: number): Promise<Fleet> => {
  const rows = await tx.many<{ kind: Kind; model: string; count: number }>(sql`
    select kind, model, count(*)::int as count from workers, unnest(models) model
    where state = 'ready' and drain_requested_at is null and seen_at > now() - make_interval(secs => ${leaseSeconds})
    group by 1, 2`);
  const counts = new Map(rows.map((row) => [`${row.kind} ${row.model}`, row.count]));
  return { ready: (kind, model) => counts.get(`${kind} ${model}`) ?? 0 };
};
