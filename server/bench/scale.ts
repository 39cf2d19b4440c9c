/** A thousand workers on one PostgreSQL: claims, parts and heartbeats, and what they leave behind. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openPool, type Pool } from '../src/db/db.ts';
import { startEmbedded } from '../src/db/embedded.ts';
import { migrate } from '../src/db/migrate.ts';
import { sql } from '../src/db/sql.ts';
import { silent } from '../src/lib/log.ts';
import type { PoolConfig } from '../src/policy/pools.ts';
import { rescue } from '../src/requests/queue.ts';
import { round as decide } from '../src/scheduler/controller.ts';
import { plan } from '../src/scheduler/planner.ts';
import { round, type Bench, type Figure } from './figures.ts';
import { inQuiet, median } from './machine.ts';
import type { Orders, Told } from './scale-clients.ts';

const [workers, claimsPerSecond, processes] = [1_000, 50, 2];
const [batches, tenants, chunk] = [300, 60, 1_000];
const tables = ['chunks', 'workers', 'turns', 'batches', 'accounts', 'model_rates', 'pool_rates', 'spreads'] as const;

const pools: PoolConfig[] = [
  { name: 'spot', preemptible: true, price: 0.3, minimum: 0, maximum: 600, backlogRatio: 5, startupSeconds: 60 },
  { name: 'dedicated', preemptible: false, price: 1, minimum: 0, maximum: 600, backlogRatio: 10, startupSeconds: 60 },
];

/** Batches as intake leaves them; none of them ends meanwhile, so that nothing asks for the objects that nobody wrote. */
const fill = async (db: Pool, seconds: number): Promise<void> => {
  const each = Math.ceil((2 * claimsPerSecond * seconds) / batches) + 4;
  await db.run(sql`
    insert into batches (id, tenant_id, created_by, endpoint, input_file_id, input_key, index_key, completion_window, deadline, status, sealed, total)
    select 'batch_' || lpad(to_hex(i), 32, '0'), 'tenant-' || i % ${tenants}, 'bench', '/v1/chat/completions', 'file-none', 'none', 'none', '24h',
      now() + make_interval(hours => 24 + i % 24), 'in_progress', true, ${each * chunk}::bigint from generate_series(1, ${batches}::int) i`);
  await db.run(sql`insert into batch_models (batch_no, model, total) select no, 'echo@1.0.0', ${each * chunk}::bigint from batches`);
  await db.run(sql`
    insert into chunks (batch_no, model, lines, priority, deadline)
    select b.no, 'echo@1.0.0', int4multirange(int4range(k * ${chunk} + 1, (k + 1) * ${chunk} + 1)), 1, b.deadline
    from generate_series(0, ${each - 1}::int) k, batches b`);
  await db.run(sql`vacuum analyze`);
};

interface Sample {
  second: number;
  dead: Record<string, number>;
}

const look = async (db: Pool): Promise<Record<string, number>> => {
  const rows = await db.many<{ name: string; dead: number }>(
    sql`select relname as name, n_dead_tup as dead from pg_stat_user_tables where relname = any(${[...tables]}::text[])`,
  );
  return Object.fromEntries(rows.map(({ name, dead }) => [name, dead]));
};

const share = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
const ordered = (times: readonly number[]): number[] => times.toSorted((a, b) => a - b);

const failed = async (child: ChildProcess): Promise<never> => {
  const [code] = (await once(child, 'exit')) as [number];
  throw new Error(`a process of the fleet ended with ${code}`);
};

