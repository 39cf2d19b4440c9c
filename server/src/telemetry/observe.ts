import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import type { Usage } from '../executors/executor.ts';
import { countLines } from '../formats/lines.ts';
import { copyKinds } from '../formats/manifest.ts';
import { shownColumn, shownKey } from '../models/keys.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { Worker } from '../workers/worker.ts';
import type { Metrics } from './metrics.ts';

const directions = ['input', 'cached', 'output', 'reasoning'] as const;

/** Seconds over which tokens a second are averaged. */
const span = 60;

/** Tokens that came in over the last minute, by model, in buckets of a second. */
class Flow {
  readonly #models = new Map<string, Map<number, number>>();
  readonly #began = Date.now() / 1000;

  add(model: string, tokens: number): void {
    const buckets = this.#models.get(model) ?? new Map<number, number>();
    this.#models.set(model, buckets);
    const second = Math.floor(Date.now() / 1000);
    buckets.set(second, (buckets.get(second) ?? 0) + tokens);
    for (const old of buckets.keys()) if (old < second - span) buckets.delete(old);
  }

  rates(): [model: string, rate: number][] {
    const now = Date.now() / 1000;
    const seconds = Math.max(1, Math.min(span, now - this.#began));
    return [...this.#models].map(([model, buckets]) => {
      let tokens = 0;
      for (const [second, count] of buckets) if (second > now - span) tokens += count;
      return [model, tokens / seconds];
    });
  }
}

/** Counts what a worker tells of. */
export const observeWorker = (worker: Worker, metrics: Metrics, pool: string): void => {
  const flow = new Flow();
  let idleSince: number | null = performance.now();
  const idle = (now: number | null): void => {
    if (idleSince !== null) metrics.idleSeconds.inc({ pool }, (performance.now() - idleSince) / 1000);
    idleSince = now;
  };
  worker.on('claimed', (lease) => {
    idle(null);
    metrics.dequeued.inc({ pool }, countLines(lease.lines));
    metrics.queueWait.observe({ pool }, lease.waited);
  });
  // It is told before the lease is forgotten.
  worker.on('ended', () => {
    if (worker.leases <= 1) idle(performance.now());
  });
  onCollect(metrics.idleSeconds, () => idleSince !== null && idle(performance.now()));
  worker.on('settled', ({ model: key, completed, failed, retried, usage, copied, ms }) => {
    // Whoever reads the figures need not learn whose a model is.
    const model = shownKey(key);
    metrics.completed.inc({ pool }, completed);
    metrics.failed.inc({ pool }, failed);
    if (completed > 0) metrics.requests.inc({ model, outcome: 'completed' }, completed);
    if (failed > 0) metrics.requests.inc({ model, outcome: 'failed' }, failed);
    if (retried > 0) metrics.requests.inc({ model, outcome: 'retried' }, retried);
    for (const kind of copyKinds) if (copied?.[kind]) metrics.dedupHits.inc({ model, kind }, copied[kind]);
    for (const direction of directions) if (usage[direction] > 0) metrics.tokens.inc({ model, direction }, usage[direction]);
    const tokens = usage.input + usage.output;
    if (tokens > 0) flow.add(model, tokens);
    for (const each of ms) metrics.duration.observe({ model }, each / 1000);
  });
  worker.on('fenced', () => metrics.fenced.inc());
  // Asked when somebody looks, instead of kept up to date when nobody does.
  onCollect(metrics.leases, () => metrics.leases.set(worker.leases));
  onCollect(metrics.tokensPerSecond, () => flow.rates().forEach(([model, rate]) => metrics.tokensPerSecond.set({ model }, rate)));
};

/** Counts the tokens of one reply that went through the API. */
export const countTokens = (metrics: Metrics, key: string, used: Usage): void => {
  const model = shownKey(key);
  for (const direction of directions)
    if (used[`${direction}_tokens`] > 0) metrics.tokens.inc({ model, direction }, used[`${direction}_tokens`]);
};

/** Counts what a scheduler tells of. */
export const observeScheduler = (scheduler: Scheduler, metrics: Metrics, db: Db): void => {
  scheduler.on('controlled', (escalated) => metrics.escalations.inc(escalated.length));
  // Told by the rows of the workers, because those who are interrupted do not live to be asked.
  scheduler.on('interrupted', (workers) => {
    for (const { pool, by, count } of workers) metrics.interruptions.inc({ pool, by }, count);
  });
  scheduler.on('intake', ({ result, lines, seconds }) => {
    metrics.intakeLines.inc(lines);
    metrics.intakeSeconds.inc(seconds);
    if (result === 'failed') metrics.batches.inc({ status: 'failed' });
  });
  scheduler.on('finalized', ({ batchId, result, bytes, seconds }) => {
    if (result !== 'lost')
      void promises(db, batchId).then(
        ({ met, violated }) => {
          metrics.slaMet.inc(met);
          metrics.slaViolated.inc(violated);
        },
        () => {},
      );
    metrics.finalizedBytes.inc(bytes);
    metrics.finalizeSeconds.inc(seconds);
    if (result !== 'lost') metrics.batches.inc({ status: result });
  });
  scheduler.on('rescued', (leases) => metrics.rescued.inc(leases));
  scheduler.on('bulk', ({ action, outcome }) => {
    if (outcome === 'completed' || outcome === 'stopped' || outcome === 'failed') metrics.bulkOperations.inc({ action, outcome });
  });
};

/** How many requests of a batch that has ended were answered by its deadline, and how many were not; cancelled ones are neither. A parent's are its children's. */
export const promises = async (db: Db, batchId: string): Promise<{ met: number; violated: number }> => {
  const row = await db.maybe<{ met: number; violated: number }>(sql`
    select met, greatest(0, b.completed + b.failed + b.expired - met)::float8 as violated
    from batches b, lateral (
      select coalesce(sum(completed + failed), 0)::float8 as met from segments s where s.batch_no = b.no and s.settled_at <= b.deadline) done
    where b.id = ${batchId} and b.kind <> 'parent'`);
  return row ?? { met: 0, violated: 0 };
};

interface PoolRow {
  name: string;
  preemptible: boolean;
  desired: number;
  actual: number;
}

/** Pools with what is wanted and what is there. */
const poolRows = (db: Db, leaseSeconds: number): Promise<PoolRow[]> =>
  db.many<PoolRow>(sql`
    select p.name, p.preemptible, p.desired, count(w.id)::int as actual
    from pools p left join workers w on w.pool = p.name and w.state = 'ready' and w.drain_requested_at is null
      and w.seen_at > now() - make_interval(secs => ${leaseSeconds})
    group by 1, 2, 3`);

interface Waiting {
  pool: 'spot' | 'dedicated';
  model: string;
  priority: number;
  requests: number;
  oldest: number;
}

export const waitingRequests = (db: Db): Promise<Waiting[]> =>
  db.many<Waiting>(sql`
    select pool, ${shownColumn(sql`model`)} as model, priority, sum(requests)::float8 as requests,
      max(extract(epoch from now() - created_at))::float8 as oldest
    from (
      select case when b.at_risk or not exists (select from pools where preemptible) then 'dedicated' else 'spot' end as pool, c.model, c.priority,
        c.requests, b.created_at
      from chunks c join batches b on b.no = c.batch_no
      where c.state = 'queued'
      union all
      select 'dedicated', model, priority, count(*), min(created_at) from jobs where state in ('queued', 'waiting') group by model, priority) waiting
    group by 1, 2, priority`);

/** Reads the queue when somebody looks, at most every five seconds; while the database is away, there are no figures. */
export const observeQueue = (db: Db, metrics: Metrics, leaseSeconds: number): void => {
  const queue = atMostEvery(5000, async () => {
    const rows = await waitingRequests(db).catch(() => null);
    metrics.queueDepth.reset();
    for (const { pool, model, priority, requests } of rows ?? [])
      metrics.queueDepth.set({ pool, model, priority: String(priority) }, requests);
    metrics.queueAge.reset();
    if (rows)
      for (const pool of ['spot', 'dedicated'] as const)
        metrics.queueAge.set({ pool }, Math.max(0, ...rows.filter((row) => row.pool === pool).map(({ oldest }) => oldest)));
  });
  for (const metric of [metrics.queueDepth, metrics.queueAge]) onCollect(metric, queue);
  const nearest = atMostEvery(5000, async () => {
    const row = await db
      .one<{ seconds: number | null }>(
        sql`select extract(epoch from min(deadline) - now())::float8 as seconds from batches where status in ('validating', 'in_progress', 'finalizing')`,
      )
      .catch(() => null);
    metrics.deadlineNearest.remove();
    if (typeof row?.seconds === 'number') metrics.deadlineNearest.set(row.seconds);
  });
  onCollect(metrics.deadlineNearest, nearest);
  const dead = atMostEvery(5000, async () => {
    const rows = await db
      .many<{ model: string; count: number }>(
        sql`select ${shownColumn(sql`model`)} as model, count(*)::int as count from requests where state = 'dead_lettered' and discarded_at is null group by 1`,
      )
      .catch(() => []);
    metrics.deadLetters.reset();
    for (const { model, count } of rows) metrics.deadLetters.set({ model }, count);
  });
  onCollect(metrics.deadLetters, dead);
  const pools = atMostEvery(1000, async () => {
    const rows = await poolRows(db, leaseSeconds).catch(() => []);
    for (const gauge of [metrics.desired, metrics.actual]) gauge.reset();
    for (const { name, desired, actual } of rows) {
      metrics.desired.set({ pool: name }, desired);
      metrics.actual.set({ pool: name }, actual);
    }
    const sum = (preemptible: boolean): number =>
      rows.filter((row) => row.preemptible === preemptible).reduce((total, { desired }) => total + desired, 0);
    metrics.desiredSpot.set(sum(true));
    metrics.desiredDedicated.set(sum(false));
  });
  for (const metric of [metrics.desired, metrics.actual, metrics.desiredSpot, metrics.desiredDedicated]) onCollect(metric, pools);
};

/** All that ask meanwhile get the same answer; metrics are collected side by side, and several come of one reading. */
const atMostEvery = (ms: number, read: () => Promise<void>): (() => Promise<void>) => {
  let asked = -Infinity;
  let reading = Promise.resolve();
  return () => {
    if (performance.now() - asked >= ms) {
      asked = performance.now();
      reading = read();
    }
    return reading;
  };
};

/** prom-client takes this at construction only, where the worker is not known yet. */
const onCollect = (metric: object, collect: () => unknown): void => void Object.assign(metric, { collect });
