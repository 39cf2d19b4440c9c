import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, chatLine, createBatch, linesIn, untilEnded, upload } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';
import { getBatch, present } from '../../src/batches/read.ts';
import { untilEvent, untilSettled } from '../support/follow.ts';
import { wired } from './wire.ts';

let sluice: Sluice;
beforeAll(async () => {
  sluice = await startSluice();
});
afterAll(() => sluice[Symbol.asyncDispose]());

const statusOf = (line: Record<string, unknown>) => (line['response'] as { status_code: number } | null)?.status_code ?? null;

test('upload, create, poll, download', async () => {
  const { client } = wired(sluice);
  const file = await upload(client, [chatLine('a'), chatLine('b')]);
  expect(file).toMatchObject({ object: 'file', purpose: 'batch', filename: 'requests.jsonl', status: 'processed', status_details: null });
  expect(file.id).toMatch(/^file-\w{22}$/);
  const created = await client.batches.create({
    input_file_id: file.id,
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
    metadata: { project: 'first' },
  });
  expect(created).toMatchObject({
    object: 'batch',
    endpoint: '/v1/chat/completions',
    input_file_id: file.id,
    completion_window: '24h',
    status: 'validating',
    model: null,
    errors: null,
    output_file_id: null,
    error_file_id: null,
    in_progress_at: null,
    finalizing_at: null,
    completed_at: null,
    usage: null,
    request_counts: { total: 0, completed: 0, failed: 0 },
    metadata: { project: 'first' },
  });
  expect(created.id).toMatch(/^batch_[0-9a-f]{32}$/);
  expect(created.expires_at! - created.created_at).toBe(86_400);

  const ended = await untilEnded(client, created.id);
  expect(ended).toMatchObject({
    status: 'completed',
    model: 'echo',
    error_file_id: null,
    request_counts: { total: 2, completed: 2, failed: 0 },
  });
  expect(ended.in_progress_at! >= ended.created_at && ended.finalizing_at! >= ended.in_progress_at!).toBe(true);
  expect(ended.completed_at! >= ended.finalizing_at!).toBe(true);
  expect([ended.failed_at, ended.expired_at, ended.cancelling_at, ended.cancelled_at]).toEqual([null, null, null, null]);
  expect(ended.usage!.total_tokens).toBe(ended.usage!.input_tokens + ended.usage!.output_tokens);
  expect(ended.usage!.total_tokens).toBeGreaterThan(0);

  const output = await client.files.retrieve(ended.output_file_id!);
  expect(output).toMatchObject({ purpose: 'batch_output', filename: `${ended.id}_output.jsonl` });
  expect(Math.abs(output.expires_at! - ended.completed_at! - 30 * 86_400)).toBeLessThanOrEqual(1);
  const content = await client.files.content(output.id);
  expect(content.headers.get('content-type')).toBe('application/octet-stream');
  expect(content.headers.get('content-disposition')).toBe(`attachment; filename="${ended.id}_output.jsonl"`);
  const text = await content.text();
  expect(text.endsWith('\n')).toBe(true);
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  for (const line of lines) {
    expect(Object.keys(line)).toEqual(['id', 'custom_id', 'response', 'error']);
    expect(line['id']).toMatch(/^batch_req_[0-9a-f]{32}$/);
    expect(line['error']).toBeNull();
    expect(line['response']).toMatchObject({
      status_code: 200,
      request_id: expect.stringMatching(/./) as string,
      body: { object: 'chat.completion' },
    });
  }
  expect(lines.map((line) => line['custom_id'])).toEqual(['a', 'b']);
});

