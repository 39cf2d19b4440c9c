import { expect } from 'vitest';
import { insertBatch } from '../../test/support/batch.ts';
import { test } from '../../test/support/database.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import type { Lines } from '../formats/lines.ts';
import { ways, type Memory } from '../policy/larger.ts';
import type { PoolConfig } from '../policy/pools.ts';
import { release, type Lease } from '../requests/claim.ts';
import { movesOf } from '../requests/moves.ts';
import { gatherDue, letGo } from '../requests/queue.ts';
import { emptyPart, settle } from '../requests/settle.ts';
import { claimTurn, type Claimant } from '../requests/turns.ts';
import { round } from './controller.ts';
import { plan, type PlannerOptions } from './planner.ts';

const pool = (name: string, gpuMemoryGb: number, preemptible = false): PoolConfig => ({
  name,
  preemptible,
  price: 1,
  minimum: 0,
  maximum: 4,
  backlogRatio: 10,
  startupSeconds: 10,
  gpuMemoryGb,
});
const pools = [pool('small', 24, true), pool('big', 80)];
const reason = 'it ran out of GPU memory in small, which has 24 GB; big has 80 GB';

const planner: PlannerOptions = { order: 'fair', pools, costOf: () => 1 };
const small: Claimant = { id: 'worker_small', kind: 'spot', pool: 'small', models: ['echo@1.0.0'] };
const other: Claimant = { id: 'worker_other', kind: 'dedicated', pool: 'other', models: ['echo@1.0.0'] };
const big: Claimant = { id: 'worker_big', kind: 'dedicated', pool: 'big', models: ['echo@1.0.0'] };

const empty = async (db: Db) => {
  for (const table of [sql`batches`, sql`accounts`, sql`workers`, sql`targets`, sql`pools`]) await db.run(sql`delete from ${table}`);
};
/** One that was heard of so many seconds ago. */
const seen = (db: Db, { id, pool: name, kind, models }: Claimant, ago = 0) =>
  db.run(sql`
    insert into workers (id, pool, host, pid, models, kind, seen_at) values (${id}, ${name}, 'host', 1, ${models}::text[], ${kind}, now() - make_interval(secs => ${ago}))
    on conflict (id) do update set seen_at = excluded.seen_at`);
const leased = async (db: Db, worker: Claimant): Promise<Lease> => {
  for (;;) {
    const claimed = await claimTurn(db, worker, 60);
    if (claimed === 'idle') throw new Error(`nothing for ${worker.id}`);
    if (claimed !== 'again') return claimed;
  }
};
/** What a claim comes to once turns that were taken meanwhile are passed over. */
const next = async (db: Db, worker: Claimant): Promise<Lines | 'idle'> => {
  await plan(db, planner);
  return leased(db, worker).then(
    ({ lines }) => lines,
    () => 'idle',
  );
};
/** All of a lease is to be tried again. */
const retry = (db: Db, lease: Lease, worker: Claimant, needs: Memory | null, lines = [lease.lines[0]!]) =>
  settle(db, lease, worker.id, { ...emptyPart(lease.parts + 1), waiting: lines.map((line) => ({ line, delayMs: 0, needs })) }, 60);
/** A batch of `lines`, one a chunk, whose first ran out of memory in the small pool, and was gathered. */
const outgrown = async (db: Db, lines: number, more = sql`name = name`) => {
  await empty(db);
  for (const worker of [small, big]) await seen(db, worker);
  const batch = await insertBatch(db, { lines, chunk: 1 });
  await db.run(sql`update batches set ${more} where no = ${batch.no}`);
  await plan(db, planner);
  expect(await retry(db, await leased(db, small), small, 'gpu_memory')).toBe('done');
  await gatherDue(db, { ways: ways(pools) });
  return batch;
};

