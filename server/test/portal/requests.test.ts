import type { BatchFailures, PortalBatchDetails, PortalBody, PortalRequest, PortalRequestPage, RunningWork } from '@sluice/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { insertBatch } from '../support/batch.ts';
import { sql } from '../../src/db/sql.ts';
import { call, chatLine, createBatch, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

let sluice: Sluice;
let id: string;
const count = 300;
const bad = (i: number): boolean => i % 10 === 7;
beforeAll(async () => {
  sluice = await startSluice({
    keys: [
      { key: 'ada', tenant: 'lab', user: 'ada' },
      { key: 'eve', tenant: 'other', user: 'eve' },
    ],
    retry: { maxAttempts: 2 },
  });
  const ada = sluice.clientFor('ada');
  const line = (i: number) => {
    if (i === 100) return chatLine(`mol-${i}`, { echo: { status: 503 } });
    if (i === 150) return chatLine(`mol-${i}`, { body: { model: 'echo', messages: [{ role: 'user', content: 'é'.repeat(100_000) }] } });
    return chatLine(`mol-${i}`, bad(i) ? { echo: { status: i % 20 === 7 ? 400 : 422 } } : {});
  };
  ({ id } = await createBatch(
    ada,
    Array.from({ length: count }, (_, i) => line(i + 1)),
  ));
  await untilEnded(ada, id);
});
afterAll(() => sluice[Symbol.asyncDispose]());

const get = (path: string, key = 'ada') => call(sluice.clientFor(key), 'GET', path);
const page = async (query: string): Promise<PortalRequestPage> =>
  (await get(`/v1/portal/batches/${id}/requests?${query}`)).body as unknown as PortalRequestPage;
const lines = (rows: readonly PortalRequest[]): number[] => rows.map(({ line }) => line);

test('any window is there by its line', async () => {
  const window = await page('from_line=141&limit=20');
  expect([window.total, lines(window.data)[0], window.data.length, window.next_line]).toEqual([count, 141, 20, 161]);
  expect(window.data[0]).toMatchObject({ custom_id: 'mol-141', state: 'completed', attempts: 1, error: null, model: 'echo@1.0.0' });
  expect(window.data.find(({ line }) => line === 147)).toMatchObject({ state: 'failed', error: expect.any(String) as string });
  expect(window.data.find(({ line }) => line === 150)!.output_bytes).toBeGreaterThan(0);
  expect(await page('from_line=290')).toMatchObject({ next_line: null });
  expect(await page('from_line=100000')).toMatchObject({ data: [], next_line: null, total: count });
  // Never a body.
  expect(JSON.stringify((await page('')).data)).not.toContain('ééé');
});

test('by state, code, cause and custom_id', async () => {
  const failed = Array.from({ length: count }, (_, i) => i + 1).filter((i) => bad(i));
  expect(lines((await page('state=failed')).data)).toEqual(failed);
  const first = await page('state=failed&limit=7');
  expect(lines((await page(`state=failed&from_line=${first.next_line}`)).data)).toEqual(failed.slice(7));
  expect(lines((await page('state=dead_lettered')).data)).toEqual([100]);
  expect((await page('state=completed&limit=500')).data.length).toBe(count - failed.length - 1);
  expect((await page('state=queued,running')).data).toEqual([]);
  expect(lines((await page('custom_id=mol-222')).data)).toEqual([222]);
  expect((await page('custom_id=mol-2222')).data).toEqual([]);
  expect((await page('custom_id=mol-222&state=failed')).data).toEqual([]);
});

test('failures are counted by cause, and each leads to its requests', async () => {
  const body = (await get(`/v1/batches/${id}/failures`)).body as unknown as BatchFailures;
  expect(body.failed).toBe(31);
  expect(body.data.reduce((sum, each) => sum + each.count, 0)).toBe(31);
  for (const cause of body.data) {
    const found = await page(`code=${cause.code}&cause=${encodeURIComponent(cause.cause)}&limit=500`);
    expect(found.data.length).toBe(cause.count);
    expect(lines(found.data)).toContain(cause.example.line);
    expect(cause.first_seen).toBeLessThanOrEqual(cause.last_seen);
  }
  expect(body.data.find(({ dead_lettered }) => dead_lettered > 0)).toMatchObject({ count: 1, example: { line: 100 } });
  const limited = (await get(`/v1/batches/${id}/failures?limit=1`)).body as unknown as BatchFailures;
  expect([limited.data.length, limited.has_more, limited.failed]).toEqual([1, true, 31]);
});

test('bodies come as they lie there, and no more of them than asked for', async () => {
  const body = async (line: number, query: string) =>
    (await get(`/v1/portal/batches/${id}/requests/${line}?${query}`)).body as unknown as PortalBody;
  const input = await body(5, 'part=input');
  expect(JSON.parse(input.text!)).toMatchObject({ custom_id: 'mol-5', body: { model: 'echo' } });
  expect(input).toMatchObject({ truncated: false, bytes: Buffer.byteLength(input.text!) });
  expect(JSON.parse((await body(5, 'part=output')).text!)).toMatchObject({ custom_id: 'mol-5', response: { status_code: 200 } });
  expect(JSON.parse((await body(7, 'part=output')).text!)).toMatchObject({ custom_id: 'mol-7' });
  const cut = await body(150, 'part=input&max=1001');
  expect([cut.truncated, cut.bytes! > 200_000, Buffer.byteLength(cut.text!) <= 1_001, cut.text!.includes('\uFFFD')]).toEqual([
    true,
    true,
    true,
    false,
  ]);
  expect((await body(150, 'part=input&max=64000000')).truncated).toBe(false);
  for (const [line, status] of [
    [0, 400],
    [301, 404],
  ] as const)
    expect((await get(`/v1/portal/batches/${id}/requests/${line}?part=input`)).status).toBe(status);
});

test('the page of a batch: states, stages, marks, models, lanes, throughput', async () => {
  const body = (await get(`/v1/portal/batches/${id}`)).body as unknown as PortalBatchDetails;
  expect(body.states).toEqual({
    queued: 0,
    running: 0,
    waiting: 0,
    completed: 269,
    failed: 30,
    dead_lettered: 1,
    cancelled: 0,
    expired: 0,
  });
  expect(body.stages.map(({ stage }) => stage)).toEqual(['validating', 'running', 'finalizing']);
  for (const [i, { to }] of body.stages.entries()) if (i + 1 < body.stages.length) expect(to).toBe(body.stages[i + 1]!.from);
  expect(body.stages.at(-1)!.to).not.toBeNull();
  expect(body.marks.map(({ kind }) => kind)).toEqual(
    expect.arrayContaining(['first_answer', 'last_answer', 'given', 'milestone', 'deadline']),
  );
  expect(body.models).toEqual([{ model: 'echo@1.0.0', total: 300, completed: 269, failed: 31, running: 0, queued: 0 }]);
  expect(body.lanes).toEqual([expect.objectContaining({ worker: sluice.workers[0]!.id, pool: 'dedicated', completed: 269, failed: 31 })]);
  expect([body.series.at.length, body.series.completed.reduce((a, b) => a + b, 0), body.series.failed.reduce((a, b) => a + b, 0)]).toEqual([
    60, 269, 31,
  ]);
});

test('one that is open, or was never begun, has its page too', async () => {
  const open = await insertBatch(sluice.db, { tenant: 'far', lines: 30 });
  await sluice.db.run(sql`update batches set tenant_id = 'lab', in_progress_at = now(), pool_history = '[]' where no = ${open.no}`);
  await sluice.db.run(sql`
    update chunks set state = 'leased', token = 1, worker_id = 'worker_gone', leased_at = now(), leased_until = now() + interval '1 hour'
    where id = (select min(id) from chunks where batch_no = ${open.no})`);
  const body = (await get(`/v1/portal/batches/${open.id}`)).body as unknown as PortalBatchDetails;
  expect(body).toMatchObject({
    states: { queued: 25, running: 5 },
    models: [{ queued: 25, running: 5 }],
    lanes: [{ worker: 'worker_gone', running: 5 }],
  });
  const running = ((await get('/v1/workers/running')).body as unknown as RunningWork).data;
  expect(running).toEqual([
    expect.objectContaining({ worker: 'worker_gone', kind: 'batch', id: open.id, requests: 5, leases: 1, lost: true, model: 'echo@1.0.0' }),
  ]);
  // Of another tenant's work it is told that there is some, and not what.
  expect(((await get('/v1/workers/running', 'eve')).body as unknown as RunningWork).data).toEqual([
    expect.objectContaining({ worker: 'worker_gone', id: null, name: null, model: null, requests: 5 }),
  ]);
  await sluice.db.run(sql`delete from batches where no = ${open.no}`);
});

test('another tenant has none of these', async () => {
  for (const path of [
    `/v1/portal/batches/${id}`,
    `/v1/portal/batches/${id}/requests`,
    `/v1/portal/batches/${id}/requests/1?part=input`,
    `/v1/batches/${id}/failures`,
  ])
    expect([path, (await get(path, 'eve')).status]).toEqual([path, 404]);
});
