import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BatchRepair, Completion, CompletionRepair, Explanation } from '@sluice/contract';
import { sql } from '../../src/db/sql.ts';
import { Scheduler } from '../../src/scheduler/scheduler.ts';
import { Listener } from '../../src/db/listen.ts';
import { localPool } from '../../src/policy/pools.ts';
import { silent } from '../../src/lib/log.ts';
import { sweepMilestones } from '../../src/batches/milestones.ts';
import { Worker } from '../../src/workers/worker.ts';
import { insertBatch } from '../support/batch.ts';
import { call, chatLine, createBatch, untilEnded } from '../support/requests.ts';
import { startSluice, testLimits, testTiming, type Sluice } from '../support/sluice.ts';
import { untilEvent } from '../support/follow.ts';

const told = (sluice: Sluice, id: string) =>
  sluice.db.many<{ type: string; percent: number | null }>(sql`
    select e.type, (e.data->>'percent')::int as percent from events e join batches b on b.no = e.batch_no where b.id = ${id} order by e.number`);
const percents = async (sluice: Sluice, id: string) =>
  (await told(sluice, id)).flatMap(({ percent }) => (percent === null ? [] : [percent]));

const explain = async (sluice: Sluice, id: string): Promise<Explanation> =>
  (await call(sluice.client, 'GET', `/v1/batches/${id}/explain`)).body as unknown as Explanation;
const repair = async (sluice: Sluice, id: string): Promise<BatchRepair> =>
  (await call(sluice.client, 'POST', `/v1/batches/${id}/repair`)).body as unknown as BatchRepair;
const completion = async (sluice: Sluice, query = ''): Promise<Completion> =>
  (await call(sluice.client, 'GET', `/v1/completion${query}`)).body as unknown as Completion;
const codes = ({ reasons }: Explanation) => reasons.map(({ code }) => code);
const done = (repaired: BatchRepair) => repaired.done.map(({ code }) => code);

/** Without a scheduler: what a batch is made to look like stays so until the test moves it on. */
let still: Sluice;
beforeAll(async () => {
  still = await startSluice({
    scheduler: false,
    workers: 0,
    keys: [
      { key: 'ada', tenant: 'default', user: 'ada' },
      { key: 'eve', tenant: 'other', user: 'eve' },
    ],
  });
});
afterAll(() => still[Symbol.asyncDispose]());

/** As if a scheduler were there, and a worker, that do nothing just now. */
const pretend = async ({ scheduler = true, worker = true } = {}) => {
  await still.db.run(sql`delete from batches`);
  await still.db.run(sql`update plan set planned_at = ${scheduler ? sql`now()` : sql`'-infinity'`}`);
  await still.db.run(sql`delete from workers`);
  if (worker)
    await still.db.run(
      sql`insert into workers (id, pool, host, pid, models) values ('worker_here', 'dedicated', 'test', 1, '{echo@1.0.0}')`,
    );
};
const lease = (no: number, worker: string, seconds: number) =>
  still.db.run(sql`
    update chunks set state = 'leased', token = nextval('lease_token'), worker_id = ${worker}, leased_at = now(), leased_until = now() + make_interval(secs => ${seconds})
    where batch_no = ${no} and state = 'queued'`);

