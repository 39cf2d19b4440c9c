import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, chatLine, createBatch, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

let sluice: Sluice;
beforeAll(async () => {
  sluice = await startSluice({
    keys: [
      { key: 'test-key', tenant: 'lab', user: 'ada' },
      { key: 'bob', tenant: 'lab', user: 'bob' },
      { key: 'far', tenant: 'far', user: 'far' },
    ],
    models: [{ name: 'second', version: '2.0.0', executor: 'echo', options: {} }],
  });
});
afterAll(() => sluice[Symbol.asyncDispose]());

const analytics = (key: string, query = '') => call(sluice.clientFor(key), 'GET', `/v1/analytics${query}`);

test('counts, durations, failures by cause, per model, user and day; of one tenant', async () => {
  const [ada, bob] = [sluice.clientFor('test-key'), sluice.clientFor('bob')];
  const made = [
    await createBatch(ada, [chatLine(1), chatLine(2, { model: 'second' }), chatLine(3, { echo: { status: 400 } })]),
    await createBatch(bob, [chatLine(1, { echo: { status: 503 } }), chatLine(2, { echo: { status: 400 } })]),
    await createBatch(bob, [chatLine(1, { model: 'nobody' })]),
  ];
  for (const { id } of made) await untilEnded(ada, id);
  const { status, body } = await analytics('test-key');
  expect(status).toBe(200);
  const day = new Date(made[0]!.created_at * 1_000).toISOString().slice(0, 10);
  expect(body).toMatchObject({
    object: 'analytics',
    batches: { total: 3, by_status: { completed: 2, failed: 1 } },
    requests: { total: 5, completed: 2, failed: 3, cancelled: 0, expired: 0 },
    failures: [
      { code: 'invalid_request', requests: 2 },
      { code: expect.any(String) as string, requests: 1 },
    ],
    models: [
      { model: 'echo@1.0.0', batches: 2, requests: 4, completed: 1, failed: 3 },
      { model: 'second@2.0.0', batches: 1, requests: 1, completed: 1, failed: 0 },
    ],
    users: [
      { user: 'ada', batches: 1, requests: 3 },
      { user: 'bob', batches: 2, requests: 2 },
    ],
    days: [{ day, batches: 3, requests: 5, completed: 2, failed: 3 }],
  });
  expect((body['batches'] as { duration_seconds: { max: number } }).duration_seconds.max).toBeGreaterThan(0);
  expect((await analytics('test-key', '?user=bob')).body).toMatchObject({
    batches: { total: 2 },
    requests: { total: 2 },
    users: [{ user: 'bob' }],
  });
  expect((await analytics('test-key', `?to=${made[0]!.created_at - 10}`)).body).toMatchObject({
    batches: { total: 0, duration_seconds: { p50: null } },
    models: [],
  });
  expect((await analytics('far')).body).toMatchObject({ batches: { total: 0 }, requests: { total: 0 } });
});

test.each(['from=-1', 'from=x', 'to=99999999999999', 'from=1e30'])('refuses %s', async (query) => {
  expect((await analytics('test-key', `?${query}`)).status).toBe(400);
});
