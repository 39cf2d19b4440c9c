import { once } from 'node:events';
import OpenAI from 'openai';
import { afterEach, expect, test } from 'vitest';
import { untilEvent, untilSettled } from '../support/follow.ts';
import { call, chatLine, createBatch, linesIn, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice, type SluiceOptions } from '../support/sluice.ts';
import { sql } from '../../src/db/sql.ts';
import { refusal, wired } from './wire.ts';

let sluice: Sluice;
afterEach(() => sluice[Symbol.asyncDispose]());
const start = async (options: SluiceOptions = {}) => {
  sluice = await startSluice(options);
  return wired(sluice);
};

const quick = (count: number) => Array.from({ length: count }, (_, i) => chatLine(`quick-${i}`));
const slow = (count: number, delay_ms: number) => Array.from({ length: count }, (_, i) => chatLine(`slow-${i}`, { echo: { delay_ms } }));

const idsOf = (lines: Record<string, unknown>[]) => lines.map((line) => String(line['custom_id']));

/** Every line is in one of the two files, and the counts say how many are where. */
const expectAllAccountedFor = async (client: OpenAI, batch: OpenAI.Batch, ids: string[]) => {
  const { total, completed, failed, cancelled, expired } = batch.request_counts as unknown as Record<string, number>;
  expect(completed! + failed! + cancelled! + expired!).toBe(total);
  const [output, errors] = [await linesIn(client, batch.output_file_id), await linesIn(client, batch.error_file_id)];
  expect([output.length, errors.length]).toEqual([completed, total! - completed!]);
  expect([...output, ...errors].map((line) => String(line['custom_id'])).sort()).toEqual(ids.toSorted());
  return { output, errors, cancelled: cancelled!, expired: expired! };
};

test('cancelled while validating, it never runs', async () => {
  const { client } = await start({ scheduler: false });
  const batch = await createBatch(client, quick(3));
  const cancelling = await client.batches.cancel(batch.id);
  expect(cancelling).toMatchObject({ status: 'cancelling', cancelled_at: null });
  expect(cancelling.cancelling_at).toBeGreaterThanOrEqual(batch.created_at);
  sluice.scheduler.start();
  const ended = await untilEnded(client, batch.id);
  expect(ended).toMatchObject({
    status: 'cancelled',
    in_progress_at: null,
    output_file_id: null,
    error_file_id: null,
    request_counts: { total: 0, completed: 0, failed: 0 },
  });
  expect(ended.cancelled_at).toBeGreaterThanOrEqual(ended.cancelling_at!);
});

test('cancelled while it runs, what is done and what is under way is kept', async () => {
  const { client } = await start({ models: [{ name: 'pair', version: '1.0.0', executor: 'echo', options: { max_concurrency: 2 } }] });
  const lines = [...quick(20), ...Array.from({ length: 50 }, (_, i) => chatLine(`slow-${i}`, { model: 'pair', echo: { delay_ms: 800 } }))];
  const batch = await createBatch(client, lines);
  await untilSettled(client, batch.id, 20);
  expect(await client.batches.cancel(batch.id)).toMatchObject({ status: 'cancelling' });
  const ended = await untilEnded(client, batch.id);
  expect(ended).toMatchObject({ status: 'cancelled', completed_at: null, expired_at: null, failed_at: null });
  const { output, errors } = await expectAllAccountedFor(client, ended, idsOf(lines));
  // Two ran when it was cancelled, and were let finish.
  expect(ended.request_counts).toMatchObject({ total: 70, completed: 22, failed: 0, cancelled: 48 });
  expect(output.filter((line) => String(line['custom_id']).startsWith('slow'))).toHaveLength(2);
  for (const line of errors) expect(line).toMatchObject({ response: null, error: { code: 'batch_cancelled' } });
});