test('milestones come once each and in order, also where a batch completes at once, beside a second scheduler', async () => {
  await using sluice = await startSluice({ workers: 2, timing: { sweepSeconds: 0.05 } });
  await using listener = new Listener(sluice.db.url, ['batches', 'turns']);
  await listener.start();
  const config = {
    limits: testLimits,
    timing: { ...testTiming, sweepSeconds: 0.05 },
    pools: [localPool],
    schedule: { mode: 'balanced' as const, order: 'fair' as const, admission: 'flag' as const },
  };
  await using second = new Scheduler({ db: sluice.db, storage: sluice.storage, models: sluice.models, config, log: silent, listener });
  second.start();
  const quick = await createBatch(sluice.client, [chatLine(1)]);
  const slow = await createBatch(
    sluice.client,
    Array.from({ length: 40 }, (_, i) => chatLine(i, { echo: { delay_ms: i * 40, ...(i % 7 === 0 && { status: 400 }) } })),
  );
  for (const { id } of [quick, slow]) {
    await untilEnded(sluice.client, id);
    const events = await told(sluice, id);
    expect(events.flatMap(({ percent }) => (percent === null ? [] : [percent]))).toEqual([10, 25, 50, 75, 90, 100]);
    expect(events.at(-1)!.type).toBe('batch.completed');
  }
  const streamed: number[] = [];
  await untilEvent(sluice.client, slow.id, ({ event, data }) => {
    if (event === 'batch.milestone') streamed.push((data as { data: { percent: number } }).data.percent);
    return event === 'batch.completed';
  });
  expect(streamed).toEqual([10, 25, 50, 75, 90, 100]);
});

test('milestones follow the rows, however many look at once, and a cancelled batch ends short of 100', async () => {
  await pretend();
  const { no, id } = await insertBatch(still.db, { lines: 20, chunk: 5 });
  const settle = (completed: number) =>
    still.db.run(sql`update chunks set completed = ${completed} where id = (select min(id) from chunks where batch_no = ${no})`);
  expect(await sweepMilestones(still.db)).toBe(0);
  await settle(6);
  const counts = await Promise.all(Array.from({ length: 8 }, () => sweepMilestones(still.db)));
  expect(counts.reduce((a, b) => a + b)).toBe(2);
  expect(await percents(still, id)).toEqual([10, 25]);
  // Looked at by nobody for a while: what was passed in between is told of too.
  await settle(15);
  expect(await sweepMilestones(still.db, no)).toBe(2);
  expect(await sweepMilestones(still.db, no)).toBe(0);
  expect(await percents(still, id)).toEqual([10, 25, 50, 75]);

  await using sluice = await startSluice();
  const batch = await createBatch(sluice.client, [chatLine(1), chatLine(2), chatLine(3), chatLine(4, { echo: { delay_ms: 20_000 } })]);
  await untilEvent(
    sluice.client,
    batch.id,
    ({ event, data }) => event === 'batch.progress' && (data as { completed: number }).completed === 3,
  );
  await call(sluice.client, 'POST', `/v1/batches/${batch.id}/cancel`, { mode: 'abort' });
  await untilEnded(sluice.client, batch.id);
  expect(await percents(sluice, batch.id)).toEqual([10, 25, 50, 75]);
  expect((await told(sluice, batch.id)).at(-1)!.type).toBe('batch.cancelled');
});

test('a batch is explained while it validates', async () => {
  await pretend({ scheduler: false });
  const { id } = await createBatch(still.client, [chatLine(1)]);
  const alone = await explain(still, id);
  expect(alone).toMatchObject({ object: 'batch.explanation', id, status: 'validating', stalled: true });
  expect(codes(alone)).toEqual(['no_scheduler', 'not_held']);
  expect(alone.next).toEqual(['Start a scheduler: none has been heard of lately.']);
  await still.db.run(sql`update plan set planned_at = now()`);
  expect(await explain(still, id)).toMatchObject({ stalled: false, reasons: [{ code: 'not_held' }] });
  await still.db.run(sql`update batches set token = 1, leased_until = now() + interval '5 seconds', tries = 2 where id = ${id}`);
  expect(codes(await explain(still, id))).toEqual(['held', 'tries']);
  await still.db.run(sql`update batches set leased_until = now() - interval '5 seconds' where id = ${id}`);
  expect(codes(await explain(still, id))).toEqual(['intake_lost', 'lease_over', 'tries']);
});

