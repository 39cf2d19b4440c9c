import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, chatLine, createBatch, linesIn, untilEnded } from '../support/requests.ts';
import { untilSettled } from '../support/follow.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

type Row = Record<string, unknown>;

let sluice: Sluice;
beforeAll(async () => {
  sluice = await startSluice({ keys: [{ key: 'one', tenant: 'one', user: 'ann' }] });
});
afterAll(() => sluice[Symbol.asyncDispose]());

/** A line that says the same as others of that text. */
const same = (id: string, text: string, echo?: Row, more: Row = {}): Row => {
  const line = chatLine(id, { echo });
  return { ...line, body: { ...(line['body'] as Row), messages: [{ role: 'user', content: text }], ...more } };
};

const requestsOf = async (id: string): Promise<Row[]> =>
  (await call(sluice.client, 'GET', `/v1/batches/${id}/requests?limit=1000`)).body['data'] as Row[];

const answered = (line: Row): { id: string; choices: { message: { content: string } }[] } =>
  (line['response'] as { body: { id: string; choices: { message: { content: string } }[] } }).body;

test('of lines that are the same one is run, and all have its answer under their own ids', async () => {
  const { client } = sluice;
  const batch = await createBatch(client, [same('a', 'x'), same('b', 'y'), same('c', 'x'), same('d', 'x'), same('e', 'z')]);
  const ended = await untilEnded(client, batch.id);
  expect(ended).toMatchObject({
    status: 'completed',
    request_counts: { total: 5, completed: 5, failed: 0 },
    dedup_counts: { batch: 2, cache: 0, semantic: 0 },
    // Tokens of three answers: a copy uses none.
    usage: { input_tokens: 3, output_tokens: 3 },
  });
  const output = await linesIn(client, ended.output_file_id);
  expect(output.map((line) => line['custom_id'])).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(output.map((line) => answered(line).choices[0]!.message.content)).toEqual(['x', 'y', 'x', 'x', 'z']);
  expect(new Set(output.map((line) => answered(line).id)).size).toBe(3);
  expect(new Set(output.map((line) => line['id'])).size).toBe(5);
  expect(new Set(output.map((line) => (line['response'] as Row)['request_id'])).size).toBe(5);
  const requests = await requestsOf(batch.id);
  expect(requests.map(({ dedup, attempts }) => [dedup, attempts])).toEqual([
    [null, 1],
    [null, 1],
    [{ kind: 'batch', original: requests[0]!['id'] }, 0],
    [{ kind: 'batch', original: requests[0]!['id'] }, 0],
    [null, 1],
  ]);
});

test('with dedup off each line is run, and so is each that asks for chance unless its batch says otherwise', async () => {
  const { client } = sluice;
  const run = async (lines: Row[], options: Row): Promise<unknown> => {
    const ended = await untilEnded(client, (await createBatch(client, lines, options)).id);
    expect(ended).toMatchObject({ status: 'completed', request_counts: { completed: lines.length } });
    return (ended['dedup_counts'] as Row)['batch'];
  };
  const three = (more: Row = {}): Row[] => ['a', 'b', 'c'].map((id) => same(id, 'chance', undefined, more));
  expect(await run(three(), { dedup: 'off' })).toBe(0);
  expect(await run(three({ temperature: 0.5 }), {})).toBe(0);
  expect(await run(three({ n: 2 }), {})).toBe(0);
  expect(await run(three({ temperature: 0.5 }), { dedup_sampled: true })).toBe(2);
  expect(await run(three({ temperature: 0.5, seed: 1 }), {})).toBe(2);
  expect(await run(three({ temperature: 0, n: 1 }), {})).toBe(2);
});

test('a failure is never copied; who follows a request that is tried again waits with it', async () => {
  const { client } = sluice;
  const batch = await createBatch(client, [
    ...['a', 'b', 'c'].map((id) => same(id, 'wrong', { status: 400 })),
    ...['d', 'e', 'f'].map((id) => same(id, 'later', { fail_times: 2 })),
    ...['g', 'h'].map((id) => same(id, 'never', { status: 503 })),
  ]);
  const ended = await untilEnded(client, batch.id);
  expect(ended).toMatchObject({ status: 'completed', request_counts: { total: 8, completed: 3, failed: 5 }, dedup_counts: { batch: 2 } });
  const requests = await requestsOf(batch.id);
  expect(requests.map(({ state, attempts, dedup }) => [state, attempts, dedup])).toEqual([
    ['failed', 1, null],
    ['failed', 1, null],
    ['failed', 1, null],
    ['completed', 3, null],
    ['completed', 0, { kind: 'batch', original: requests[3]!['id'] }],
    ['completed', 0, { kind: 'batch', original: requests[3]!['id'] }],
    ['dead_lettered', 4, null],
    ['dead_lettered', 4, null],
  ]);
});

test('lines far apart are brought together where a batch asks for it', async () => {
  const { client } = sluice;
  // Chunks of 50 lines: every text is in each of them.
  const lines = Array.from({ length: 400 }, (_, i) => same(`${i}`, `text ${i % 100}`, { delay_ms: 1 }));
  const ended = await untilEnded(client, (await createBatch(client, lines, { dedup: 'exact' })).id);
  expect(ended).toMatchObject({ status: 'completed', request_counts: { completed: 400 }, dedup_counts: { batch: 300 } });
  const output = await linesIn(client, ended.output_file_id);
  expect(output.map((line) => line['custom_id'])).toEqual(lines.map((line) => line['custom_id']));
  expect(output.map((line) => answered(line).choices[0]!.message.content)).toEqual(lines.map((_, i) => `text ${i % 100}`));
});

test('a worker that is drained keeps those who follow what it has begun', async () => {
  await using own = await startSluice({ workers: 2 });
  const quick = Array.from({ length: 20 }, (_, i) => same(`q${i}`, `quick ${i}`));
  const slow = Array.from({ length: 30 }, (_, i) => same(`s${i}`, 'slow', { delay_ms: 1_500 }));
  const { id } = await createBatch(own.client, [...quick, ...slow]);
  await untilSettled(own.client, id, 20);
  own.workers.find(({ leases }) => leases > 0)!.drain('api');
  const ended = await untilEnded(own.client, id);
  expect(ended).toMatchObject({ status: 'completed', request_counts: { total: 50, completed: 50 }, dedup_counts: { batch: 29 } });
});

test('cancelled at once, nothing that follows is counted as done', async () => {
  const { client } = sluice;
  const quick = Array.from({ length: 20 }, (_, i) => same(`q${i}`, `quick ${i}`));
  const slow = Array.from({ length: 30 }, (_, i) => same(`s${i}`, 'never', { delay_ms: 600_000 }));
  const { id } = await createBatch(client, [...quick, ...slow]);
  await untilSettled(client, id, 20);
  await call(client, 'POST', `/v1/batches/${id}/cancel`, { mode: 'abort' });
  const ended = await untilEnded(client, id);
  expect(ended).toMatchObject({
    status: 'cancelled',
    request_counts: { total: 50, completed: 20, cancelled: 30 },
    dedup_counts: { batch: 0 },
  });
});