test('what ran out of memory is left for the larger pool, and keeps nobody from the rest of its batch', async ({ db }) => {
  const { no } = await outgrown(db, 3);
  expect([await next(db, small), await next(db, other), await next(db, small), await next(db, other)]).toEqual([
    [2, 3],
    [3, 4],
    'idle',
    'idle',
  ]);
  expect(await next(db, big)).toEqual([1, 2]);
  const { outgrown: told } = await db.one<{ outgrown: object[] }>(sql`select outgrown from batches where no = ${no}`);
  expect(told).toEqual([{ at: expect.any(Number), from: 'small', pool: 'big', requests: 1, reason }]);
  const moves = await movesOf(db, { no, pool_history: [] }, 1, null);
  expect(moves).toEqual([{ at: expect.any(Number), kind: 'larger', pool: 'big', worker: null, reason }]);
  expect(await movesOf(db, { no, pool_history: [] }, 2, null)).toEqual([]);
});

test('the larger pool takes what waits for it before the rest of the batch, of which others take all they can', async ({ db }) => {
  await outgrown(db, 40);
  await plan(db, planner);
  for (let i = 0; i < 19; i++) {
    await retry(db, await leased(db, small), small, 'gpu_memory');
    await gatherDue(db, { ways: ways(pools) });
  }
  // Twenty wait for it, of which it is given some at a time.
  await plan(db, planner);
  const [own, rest] = [[] as number[], [] as number[]];
  for (let i = 0; i < 16; i++) own.push((await leased(db, big)).lines[0]!);
  for (let i = 0; i < 20; i++) rest.push((await leased(db, other)).lines[0]!);
  expect(own.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, i) => i + 1));
  expect(rest.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 21));
});

test('it stays there, whatever its next attempts fail for, and when it is given back', async ({ db }) => {
  await outgrown(db, 1);
  await plan(db, planner);
  const lease = await leased(db, big);
  expect(await release(db, lease)).toBe('released');
  expect(await next(db, small)).toBe('idle');
  await plan(db, planner);
  expect(await retry(db, await leased(db, big), big, null)).toBe('done');
  await gatherDue(db, { ways: ways(pools) });
  expect(await next(db, small)).toBe('idle');
  await plan(db, planner);
  // Nothing is larger than the largest.
  expect(await retry(db, await leased(db, big), big, 'gpu_memory')).toBe('done');
  await gatherDue(db, { ways: ways(pools) });
  expect([await next(db, small), await next(db, big)]).toEqual(['idle', [1, 2]]);
});

test('moves of one batch from one pool to another are told together', async ({ db }) => {
  const { no } = await outgrown(db, 3);
  await plan(db, planner);
  for (let i = 0; i < 2; i++) await retry(db, await leased(db, small), small, 'gpu_memory');
  await gatherDue(db, { ways: ways(pools) });
  const { outgrown: told } = await db.one<{ outgrown: object[] }>(sql`select outgrown from batches where no = ${no}`);
  expect(told).toMatchObject([{ from: 'small', pool: 'big', requests: 3 }]);
});

test.for<[string, ReturnType<typeof sql>]>([
  ['goes in order', sql`options = '{"strategy": "sequential"}'`],
  ['asked for a pool', sql`options = '{"pool": "small"}'`],
])('a batch that %s keeps its requests where they were', async ([, more], { db }) => {
  await outgrown(db, 2, more);
  expect([await next(db, small), await next(db, small)].flat()).toContain(1);
  expect(await db.many(sql`select kind from interruptions`)).toEqual([]);
});

test('where no pool is larger the request runs anywhere', async ({ db }) => {
  await empty(db);
  await insertBatch(db, { lines: 1 });
  await plan(db, planner);
  await retry(db, await leased(db, small), small, 'memory');
  await gatherDue(db, { ways: ways(pools) });
  expect(await next(db, small)).toEqual([1, 2]);
});

test('a turn that was planned before it moved is for nobody', async ({ db }) => {
  await outgrown(db, 1);
  expect(await claimTurn(db, other, 60)).toBe('again');
  expect(await claimTurn(db, big, 60)).toBe('idle');
});

