import { expect } from 'vitest';
import { insertBatch } from '../../test/support/batch.ts';
import { test } from '../../test/support/database.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { eachLine, type Lines } from '../formats/lines.ts';
import { attemptsOf, claim, release, renew, type Lease } from './claim.ts';
import { closeOpen, gatherDue, lossLimit, nothingOpen, rescue } from './queue.ts';
import { emptyPart, settle, wasSettled, type Part } from './settle.ts';

const hare = { id: 'worker_hare', models: ['echo@1.0.0'] };
const tortoise = { id: 'worker_tortoise', models: ['echo@1.0.0'] };

const part = (lease: Lease, settled: Lines, rest: Partial<Part> = {}): Part => ({
  ...emptyPart(lease.parts + 1),
  settled,
  segment: settled.length > 0 ? { key: `k/${lease.chunkId}.${lease.token}`, dataBytes: 1, manifestBytes: 1 } : null,
  completed: [...eachLine(settled)].length,
  ...rest,
});

const failedOnce = (line: number) => ({
  line,
  number: 1,
  kind: 'retryable' as const,
  code: 'upstream_error',
  message: 'no',
  statusCode: 500,
  startedAt: Date.now(),
  ms: 3,
});

const empty = (db: Db) => db.run(sql`delete from batches`);

test('each chunk goes to one worker, oldest first within a priority', async ({ db }) => {
  await empty(db);
  const low = await insertBatch(db, { lines: 10, chunk: 5 });
  const high = await insertBatch(db, { lines: 5, chunk: 5, priority: 10 });
  const leases = [await claim(db, hare, 60), await claim(db, tortoise, 60), await claim(db, hare, 60)];
  expect(leases.map((lease) => [lease!.batchNo, lease!.lines])).toEqual([
    [high.no, [1, 6]],
    [low.no, [1, 6]],
    [low.no, [6, 11]],
  ]);
  expect(await claim(db, hare, 60)).toBeNull();
  expect(new Set(leases.map((lease) => lease!.token)).size).toBe(3);
});

test('many workers at once never get the same chunk', async ({ db }) => {
  await empty(db);
  await insertBatch(db, { lines: 60, chunk: 1 });
  const got: number[] = [];
  await Promise.all(
    Array.from({ length: 8 }, async (_, i) => {
      // A worker that finds everything taken asks again until the queue is empty.
      for (
        let lease = await claim(db, { ...hare, id: `w${i}` }, 60);
        got.length < 60;
        lease = await claim(db, { ...hare, id: `w${i}` }, 60)
      )
        if (lease) got.push(lease.chunkId);
    }),
  );
  expect(new Set(got).size).toBe(60);
});

test('a worker gets only models it can run', async ({ db }) => {
  await empty(db);
  await insertBatch(db, { model: 'big@1.0.0' });
  expect(await claim(db, hare, 60)).toBeNull();
  expect((await claim(db, { id: 'w', models: ['echo@1.0.0', 'big@1.0.0'] }, 60))?.model).toBe('big@1.0.0');
});

test('a worker that lost its lease settles nothing', async ({ db }) => {
  await empty(db);
  const batch = await insertBatch(db, { lines: 5 });
  const slow = await claim(db, tortoise, 0);
  expect(await rescue(db)).toBe(1);
  const quick = await claim(db, hare, 60);
  expect(quick!.losses).toBe(1);
  expect(await settle(db, slow!, tortoise.id, part(slow!, [1, 6]), 60)).toBe('lost');
  expect(await release(db, slow!)).toBe('lost');
  expect(await settle(db, quick!, hare.id, part(quick!, [1, 6]), 60)).toBe('done');
  expect(await db.many(sql`select worker_id, completed from segments where batch_no = ${batch.no}`)).toEqual([
    { worker_id: hare.id, completed: 5 },
  ]);
});

test('nor where nobody has it: it is told so, before the schema would have to refuse the write', async ({ db }) => {
  await empty(db);
  const batch = await insertBatch(db, { lines: 5 });
  const slow = await claim(db, tortoise, 0);
  await rescue(db);
  const late = () => settle(db, slow!, tortoise.id, part(slow!, [1, 6]), 60);
  const some = () => settle(db, slow!, tortoise.id, part(slow!, [1, 3]), 60);
  expect([await late(), await some(), await release(db, slow!)]).toEqual(['lost', 'lost', 'lost']);
  const quick = await claim(db, hare, 60);
  await settle(db, quick!, hare.id, part(quick!, [1, 6]), 60);
  expect([await late(), await some(), await release(db, slow!)]).toEqual(['lost', 'lost', 'lost']);
  expect(await db.many(sql`select worker_id, completed from segments where batch_no = ${batch.no}`)).toEqual([
    { worker_id: hare.id, completed: 5 },
  ]);
});

