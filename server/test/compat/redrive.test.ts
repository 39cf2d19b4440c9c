import { afterAll, beforeAll, expect, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { bulk, deadBatch, itemsOf, operation, preview, runBulk, untilSlice } from '../support/bulk.ts';
import { call, chatLine, createBatch, linesIn, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';
import { untilSettled } from '../support/follow.ts';

type Dict = Record<string, unknown>;

let sluice: Sluice;
beforeAll(async () => {
  sluice = await startSluice({
    keys: [
      { key: 'ada', tenant: 'lab', user: 'ada' },
      { key: 'eve', tenant: 'other', user: 'eve' },
    ],
    retry: { maxAttempts: 1 },
  });
});
afterAll(async () => {
  for (const worker of sluice.workers) worker.abort();
  await sluice[Symbol.asyncDispose]();
});

const client = () => sluice.clientFor('ada');
const letters = async (query: string) => (await call(client(), 'GET', `/v1/dead_letters?${query}`)).body['data'] as Dict[];
const names = async (query: string) => (await letters(query)).map((letter) => letter['custom_id']);
const continuedBy = async (id: string) => (await call(client(), 'GET', `/v1/batches/${id}`)).body['continued_by'] as string[];
const inputOf = async (id: string) =>
  (await linesIn(client(), (await client().batches.retrieve(id)).input_file_id)).map((line) => line['custom_id']);
const requestIds = async (id: string) =>
  ((await call(client(), 'GET', `/v1/batches/${id}/requests`)).body['data'] as Dict[]).map((request) => request['id'] as string);

/** Redrives dead letters and waits for the end. */
const redrive = async (body: Dict) => {
  const reply = await call(client(), 'POST', '/v1/dead_letters/redrive', body);
  expect(reply).toMatchObject({ status: 200, body: { object: 'bulk_operation', on: 'requests', action: 'redrive' } });
  return untilSlice(sluice, client(), reply.body['id'] as string, ({ status }) => status === 'completed');
};

test('a redrive by filter: one continuation a batch, paced, stopped half-way, and resumed by another', async () => {
  const ids = [await deadBatch(client(), 2), await deadBatch(client(), 2), await deadBatch(client(), 1)];
  const mine = (list: Dict[]) => list.filter((letter) => ids.includes(letter['batch_id'] as string)).length;
  // The first two are ten seconds' worth; what comes next would have to wait for them.
  const filter = { q: '503', user: 'ada' };
  const seen = await preview(client(), { on: 'requests', action: 'redrive', filter });
  const reply = await call(client(), 'POST', '/v1/dead_letters/redrive', { filter, options: { per_second: 0.2 }, as_of: seen['as_of'] });
  const id = reply.body['id'] as string;
  expect([seen['matched'], seen['eligible']]).toEqual([5, 5]);
  expect(reply.body['counts']).toEqual({ matched: 5, eligible: 5, done: 0, skipped: 0, failed: 0 });
  await untilSlice(sluice, client(), id, ({ counts }) => counts.done > 0);
  await call(client(), 'POST', `/v1/bulk/${id}/stop`, {});
  const stopped = await untilSlice(sluice, client(), id, ({ status }) => status === 'stopped');
  expect(stopped.counts).toMatchObject({ done: 2, skipped: 0, failed: 0 });
  expect([mine(await letters('status=redriven')), mine(await letters('status=open'))]).toEqual([2, 3]);
  // What ran in the meantime died again, after the time of the preview.
  const rest = await redrive({ filter, as_of: seen['as_of'] });
  expect(rest.counts).toEqual({ matched: 3, eligible: 3, done: 3, skipped: 0, failed: 0 });
  for (const batch of ids) {
    const made = await continuedBy(batch);
    expect(made).toHaveLength(1);
    await untilEnded(client(), made[0]!);
  }
  expect(await inputOf((await continuedBy(ids[0]!))[0]!)).toEqual(['dead-1', 'dead-2']);
  expect(mine(await letters('status=redriven'))).toBe(5);
});

test('what is run again leaves the list, and is linked; what dies again is a dead letter of its own', async () => {
  const id = await deadBatch(client(), 2);
  const [one, two] = await letters(`batch=${id}`);
  const done = await redrive({
    ids: [one!['id']],
    reason: 'the upstream is back',
    options: { completion_window: '15m', priority: 'high' },
  });
  expect(done).toMatchObject({ status: 'completed', counts: { matched: 1, eligible: 1, done: 1, skipped: 0, failed: 0 } });
  const [made] = await continuedBy(id);
  expect(await untilEnded(client(), made!)).toMatchObject({ continues: id, completion_window: '15m', priority: 10, created_by: 'ada' });
  const again = await letters(`batch=${made!}`);
  expect(again.map((letter) => letter['custom_id'])).toEqual(['dead-1']);
  expect(await names(`batch=${id}`)).toEqual(['dead-2']);
  expect(await letters(`batch=${id}&status=redriven`)).toMatchObject([
    { id: one!['id'], status: 'redriven', redriven_as: again[0]!['id'] },
  ]);

  // By id it says why it does nothing; `again` insists.
  const fine = (await requestIds(id))[0]!;
  const body = { ids: [fine, one!['id'], two!['id'], 'batch_req_x'] };
  await call(client(), 'POST', '/v1/dead_letters/discard', { ids: [two!['id']], reason: 'known' });
  const second = await redrive(body);
  expect(second.counts).toEqual({ matched: 4, eligible: 0, done: 0, skipped: 4, failed: 0 });
  expect(new Set(await itemsOf(client(), second.id))).toEqual(
    new Set([
      ['batch_req_x', 'not_found'],
      [fine, 'not_dead'],
      [one!['id'], 'already_retried'],
      [two!['id'], 'discarded'],
    ]),
  );
  expect((await redrive({ ids: [one!['id']], options: { again: true } })).counts).toMatchObject({ done: 1 });
  expect(await continuedBy(id)).toHaveLength(2);
});

test('a batch that still runs is left until it has ended', async () => {
  const { id } = await createBatch(client(), [
    chatLine('dead', { echo: { status: 503 } }),
    chatLine('slow', { echo: { delay_ms: 600_000 } }),
  ]);
  await untilSettled(client(), id, 1);
  expect(await names(`batch=${id}`)).toEqual(['dead']);
  const early = await redrive({ filter: { batch: id } });
  expect(early.counts).toMatchObject({ matched: 1, eligible: 0, skipped: 1 });
  expect(await itemsOf(client(), early.id)).toEqual([[(await letters(`batch=${id}`))[0]!['id'], 'batch_not_ended']]);
  await call(client(), 'POST', `/v1/batches/${id}/cancel`, { mode: 'abort' });
  await untilEnded(client(), id);
  // A retry of requests takes what was cancelled where that is asked for.
  const states = (state?: string[]) =>
    preview(client(), { on: 'requests', action: 'retry', filter: { batch: id, ...(state && { state }) } });
  expect([(await states())['eligible'], (await states(['cancelled', 'dead_lettered']))['eligible']]).toEqual([1, 2]);
  const both = await runBulk(sluice, client(), {
    on: 'requests',
    action: 'retry',
    filter: { batch: id, state: ['cancelled'], code: 'batch_cancelled' },
    exclude: [(await letters(`batch=${id}`))[0]!['id']],
  });
  expect(both.counts).toMatchObject({ matched: 1, done: 1 });
  const [made] = await continuedBy(id);
  expect(await inputOf(made!)).toEqual(['slow']);
  await call(client(), 'POST', `/v1/batches/${made!}/cancel`, { mode: 'abort' });
});

test('where the input is gone it says so', async () => {
  const id = await deadBatch(client(), 1);
  await sluice.storage.delete((await sluice.db.one<{ key: string }>(sql`select input_key as key from batches where id = ${id}`)).key);
  const done = await redrive({ filter: { batch: id } });
  expect(done.counts).toEqual({ matched: 1, eligible: 1, done: 0, skipped: 1, failed: 0 });
  expect((await itemsOf(client(), done.id))[0]![1]).toBe('input_gone');
});

test('two at once do not run the same requests twice', async () => {
  const ids = [await deadBatch(client(), 2), await deadBatch(client(), 1)];
  const all = (await Promise.all(ids.map((id) => letters(`batch=${id}`)))).flat().map((letter) => letter['id']);
  const [one, two] = await Promise.all([redrive({ ids: all }), redrive({ ids: all })]);
  expect(one.counts.done + two.counts.done).toBe(3);
  expect(one.counts.skipped + two.counts.skipped).toBe(3);
  for (const id of ids) expect(await continuedBy(id)).toHaveLength(1);
});

test('whole batches are retried and redriven, once', async () => {
  const { id } = await untilEnded(
    client(),
    (
      await createBatch(
        client(),
        [chatLine('bad', { echo: { status: 400 } }), chatLine('dead', { echo: { status: 503 } }), chatLine('fine')],
        {
          name: 'whole',
        },
      )
    ).id,
  );
  await untilEnded(client(), (await createBatch(client(), [chatLine('fine')], { name: 'whole' })).id);
  const run = (action: string, ids?: string[]) =>
    runBulk(sluice, client(), { on: 'batches', action, ...(ids ? { ids } : { filter: { q: 'whole', until: 4_000_000_000 } }) });
  expect((await run('redrive')).counts).toEqual({ matched: 2, eligible: 1, done: 1, skipped: 1, failed: 0 });
  const [first] = await continuedBy(id);
  expect(await inputOf(first!)).toEqual(['dead']);
  expect((await run('retry', [id])).counts).toMatchObject({ done: 1 });
  const [, second] = await continuedBy(id);
  expect(await inputOf(second!)).toEqual(['bad']);
  const third = await run('retry', [id]);
  expect(await itemsOf(client(), third.id)).toEqual([[id, 'already_retried']]);
});

test('a tenant redrives its own only', async () => {
  const eve = sluice.clientFor('eve');
  const mine = await deadBatch(client(), 1);
  const theirs = await deadBatch(eve, 1);
  const ids = (await letters(`batch=${mine}`)).map((letter) => letter['id']);
  const done = await runBulk(sluice, eve, { on: 'requests', action: 'redrive', filter: { since: 0 } });
  expect(done.counts).toMatchObject({ matched: 1, done: 1 });
  const named = await runBulk(sluice, eve, { on: 'requests', action: 'redrive', ids });
  expect(await itemsOf(eve, named.id)).toEqual([[ids[0], 'not_found']]);
  expect(await continuedBy(mine)).toEqual([]);
  expect(((await call(eve, 'GET', `/v1/batches/${theirs}`)).body['continued_by'] as string[]).length).toBe(1);
  expect((await bulk(eve, { on: 'requests', action: 'redrive', filter: { batch: mine } })).body['counts']).toMatchObject({ matched: 0 });
});

test('a pace holds between continuations', async () => {
  const ids = [await deadBatch(client(), 2), await deadBatch(client(), 2), await deadBatch(client(), 2)];
  const all = (await Promise.all(ids.map((id) => letters(`batch=${id}`)))).flat().map((letter) => letter['id']);
  const done = await redrive({ ids: all, options: { per_second: 20 } });
  expect((await operation(client(), done.id)).counts).toMatchObject({ done: 6 });
  const gaps = await sluice.db.many<{ ms: number }>(sql`
    select extract(epoch from c.created_at - lag(c.created_at) over (order by c.no))::float8 * 1000 as ms
    from batches c join batches b on b.no = c.continues_no where b.id = any(${ids}::text[])`);
  // Two requests at twenty a second are a tenth of a second.
  expect(gaps.length).toBe(3);
  for (const { ms } of gaps.slice(1)) expect(ms).toBeGreaterThanOrEqual(99);
});