test('a batch is explained while it runs', async () => {
  await pretend();
  const { no, id } = await insertBatch(still.db, { lines: 10, chunk: 5 });
  const queued = await explain(still, id);
  expect(queued).toMatchObject({ status: 'in_progress', stalled: false });
  expect(queued.summary).toBe('It runs: 0 of 10 requests settled, 0 running, 10 queued, 0 waiting for a retry.');
  expect(codes(queued)).toEqual(['queued', 'deadline']);
  await still.db.run(
    sql`update chunks set pool = 'big', pool_since = now() where id = (select max(id) from chunks where batch_no = ${no})`,
  );
  const moved = await explain(still, id);
  expect(moved.reasons[1]).toEqual({
    code: 'larger_pool',
    text: '5 of them wait for the pool big, having run out of memory in a smaller one.',
  });
  await still.db.run(
    sql`update batches set at_risk = true, escalated_at = now(), forecast_p90 = now() + interval '1 hour', width = 5, admitted = false where no = ${no}`,
  );
  await still.db.run(sql`
    update chunks set state = 'leased', token = 1, worker_id = 'worker_here', leased_until = now() + interval '9 seconds'
    where id = (select min(id) from chunks where batch_no = ${no})`);
  await still.db.run(sql`insert into waiting values (${no}, 3, 'echo@1.0.0', now() + interval '30 seconds')`);
  const busy = await explain(still, id);
  expect(codes(busy)).toEqual(['queued', 'larger_pool', 'leased', 'holder', 'waiting', 'width', 'at_risk', 'escalated', 'forecast']);
  expect(busy.reasons[3]!.text).toMatch(/^worker_here holds 5 requests until 2/);
  expect(busy.reasons[6]!.text).toMatch(/at risk; it was not promised/);

  await still.db.run(sql`update batches set cap = 5 where no = ${no}`);
  expect(codes(await explain(still, id))).toContain('quota');

  await pretend({ worker: false });
  const second = await insertBatch(still.db, {});
  const unserved = await explain(still, second.id);
  expect(unserved).toMatchObject({ stalled: true, next: ['Start a worker that runs echo@1.0.0.'] });
  expect(codes(unserved)).toContain('no_worker');
  await lease(second.no, 'worker_gone', 60);
  expect(codes(await explain(still, second.id))).toEqual(['lost_leases', 'leased', 'lost_worker', 'deadline']);
  await still.db.run(sql`update batches set deadline = now() - interval '1 second' where no = ${second.no}`);
  expect(codes(await explain(still, second.id))).toContain('deadline_passed');
});

test('a batch is explained while it ends, and once it has', async () => {
  await pretend();
  const { no, id } = await insertBatch(still.db, { lines: 4 });
  await still.db.run(sql`update chunks set state = 'done', lines = '{}', completed = 4 where batch_no = ${no}`);
  expect(codes(await explain(still, id))).toEqual(['nothing_open', 'not_held', 'deadline']);
  await still.db.run(
    sql`update batches set status = 'finalizing', finalizing_at = now(), token = 1, leased_until = now() + interval '5 seconds', tries = 3 where no = ${no}`,
  );
  expect(await explain(still, id)).toMatchObject({ status: 'finalizing', stalled: false, reasons: [{ code: 'held' }, { code: 'tries' }] });
  await still.db.run(sql`update batches set leased_until = now() - interval '5 seconds' where no = ${no}`);
  expect(await explain(still, id)).toMatchObject({
    stalled: true,
    reasons: [{ code: 'finalize_lost' }, { code: 'lease_over' }, { code: 'tries' }],
  });

  const other = await insertBatch(still.db, { lines: 4 });
  await lease(other.no, 'worker_here', 5);
  await still.db.run(sql`update batches set status = 'cancelling', cancelling_at = now(), cancel_mode = 'stop' where no = ${other.no}`);
  const cancelling = await explain(still, other.id);
  expect(cancelling.summary).toBe('It is being cancelled; 4 requests still run (0 of 4 requests settled).');
  expect(cancelling.next).toEqual(['What runs may finish; then the files are written and the batch is cancelled.']);

  await using sluice = await startSluice();
  const completed = await createBatch(sluice.client, [chatLine(1), chatLine(2, { echo: { status: 400 } })]);
  const failed = await createBatch(sluice.client, ['{"no": "request"}']);
  await untilEnded(sluice.client, completed.id);
  await untilEnded(sluice.client, failed.id);
  const good = await explain(sluice, completed.id);
  expect(good.summary).toMatch(/^It completed at 2.*: 1 completed, 1 failed, 0 cancelled, 0 expired of 2 requests\.$/);
  expect(good).toMatchObject({ stalled: false, reasons: [{ code: 'failed' }], next: [expect.stringContaining('batch retry')] });
  const bad = await explain(sluice, failed.id);
  expect(bad).toMatchObject({ status: 'failed', next: ['Mend the input and create it again.'] });
  expect(bad.reasons[0]!.text).toMatch(/^Line 1: /);
});

