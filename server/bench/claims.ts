/** Claims by many workers out of a long queue, while the scheduler plans and decides. */
import { once } from 'node:events';
import { mkdtemp, chmod, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { PoolConfig } from '../src/policy/pools.ts';
import { openPool, type Pool } from '../src/db/db.ts';
import { startEmbedded } from '../src/db/embedded.ts';
import { migrate } from '../src/db/migrate.ts';
import { sql } from '../src/db/sql.ts';
import { silent } from '../src/lib/log.ts';
import { release } from '../src/requests/claim.ts';
import { claimTurn } from '../src/requests/turns.ts';
import { round as decide, type ControllerOptions } from '../src/scheduler/controller.ts';
import { plan } from '../src/scheduler/planner.ts';
import { round, type Bench, type Figure } from './figures.ts';
import { inQuiet, median } from './machine.ts';

const [batches, tenants, workers, perSecond, seconds] = [2_000, 200, 64, 200, 30];
/** Seconds before anything counts: connections are opened, and statements planned, once in a process's life. */
const warmUp = 2;
const chunk = 50;

const pools: PoolConfig[] = [
  { name: 'spot', preemptible: true, price: 0.3, minimum: 0, maximum: 64, backlogRatio: 5, startupSeconds: 60 },
  { name: 'dedicated', preemptible: false, price: 1, minimum: 0, maximum: 64, backlogRatio: 10, startupSeconds: 60 },
];
const controller: ControllerOptions = {
  mode: 'balanced',
  pools,
  tick: 5,
  leaseSeconds: 30,
  rateOf: () => ({ rate: 50, measured: true }),
  concurrencyOf: () => 50,
};

/** Batches as intake leaves them: 250 to 750 requests each, in chunks of 50. */
const fill = async (db: Pool): Promise<void> => {
  const chunks = sql`(5 + no % 11)`;
  await db.run(sql`
    insert into batches (id, tenant_id, created_by, endpoint, input_file_id, input_key, index_key, completion_window, deadline, status, sealed)
    select 'batch_' || lpad(to_hex(i), 32, '0'), 'tenant-' || i % ${tenants}, 'bench', '/v1/chat/completions', 'file-none', 'none', 'none', '24h',
      now() + make_interval(hours => 24 + i % 24), 'in_progress', true from generate_series(1, ${batches}::int) i`);
  await db.run(sql`update batches set total = ${chunk}::int * ${chunks}`);
  await db.run(sql`insert into batch_models (batch_no, model, total) select no, 'echo@1.0.0', total from batches`);
  // By turns, as batches come in together: those of one do not stand side by side.
  await db.run(sql`
    insert into chunks (batch_no, model, lines, priority, deadline)
    select no, 'echo@1.0.0', int4multirange(int4range(k * ${chunk} + 1, (k + 1) * ${chunk} + 1)), 1, deadline
    from batches, generate_series(0, 14) k where k < ${chunks} order by k, no`);
  await db.run(sql`analyze`);
};

interface Scheduled {
  planned: number[];
  decided: number[];
}

/** Plans and rounds of the controller, as often as a scheduler makes them; in a thread, because a scheduler is a process of its own. */
const schedule = async (url: string): Promise<{ stop: () => Promise<Scheduled> }> => {
  const thread = new Worker(fileURLToPath(import.meta.url), { workerData: { scheduleClaims: url } });
  await once(thread, 'message');
  return {
    stop: async () => {
      const figures = once(thread, 'message') as Promise<[Scheduled]>;
      thread.postMessage('stop');
      return (await figures)[0];
    },
  };
};

const runScheduler = async (url: string): Promise<void> => {
  const stop = new AbortController();
  parentPort!.once('message', () => stop.abort());
  await using db = openPool({ url, name: 'scheduler', max: 4 });
  const every = async (ms: number, figures: number[], work: () => Promise<unknown>): Promise<void> => {
    while (!stop.signal.aborted) {
      const began = performance.now();
      await work();
      figures.push(performance.now() - began);
      await delay(ms);
    }
  };
  const options = { order: 'fair' as const, pools, costOf: () => 0.02 };
  await plan(db, options);
  await decide(db, controller);
  parentPort!.postMessage('ready');
  const figures: Scheduled = { planned: [], decided: [] };
  await Promise.all([every(500, figures.planned, () => plan(db, options)), every(5_000, figures.decided, () => decide(db, controller))]);
  parentPort!.postMessage(figures);
};

if (!isMainThread && typeof workerData?.scheduleClaims === 'string') await runScheduler(workerData.scheduleClaims);

export const claims: Bench = {
  name: 'claims',
  about: '64 workers claim 200 times a second out of 1,000,000 requests in 2,000 batches of 200 tenants',
  async run() {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
    await chmod(folder, 0o711);
    const server = await startEmbedded({ dataDir: folder, log: silent });
    try {
      await migrate(server.url);
      await using db = openPool({ url: server.url, name: 'bench', max: 32 });
      await fill(db);
      let planned: number[] = [];
      let decided: number[] = [];
      const waits = await inQuiet(
        async (): Promise<number[]> => {
          const scheduler = await schedule(server.url);
          const held: { chunkId: number; token: number }[] = [];
          const all: number[] = [];
          const pending: Promise<void>[] = [];
          const begin = performance.now();
          for (let i = 0; i < perSecond * seconds; i++) {
            const due = begin + (i * 1_000) / perSecond;
            if (due > performance.now()) await delay(due - performance.now());
            const worker = {
              id: `worker-${i % workers}`,
              kind: i % 2 === 0 ? ('spot' as const) : ('dedicated' as const),
              pool: i % 2 === 0 ? 'spot' : 'dedicated',
              models: ['echo@1.0.0'],
            };
            pending.push(
              (async () => {
                for (let claimed = await claimTurn(db, worker, 60); ; claimed = await claimTurn(db, worker, 60)) {
                  if (claimed === 'again') continue;
                  if (i >= warmUp * perSecond) all.push(performance.now() - due);
                  if (claimed !== 'idle') held.push(claimed);
                  return;
                }
              })(),
            );
            // As many leases as the workers would hold; what is given back stands in the queue again.
            while (held.length > 2 * workers) pending.push(release(db, held.shift()!).then(() => {}));
          }
          await Promise.all(pending);
          ({ planned, decided } = await scheduler.stop());
          return all;
        },
        { tries: 1, name: 'claims' },
      );
      const sorted = waits.result.toSorted((a, b) => a - b);
      const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
      const figure = (name: string, value: number, most?: number): Figure => ({
        bench: 'claims',
        name,
        value: round(value),
        unit: 'ms',
        foreign: [waits.foreign],
        ...(most !== undefined && { target: { most } }),
      });
      return [
        figure('claim, p50', at(0.5)),
        figure('claim, p99', at(0.99), 20),
        figure('round of the controller', median(decided), 100),
        figure('plan of turns', median(planned)),
      ];
    } finally {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};