test('a chunk settles in parts; what is left goes back as a smaller chunk', async ({ db }) => {
  await empty(db);
  await insertBatch(db, { lines: 10, chunk: 10 });
  const lease = await claim(db, hare, 60);
  expect(await settle(db, lease!, hare.id, part(lease!, [2, 4, 7, 8]), 60)).toBe('open');
  expect(await release(db, lease!)).toBe('released');
  const next = await claim(db, tortoise, 60);
  expect([next!.lines, next!.parts, next!.losses]).toEqual([[1, 2, 4, 7, 8, 11], 1, 0]);
});

test('settling twice what was settled once writes nothing more', async ({ db }) => {
  await empty(db);
  await insertBatch(db, { lines: 5 });
  const lease = await claim(db, hare, 60);
  const first = part(lease!, [1, 3]);
  expect(await wasSettled(db, lease!, first)).toBe(false);
  await settle(db, lease!, hare.id, first, 60);
  expect(await wasSettled(db, lease!, first)).toBe(true);
});

test('a failed attempt waits outside its chunk, comes back when due and knows its attempts', async ({ db }) => {
  await empty(db);
  const batch = await insertBatch(db, { lines: 4, chunk: 4 });
  const lease = await claim(db, hare, 60);
  const retried = part(lease!, [1, 3], {
    attempts: [failedOnce(3), failedOnce(4)],
    waiting: [
      { line: 3, delayMs: 0 },
      { line: 4, delayMs: 3_600_000 },
    ],
  });
  expect(await settle(db, lease!, hare.id, retried, 60)).toBe('done');
  const open = () => db.one<{ ended: boolean }>(sql`select ${nothingOpen} as ended from batches b where no = ${batch.no}`);
  expect((await open()).ended).toBe(false);
  const { chunks, nextMs } = await gatherDue(db);
  expect(chunks).toBe(1);
  expect(nextMs).toBeGreaterThan(3_000_000);
  const again = await claim(db, tortoise, 60);
  expect([again!.lines, again!.retry]).toEqual([[3, 4], true]);
  expect(await attemptsOf(db, again!)).toEqual(new Map([[3, 1]]));
});

test('a heartbeat renews what is held, and carries the order to stop', async ({ db }) => {
  await empty(db);
  const batch = await insertBatch(db, { lines: 10, chunk: 5 });
  const [one, two] = [await claim(db, hare, 0), await claim(db, hare, 0)];
  const tokens = [one!.token, two!.token];
  expect((await renew(db, hare.id, tokens, 60)).map((held) => held.order)).toEqual(['go', 'go']);
  expect(await rescue(db)).toBe(0);
  await db.run(sql`update batches set status = 'cancelling', cancelling_at = now(), cancel_mode = 'stop' where no = ${batch.no}`);
  expect((await renew(db, hare.id, tokens, 60)).map((held) => held.order)).toEqual(['stop', 'stop']);
  expect(await release(db, one!)).toBe('released');
  await settle(db, two!, hare.id, part(two!, [6, 8]), 60);
  expect(await release(db, two!)).toBe('released');
  await closeOpen(db, batch.no, 'cancelled');
  expect(await db.many(sql`select state, lines::text from chunks where batch_no = ${batch.no} order by id`)).toEqual([
    { state: 'cancelled', lines: '{[1,6)}' },
    { state: 'cancelled', lines: '{[8,11)}' },
  ]);
});

test('a lease its worker does not know of runs out, however busy the worker is', async ({ db }) => {
  await empty(db);
  await insertBatch(db, { lines: 10, chunk: 5 });
  // The reply to the second claim was lost.
  const [known, unknown] = [await claim(db, hare, 0), await claim(db, hare, 0)];
  expect((await renew(db, hare.id, [known!.token], 60)).map((held) => held.token)).toEqual([known!.token]);
  expect(await rescue(db)).toBe(1);
  expect((await claim(db, tortoise, 60))!.chunkId).toBe(unknown!.chunkId);
});

test('a request that kills each of its workers is dead-lettered, and only that one', async ({ db }) => {
  await empty(db);
  const batch = await insertBatch(db, { lines: 3, chunk: 3 });
  for (let loss = 1; loss <= lossLimit + 1; loss++) {
    expect((await claim(db, hare, 0))!.losses).toBe(loss - 1);
    await rescue(db);
  }
  expect(await db.many(sql`select line, state, code from requests where batch_no = ${batch.no}`)).toEqual([
    { line: 1, state: 'dead_lettered', code: 'worker_lost' },
  ]);
  const rest = await claim(db, hare, 60);
  expect([rest!.lines, rest!.losses]).toEqual([[2, 4], 0]);
});

test('the claim reads the head of an index, however long the queue', async ({ db }) => {
  await empty(db);
  await insertBatch(db, { lines: 20_000, chunk: 1 });
  await db.run(sql`analyze chunks`);
  const plan = await db.many<{ 'QUERY PLAN': string }>(sql`
    explain select ctid from chunks where state = 'queued' and model = 'echo@1.0.0' order by priority desc, deadline, id limit 1 for update skip locked`);
  expect(plan.map((row) => row['QUERY PLAN']).join('\n')).toContain('Index Scan using chunks_claim');
});