test('mode abort does not wait for what is under way', async () => {
  const { client } = await start({ timing: { cancelGraceSeconds: 600 } });
  const lines = [...quick(5), ...slow(5, 600_000)];
  const batch = await createBatch(client, lines);
  await untilSettled(client, batch.id, 5);
  // A stop would wait for ten minutes; it is hastened.
  await client.batches.cancel(batch.id);
  expect((await call(client, 'POST', `/v1/batches/${batch.id}/cancel`, { mode: 'abort' })).body).toMatchObject({ status: 'cancelling' });
  const ended = await untilEnded(client, batch.id);
  const { errors } = await expectAllAccountedFor(client, ended, idsOf(lines));
  expect(ended).toMatchObject({ status: 'cancelled', request_counts: { total: 10, completed: 5, failed: 0, cancelled: 5 } });
  expect(errors.map((line) => (line['error'] as { code: string }).code)).toEqual(Array(5).fill('batch_cancelled'));
});

test('what waits for another try is cancelled too', async () => {
  const { client } = await start({ retry: { baseMs: 600_000, capMs: 600_000 } });
  const batch = await createBatch(client, [chatLine('a'), chatLine('again', { echo: { fail_times: 1 } })]);
  await untilSettled(client, batch.id, 1);
  await client.batches.cancel(batch.id);
  const ended = await untilEnded(client, batch.id);
  expect(ended).toMatchObject({ status: 'cancelled', request_counts: { total: 2, completed: 1, failed: 0, cancelled: 1 } });
});

test('what has ended cannot be cancelled, and clients do not ask again', async () => {
  const { client, exchanges } = await start();
  const patient = wired(sluice, { maxRetries: 2 });
  for (const [lines, status] of [
    [quick(1), 'completed'],
    [['not json'], 'failed'],
  ] as const) {
    const { id } = await createBatch(client, status === 'failed' ? [chatLine('first'), ...lines] : lines);
    expect(await untilEnded(client, id)).toMatchObject({ status });
    const error = await refusal(patient.client.batches.cancel(id));
    expect(error).toBeInstanceOf(OpenAI.ConflictError);
    expect(error.error).toEqual({
      message: `Cannot cancel a batch with status '${status}'.`,
      type: 'invalid_request_error',
      param: null,
      code: null,
    });
    const asked = patient.exchanges.splice(0);
    expect(asked.map((each) => [each.status, each.headers.get('x-should-retry')])).toEqual([[409, 'false']]);
  }
  expect(exchanges.every(({ status }) => status === 200)).toBe(true);
});

test('cancelling again changes nothing', async () => {
  const { client } = await start({ scheduler: false });
  const { id } = await createBatch(client, quick(1));
  const first = await client.batches.cancel(id);
  expect(await client.batches.cancel(id)).toEqual(first);
  sluice.scheduler.start();
  const ended = await untilEnded(client, id);
  expect(await client.batches.cancel(id)).toEqual(ended);
});

test('past its deadline a batch expires, and keeps what it has', async () => {
  const { client } = await start({ timing: { cancelGraceSeconds: 0.05 } });
  const lines = [...quick(30), chatLine('bad', { echo: { status: 400 } }), ...slow(300, 600_000)];
  const seen = new Set<string>();
  const batch = await createBatch(client, lines, { completion_window: '15m' });
  await untilSettled(client, batch.id, 31);
  seen.add((await client.batches.retrieve(batch.id)).status);
  // The window passes.
  await sluice.db.run(sql`update batches set deadline = now() where id = ${batch.id}`);
  await once(sluice.scheduler, 'swept');
  seen.add((await client.batches.retrieve(batch.id)).status);
  await untilEvent(client, batch.id, 'batch.expired');
  const ended = await untilEnded(client, batch.id);
  // Never through finalizing: OpenAI's path is in_progress → expired.
  expect([...seen].every((status) => status === 'in_progress' || status === 'expired')).toBe(true);
  expect(ended).toMatchObject({
    status: 'expired',
    finalizing_at: null,
    completed_at: null,
    request_counts: { total: 331, completed: 30, failed: 1 },
  });
  expect(ended.expired_at).toBeGreaterThanOrEqual(ended.in_progress_at!);
  const { errors, expired } = await expectAllAccountedFor(client, ended, idsOf(lines));
  expect(expired).toBe(300);
  expect(errors.at(-1)).toMatchObject({
    response: null,
    error: { code: 'batch_expired', message: 'This request could not be executed before the completion window expired.' },
  });
  expect(await refusal(client.batches.cancel(batch.id))).toMatchObject({
    status: 409,
    message: expect.stringContaining("'expired'") as string,
  });
});