test('the list keeps what stands still apart, of one’s own tenant, and shows the health', async () => {
  await pretend();
  const fine = await insertBatch(still.db, {});
  const idle = await insertBatch(still.db, {});
  await still.db.run(sql`update batches set created_at = now() - interval '30 minutes' where no = ${idle.no}`);
  const waits = await insertBatch(still.db, { lines: 2 });
  await still.db.run(sql`delete from chunks where batch_no = ${waits.no}`);
  await still.db.run(
    sql`insert into waiting select ${waits.no}, l, 'echo@1.0.0', now() + interval '10 minutes' from generate_series(1, 2) l`,
  );
  await insertBatch(still.db, { tenant: 'other' });
  const found = await completion(still);
  expect(found.active.map(({ id }) => id)).toEqual([fine.id]);
  expect(found.stalled.map(({ id, reason }) => [id, reason!.code])).toEqual([
    [idle.id, 'no_progress'],
    [waits.id, 'waiting_only'],
  ]);
  expect(found.stalled[0]!.last_progress_at).toBeLessThan(Date.now() / 1_000 - 1_700);
  expect(found.health).toMatchObject({
    schedulers: { alive: true },
    workers: [{ pool: 'dedicated', ready: 1, draining: 0, lost: 0, leases: 0 }],
    waiting_for_intake: 0,
  });
  expect(found.health.oldest_queued_seconds).toBeGreaterThan(1_700);
  expect((await completion(still, '?stalled_minutes=60')).stalled).toHaveLength(1);
  expect((await completion(still, '?limit=1')).has_more).toBe(true);
  const eve = (await call(still.clientFor('eve'), 'GET', '/v1/completion')).body as unknown as Completion;
  expect([eve.active.length, eve.stalled.length]).toEqual([1, 0]);
  for (const [method, path] of [
    ['GET', 'explain'],
    ['POST', 'repair'],
  ] as const)
    expect((await call(still.clientFor('eve'), method, `/v1/batches/${fine.id}/${path}`)).status).toBe(404);
});

