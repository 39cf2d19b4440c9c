import { afterAll, beforeAll, expect, test } from 'vitest';
import { bulk, itemsOf, openBatches, operation, preview, runBulk, untilSlice } from '../support/bulk.ts';
import { call, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

type Dict = Record<string, unknown>;

/** Without workers: batches stay open until somebody ends them. */
let sluice: Sluice;
beforeAll(async () => {
  sluice = await startSluice({
    keys: [
      { key: 'ada', tenant: 'lab', user: 'ada' },
      { key: 'eve', tenant: 'other', user: 'eve' },
    ],
    retry: { maxAttempts: 1 },
    workers: 0,
  });
});
afterAll(() => sluice[Symbol.asyncDispose]());

const client = () => sluice.clientFor('ada');
const status = async (id: string) => (await client().batches.retrieve(id)).status;

test('cancel by filter: the preview says what the run then does', async () => {
  const mine = await openBatches(client(), 5, { name: 'Nightly sweep' });
  const other = await openBatches(client(), 1, { name: 'kept' });
  await call(client(), 'POST', `/v1/batches/${mine[1]}/cancel`, {});
  await untilEnded(client(), mine[1]!);
  const body = { on: 'batches', action: 'cancel', filter: { q: 'nightly', user: 'ada' }, exclude: [mine[4]], reason: 'too dear' };
  const seen = await preview(client(), body);
  expect(seen).toMatchObject({
    object: 'bulk_preview',
    matched: 4,
    eligible: 3,
    sample: [mine[0], mine[2], mine[3]],
    skipped: [{ reason: 'already_cancelled', count: 1, sample: [mine[1]] }],
  });
  expect((await call(client(), 'POST', '/v1/bulk?preview=true', body)).body).toMatchObject({ object: 'bulk_preview', matched: 4 });
  const done = await runBulk(sluice, client(), { ...body, as_of: seen['as_of'] });
  expect(done).toMatchObject({
    object: 'bulk_operation',
    action: 'cancel',
    status: 'completed',
    counts: { matched: seen['matched'], eligible: seen['eligible'], done: 3, skipped: 1, failed: 0 },
    reason: 'too dear',
    created_by: 'ada',
    excluded: 1,
    ended_at: expect.any(Number) as number,
  });
  expect(await itemsOf(client(), done.id)).toEqual([[mine[1], 'already_cancelled']]);
  for (const id of [mine[0]!, mine[2]!, mine[3]!]) expect((await untilEnded(client(), id)).status).toBe('cancelled');
  expect([await status(mine[4]!), await status(other[0]!)]).toEqual(['in_progress', 'in_progress']);
  // The same again finds nothing left to do, and says so.
  expect(await runBulk(sluice, client(), body)).toMatchObject({ counts: { matched: 4, eligible: 0, done: 0, skipped: 4 } });
});

test('what was created after as_of is left alone', async () => {
  const [before] = await openBatches(client(), 1, { name: 'wave' });
  const seen = await preview(client(), { on: 'batches', action: 'cancel', filter: { q: 'wave' } });
  const [after] = await openBatches(client(), 1, { name: 'wave' });
  const done = await runBulk(sluice, client(), { on: 'batches', action: 'cancel', filter: { q: 'wave' }, as_of: seen['as_of'] });
  expect(done.counts).toMatchObject({ matched: 1, done: 1 });
  expect((await untilEnded(client(), before!)).status).toBe('cancelled');
  expect(await status(after!)).toBe('in_progress');
});

test('priority and deadline, by filter and by ids', async () => {
  const ids = await openBatches(client(), 3, { metadata: { project: 'kinase' } });
  await client().batches.cancel(ids[2]!);
  await untilEnded(client(), ids[2]!);
  await call(client(), 'PATCH', `/v1/batches/${ids[1]}`, { priority: 10 });
  const raised = await runBulk(sluice, client(), {
    on: 'batches',
    action: 'priority',
    filter: { metadata: { project: 'kinase' } },
    options: { priority: 'high' },
  });
  expect(raised.counts).toEqual({ matched: 3, eligible: 1, done: 1, skipped: 2, failed: 0 });
  expect(await itemsOf(client(), raised.id)).toEqual([
    [ids[1], 'unchanged'],
    [ids[2], 'already_cancelled'],
  ]);
  expect(await client().batches.retrieve(ids[0]!)).toMatchObject({ priority: 10 });

  const deadline = Math.floor(Date.now() / 1_000) + 7 * 86_400;
  const later = await runBulk(sluice, client(), {
    on: 'batches',
    action: 'deadline',
    ids: [ids[0], ids[0], 'batch_nonsense'],
    options: { deadline },
  });
  expect(later.counts).toEqual({ matched: 2, eligible: 1, done: 1, skipped: 1, failed: 0 });
  expect(await itemsOf(client(), later.id)).toEqual([['batch_nonsense', 'not_found']]);
  expect(await client().batches.retrieve(ids[0]!)).toMatchObject({ expires_at: deadline });
  expect(await preview(client(), { on: 'batches', action: 'deadline', ids: [ids[0]], options: { deadline: 1_000_000 } })).toMatchObject({
    eligible: 0,
    skipped: [{ reason: 'deadline_past' }],
  });
});

test('a key given twice makes one operation', async () => {
  const [id] = await openBatches(client(), 1, { name: 'once' });
  const body = { on: 'batches', action: 'cancel', filter: { q: 'once' } };
  const key = { 'idempotency-key': 'press' };
  const [one, two] = [await bulk(client(), body, key), await bulk(client(), body, key)];
  expect(two.body['id']).toBe(one.body['id']);
  expect(two.headers.get('idempotent-replayed')).toBe('true');
  expect(await bulk(client(), { ...body, filter: { q: 'twice' } }, key)).toMatchObject({
    status: 409,
    body: { error: { code: 'idempotency_mismatch' } },
  });
  expect((await bulk(sluice.clientFor('eve'), body, key)).body['id']).not.toBe(one.body['id']);
  await untilSlice(sluice, client(), one.body['id'] as string, ({ status }) => status === 'completed');
  await untilEnded(client(), id!);
});

test('what makes no sense is refused', async () => {
  const refused = async (body: Dict, param?: string) => {
    const reply = await bulk(client(), { on: 'batches', action: 'cancel', ...body });
    const { error } = reply.body as { error: { param: string } };
    expect([reply.status, param ?? error.param]).toEqual([400, error.param]);
  };
  await refused({});
  await refused({ filter: {} }, 'filter');
  await refused({ filter: { status: [] } });
  await refused({ filter: { q: '' } });
  await refused({ filter: { q: 'x' }, ids: ['x'] });
  await refused({ ids: ['x'], exclude: ['y'] });
  await refused({ ids: [] });
  await refused({ filter: { code: 'x' } }, 'filter.code');
  await refused({ filter: { nonsense: 'x' } });
  await refused({ on: 'requests', filter: { code: 'x' } }, 'action');
  await refused({ on: 'requests', action: 'redrive', filter: { status: ['failed'] } }, 'filter.status');
  await refused({ on: 'requests', action: 'redrive', filter: { state: ['failed'] } }, 'filter.state');
  await refused({ action: 'priority', filter: { q: 'x' } }, 'options.priority');
  await refused({ action: 'priority', filter: { q: 'x' }, options: { priority: 1, mode: 'stop' } }, 'options.mode');
  await refused({ action: 'deadline', filter: { q: 'x' }, options: { deadline: 2_000_000_000, completion_window: '1h' } });
  await refused({ filter: { q: 'x' }, options: { per_second: 0 } });
  expect((await call(client(), 'POST', '/v1/dead_letters/redrive', { filter: {} })).status).toBe(400);
  expect((await call(client(), 'POST', '/v1/dead_letters/redrive', {})).status).toBe(400);
});

test('another tenant’s batches and operations are not there', async () => {
  const eve = sluice.clientFor('eve');
  const [mine] = await openBatches(client(), 1, { name: 'shared name' });
  const [theirs] = await openBatches(eve, 1, { name: 'shared name' });
  const done = await runBulk(sluice, eve, { on: 'batches', action: 'cancel', filter: { q: 'shared name' } });
  expect(done.counts).toMatchObject({ matched: 1, done: 1 });
  expect((await untilEnded(eve, theirs!)).status).toBe('cancelled');
  expect(await preview(eve, { on: 'batches', action: 'cancel', ids: [mine] })).toMatchObject({
    matched: 1,
    eligible: 0,
    skipped: [{ reason: 'not_found' }],
  });
  expect(await status(mine!)).toBe('in_progress');
  for (const [method, path] of [
    ['GET', ''],
    ['GET', '/items'],
    ['POST', '/stop'],
  ] as const)
    expect((await call(client(), method, `/v1/bulk/${done.id}${path}`, method === 'POST' ? {} : undefined)).status).toBe(404);
  expect((await call(client(), 'GET', `/v1/bulk?after=${done.id}`)).status).toBe(404);
  const list = (await call(eve, 'GET', '/v1/bulk?status=completed')).body['data'] as Dict[];
  expect(list.map((each) => each['id'])).toContain(done.id);
  expect(list.every((each) => each['created_by'] === 'eve')).toBe(true);
});

test('a paced operation is stopped between two items; what it did stays done', async () => {
  const ids = await openBatches(client(), 3, { name: 'paced' });
  // The second would come after a hundred seconds.
  const { body } = await bulk(client(), { on: 'batches', action: 'cancel', filter: { q: 'paced' }, options: { per_second: 0.01 } });
  await untilSlice(sluice, client(), body['id'] as string, ({ counts }) => counts.done === 1);
  expect((await call(client(), 'POST', `/v1/bulk/${String(body['id'])}/stop`, {})).status).toBe(200);
  const stopped = await untilSlice(sluice, client(), body['id'] as string, (found) => found.status === 'stopped');
  expect(stopped.counts).toEqual({ matched: 3, eligible: 3, done: 1, skipped: 0, failed: 0 });
  expect((await untilEnded(client(), ids[0]!)).status).toBe('cancelled');
  expect([await status(ids[1]!), await status(ids[2]!)]).toEqual(['in_progress', 'in_progress']);
  expect((await call(client(), 'POST', `/v1/bulk/${String(body['id'])}/stop`, {})).body).toMatchObject({ status: 'stopped' });
  const done = await runBulk(sluice, client(), { on: 'batches', action: 'cancel', filter: { q: 'paced' } });
  expect((await call(client(), 'POST', `/v1/bulk/${done.id}/stop`, {})).status).toBe(409);
  expect((await operation(client(), done.id)).counts).toMatchObject({ done: 2, skipped: 1 });
});
