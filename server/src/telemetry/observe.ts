import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
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
export const observeWorker = (worker: Worker, metrics: Metrics): void => {
  const flow = new Flow();
  worker.on('settled', ({ model, completed, failed, retried, usage, ms }) => {
    if (completed > 0) metrics.requests.inc({ model, outcome: 'completed' }, completed);
    if (failed > 0) metrics.requests.inc({ model, outcome: 'failed' }, failed);
    if (retried > 0) metrics.requests.inc({ model, outcome: 'retried' }, retried);
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

/** Counts what a scheduler tells of. */
export const observeScheduler = (scheduler: Scheduler, metrics: Metrics): void => {
  scheduler.on('intake', ({ result, lines, seconds }) => {
    metrics.intakeLines.inc(lines);
    metrics.intakeSeconds.inc(seconds);
    if (result === 'failed') metrics.batches.inc({ status: 'failed' });
  });
  scheduler.on('finalized', ({ result, bytes, seconds }) => {
    metrics.finalizedBytes.inc(bytes);
    metrics.finalizeSeconds.inc(seconds);
    if (result !== 'lost') metrics.batches.inc({ status: result });
  });
  scheduler.on('rescued', (leases) => metrics.rescued.inc(leases));
};

interface Waiting {
  model: string;
  priority: number;
  requests: number;
  oldest: number;
}

export const waitingRequests = (db: Db): Promise<Waiting[]> =>
  db.many<Waiting>(sql`
    select c.model, c.priority,
      sum((select sum(upper(r) - lower(r)) from unnest(c.lines) as r))::float8 as requests,
      max(extract(epoch from now() - b.created_at))::float8 as oldest
    from chunks c join batches b on b.no = c.batch_no
    where c.state = 'queued'
    group by c.model, c.priority`);

/** Reads the queue when somebody looks, at most every five seconds; while the database is away, there are no figures. */
export const observeQueue = (db: Db, metrics: Metrics): void => {
  let asked = -Infinity;
  onCollect(metrics.queueDepth, async () => {
    if (performance.now() - asked < 5000) return;
    asked = performance.now();
    const rows = await waitingRequests(db).catch(() => null);
    metrics.queueDepth.reset();
    for (const { model, priority, requests } of rows ?? []) metrics.queueDepth.set({ model, priority: String(priority) }, requests);
    if (rows) metrics.queueAge.set(Math.max(0, ...rows.map(({ oldest }) => oldest)));
    else metrics.queueAge.reset();
  });
};

/** prom-client takes this at construction only, where the worker is not known yet. */
const onCollect = (metric: object, collect: () => void | Promise<void>): void => void Object.assign(metric, { collect });
