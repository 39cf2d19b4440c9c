import { afterEach, expect, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { call, chatLine, createBatch, linesIn, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice, type SluiceOptions } from '../support/sluice.ts';
import { untilSettled } from '../support/follow.ts';

let sluice: Sluice;
afterEach(async () => {
  for (const worker of sluice.workers) worker.abort();
  await sluice[Symbol.asyncDispose]();
});
const start = async (options: SluiceOptions = {}) => {
  sluice = await startSluice(options);
  return sluice.client;
};

type Dict = Record<string, unknown>;
const retry = (id: string, filter: Dict = {}) => call(sluice.client, 'POST', `/v1/batches/${id}/retry`, filter);
const requests = async (id: string) => (await call(sluice.client, 'GET', `/v1/batches/${id}/requests`)).body['data'] as Dict[];
const look = async (id: unknown) => (await call(sluice.client, 'GET', `/v1/requests/${String(id)}`)).body;
const idsIn = async (file: string | null | undefined) => (await linesIn(sluice.client, file)).map((line) => line['custom_id']);

/** A failure of each kind, and successes between them. */
const mixed = [
  chatLine('fine-1'),
  chatLine('bad', { echo: { status: 400 } }),
  chatLine('dead', { echo: { status: 503 } }),
  chatLine('fine-2'),
  chatLine('bad-too', { echo: { status: 404 } }),
];

test('a retry runs all that failed in a continuation; the batch stays as it was', async () => {
  const client = await start();
  const first = await untilEnded(client, (await createBatch(client, mixed, { name: 'nightly', metadata: { a: 'b' }, priority: 7 })).id);
  const before = { output: await idsIn(first.output_file_id), errors: await idsIn(first.error_file_id) };
  const reply = await retry(first.id);
  expect(reply).toMatchObject({
    status: 200,
    body: { status: 'validating', continues: first.id, continued_by: [], name: 'nightly', metadata: { a: 'b' }, priority: 7 },
  });
  const second = await untilEnded(client, reply.body['id'] as string);
  expect(second).toMatchObject({ status: 'completed', request_counts: { total: 3, completed: 0, failed: 3 } });
  expect(await idsIn(second.input_file_id)).toEqual(['bad', 'dead', 'bad-too']);

  const { continued_by, ...rest } = (await client.batches.retrieve(first.id)) as typeof first;
  expect(continued_by).toEqual([second.id]);
  expect(rest).toEqual(Object.fromEntries(Object.entries(first).filter(([key]) => key !== 'continued_by')));
  expect({ output: await idsIn(first.output_file_id), errors: await idsIn(first.error_file_id) }).toEqual(before);

  const [theirs, ours] = [await requests(second.id), await requests(first.id)];
  expect(ours.map((request) => request['continued_by'])).toEqual([null, theirs[0]!['id'], theirs[1]!['id'], null, theirs[2]!['id']]);
});

test('a request shows its newest result, through continuations of continuations', async () => {
  const client = await start({ retry: { maxAttempts: 1 } });
  // Its first attempt in a batch fails; what stands in the input file is what counts.
  const first = await untilEnded(client, (await createBatch(client, [chatLine('x'), chatLine('flaky', { echo: { fail_times: 1 } })])).id);
  const [, flaky] = await requests(first.id);
  expect(flaky).toMatchObject({ state: 'dead_lettered', continued_by: null });
  const single = await call(client, 'POST', `/v1/requests/${String(flaky!['id'])}/retry`);
  expect(single).toMatchObject({ status: 200, body: { continues: first.id } });
  const second = await untilEnded(client, single.body['id'] as string);
  const third = await untilEnded(client, (await retry(second.id)).body['id'] as string);
  expect(third.request_counts).toMatchObject({ total: 1, failed: 1 });
  const seen = await look(flaky!['id']);
  const [newest] = await requests(third.id);
  expect(seen).toMatchObject({
    state: 'dead_lettered',
    newest: { id: newest!['id'], state: 'dead_lettered', output: { custom_id: 'flaky' } },
  });
});

test('a continuation that never ran is no newest result', async () => {
  const client = await start({ scheduler: true, models: [{ name: 'shy', version: '1.0.0', executor: 'echo', options: {} }] });
  const first = await untilEnded(client, (await createBatch(client, [chatLine('bad', { model: 'shy', echo: { status: 400 } })])).id);
  const [request] = await requests(first.id);
  const [one, two] = [await retry(first.id), await retry(first.id)];
  await untilEnded(client, one.body['id'] as string);
  const ended = await untilEnded(client, two.body['id'] as string);
  // As where the model was taken out of the configuration in between.
  await sluice.db.run(sql`
    update batches set status = 'failed', failed_at = now(), completed_at = null, total = 0, failed = 0, sealed = false, error_file_id = null where id = ${ended.id}`);
  const seen = await look(request!['id']);
  expect(seen['newest']).toMatchObject({ id: (await requests(one.body['id'] as string))[0]!['id'], state: 'failed' });
});

test('by states, codes and lines', async () => {
  const client = await start();
  const { id } = await untilEnded(client, (await createBatch(client, mixed)).id);
  const run = async (filter: Dict) => {
    const reply = await retry(id, filter);
    if (reply.status !== 200) return reply.status;
    return idsIn(reply.body['input_file_id'] as string);
  };
  expect(await run({ states: ['dead_lettered'] })).toEqual(['dead']);
  expect(await run({ codes: ['invalid_request'] })).toEqual(['bad']);
  expect(await run({ lines: [5, 2, 2, 1] })).toEqual(['bad', 'bad-too']);
  expect(await run({ states: ['failed'], lines: [5, 3] })).toEqual(['bad-too']);
  expect(await run({ lines: [1, 4] })).toBe(409);
  expect(await run({ lines: [2, 4_000_000_000] })).toEqual(['bad']);
  expect(await run({ lines: [4_000_000_000] })).toBe(409);
  expect(await run({ states: ['cancelled'] })).toBe(409);
  expect(await run({ states: ['completed'] })).toBe(400);
  expect(await run({ lines: [0] })).toBe(400);
  expect(await run({ nonsense: true })).toBe(400);
  expect((await call(client, 'GET', `/v1/batches/${id}`)).body['continued_by']).toHaveLength(5);
});

test('what was cancelled runs again where it is asked for', async () => {
  const client = await start();
  const { id } = await createBatch(client, [chatLine('done'), chatLine('held', { echo: { delay_ms: 600_000 } })]);
  await untilSettled(client, id, 1);
  expect(await retry(id)).toMatchObject({ status: 409 });
  await call(client, 'POST', `/v1/batches/${id}/cancel`, { mode: 'abort' });
  await untilEnded(client, id);
  expect(await retry(id)).toMatchObject({ status: 409 });
  const reply = await retry(id, { states: ['cancelled'], completion_window: '15m', name: 'again' });
  expect(reply).toMatchObject({ status: 200, body: { completion_window: '15m', name: 'again' } });
  expect(await idsIn(reply.body['input_file_id'] as string)).toEqual(['held']);
  await call(client, 'POST', `/v1/batches/${String(reply.body['id'])}/cancel`, { mode: 'abort' });
  const [done, held] = await requests(id);
  expect(await call(client, 'POST', `/v1/requests/${String(done!['id'])}/retry`)).toMatchObject({ status: 409 });
  expect(await call(client, 'POST', `/v1/requests/${String(held!['id'])}/retry`)).toMatchObject({ status: 200 });
});

test('a batch that never began has nothing to retry', async () => {
  const client = await start();
  const { id } = await untilEnded(client, (await createBatch(client, [chatLine('x', { model: 'nobody' })])).id);
  expect(await retry(id)).toMatchObject({ status: 409, body: { error: { code: 'conflict' } } });
});
