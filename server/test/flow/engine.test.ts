import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSluice, type Sluice } from '../support/sluice.ts';
import { call, chatLine, createBatch, linesIn, untilEnded } from '../support/requests.ts';

let sluice: Sluice;
beforeAll(async () => {
  sluice = await startSluice();
});
afterAll(() => sluice[Symbol.asyncDispose]());

test('a file goes in, a file comes out, every line accounted for', async () => {
  const { client } = sluice;
  const batch = await createBatch(client, [
    chatLine(1),
    chatLine(2, { echo: { status: 400 } }),
    chatLine(3, { echo: { fail_times: 2 } }),
    chatLine(4, { echo: { status: 503 } }),
  ]);
  expect(batch).toMatchObject({
    status: 'validating',
    errors: null,
    output_file_id: null,
    request_counts: { total: 0, completed: 0, failed: 0 },
  });
  expect(batch.expires_at! - batch.created_at).toBe(86_400);
  const ended = await untilEnded(client, batch.id);
  expect(ended).toMatchObject({
    status: 'completed',
    model: 'echo',
    request_counts: { total: 4, completed: 2, failed: 2, cancelled: 0, expired: 0 },
  });
  const output = await linesIn(client, ended.output_file_id);
  expect(output.map((line) => line['custom_id'])).toEqual(['1', '3']);
  expect(output[0]).toMatchObject({
    error: null,
    response: { status_code: 200, body: { object: 'chat.completion', choices: [{ message: { content: 'say 1' } }] } },
  });
  const errors = await linesIn(client, ended.error_file_id);
  expect(errors.map((line) => [line['custom_id'], (line['response'] as { status_code: number }).status_code, line['error']])).toEqual([
    ['2', 400, null],
    ['4', 503, null],
  ]);
  const list = await call(client, 'GET', `/v1/batches/${batch.id}/requests`);
  expect((list.body['data'] as Record<string, unknown>[]).map((r) => [r['line'], r['custom_id'], r['state'], r['attempts']])).toEqual([
    [1, '1', 'completed', 1],
    [2, '2', 'failed', 1],
    [3, '3', 'completed', 3],
    [4, '4', 'dead_lettered', 4],
  ]);
});
