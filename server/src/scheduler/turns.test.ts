import { expect } from 'vitest';
import { insertBatch, insertParent } from '../../test/support/batch.ts';
import { test } from '../../test/support/database.ts';
import type { PoolConfig } from '../policy/pools.ts';
import { openPool, type Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { countLines } from '../formats/lines.ts';
import { release, type Lease } from '../requests/claim.ts';
import { claimTurn, type Claimant } from '../requests/turns.ts';
import { admission } from './admission.ts';
import { round, type ControllerOptions } from './controller.ts';
import { plan, type PlannerOptions } from './planner.ts';

const dedicated: Claimant = { id: 'worker_d', kind: 'dedicated', pool: 'dedicated', models: ['echo@1.0.0'] };
const spot: Claimant = { id: 'worker_s', kind: 'spot', pool: 'spot', models: ['echo@1.0.0'] };
const pool = (name: string, preemptible: boolean, maximum: number): PoolConfig => ({
  name,
  preemptible,
  price: preemptible ? 0.3 : 1,
  minimum: 0,
  maximum,
  backlogRatio: preemptible ? 5 : 10,
  startupSeconds: 10,
});

const planner: PlannerOptions = {
  order: 'fair',
  pools: [pool('spot', true, 8), pool('dedicated', false, 4)],
  costOf: () => 0.01,
};

const controller = (pools: PoolConfig[], rate = 10): ControllerOptions => ({
  mode: 'balanced',
  pools,
  tick: 5,
  leaseSeconds: 30,
  rateOf: () => ({ rate, measured: true }),
  concurrencyOf: () => 1,
});

const empty = async (db: Db) => {
  await db.run(sql`delete from batches`);
  await db.run(sql`delete from accounts`);
  await db.run(sql`delete from targets`);
};

const leases = async (db: Db, worker: Claimant, count: number): Promise<Lease[]> => {
  const got: Lease[] = [];
  for (let tries = 0; got.length < count && tries < 4 * count; tries++) {
    const claimed = await claimTurn(db, worker, 60);
    if (claimed === 'idle') await plan(db, planner);
    else if (claimed !== 'again') got.push(claimed);
  }
  return got;
};

test('two tenants get the same, whatever the one piles up', async ({ db }) => {
  await empty(db);
  await insertBatch(db, { tenant: 'hoarder', lines: 10_000, chunk: 10 });
  await insertBatch(db, { tenant: 'modest', lines: 100, chunk: 10 });
  await plan(db, planner);
  const got = await leases(db, dedicated, 20);
  const served = Map.groupBy(got, (lease) => lease.tenant);
  expect(served.get('modest')).toHaveLength(10);
  expect(served.get('hoarder')).toHaveLength(10);
  // At no time was one of them more than a chunk ahead.
  let ahead = 0;
  for (const lease of got) expect(Math.abs((ahead += lease.tenant === 'modest' ? 1 : -1))).toBeLessThanOrEqual(1);
});

test('a tenant with twice the weight gets twice as much', async ({ db }) => {
  await empty(db);
  await insertBatch(db, { tenant: 'heavy', lines: 1_000, chunk: 10 });
  await insertBatch(db, { tenant: 'light', lines: 1_000, chunk: 10 });
  await db.run(sql`insert into accounts (tenant_id, weight) values ('heavy', 2)`);
  const got = await leases(db, dedicated, 30);
  expect(got.filter((lease) => lease.tenant === 'heavy').length).toBe(20);
});

test('who comes back with work has no turns saved up', async ({ db }) => {
  await empty(db);
  await insertBatch(db, { tenant: 'early', lines: 1_000, chunk: 10 });
  await leases(db, dedicated, 50);
  await insertBatch(db, { tenant: 'late', lines: 1_000, chunk: 10 });
  await plan(db, planner);
  const got = await leases(db, dedicated, 10);
  expect(got.filter((lease) => lease.tenant === 'late').length).toBe(5);
});

test('a batch never has more in flight than its width', async ({ db }) => {
  await empty(db);
  const one = { ...planner, pools: [pool('dedicated', false, 4)] };
  const batch = await insertBatch(db, { lines: 100, chunk: 5 });
  await db.run(sql`update batches set width = 10 where no = ${batch.no}`);
  await plan(db, one);
  const [first, second] = await leases(db, dedicated, 2);
  expect(countLines(first!.lines) + countLines(second!.lines)).toBe(10);
  await plan(db, one);
  expect(await claimTurn(db, dedicated, 60)).toBe('idle');
  await release(db, first!);
  await plan(db, one);
  expect(await claimTurn(db, dedicated, 60)).toMatchObject({ batchNo: batch.no });
});

test('a batch that may have so much in flight is planned for one kind of pool, or divided', async ({ db }) => {
  await empty(db);
  const batch = await insertBatch(db, { lines: 100, chunk: 1 });
  await db.run(sql`update batches set width = 3 where no = ${batch.no}`);
  const turns = async () =>
    (await db.one<{ n: number }>(sql`select count(*)::int as n from turns where plan = (select current from plan)`)).n;
  await plan(db, planner);
  expect(await turns()).toBe(3);
  // Claimed under an older plan, it is counted in the next.
  for (const worker of [dedicated, spot, dedicated, spot]) await claimTurn(db, worker, 60);
  await plan(db, planner);
  const { running } = await db.one<{ running: number }>(sql`select count(*)::int as running from chunks where state = 'leased'`);
  expect([running, await turns()]).toEqual([expect.any(Number), 3 - running]);
});

test('whoever waits at a screen comes first, and the others keep their share', async ({ db }) => {
  await empty(db);
  const lanes = { interactive: 0, jobs: 0, bulk: 0.5 };
  const own = { ...planner, pools: [{ ...pool('dedicated', false, 4), lanes }] };
  const bulk = await insertBatch(db, { lines: 100, chunk: 5, priority: 10 });
  const soon = await insertBatch(db, { lines: 100, chunk: 5, tenant: 'other' });
  await db.run(sql`update batches set lane = 'interactive' where no = ${soon.no}`);
  // Room for two chunks: one of them is the share of what waits in bulk.
  await plan(db, own);
  const got = [await claimTurn(db, dedicated, 60), await claimTurn(db, dedicated, 60), await claimTurn(db, dedicated, 60)];
  expect(got.map((lease) => (lease as Lease).batchNo)).toEqual([bulk.no, soon.no, soon.no]);
});

test('a worker may ask for turns of interactive batches only, or of others only, wherever they stand', async ({ db }) => {
  await empty(db);
  const lanes = { interactive: 0, jobs: 0, bulk: 0.5 };
  const own = { ...planner, pools: [{ ...pool('dedicated', false, 4), lanes }] };
  const bulk = await insertBatch(db, { lines: 20, chunk: 5 });
  const soon = await insertBatch(db, { lines: 10, chunk: 5 });
  await db.run(sql`update batches set lane = 'interactive' where no = ${soon.no}`);
  expect(await plan(db, own)).toMatchObject({ turns: 6, interactive: true });
  const take = async (only: Claimant['only']) => {
    const claimed = await claimTurn(db, { ...dedicated, only }, 60);
    return typeof claimed === 'string' ? claimed : claimed.batchNo;
  };
  // The first turn is bulk's share.
  expect([await take('interactive'), await take('interactive'), await take('interactive')]).toEqual([soon.no, soon.no, 'idle']);
  expect([await take('others'), await take('others')]).toEqual([bulk.no, bulk.no]);
  await db.run(sql`update plan set planned_at = now() - interval '1 hour'`);
  await db.run(sql`delete from turns`);
  expect(await take('others'), 'without a plan it takes nothing by itself').toBe('idle');
});

test('only workers of the pool it asks for take a batch', async ({ db }) => {
  await empty(db);
  const batch = await insertBatch(db, { lines: 10, chunk: 5 });
  await db.run(sql`update batches set options = '{"pool": "large"}' where no = ${batch.no}`);
  const pools = [...planner.pools, pool('large', false, 2)];
  await plan(db, { ...planner, pools });
  expect(await claimTurn(db, spot, 60)).toBe('idle');
  expect(await claimTurn(db, dedicated, 60)).toBe('idle');
  expect(await claimTurn(db, { ...dedicated, pool: 'large' }, 60)).toMatchObject({ batchNo: batch.no });
});

test('what is due soon is left to dedicated workers, once one is there', async ({ db }) => {
  await empty(db);
  const batch = await insertBatch(db, { lines: 100, chunk: 1, windowSeconds: 60 });
  const own = { ...planner, tailOf: () => 120 };
  await plan(db, own);
  expect(await claimTurn(db, spot, 60)).toMatchObject({ batchNo: batch.no });
  await db.run(
    sql`insert into workers (id, pool, kind, host, pid, models) values ('worker_d', 'dedicated', 'dedicated', 'here', 1, '{echo@1.0.0}')`,
  );
  await plan(db, own);
  expect(await claimTurn(db, spot, 60)).toBe('idle');
  expect(await claimTurn(db, dedicated, 60)).toMatchObject({ batchNo: batch.no });
  await db.run(sql`delete from workers`);
});

test('a turn with nothing left behind it is passed over', async ({ db }) => {
  await empty(db);
  await insertBatch(db, { lines: 5, chunk: 5 });
  await plan(db, planner);
  expect(await claimTurn(db, dedicated, 60)).toMatchObject({ lines: [1, 6] });
  // Spot was planned the same chunk.
  expect(await claimTurn(db, spot, 60)).toBe('again');
  expect(await claimTurn(db, spot, 60)).toBe('idle');
});

test('a turn is taken without a look at chunks that are done, or at those of other batches', async ({ db }) => {
  await empty(db);
  const { no } = await insertBatch(db, { tenant: 'through', lines: 3_000, chunk: 1 });
  await db.run(sql`update chunks set state = 'done', lines = '{}' where batch_no = ${no}`);
  await insertBatch(db, { tenant: 'behind', lines: 3_000, chunk: 1 });
  await plan(db, planner);
  // As workers ask. The table's statistics are those of when it was empty.
  await using indexed = openPool({ url: db.url, name: 'test', max: 1, indexed: true });
  const fetched = () =>
    indexed.transaction(async (tx) => {
      const claimed = await claimTurn(tx, dedicated, 60);
      expect(claimed).toMatchObject({ tenant: expect.stringMatching(/behind/) });
      // Of this transaction alone.
      const { rows } = await tx.one<{ rows: number }>(
        sql`select (seq_tup_read + idx_tup_fetch)::int as rows from pg_stat_xact_user_tables where relname = 'chunks'`,
      );
      return { rows, line: (claimed as Lease).lines[0]! };
    });
  expect((await fetched()).rows).toBeLessThan(20);
  // The last of them is for this pool alone.
  await db.run(sql`update chunks set pool = 'dedicated', pool_since = now() where id = (select max(id) from chunks)`);
  await plan(db, planner);
  const own = await fetched();
  expect(own.line).toBe(3_000);
  expect(own.rows).toBeLessThan(20);
});

test('without a scheduler workers go on by themselves', async ({ db }) => {
  await empty(db);
  const batch = await insertBatch(db, { lines: 5, chunk: 5 });
  await db.run(sql`update plan set planned_at = '-infinity'`);
  expect(await claimTurn(db, dedicated, 60)).toMatchObject({ batchNo: batch.no });
});

test('work moves to dedicated workers before spot alone would be late, and they serve it first', async ({ db }) => {
  await empty(db);
  const pools = [pool('spot', true, 8), pool('dedicated', false, 4)];
  const calm = await insertBatch(db, { lines: 100, chunk: 10, windowSeconds: 86_400, priority: 10 });
  const tight = await insertBatch(db, { lines: 1_000, chunk: 10, windowSeconds: 85 });
  const first = await round(db, controller(pools));
  expect(first.escalated).toEqual([tight.id]);
  expect(first.pools.find(({ name }) => name === 'dedicated')!.desired).toBe(4);
  expect(await db.many(sql`select id, at_risk, escalated_at is not null as escalated from batches order by no`)).toEqual([
    { id: calm.id, at_risk: false, escalated: false },
    { id: tight.id, at_risk: true, escalated: true },
  ]);
  await plan(db, planner);
  expect((await leases(db, dedicated, 3)).map((lease) => lease.batchNo)).toEqual([tight.no, tight.no, tight.no]);
  expect((await leases(db, spot, 1))[0]!.batchNo).toBe(calm.no);
  // Told once.
  expect((await round(db, controller(pools))).escalated).toEqual([]);
  expect(await db.many(sql`select type from events where batch_no = ${tight.no}`)).toEqual([{ type: 'batch.escalated' }]);
});

test('a parent is at risk while one of its batches is, and ends when the last of them does', async ({ db }) => {
  await empty(db);
  const [calm, tight] = [
    await insertBatch(db, { model: 'a@1.0.0', lines: 100, chunk: 10, windowSeconds: 86_400 }),
    await insertBatch(db, { model: 'b@1.0.0', lines: 1_000, chunk: 10, windowSeconds: 85 }),
  ];
  const parent = await insertParent(db, [calm, tight], { windowSeconds: 85 });
  const own = controller([pool('spot', true, 8), pool('dedicated', false, 4)]);
  const standing = () =>
    db.many<{ no: number; at_risk: boolean; p90: number | null }>(
      sql`select no, at_risk, extract(epoch from forecast_p90)::float8 as p90 from batches order by no`,
    );
  await round(db, own);
  const [first, second, whole] = await standing();
  expect([first!.at_risk, second!.at_risk, whole!.at_risk]).toEqual([false, true, true]);
  expect(whole!.p90).toBe(Math.max(first!.p90!, second!.p90!));
  // What is told of moves of work is told of the batch whose work it is.
  expect(await db.many(sql`select type from events where batch_no = ${parent.no}`)).toEqual([]);
  await db.run(sql`update batches set status = 'finalizing', finalizing_at = now() where no = ${tight.no}`);
  await round(db, own);
  expect((await standing()).at(-1)!.at_risk).toBe(false);
});

test('models that share pools are promised a part of them each, of spot as of dedicated', async ({ db }) => {
  await empty(db);
  for (const model of ['a@1.0.0', 'b@1.0.0', 'b@1.0.0']) await insertBatch(db, { model, lines: 2_000, chunk: 10, windowSeconds: 600 });
  const { models } = await round(db, controller([pool('spot', true, 12), pool('dedicated', false, 60)]));
  const of = (model: string) => models.find((entry) => entry.model === model)!.targets;
  expect([of('a@1.0.0').spot, of('b@1.0.0').spot]).toEqual([4, 8]);
});

test('that a batch begins with few requests at once is no reason to escalate; that it may have no more is', async ({ db }) => {
  await empty(db);
  const begins = await insertBatch(db, { lines: 1_000, chunk: 10, windowSeconds: 3_600 });
  await db.run(sql`update batches set width = 4, options = '{"strategy": "adaptive"}' where no = ${begins.no}`);
  const pools = [pool('spot', true, 8), pool('dedicated', false, 4)];
  const own = { ...controller(pools), concurrencyOf: () => 100 };
  expect((await round(db, own)).escalated).toEqual([]);
  const narrow = await insertBatch(db, { lines: 1_000, chunk: 10, windowSeconds: 3_600 });
  await db.run(sql`update batches set width = 1, options = '{"max_concurrent": 1}' where no = ${narrow.no}`);
  expect((await round(db, own)).escalated).toContain(narrow.id);
});

test('a batch of which much has to be tried again gets a limit, and its turns one too', async ({ db }) => {
  await empty(db);
  const batch = await insertBatch(db, { lines: 400, chunk: 20 });
  const calm = await insertBatch(db, { lines: 400, chunk: 20 });
  await db.run(sql`update batches set options = '{"strategy": "parallel"}' where no = ${calm.no}`);
  await plan(db, planner);
  await leases(db, dedicated, 4);
  const pools = [pool('dedicated', false, 4)];
  expect((await round(db, controller(pools))).rewidened).toBe(false);
  const putOff = (from: number, to: number) =>
    db.run(sql`
      insert into waiting (batch_no, line, model, not_before)
      select b, 1000 + i, 'echo@1.0.0', now() + interval '1 hour'
      from generate_series(${from}::int, ${to}::int) i, unnest(${[batch.no, calm.no]}::bigint[]) b`);
  // Of 400 requests 80 are in flight: 30 that wait are less than half of what is under way, 100 are more.
  await putOff(1, 30);
  expect((await round(db, controller(pools))).rewidened).toBe(false);
  await putOff(31, 100);
  expect((await round(db, controller(pools))).rewidened).toBe(true);
  expect(await db.many(sql`select no, width is not null as limited from batches order by no`)).toEqual([
    { no: batch.no, limited: true },
    { no: calm.no, limited: false },
  ]);
});

test.for([
  ['refuse', { admitted: false, refused: { reason: expect.any(String), earliest: expect.any(Number) } }],
  ['flag', { admitted: false, refused: null }],
  ['off', { admitted: true, refused: null }],
] as const)('admission %s, where the deadline cannot be kept', async ([mode, answer], { db }) => {
  await empty(db);
  const admit = admission(mode, controller([pool('dedicated', false, 2)]));
  const now = Date.now() / 1_000;
  const candidate = { batch: 'batch_new', width: null, models: [{ model: 'echo@1.0.0', count: 100_000 }] };
  expect(await admit(db, { ...candidate, deadline: now + 600 })).toEqual(answer);
  expect(await admit(db, { ...candidate, deadline: now + 86_400 })).toEqual({ admitted: true, refused: null });
});