test.for<[string, boolean]>([
  ['one kind', false],
  ['two kinds', true],
])('a batch never has more in flight than its width, in pools of %s', async ([, preemptible], { db }) => {
  const { no } = await outgrown(db, 4);
  await db.run(sql`update batches set width = 2 where no = ${no}`);
  const planned = { ...planner, pools: [pool('small', 24, preemptible), pool('big', 80)] };
  const workers: Claimant[] = [{ ...small, kind: preemptible ? 'spot' : 'dedicated' }, big];
  const got: number[] = [];
  // Which kind of worker is given the room is a matter of chance; what is planned is taken by whoever may.
  const rounds = async (most: number, times: number) => {
    for (let i = 0; i < times && got.length < most; i++) {
      await plan(db, planned);
      for (const worker of [...workers, ...workers]) {
        const claimed = await claimTurn(db, worker, 60);
        if (typeof claimed !== 'string') got.push(claimed.lines[0]!);
      }
    }
  };
  await rounds(3, 20);
  expect(got).toHaveLength(2);
  await db.run(sql`update batches set width = 4 where no = ${no}`);
  await rounds(4, 40);
  expect(got.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4]);
});

test('it waits as long as a worker takes to start and a lease to run out, and no longer than that for none', async ({ db }) => {
  await outgrown(db, 1);
  const patience = 10 + 30;
  const since = (ago: number) => db.run(sql`update chunks set pool_since = now() - make_interval(secs => ${ago}) where pool is not null`);
  const gone = (ago: number) => seen(db, big, ago);
  await Promise.all([since(patience - 1), gone(1_000)]);
  expect(await letGo(db, pools, 30)).toBe(0);
  await Promise.all([since(1_000), gone(patience - 1)]);
  expect(await letGo(db, pools, 30)).toBe(0);
  // One that is told to end takes nothing more.
  await db.run(sql`update workers set drain_requested_at = now() where id = ${big.id}`);
  expect(await letGo(db, pools, 30)).toBe(1);
  expect(await next(db, small)).toEqual([1, 2]);
});

test('it does not wait for a pool that configuration no longer has', async ({ db }) => {
  await outgrown(db, 1);
  expect(await letGo(db, [pool('small', 24, true)], 30)).toBe(1);
  expect(await next(db, small)).toEqual([1, 2]);
});

test('without a scheduler a worker of the larger pool takes it by itself, and others do not', async ({ db }) => {
  await outgrown(db, 1);
  await db.run(sql`update plan set planned_at = '-infinity'`);
  expect(await claimTurn(db, small, 60)).toBe('idle');
  expect(await leased(db, big)).toMatchObject({ lines: [1, 2] });
});

test('the larger pool is asked for workers, while requests wait for them and while they run', async ({ db }) => {
  await outgrown(db, 30);
  await plan(db, planner);
  for (let i = 0; i < 29; i++) await retry(db, await leased(db, small), small, 'gpu_memory');
  const decided = async () => {
    const decisions = await round(db, {
      mode: 'balanced',
      pools,
      tick: 5,
      leaseSeconds: 30,
      rateOf: () => ({ rate: 100, measured: true }),
      concurrencyOf: () => 1,
    });
    return decisions.pools.find(({ name }) => name === 'big')!.desired;
  };
  expect(await decided()).toBeLessThanOrEqual(1);
  await gatherDue(db, { ways: ways(pools) });
  expect(await decided()).toBe(3);
  await plan(db, planner);
  await leased(db, big);
  expect(await decided()).toBe(3);
  expect(await db.many(sql`select name, gpu_memory_gb, memory_gb from pools order by 1`)).toEqual([
    { name: 'big', gpu_memory_gb: 80, memory_gb: null },
    { name: 'small', gpu_memory_gb: 24, memory_gb: null },
  ]);
});