test('what fails goes to the error file, with its status and no error of its own', async () => {
  const { client } = wired(sluice);
  const batch = await createBatch(client, [chatLine('fine'), chatLine('bad', { echo: { status: 400 } })]);
  const ended = await untilEnded(client, batch.id);
  expect(ended).toMatchObject({ status: 'completed', request_counts: { total: 2, completed: 1, failed: 1 } });
  expect((await linesIn(client, ended.output_file_id)).map((line) => line['custom_id'])).toEqual(['fine']);
  const [error, ...more] = await linesIn(client, ended.error_file_id);
  expect(more).toEqual([]);
  expect(error).toMatchObject({ custom_id: 'bad', error: null, response: { status_code: 400 } });
  const body = (error!['response'] as { body: { error: Record<string, unknown> } }).body;
  expect(Object.keys(body.error).sort()).toEqual(['code', 'message', 'param', 'type']);
  expect(await client.files.retrieve(ended.error_file_id!)).toMatchObject({ purpose: 'batch_output', filename: `${ended.id}_error.jsonl` });
});

test('a batch in which everything fails is completed, without an output file', async () => {
  const { client } = wired(sluice);
  const batch = await createBatch(
    client,
    [1, 2, 3].map((id) => chatLine(id, { echo: { status: 400 } })),
  );
  const ended = await untilEnded(client, batch.id);
  expect(ended).toMatchObject({ status: 'completed', output_file_id: null, request_counts: { total: 3, completed: 0, failed: 3 } });
  expect((await linesIn(client, ended.error_file_id)).map(statusOf)).toEqual([400, 400, 400]);
});

test.each([
  ['/v1/completions', { prompt: 'hi' }, 'text_completion'],
  ['/v1/embeddings', { input: ['one', 'two'] }, 'list'],
  ['/v1/responses', { input: 'hi' }, 'response'],
  ['/v1/moderations', { input: 'hi' }, undefined],
] as const)('%s answers in its own shape', async (endpoint, body, object) => {
  const { client } = wired(sluice);
  const line = { custom_id: 'one', method: 'POST', url: endpoint, body: { model: 'echo', ...body } };
  const ended = await untilEnded(client, (await createBatch(client, [line], { endpoint })).id);
  expect(ended).toMatchObject({ endpoint, request_counts: { total: 1, completed: 1 } });
  const [result] = await linesIn(client, ended.output_file_id);
  expect((result!['response'] as { body: { object?: string } }).body.object).toBe(object);
});

test('output_expires_after counts from the creation of the files', async () => {
  const { client } = wired(sluice);
  const batch = await createBatch(client, [chatLine(1), chatLine(2, { echo: { status: 400 } })], {
    output_expires_after: { anchor: 'created_at', seconds: 7_200 },
  });
  const ended = await untilEnded(client, batch.id);
  for (const id of [ended.output_file_id!, ended.error_file_id!]) {
    const file = await client.files.retrieve(id);
    expect(file.expires_at! - file.created_at).toBe(7_200);
  }
});

test('deleting the input does not break a batch that was accepted', async () => {
  const { client } = wired(sluice);
  const file = await upload(
    client,
    Array.from({ length: 40 }, (_, i) => chatLine(i, { echo: { delay_ms: 40 } })),
  );
  const create = () => client.batches.create({ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' });
  const running = await create();
  await untilEvent(client, running.id, 'batch.in_progress');
  const waiting = await create();
  await client.files.delete(file.id);
  for (const { id } of [running, waiting])
    expect(await untilEnded(client, id)).toMatchObject({ status: 'completed', request_counts: { total: 40, completed: 40 } });
  // A batch made after it was deleted does not find it.
  expect(await untilEnded(client, (await create()).id)).toMatchObject({ status: 'failed' });
});

test('a batch that ends while it is being read is shown as one or the other, never running with nothing done', async () => {
  const { client } = sluice;
  const { id } = await createBatch(client, [chatLine(1), chatLine(2, { echo: { delay_ms: 600_000 } })]);
  await untilSettled(client, id, 1);
  const before = await getBatch(sluice.db, { tenant: 'default' }, id);
  expect(before.status).toBe('in_progress');
  await call(client, 'POST', `/v1/batches/${id}/cancel`, { mode: 'abort' });
  await untilEnded(client, id);
  const [shown] = await present(sluice.db, [before]);
  expect(shown).toMatchObject({ status: 'cancelled', request_counts: { total: 2, completed: 1, cancelled: 1 } });
});
