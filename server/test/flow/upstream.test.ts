import { afterAll, beforeAll, expect, test } from 'vitest';
import { startUpstream, type Upstream } from '../../src/executors/openai/upstream.ts';
import { call, chatLine, createBatch, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

let upstream: Upstream;
let sluice: Sluice;
beforeAll(async () => {
  upstream = await startUpstream();
  sluice = await startSluice({
    models: [
      {
        name: 'llm',
        version: '1.0.0',
        executor: 'openai',
        options: { base_url: upstream.url, max_concurrency: 8, max_attempts: 20, breaker_failures: 5, breaker_open_ms: 5 },
      },
      { name: 'twice', version: '1.0.0', executor: 'echo', options: { max_attempts: 2 } },
    ],
  });
});
afterAll(async () => {
  await sluice[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const asked = ({ input_file_id, endpoint }: { input_file_id: string; endpoint: string }) => ({
  input_file_id,
  endpoint,
  completion_window: '24h',
});

test('a batch outlives its upstream being down: few calls are made meanwhile, nothing is lost', async () => {
  upstream.down = 503;
  const lines = Array.from({ length: 300 }, (_, i) => chatLine(i + 1, { model: 'llm' }));
  const { id } = await createBatch(sluice.client, lines);
  // The calls under way when it opens, then probes: one after another, each later than the last.
  await expect.poll(() => upstream.calls.length).toBeGreaterThanOrEqual(14);
  expect(upstream.calls.length).toBeLessThan(40);
  const { body } = await call(sluice.client, 'GET', `/v1/batches/${id}/requests?limit=300`);
  const charged = (body['data'] as { attempts: number }[]).reduce((sum, { attempts }) => sum + attempts, 0);
  expect(charged).toBeLessThanOrEqual(upstream.calls.length);
  upstream.down = null;
  const ended = await untilEnded(sluice.client, id);
  expect(ended).toMatchObject({ status: 'completed', request_counts: { total: 300, completed: 300, failed: 0 } });
});

test("a model's own max_attempts is heeded", async () => {
  const { id } = await createBatch(sluice.client, [
    chatLine(1, { model: 'twice', echo: { fail_times: 1 } }),
    chatLine(2, { model: 'twice', echo: { fail_times: 2 } }),
    chatLine(3, { model: 'echo', echo: { fail_times: 2 } }),
  ]);
  await untilEnded(sluice.client, id);
  const { body } = await call(sluice.client, 'GET', `/v1/batches/${id}/requests`);
  expect((body['data'] as Record<string, unknown>[]).map(({ state, attempts }) => [state, attempts])).toEqual([
    ['completed', 2],
    ['dead_lettered', 2],
    ['completed', 3],
  ]);
});

test('a batch says how many attempts its requests get, and so do its clones', async () => {
  const lines = [1, 2].map((fails) => chatLine(fails, { model: 'twice', echo: { fail_times: fails } }));
  const once = await createBatch(sluice.client, lines, { max_attempts: 1 });
  expect(await untilEnded(sluice.client, once.id)).toMatchObject({ max_attempts: 1, request_counts: { completed: 0, failed: 2 } });
  // More than its model would give.
  const thrice = await createBatch(sluice.client, lines, { max_attempts: 3 });
  expect(await untilEnded(sluice.client, thrice.id)).toMatchObject({ max_attempts: 3, request_counts: { completed: 2, failed: 0 } });
  const { body: clone } = await call(sluice.client, 'POST', `/v1/batches/${once.id}/clone`, {});
  expect(clone).toMatchObject({ max_attempts: 1 });
  const { status, body } = await call(sluice.client, 'POST', '/v1/batches', { ...asked(once), max_attempts: 0 });
  expect([status, body['error']]).toMatchObject([400, { param: 'max_attempts', code: 'invalid_value' }]);
  const other = await call(sluice.client, 'POST', '/v1/batches', { ...asked(once), max_attempts: null });
  expect(other.body).toMatchObject({ max_attempts: null });
});
