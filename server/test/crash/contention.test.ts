import pg from 'pg';
import { pino } from 'pino';
import { Writable } from 'node:stream';
import { expect, test as plain } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { expireDue } from '../../src/batches/finalize.ts';
import { silent } from '../../src/lib/log.ts';
import { Models } from '../../src/models/models.ts';
import { localPool } from '../../src/policy/pools.ts';
import { claim, renew } from '../../src/requests/claim.ts';
import { rescue } from '../../src/requests/queue.ts';
import { emptyPart, settle } from '../../src/requests/settle.ts';
import { claimTurn } from '../../src/requests/turns.ts';
import { plan } from '../../src/scheduler/planner.ts';
import { Scheduler } from '../../src/scheduler/scheduler.ts';
import { Listener } from '../../src/db/listen.ts';
import { openMemory } from '../../src/storage/memory.ts';
import { insertBatch } from '../support/batch.ts';
import { test } from '../support/database.ts';
import { call, chatLine, createBatch } from '../support/requests.ts';
import { startSluice, testLimits, testTiming } from '../support/sluice.ts';
import { checkAll, keepHistory, type Sent } from './history.ts';
import { Random } from './random.ts';
import { until } from './until.ts';

const share = (values: readonly number[], part: number): number => values.toSorted((a, b) => a - b)[Math.floor(values.length * part)]!;

test('a transaction that stays open for ever costs claims little', { timeout: 240_000 }, async ({ db }) => {
  const chunks = 1_000;
  for (let i = 0; i < 10; i++) await insertBatch(db, { lines: chunks / 10, chunk: 1, tenant: `t${i}` });
  const holder = new pg.Client({ connectionString: db.url });
  await holder.connect();
  await holder.query('begin isolation level repeatable read');
  await holder.query('select count(*) from chunks');
  const options = { order: 'fair' as const, pools: [localPool], kinds: ['dedicated' as const], tail: 0, costOf: () => 0.02 };
  const worker = { id: 'worker_hare', kind: 'dedicated' as const, pool: 'dedicated', models: ['echo@1.0.0'] };
  // What is looked at, in pages, and not the time it takes: that is the machine's, and this the database's.
  const pages = async (): Promise<number> => {
    await db.run(sql`select pg_stat_force_next_flush()`);
    return (await db.one<{ n: number }>(sql`select blks_hit + blks_read as n from pg_stat_database where datname = current_database()`)).n;
  };
  const times: number[] = [];
  const seen: number[] = [];
  try {
    for (let planned = 0; times.length < chunks;) {
      if (times.length % 250 === 0 && seen.length === times.length / 250) seen.push(await pages());
      // As often as a scheduler plans at the default rate of claims.
      if (times.length >= planned) {
        await plan(db, options);
        planned = times.length + 25;
      }
      const began = performance.now();
      const lease = await claimTurn(db, worker, 60);
      if (lease === 'again' || lease === 'idle') {
        planned = times.length;
        continue;
      }
      times.push(performance.now() - began);
      await renew(db, worker.id, [lease.token], 60);
      const part = {
        ...emptyPart(1),
        settled: lease.lines,
        segment: { key: `t/${lease.chunkId}`, dataBytes: 1, manifestBytes: 1 },
        completed: 1,
      };
      expect(await settle(db, lease, worker.id, part, 60)).toBe('done');
    }
    seen.push(await pages());
  } finally {
    await holder.query('rollback');
    await holder.end();
  }
  const quarter = times.length / 4;
  const [first, last] = [times.slice(0, quarter), times.slice(-quarter)];
  const looked = seen.slice(1).map((each, i) => Math.round((each - seen[i]!) / 250));
  console.log(
    `a snapshot held open over ${chunks} claims: p50 ${share(first, 0.5).toFixed(1)} → ${share(last, 0.5).toFixed(1)} ms, p99 ${share(last, 0.99).toFixed(1)} ms, pages looked at ${looked.join(', ')}`,
  );
  expect(looked).toHaveLength(4);
  // What the snapshot keeps alive is looked at too, three times as much by then; a scan of all of it would be hundreds of times.
  expect(looked[3]).toBeLessThan(8 * looked[0]!);
});