test('a repair puts right what died or was lost, and a second one finds nothing', async () => {
  await pretend();
  const { db } = still;
  const cases: [what: string, no: number, id: string, done: string[]][] = [];
  const make = async (what: string, expected: string[]) => {
    const batch = await insertBatch(db, { lines: 10, chunk: 5 });
    cases.push([what, batch.no, batch.id, expected]);
    return batch.no;
  };
  await make('well', []);
  await lease(await make('its worker is gone', ['chunks_taken_back']), 'worker_gone', 600);
  await lease(await make('its leases ran out', ['chunks_taken_back']), 'worker_here', -1);
  await lease(await make('its worker is here', []), 'worker_here', 60);
  const dead = await make('whoever finalized it died', ['lease_ended']);
  await db.run(sql`update chunks set state = 'done', lines = '{}' where batch_no = ${dead}`);
  await db.run(sql`update batches set status = 'finalizing', token = 1, leased_until = now() - interval '1 second' where no = ${dead}`);
  const clock = await make('its lease lasts for ever', ['lease_ended']);
  await db.run(sql`update batches set token = 1, leased_until = now() + interval '1 day' where no = ${clock}`);
  const due = await make('its retries were forgotten', ['retries_gathered']);
  await db.run(sql`delete from chunks where batch_no = ${due}`);
  await db.run(sql`insert into waiting select ${due}, l, 'echo@1.0.0', now() - interval '1 minute' from generate_series(1, 10) l`);
  const late = await make('its deadline was missed', ['expired', 'closed']);
  await db.run(sql`update batches set deadline = now() - interval '1 minute' where no = ${late}`);
  const half = await make('its cancelling stopped half-way', ['closed']);
  await db.run(sql`update batches set status = 'cancelling', cancelling_at = now(), cancel_mode = 'stop' where no = ${half}`);
  const quiet = await make('its milestones were not told', ['milestones_told']);
  await db.run(sql`update chunks set completed = 3 where batch_no = ${quiet}`);
  const over = await make('it ended with chunks left', ['leftovers_removed']);
  await db.run(sql`update batches set status = 'completed', completed_at = now(), completed = 10 where no = ${over}`);

  for (const [what, , id, expected] of cases) expect([what, ...done(await repair(still, id))]).toEqual([what, ...expected]);
  for (const [what, , id] of cases) expect([what, ...done(await repair(still, id))]).toEqual([what]);
  expect(await percents(still, cases.find(([what]) => what.startsWith('its milestones'))![2])).toEqual([10, 25, 50]);
  expect(await db.one(sql`select count(*)::int as n from chunks where batch_no = ${over}`)).toEqual({ n: 0 });
});

test('all that is stuck is repaired at once, by many at a time, and then completes', async () => {
  await using sluice = await startSluice({ scheduler: false, workers: 0 });
  const { db, client } = sluice;
  const ids = await Promise.all(Array.from({ length: 5 }, async () => (await createBatch(client, [chatLine(1), chatLine(2)])).id));
  // Their intake died.
  await db.run(sql`update batches set token = 1, leased_until = now() + interval '1 day', tries = 1`);
  const replies = await Promise.all(
    Array.from({ length: 4 }, async () => (await call(client, 'POST', '/v1/completion/repair')).body as unknown as CompletionRepair),
  );
  for (const reply of replies) expect(reply.looked_at).toBe(5);
  const repaired = replies.flatMap(({ data }) => data.map(({ id }) => id));
  expect(repaired).toHaveLength(5);
  expect(new Set(repaired)).toEqual(new Set(ids));
  sluice.scheduler.start();
  await Promise.all(ids.map((id) => untilEvent(client, id, 'batch.in_progress')));
  // A worker took all of it and died; nobody will hear of it for a day.
  await db.run(sql`
    update chunks set state = 'leased', token = nextval('lease_token'), worker_id = 'worker_dead', leased_until = now() + interval '1 day'`);
  const again = (await call(client, 'POST', '/v1/completion/repair')).body as unknown as CompletionRepair;
  expect(again.data.map(({ done: did }) => did.map(({ code }) => code))).toEqual(ids.map(() => ['chunks_taken_back']));
  expect(((await call(client, 'POST', '/v1/completion/repair')).body as unknown as CompletionRepair).data).toEqual([]);
  expect(await db.one(sql`select count(*)::int as n from chunks where state = 'queued'`)).toEqual({ n: 5 });
  await using listener = new Listener(db.url, ['chunks', 'control']);
  await listener.start();
  await using worker = new Worker({
    ...sluice,
    config: {
      timing: testTiming,
      retry: { maxAttempts: 4, baseMs: 1, capMs: 20 },
      worker: { pool: 'dedicated', chunks: 4, modelMemory: 2 ** 30, noticeSeconds: 5, noticeFile: null, once: false },
      pools: [localPool],
    },
    log: silent,
    listener,
  });
  await worker.start();
  for (const id of ids)
    expect((await untilEnded(client, id)).request_counts).toEqual({ total: 2, completed: 2, failed: 0, cancelled: 0, expired: 0 });
});
