import { expect, test } from 'vitest';
import type { UsageReport } from '@sluice/contract';
import { sql } from '../../src/db/sql.ts';
import { noQuotas, type Quota } from '../../src/policy/quotas.ts';
import { call, chatLine, createBatch, jsonl, untilEnded, upload } from '../support/requests.ts';
import { startSluice, type Sluice, type SluiceOptions } from '../support/sluice.ts';

const only = (quota: Partial<Quota>): Quota => ({ ...noQuotas.global, ...quota });

const keys = [
  { key: 'ada', tenant: 'lab', user: 'ada' },
  { key: 'bob', tenant: 'lab', user: 'bob' },
  { key: 'eve', tenant: 'other', user: 'ada' },
];
const start = (quotas: SluiceOptions['quotas'], options: SluiceOptions = {}) =>
  startSluice({ keys, ...(quotas && { quotas }), ...options });
const idle: SluiceOptions = { scheduler: false, workers: 0 };

const create = (sluice: Sluice, key: string, file: string, headers: Record<string, string> = {}) =>
  call(
    sluice.clientFor(key),
    'POST',
    '/v1/batches',
    { input_file_id: file, endpoint: '/v1/chat/completions', completion_window: '24h' },
    headers,
  );
const usage = async (sluice: Sluice, key: string): Promise<UsageReport> =>
  (await call(sluice.clientFor(key), 'GET', '/v1/usage')).body as unknown as UsageReport;

test('of twenty creates at once at the limit, just as many as there is room for are let in', async () => {
  await using sluice = await start({ tenant: only({ maxBatches: 7 }) }, idle);
  const file = (await upload(sluice.clientFor('ada'), [chatLine(1)])).id;
  const replies = await Promise.all(Array.from({ length: 20 }, (_, i) => create(sluice, i % 2 === 0 ? 'ada' : 'bob', file)));
  expect(replies.filter(({ status }) => status === 200)).toHaveLength(7);
  const refused = replies.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(13);
  for (const { body, headers } of refused) {
    expect(body).toEqual({
      error: {
        message: 'Your tenant may have 7 batches that have not ended and has 7; 1 more would exceed that (quota tenant-batches).',
        type: 'rate_limit_error',
        param: null,
        code: 'quota_exceeded',
      },
    });
    expect(headers.get('retry-after')).toBe('30');
    expect(headers.get('ratelimit-policy')).toBe('"tenant-batches";q=7;qu="concurrent-requests"');
    expect(headers.get('ratelimit')).toBe('"tenant-batches";r=0;t=30');
  }
  expect(await sluice.db.one(sql`select count(*)::int as batches, (select count(*)::int from events) as events from batches`)).toEqual({
    batches: 7,
    events: 7,
  });
});

test('another tenant is not touched; a tenant may have a quota of its own; a user has one within it', async () => {
  await using sluice = await start(
    { tenant: only({ maxBatches: 1 }), user: only({ maxBatches: 2 }), tenants: { lab: { maxBatches: 3 } } },
    idle,
  );
  const file = (await upload(sluice.clientFor('ada'), [chatLine(1)])).id;
  const theirs = (await upload(sluice.clientFor('eve'), [chatLine(1)])).id;
  const first = await create(sluice, 'ada', file, { 'idempotency-key': 'once' });
  expect(first.headers.get('ratelimit')).toBe('"user-batches";r=1, "tenant-batches";r=2');
  expect((await create(sluice, 'ada', file)).status).toBe(200);
  const third = await create(sluice, 'ada', file);
  expect(third.status).toBe(429);
  expect(third.headers.get('ratelimit')).toBe('"user-batches";r=0;t=30, "tenant-batches";r=1;t=30');
  // A repeat makes nothing, and is answered however full it is.
  const again = await create(sluice, 'ada', file, { 'idempotency-key': 'once' });
  expect([again.status, again.body['id']]).toEqual([200, first.body['id']]);
  expect((await create(sluice, 'bob', file)).status).toBe(200);
  expect((await create(sluice, 'bob', file)).status).toBe(429);
  expect((await create(sluice, 'eve', theirs)).status).toBe(200);
  expect((await create(sluice, 'eve', theirs)).status).toBe(429);
  // Room comes back when a batch ends; a clone needs it as well.
  const clone = () => call(sluice.clientFor('ada'), 'POST', `/v1/batches/${String(first.body['id'])}/clone`, {});
  expect((await clone()).status).toBe(429);
  await sluice.db.run(sql`update batches set status = 'failed', failed_at = now() where id = ${first.body['id']}`);
  expect((await clone()).status).toBe(200);
});