test(
  'the leases of a thousand workers run out together: swept page by page, at once, while others claim',
  { timeout: 240_000 },
  async ({ db }) => {
    await db.run(sql`delete from batches`);
    const leased = 2_400;
    for (let i = 0; i < 6; i++) await insertBatch(db, { lines: 800, chunk: 1, tenant: `t${i}` });
    // Each worker holds two or three chunks.
    await db.run(sql`
    update chunks set state = 'leased', worker_id = 'worker_' || id % 1000, token = nextval('lease_token'), leased_at = now(),
      leased_until = now() - interval '1 second'
    where id in (select id from chunks where state = 'queued' order by id limit ${leased})`);
    await using listener = new Listener(db.url, ['batches', 'turns']);
    await listener.start();
    // A sweep only every hour: what one of them leaves would be seen.
    const config = {
      limits: testLimits,
      timing: { ...testTiming, sweepSeconds: 3_600 },
      pools: [localPool],
      schedule: { mode: 'balanced' as const, order: 'fair' as const, admission: 'off' as const },
    };
    const deps = { db, storage: openMemory(), models: new Models([]), config, log: silent, listener };
    await using one = new Scheduler(deps);
    await using two = new Scheduler(deps);
    const pages: number[] = [];
    for (const scheduler of [one, two]) scheduler.on('rescued', (leases) => void pages.push(leases));
    const times: number[] = [];
    const sweeping = { over: false };
    const claiming = Promise.all(
      Array.from({ length: 4 }, async (_, i) => {
        while (!sweeping.over) {
          const began = performance.now();
          await claim(db, { id: `worker_new${i}`, models: ['echo@1.0.0'] }, 60);
          times.push(performance.now() - began);
        }
      }),
    );
    const began = performance.now();
    one.start();
    two.start();
    await until('every lease was taken back', () => pages.reduce((sum, page) => sum + page, 0) === leased);
    const seconds = (performance.now() - began) / 1_000;
    sweeping.over = true;
    await claiming;
    console.log(
      `${leased} leases in pages of ${pages.join(', ')} within ${seconds.toFixed(1)} s; ${times.length} claims meanwhile, p99 ${share(times, 0.99).toFixed(0)} ms`,
    );
    expect(Math.max(...pages)).toBeLessThanOrEqual(1_000);
    expect(times.length).toBeGreaterThan(0);
    expect(await db.one(sql`select count(*)::int as n, max(losses)::int as losses from chunks where losses > 0`)).toEqual({
      n: leased,
      losses: 1,
    });
  },
);

test('two transactions that wait for each other both come through: the server ends one, and it is tried again', async ({ db }) => {
  await db.run(sql`delete from batches`);
  const [a, b] = [await insertBatch(db, { tenant: 'a' }), await insertBatch(db, { tenant: 'b' })];
  const bothHold = Promise.withResolvers<void>();
  let [holding, tries] = [0, 0];
  const raise = (first: number, second: number): Promise<void> =>
    db.transaction(async (tx) => {
      tries++;
      await tx.run(sql`update batches set priority = priority + 1 where no = ${first}`);
      if (++holding === 2) bothHold.resolve();
      await bothHold.promise;
      await tx.run(sql`update batches set priority = priority + 1 where no = ${second}`);
    });
  await Promise.all([raise(a.no, b.no), raise(b.no, a.no)]);
  expect(tries).toBeGreaterThan(2);
  // So do single statements that lock several rows.
  const first = Promise.withResolvers<void>();
  const slow = db.transaction(async (tx) => {
    await tx.run(sql`update batches set priority = priority where no = ${b.no}`);
    first.resolve();
    await until(
      'the statement waits for us',
      async () => (await tx.maybe(sql`select from pg_locks where not granted and locktype = 'transactionid'`)) !== null,
    );
    await tx.run(sql`update batches set priority = priority where no = ${a.no}`);
  });
  await first.promise;
  await Promise.all([
    slow,
    db.run(sql`update batches set priority = priority where no in (select no from batches order by no for update)`),
  ]);
  expect(await db.many(sql`select priority from batches`)).toEqual([{ priority: 3 }, { priority: 3 }]);
});

