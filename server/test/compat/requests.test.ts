import { afterEach, expect, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { sweepFiles } from '../../src/files/expire.ts';
import { silent } from '../../src/lib/log.ts';
import { untilEvent, untilSettled } from '../support/follow.ts';
import { call, chatLine, createBatch, linesIn, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice, type SluiceOptions } from '../support/sluice.ts';

let sluice: Sluice;
afterEach(async () => {
  // What a failed test left running would be waited for.
  for (const worker of sluice.workers) worker.abort();
  await sluice[Symbol.asyncDispose]();
});
const start = async (options: SluiceOptions = {}) => {
  sluice = await startSluice(options);
  return sluice.client;
};

type Dict = Record<string, unknown>;
const page = async (batch: string, query = '') => {
  const { status, body } = await call(sluice.client, 'GET', `/v1/batches/${batch}/requests${query}`);
  const data = (body['data'] as Dict[] | undefined) ?? [];
  return { status, body, data, ids: data.map((request) => request['custom_id']), states: data.map((request) => request['state']) };
};
const look = async (id: unknown) => (await call(sluice.client, 'GET', `/v1/requests/${String(id)}`)).body;
const cancel = (id: string, mode = 'abort') => call(sluice.client, 'POST', `/v1/batches/${id}/cancel`, { mode });

test('before it is in progress a batch has no requests; then all are queued', async () => {
  const client = await start({ workers: 0, scheduler: false });
  const { id } = await createBatch(client, [chatLine('a'), chatLine('b')]);
  expect(await page(id)).toMatchObject({ status: 200, body: { object: 'list', data: [], first_id: null, last_id: null, has_more: false } });
  const first = `batch_req_${id.slice(6, 30)}00000001`;
  expect((await look(first))['error']).toMatchObject({ code: 'not_found', message: expect.stringContaining('validating') as string });
  sluice.scheduler.start();
  await untilEvent(client, id, 'batch.in_progress');
  expect((await page(id)).data).toMatchObject([
    {
      id: first,
      object: 'batch.request',
      batch_id: id,
      line: 1,
      custom_id: 'a',
      state: 'queued',
      model: 'echo@1.0.0',
      attempts: 0,
      worker: null,
    },
    { line: 2, custom_id: 'b', state: 'queued' },
  ]);
  expect(await look(first)).toMatchObject({
    state: 'queued',
    tenant: 'default',
    created_by: 'admin',
    endpoint: '/v1/chat/completions',
    input: chatLine('a'),
    output: null,
    history: [],
    newest: null,
    error: null,
  });
});

test('completed, failed, waiting, running, and cancelled in the end', async () => {
  const client = await start({ retry: { baseMs: 600_000, capMs: 600_000 } });
  const { id } = await createBatch(client, [
    chatLine('done'),
    chatLine('bad', { echo: { status: 400 } }),
    chatLine('again', { echo: { fail_times: 1 } }),
    chatLine('long', { echo: { delay_ms: 600_000 } }),
  ]);
  await untilSettled(client, id, 2);
  const { data, states } = await page(id);
  expect(states).toEqual(['completed', 'failed', 'waiting', 'running']);
  const worker = sluice.workers[0]!.id;
  const [done, bad, again, long] = await Promise.all(data.map((request) => look(request['id'])));
  expect(done).toMatchObject({ worker, attempts: 1, status_code: 200, error: null, output: { custom_id: 'done', error: null } });
  expect(done!['finished_at']).toBeGreaterThanOrEqual(done!['started_at'] as number);
  expect(bad).toMatchObject({
    attempts: 1,
    status_code: 400,
    error: { code: 'invalid_request' },
    output: { response: { status_code: 400 } },
  });
  expect(bad!['history']).toMatchObject([{ number: 1, kind: 'permanent', code: 'invalid_request', status_code: 400, worker }]);
  expect(again).toMatchObject({ attempts: 1, output: null, finished_at: null });
  expect(again!['history']).toMatchObject([{ number: 1, kind: 'retryable', status_code: 500, worker }]);
  expect(long).toMatchObject({ attempts: 0, worker, output: null, started_at: expect.any(Number) as number, finished_at: null });
  for (const [state, ids] of Object.entries({
    completed: ['done'],
    failed: ['bad'],
    waiting: ['again'],
    running: ['long'],
    queued: [],
    'completed,running': ['done', 'long'],
  }))
    expect((await page(id, `?state=${state}`)).ids).toEqual(ids);
  await cancel(id);
  await untilEnded(client, id);
  expect((await page(id)).states).toEqual(['completed', 'failed', 'cancelled', 'cancelled']);
  expect((await page(id, '?state=cancelled')).ids).toEqual(['again', 'long']);
  expect(await look(data[3]!['id'])).toMatchObject({ state: 'cancelled', worker: null });
});

test('dead-lettered and expired', async () => {
  const client = await start({ timing: { cancelGraceSeconds: 0.05 } });
  const { id } = await createBatch(client, [
    chatLine('dead', { echo: { status: 503 } }),
    chatLine('late', { echo: { delay_ms: 600_000 } }),
  ]);
  await untilSettled(client, id, 1);
  await sluice.db.run(sql`update batches set deadline = now() where id = ${id}`);
  await untilEnded(client, id);
  const { data, states } = await page(id);
  expect(states).toEqual(['dead_lettered', 'expired']);
  const dead = await look(data[0]!['id']);
  expect(dead).toMatchObject({ attempts: 4, status_code: 503 });
  expect((dead['history'] as Dict[]).map((attempt) => attempt['number'])).toEqual([1, 2, 3, 4]);
});

test('pages of requests: by cursor, by line, by state', async () => {
  const client = await start();
  const lines = Array.from({ length: 250 }, (_, i) => chatLine(i + 1, (i + 1) % 50 === 0 ? { echo: { status: 400 } } : {}));
  const { id } = await createBatch(client, lines);
  await untilEnded(client, id);
  const numbers = (count: number, from: number) => Array.from({ length: count }, (_, i) => String(from + i));
  const first = await page(id);
  expect([first.ids, first.body['has_more']]).toEqual([numbers(100, 1), true]);
  const second = await page(id, `?limit=149&after=${String(first.body['last_id'])}`);
  expect([second.ids, second.body['has_more']]).toEqual([numbers(149, 101), true]);
  const last = await page(id, `?limit=149&after=${String(second.body['last_id'])}`);
  expect([last.ids, last.body['has_more']]).toEqual([['250'], false]);
  expect((await page(id, '?line=200&limit=2')).ids).toEqual(['200', '201']);
  expect((await page(id, '?state=failed&line=60&limit=2')).ids).toEqual(['100', '150']);
  const failed = await page(id, '?state=failed&limit=2');
  expect([failed.ids, failed.body['has_more']]).toEqual([['50', '100'], true]);
  const rest = await page(id, `?state=failed&after=${String(failed.body['last_id'])}`);
  expect([rest.ids, rest.body['has_more']]).toEqual([['150', '200', '250'], false]);
  expect((await page(id, '?line=99999999999')).ids).toEqual([]);
  expect((await page(id, '?line=99999999999&state=failed')).ids).toEqual([]);
  for (const [query, param] of [
    ['state=lost', 'state'],
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['line=0', 'line'],
    ['after=batch_req_1', 'after'],
    ['after=%00', 'after'],
  ])
    expect(await page(id, `?${query}`)).toMatchObject({ status: 400, body: { error: { param } } });
});

test('a request that is not there', async () => {
  const client = await start();
  const { id } = await createBatch(client, [chatLine(1)]);
  await untilEnded(client, id);
  const stem = `batch_req_${id.slice(6, 30)}`;
  for (const wrong of [`${stem}00000002`, `${stem}ffffffff`, `${stem}00000000`, 'batch_req_1', 'x', '%00', `batch_req_${'0'.repeat(32)}`])
    expect(await look(wrong)).toMatchObject({ error: { code: 'not_found', param: 'id' } });
});

test('once the input file is gone, what came of the requests can still be seen', async () => {
  const client = await start();
  const batch = await createBatch(client, [chatLine('a'), chatLine('bad', { echo: { status: 400 } })]);
  const ended = await untilEnded(client, batch.id);
  await client.files.delete(batch.input_file_id);
  await sweepFiles({ db: sluice.db, storage: sluice.storage, log: silent });
  const { data } = await page(batch.id);
  expect(data).toMatchObject([
    { custom_id: null, state: 'completed' },
    { custom_id: null, state: 'failed' },
  ]);
  expect(await look(data[0]!['id'])).toMatchObject({ input: null, output: { custom_id: 'a' } });
  expect((await linesIn(client, ended.output_file_id)).map((line) => line['custom_id'])).toEqual(['a']);
  expect(await call(client, 'POST', `/v1/batches/${batch.id}/retry`, {})).toMatchObject({
    status: 409,
    body: { error: { message: expect.stringContaining('is gone') as string } },
  });
});