test('bytes of inputs are counted until their batches end', async () => {
  const bytes = jsonl([chatLine(1)]).length;
  await using sluice = await start({ global: only({ maxQueuedBytes: 2 * bytes + 1 }) }, idle);
  const file = (await upload(sluice.clientFor('ada'), [chatLine(1)])).id;
  const theirs = (await upload(sluice.clientFor('eve'), [chatLine(1)])).id;
  const replies = [await create(sluice, 'ada', file), await create(sluice, 'eve', theirs), await create(sluice, 'ada', file)];
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 429]);
  expect(replies[2]!.headers.get('ratelimit')).toBe('"global-queued-bytes";r=1;t=30');
  expect(replies[2]!.headers.get('ratelimit-policy')).toBe(`"global-queued-bytes";q=${2 * bytes + 1};qu="content-bytes"`);
  expect(JSON.stringify(replies[2]!.body)).toMatch(/This server may have/);
});

test('a batch that would queue too many requests fails, and says how many there are', async () => {
  await using sluice = await start({ tenant: only({ maxQueuedRequests: 5 }) }, { workers: 0 });
  const ada = sluice.clientFor('ada');
  const first = await createBatch(ada, [chatLine(1), chatLine(2), chatLine(3)]);
  await expect.poll(async () => (await ada.batches.retrieve(first.id)).status).toBe('in_progress');
  const second = await untilEnded(ada, (await createBatch(ada, [chatLine(1), chatLine(2), chatLine(3)])).id);
  expect(second.status).toBe('failed');
  expect(second.errors!.data).toEqual([
    {
      code: 'quota_exceeded',
      message: 'Your tenant may have 5 queued requests and has 3; 3 more would exceed that (quota tenant-queued-requests).',
      param: null,
      line: null,
    },
  ]);
  const other = await createBatch(sluice.clientFor('eve'), [chatLine(1), chatLine(2), chatLine(3)]);
  await expect.poll(async () => (await sluice.clientFor('eve').batches.retrieve(other.id)).status).toBe('in_progress');
  expect((await usage(sluice, 'ada')).tenant.queued_requests).toEqual({ used: 3, limit: 5 });
  // By any number of batches taken in at once.
  await using two = await start({ tenant: only({ maxQueuedRequests: 5 }) }, { workers: 0 });
  const ids = await Promise.all(
    Array.from({ length: 4 }, async () => (await createBatch(two.clientFor('ada'), [chatLine(1), chatLine(2)])).id),
  );
  await expect
    .poll(async () => (await two.db.one<{ n: number }>(sql`select count(*)::int as n from batches where status = 'validating'`)).n)
    .toBe(0);
  const statuses = await Promise.all(ids.map(async (id) => (await two.clientFor('ada').batches.retrieve(id)).status));
  expect(statuses.sort((a, b) => (a < b ? -1 : 1))).toEqual(['failed', 'failed', 'in_progress', 'in_progress']);
});