/** The fleet, in processes of its own, beside the rounds of one scheduler and a look at the tables every five seconds. */
const measure = async (db: Pool, seconds: number) => {
  const scheduler = openPool({ url: db.url, name: 'scheduler', max: 4 });
  const stop = new AbortController();
  const [planned, decided, samples]: [number[], number[], Sample[]] = [[], [], []];
  const every = async (ms: number, work: () => Promise<unknown>, times: number[] = []): Promise<void> => {
    while (!stop.signal.aborted) {
      const began = performance.now();
      await work();
      times.push(performance.now() - began);
      await delay(ms, undefined, { signal: stop.signal }).catch(() => {});
    }
  };
  const options = { order: 'fair' as const, pools, costOf: () => 0.02 };
  const controller = {
    mode: 'balanced' as const,
    pools,
    tick: 5,
    leaseSeconds: 30,
    rateOf: () => ({ rate: 50, measured: true }),
    concurrencyOf: () => 50,
  };
  await plan(scheduler, options);
  const begin = Date.now() + 3_000;
  let rescued = 0;
  const rounds = [
    every(500, () => plan(scheduler, options), planned),
    every(5_000, () => decide(scheduler, controller), decided),
    every(5_000, async () => void (rescued += await rescue(scheduler))),
    every(5_000, async () => void samples.push({ second: (Date.now() - begin) / 1_000, dead: await look(db) })),
  ];
  const fleet = Array.from({ length: processes }, async (_, i): Promise<Told> => {
    const child = fork(fileURLToPath(new URL('scale-clients.ts', import.meta.url)));
    const told = Promise.race([once(child, 'message') as Promise<[Told]>, failed(child)]);
    const [from, to] = [(i * workers) / processes, ((i + 1) * workers) / processes];
    child.send({ url: db.url, from, to, workers, claimsPerSecond, seconds, begin } satisfies Orders);
    return (await told)[0];
  });
  const told = await Promise.all(fleet);
  stop.abort();
  await Promise.all(rounds);
  await scheduler.end();
  return { told, planned, decided, samples, rescued };
};

export const scale: Bench = {
  name: 'scale',
  about: '1,000 workers on one PostgreSQL: 50 claims a second, parts and heartbeats, for ten minutes (--minutes N)',
  async run({ minutes = 10 } = {}) {
    const seconds = minutes * 60;
    const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
    await chmod(folder, 0o711);
    const server = await startEmbedded({ dataDir: folder, log: silent });
    try {
      await migrate(server.url);
      await using db = openPool({ url: server.url, name: 'bench', max: 2 });
      await fill(db, seconds);
      const size = async (): Promise<number> =>
        (await db.one<{ bytes: number }>(sql`select pg_database_size(current_database()) as bytes`)).bytes / 1e6;
      const before = await size();
      const { result, foreign } = await inQuiet(() => measure(db, seconds), { tries: 1, name: 'scale' });
      const { told, planned, decided, samples, rescued } = result;
      const all = (of: 'claims' | 'settles' | 'beats'): number[] => ordered(told.flatMap((each) => each[of]));
      const [claims, settles, beats] = [all('claims'), all('settles'), all('beats')];
      const sum = (of: 'idle' | 'lost'): number => told.reduce((total, each) => total + each[of], 0);
      const note = `${claims.length} claims, ${settles.length} parts, ${beats.length} heartbeats; ${sum('lost') + rescued} leases lost`;
      const figure = (name: string, value: number, unit: string, rest: Partial<Figure> = {}): Figure => ({
        bench: 'scale',
        name,
        value: round(value),
        unit,
        foreign: [foreign],
        ...rest,
      });
      const within = (from: number, to: number) => samples.filter(({ second }) => second >= from * seconds && second < to * seconds);
      const most = (of: readonly Sample[], name: string): number => Math.max(0, ...of.map(({ dead }) => dead[name] ?? 0));
      const total = (of: readonly Sample[]): number =>
        Math.max(1, ...of.map(({ dead }) => Object.values(dead).reduce((rows, n) => rows + n, 0)));
      return [
        figure('claims', claims.length / seconds, '/s', { target: { least: 0.98 * claimsPerSecond }, note: `for ${minutes} min; ${note}` }),
        figure('claim, p50', share(claims, 0.5), 'ms'),
        figure('claim, p99', share(claims, 0.99), 'ms', { target: { most: 50 } }),
        figure('part settled, p99', share(settles, 0.99), 'ms'),
        figure('heartbeat, p99', share(beats, 0.99), 'ms'),
        figure('plan of turns', median(planned), 'ms'),
        figure('round of the controller', median(decided), 'ms'),
        ...tables.map((name) =>
          figure(`dead rows of ${name}, most`, most(samples, name), 'rows', { runs: samples.map(({ dead }) => dead[name] ?? 0) }),
        ),
        figure('dead rows of all, last third : middle third', (100 * total(within(2 / 3, 1.1))) / total(within(1 / 3, 2 / 3)), '%', {
          target: { most: 150 },
        }),
        figure('database, grown by', (await size()) - before, 'MB'),
      ];
    } finally {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};