plain.each([1, 2])(
  'cancel, expire, hasten, finalize, rescue, repair and retry at once: no deadlock comes through (seed %i)',
  { timeout: 240_000 },
  async (seed) => {
    const errors: string[] = [];
    const log = pino({ level: 'error' }, new Writable({ write: (part, _, done) => (errors.push(String(part)), done()) }));
    await using sluice = await startSluice({ workers: 3, log, timing: { leaseSeconds: 1, heartbeatSeconds: 0.2 } });
    const { client, db, storage } = sluice;
    await keepHistory(db);
    await using other = new Scheduler({
      ...sluice,
      config: {
        limits: testLimits,
        timing: { ...testTiming, leaseSeconds: 1 },
        pools: [localPool],
        schedule: { mode: 'balanced', order: 'fair', admission: 'flag' },
      },
      log,
      listener: new Listener(db.url, []),
    });
    other.start();
    const random = new Random(seed);
    const sent: Sent[] = [];
    const statuses = new Map<number, number>();
    const ask = async (method: string, path: string, body?: object): Promise<Record<string, unknown>> => {
      const reply = await call(client, method, path, body);
      statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1);
      return reply.body;
    };
    const submit = async (round: number): Promise<void> => {
      const ids = Array.from({ length: random.between(20, 120) }, (_, i) => `b${round}-${i}`);
      const script = () => random.pick([undefined, { delay_ms: random.between(1, 150) }, { fail_times: 1 }, { status: 400 }]);
      const { id } = await createBatch(
        client,
        ids.map((custom) => chatLine(custom, { echo: script() })),
      );
      sent.push({ id, customIds: ids });
    };
    const any = (): string => random.pick(sent).id;
    const end = Date.now() + 5_000;
    const again = async (work: () => Promise<unknown>): Promise<void> => {
      while (Date.now() < end) await work();
    };
    for (let i = 0; i < 8; i++) await submit(i);
    let round = sent.length;
    await Promise.all([
      again(() => submit(round++)),
      again(() => ask('POST', `/v1/batches/${any()}/cancel`, { mode: random.pick(['stop', 'abort']) })),
      again(() => ask('PATCH', `/v1/batches/${any()}`, { priority: random.between(0, 90) })),
      again(() => ask('POST', `/v1/batches/${any()}/retry`, {})),
      again(() =>
        ask('POST', '/v1/bulk', {
          on: 'batches',
          action: 'priority',
          ids: [...new Set([any(), any()])],
          options: { priority: random.between(0, 90) },
        }),
      ),
      again(async () => {
        await db.run(sql`update batches set deadline = now() where id = ${any()} and status = 'in_progress'`);
        await expireDue(db);
      }),
      again(async () => {
        await db.run(
          sql`update chunks set leased_until = now() - interval '1 second' where state = 'leased' and id % 3 = ${random.between(0, 2)}`,
        );
        await rescue(db);
      }),
      again(() => ask('POST', '/v1/completion/repair')),
    ]);
    await until(
      'every batch has ended',
      async () =>
        (
          await db.one<{ n: number }>(
            sql`select count(*) as n from batches where status in ('validating', 'in_progress', 'finalizing', 'cancelling')`,
          )
        ).n === 0,
    );
    const { deadlocks } = await db.one<{ deadlocks: number }>(
      sql`select deadlocks from pg_stat_database where datname = current_database()`,
    );
    console.log(`${sent.length} batches, ${deadlocks} deadlocks, replies ${JSON.stringify(Object.fromEntries(statuses))}`);
    expect([...statuses.keys()].filter((status) => status >= 500)).toEqual([]);
    expect(errors.filter((line) => /deadlock|serializ|40P01|40001/.test(line))).toEqual([]);
    expect(await checkAll(db, storage, sent)).toEqual([]);
  },
);