test('requests in flight never pass a cap, with several workers, and all is done', { timeout: 240_000 }, async () => {
  await using sluice = await start(
    { tenants: { lab: { maxInFlight: 6 } }, user: only({ maxInFlight: 4 }), global: only({ maxInFlight: 9 }) },
    { ...idle, workers: 4 },
  );
  // Each claim is counted with all that are leased then: one at a time, so that none is missed.
  await sluice.db.run(sql`create table flights (tenant text, owner text, requests integer)`);
  await sluice.db.run(sql`
    create function count_flight() returns trigger language plpgsql as $$ begin
      perform pg_advisory_xact_lock(42);
      insert into flights select b.tenant_id, b.created_by, sum(c.requests) from chunks c join batches b on b.no = c.batch_no where c.state = 'leased' group by grouping sets ((), (1), (1, 2));
      return null;
    end $$`);
  await sluice.db.run(sql`
    create trigger flight after update on chunks for each row when (new.state = 'leased' and old.state <> 'leased') execute function count_flight()`);
  const [ada, bob, eve] = [sluice.clientFor('ada'), sluice.clientFor('bob'), sluice.clientFor('eve')];
  const lines = Array.from({ length: 24 }, (_, i) => chatLine(i, { echo: { delay_ms: 30 } }));
  const batches = await Promise.all([ada, ada, bob, eve].map(async (client) => ({ client, id: (await createBatch(client, lines)).id })));
  sluice.scheduler.start();
  for (const { client, id } of batches)
    expect((await untilEnded(client, id)).request_counts).toEqual({ total: 24, completed: 24, failed: 0, cancelled: 0, expired: 0 });
  const most = await sluice.db.many<{ tenant: string | null; owner: string | null; most: number }>(
    sql`select tenant, owner, max(requests)::int as most from flights group by 1, 2 order by 1, 2`,
  );
  const caps: Record<string, number> = { 'lab null': 6, 'lab ada': 4, 'lab bob': 4, 'other ada': 4, 'null null': 9 };
  expect(most.length).toBeGreaterThan(4);
  for (const { tenant, owner, most: n } of most)
    expect([tenant, owner, n]).toSatisfy(() => n <= (caps[`${tenant} ${owner}`] ?? Infinity), `at most ${caps[`${tenant} ${owner}`]}`);
  // The room there was has been used.
  expect(most.find(({ tenant }) => tenant === null)!.most).toBeGreaterThan(4);
});

test('a bulk retry waits for room in the quotas, like any other batch', { timeout: 240_000 }, async () => {
  await using sluice = await start({ tenants: { lab: { maxBatches: 1 } } });
  const ada = sluice.clientFor('ada');
  const failed = await untilEnded(ada, (await createBatch(ada, [chatLine(1, { echo: { status: 400 } })])).id);
  const slow = await createBatch(ada, [chatLine(2, { echo: { delay_ms: 30_000 } })]);
  const { body: operation } = await call(ada, 'POST', '/v1/bulk', { on: 'batches', action: 'retry', ids: [failed.id] });
  const standing = async (): Promise<Record<string, unknown>> => (await call(ada, 'GET', `/v1/bulk/${String(operation['id'])}`)).body;
  const continued = async () =>
    (await sluice.db.one<{ n: number }>(sql`select count(*)::int as n from batches where continues_no is not null`)).n;
  await expect
    .poll(async () => (await sluice.db.one<{ later: boolean }>(sql`select next_at > now() as later from bulk_operations`)).later)
    .toBe(true);
  expect([(await standing())['status'], await continued()]).toEqual(['running', 0]);
  await call(ada, 'POST', `/v1/batches/${slow.id}/cancel`, { mode: 'abort' });
  await expect.poll(async () => (await standing())['status']).toBe('completed');
  expect(await continued()).toBe(1);
});

test('usage shows what is in use of what, and the same to nobody else', async () => {
  await using sluice = await start(
    { tenant: only({ maxBatches: 5, maxInFlight: 10 }), user: only({ maxQueuedBytes: 1_000_000 }) },
    { workers: 0 },
  );
  const [ada, eve] = [sluice.clientFor('ada'), sluice.clientFor('eve')];
  const content = jsonl([chatLine(1), chatLine(2)]);
  const batch = await createBatch(ada, content);
  await expect.poll(async () => (await ada.batches.retrieve(batch.id)).status).toBe('in_progress');
  const held = { batches: { used: 1, limit: null }, queued_requests: { used: 2, limit: null }, in_flight: { used: 0, limit: null } };
  expect(await usage(sluice, 'ada')).toEqual({
    object: 'usage',
    user: { name: 'ada', ...held, queued_bytes: { used: content.length, limit: 1_000_000 } },
    tenant: {
      name: 'lab',
      ...held,
      batches: { used: 1, limit: 5 },
      in_flight: { used: 0, limit: 10 },
      queued_bytes: { used: content.length, limit: null },
    },
    global: { ...held, queued_bytes: { used: content.length, limit: null } },
  });
  expect((await usage(sluice, 'bob')).user.batches.used).toBe(0);
  expect((await usage(sluice, 'bob')).tenant.batches.used).toBe(1);
  // A user of the same name in another tenant is somebody else.
  const theirs = (await call(eve, 'GET', '/v1/usage')).body as unknown as UsageReport;
  expect([theirs.user.batches.used, theirs.tenant.batches.used, theirs.global.batches.used]).toEqual([0, 0, 1]);
});
