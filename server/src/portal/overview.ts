import type { PortalOverview, PortalRange } from '@sluice/contract';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { readyWorker } from '../completion/standing.ts';
import { shownKey } from '../models/keys.ts';
import { readSeries } from './series.ts';
import { schedulerState, workersState } from './health.ts';

export interface OverviewDeps {
  db: Db;
  leaseSeconds: number;
  /** Database, storage and what else this process needs. */
  dependencies: () => Promise<PortalOverview['health']>;
}

interface ModelQueue {
  model: string;
  queued: number;
  running: number;
}

/** What is open of a tenant: a few batches, and of these what their chunks say, by model; jobs are requests too. */
const readQueue = (db: Db, tenant: string): Promise<ModelQueue[]> =>
  db.many<ModelQueue>(sql`
    select model, sum(queued)::bigint as queued, sum(running)::bigint as running
    from (
      select c.model, coalesce(sum(c.requests) filter (where c.state = 'queued'), 0) as queued, coalesce(sum(c.requests) filter (where c.state = 'leased'), 0) as running
      from batches b join chunks c on c.batch_no = b.no
      where b.tenant_id = ${tenant} and b.status in ('validating', 'in_progress', 'finalizing', 'cancelling') and c.state in ('queued', 'leased')
      group by 1
      union all
      select model, count(*), 0 from jobs where tenant_id = ${tenant} and state in ('queued', 'waiting') group by 1
      union all
      select model, 0, count(*) from jobs where tenant_id = ${tenant} and state = 'running' group by 1) open
    group by 1`);

interface Open {
  now: number;
  age: number | null;
  validating: number;
  in_progress: number;
  finalizing: number;
  cancelling: number;
  at_risk: number;
  waiting: number;
  oldest: number | null;
  eta: number | null;
}

const readOpen = (db: Db, tenant: string): Promise<Open> =>
  db.one<Open>(sql`
    with open as materialized (
      select no, status, created_at, at_risk, forecast_p50, parent_no is null as top from batches
      where tenant_id = ${tenant} and status in ('validating', 'in_progress', 'finalizing', 'cancelling'))
    select extract(epoch from now())::float8 as now,
      (select case when isfinite(planned_at) then extract(epoch from now() - planned_at)::float8 end from plan) as age,
      count(*) filter (where top and status = 'validating')::int as validating, count(*) filter (where top and status = 'in_progress')::int as in_progress,
      count(*) filter (where top and status = 'finalizing')::int as finalizing, count(*) filter (where top and status = 'cancelling')::int as cancelling,
      count(*) filter (where top and status = 'in_progress' and at_risk)::int as at_risk,
      (select count(*)::int from open o join waiting w on w.batch_no = o.no) as waiting,
      -- the oldest batches first, until one has something queued
      (select extract(epoch from now() - o.created_at)::float8 from open o
        where o.status = 'in_progress' and exists (select from chunks c where c.batch_no = o.no and c.state = 'queued')
        order by o.created_at limit 1) as oldest,
      extract(epoch from max(forecast_p50) filter (where status = 'in_progress' and forecast_p50 > now()) - now())::float8 as eta
    from open`);

interface WorkerRow {
  pool: string;
  models: string[];
  state: 'ready' | 'draining' | 'lost';
  busy: boolean;
}

const readWorkers = (db: Db, leaseSeconds: number): Promise<WorkerRow[]> =>
  db.many<WorkerRow>(sql`
    select w.pool, w.models,
      case when ${readyWorker(leaseSeconds)} then 'ready' when w.seen_at > now() - make_interval(secs => ${leaseSeconds}) then 'draining' else 'lost' end as state,
      exists (select from chunks c where c.worker_id = w.id and c.state = 'leased')
        or exists (select from jobs j where j.worker_id = w.id and j.state = 'running') as busy
    from workers w where w.state <> 'stopped'`);

const readPools = (db: Db): Promise<{ name: string; preemptible: boolean; desired: number }[]> =>
  db.many(sql`select name, preemptible, desired from pools order by preemptible, name`);

interface Ends {
  met: number;
  breached: number;
}

/** Batches that ended in the last seven days, to the hour; what has not been added up yet among them. */
const readEnds = (db: Db, tenant: string): Promise<Ends> =>
  db.one<Ends>(sql`
    select coalesce(sum(met), 0)::bigint as met, coalesce(sum(breached), 0)::bigint as breached
    from (
      select met, breached from batch_ends where tenant_id = ${tenant} and hour > now() - interval '7 days'
      union all
      select (sla = 'met')::int, (sla = 'breached')::int from batch_count_changes where tenant_id = ${tenant} and count = 1) ended`);

const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

/** One page's worth of figures: a few rows of what is kept ready, and what is open. */
export const overviewOf = async (
  { db, leaseSeconds, dependencies }: OverviewDeps,
  tenant: string,
  range: PortalRange,
): Promise<PortalOverview> => {
  const [queue, open, workers, pools, ends, series, health] = await Promise.all([
    readQueue(db, tenant),
    readOpen(db, tenant),
    readWorkers(db, leaseSeconds),
    readPools(db),
    readEnds(db, tenant),
    readSeries(db, tenant, range),
    dependencies(),
  ]);
  const count = (state: WorkerRow['state']): number => workers.filter((worker) => worker.state === state).length;
  const ready = workers.filter(({ state }) => state === 'ready');
  const busy = ready.filter((worker) => worker.busy).length;
  const counts = { ready: ready.length, draining: count('draining'), lost: count('lost') };
  const lately = new Map(series.models.map((model) => [model.model, model]));
  const models = [...new Set([...queue.map(({ model }) => model), ...lately.keys()])].map((model) => {
    const { queued = 0, running = 0 } = queue.find((row) => row.model === model) ?? {};
    const { per_minute = 0, busy: at_once = 0 } = lately.get(model) ?? {};
    const able = ready.filter((worker) => worker.models.includes(model)).length;
    return { model: shownKey(model), running, queued, per_minute, busy: at_once, workers: able };
  });
  return {
    object: 'portal.overview',
    now: open.now,
    range,
    requests: {
      running: queue.reduce((sum, row) => sum + row.running, 0),
      queued: queue.reduce((sum, row) => sum + row.queued, 0),
      waiting: open.waiting,
    },
    batches: {
      validating: open.validating,
      in_progress: open.in_progress,
      finalizing: open.finalizing,
      cancelling: open.cancelling,
      at_risk: open.at_risk,
    },
    per_minute: series.perMinute,
    sparkline: series.sparkline,
    failed_24h: { ...series.day, share: share(series.day.failed, series.day.settled) },
    sla_7d: { ...ends, share: share(ends.met, ends.met + ends.breached) },
    oldest_queued_seconds: open.oldest,
    queue_eta_seconds: open.eta,
    series: series.columns,
    models: models.sort((a, b) => b.running - a.running || b.per_minute - a.per_minute || b.queued - a.queued).slice(0, 50),
    workers: { ...counts, busy, utilisation: share(busy, ready.length) },
    pools: pools.map((pool) => {
      const own = ready.filter((worker) => worker.pool === pool.name);
      return { ...pool, actual: own.length, busy: own.filter((worker) => worker.busy).length };
    }),
    health: [...health, schedulerState(open.age), workersState(counts)],
  };
};
