import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Job } from '@sluice/contract';
import { sql } from '../../src/db/sql.ts';
import { startUpstream, type Upstream } from '../../src/executors/openai/upstream.ts';
import { dropOldJobs } from '../../src/jobs/sweep.ts';
import { isAlive } from '../../src/lib/processes.ts';
import { localPool } from '../../src/policy/pools.ts';
import { noQuotas } from '../../src/policy/quotas.ts';
import { descendants } from '../crash/process.ts';
import { until } from '../crash/until.ts';
import { countedLoop } from '../support/onnx-models.ts';
import { call, chatLine, createBatch, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

let upstream: Upstream;
let sluice: Sluice;
let folder: string;

beforeAll(async () => {
  upstream = await startUpstream();
  folder = await mkdtemp(join(tmpdir(), 'sluice-jobs-'));
  await writeFile(join(folder, 'loop.onnx'), countedLoop());
  const options = { base_url: upstream.url, max_attempts: 1 };
  sluice = await startSluice({
    keys: [
      { key: 'ada', tenant: 'lab', user: 'ada' },
      { key: 'eve', tenant: 'other', user: 'eve' },
    ],
    quotas: { tenants: { other: { ...noQuotas.tenant, maxQueuedRequests: 3 } } },
    models: [
      { name: 'llm', version: '1.0.0', executor: 'openai', options: { ...options, max_concurrency: 4 } },
      { name: 'one', version: '1.0.0', executor: 'echo', options: { max_concurrency: 1 } },
      { name: 'narrow', version: '1.0.0', executor: 'echo', options: { max_concurrency: 8 } },
      { name: 'loop', version: '1.0.0', executor: 'onnx', options: { path: join(folder, 'loop.onnx'), processes: 1, timeout_ms: 60_000 } },
    ],
  });
});

afterAll(async () => {
  await sluice[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

type Body = Record<string, unknown>;

const submit = async (body: Body, headers: Record<string, string> = {}, user = 'ada') => {
  const reply = await call(sluice.clientFor(user), 'POST', '/v1/jobs', body, headers);
  return { ...reply, job: reply.body as unknown as Job };
};
const chat = (model: string, echo?: Body): Body => ({
  model,
  messages: [{ role: 'user', content: 'x' }],
  ...(echo && { sluice_echo: echo }),
});
const cancel = (id: string) => call(sluice.clientFor('ada'), 'POST', `/v1/jobs/${id}/cancel`);
const end = async (id: string): Promise<Job> => {
  await call(sluice.clientFor('ada'), 'GET', `/v1/jobs/${id}/result?wait=20`);
  return (await call(sluice.clientFor('ada'), 'GET', `/v1/jobs/${id}`)).body as unknown as Job;
};

test('a call under way is aborted when its job is cancelled', async () => {
  const { job } = await submit({ model: 'llm', messages: [], mode: 'hang' });
  await expect.poll(() => upstream.open.now).toBe(1);
  await cancel(job.id);
  expect(await end(job.id)).toMatchObject({ status: 'cancelled', attempts: 0, error: { code: 'job_cancelled' } });
  await expect.poll(() => upstream.open.now).toBe(0);
});

test('the process of an onnx model that runs a cancelled job is killed; the model goes on answering', async () => {
  const quick = { model: 'loop', inputs: { x: 1 } };
  expect((await submit(quick, { prefer: 'wait=20' })).job).toMatchObject({ status: 'completed', result: { object: 'prediction' } });
  const before = descendants(process.pid);
  const { job } = await submit({ model: 'loop', inputs: { x: 2_000_000_000 } });
  await until('it runs', async () => (await call(sluice.clientFor('ada'), 'GET', `/v1/jobs/${job.id}`)).body['status'] === 'running');
  await cancel(job.id);
  expect(await end(job.id)).toMatchObject({ status: 'cancelled' });
  expect((await submit(quick, { prefer: 'wait=20' })).job).toMatchObject({ status: 'completed' });
  expect(
    before.some((pid) => !isAlive(pid)),
    'a process is gone',
  ).toBe(true);
});

test('while bulk holds every slot and all queues are full, jobs do not wait for the slots that bulk gives back', async () => {
  // Slow lines that take every slot of one model, and so many quick ones of another that the worker is never idle.
  const slow = Array.from({ length: 400 }, (_, i) => chatLine(i, { model: 'narrow', echo: { delay_ms: 10_000 } }));
  const quick = Array.from({ length: 100_000 }, (_, i) => chatLine(i));
  const batches = [await createBatch(sluice.clientFor('ada'), slow), await createBatch(sluice.clientFor('ada'), quick)];
  const busy = sql`select count(*)::int as n from chunks where state = 'leased' and model = 'narrow@1.0.0'`;
  await until('bulk is under way', async () => (await sluice.db.one<{ n: number }>(busy)).n > 0);
  // The first one waits for a slot that bulk holds; from then on some are left free.
  await end((await submit(chat('narrow', { delay_ms: 1 }))).job.id);
  const settled = sql`
    select coalesce(sum(s.completed), 0)::int as n from segments s join batches b on b.no = s.batch_no where b.id = ${batches[0]!.id}`;
  const before = (await sluice.db.one<{ n: number }>(settled)).n;
  for (let i = 0; i < 12; i++) {
    const { job } = await submit(chat(i % 2 === 0 ? 'narrow' : 'echo', { delay_ms: 1 }), { prefer: 'wait=20' });
    expect(await end(job.id)).toMatchObject({ status: 'completed' });
  }
  // Had each of the six waited for bulk, all its slots would have been given back six times.
  expect((await sluice.db.one<{ n: number }>(settled)).n - before).toBeLessThan(3 * 8);
  for (const { id } of batches) await call(sluice.clientFor('ada'), 'POST', `/v1/batches/${id}/cancel?mode=abort`);
});

test('jobs leave bulk the share that its pool says, also of a single slot', { timeout: 240_000 }, async () => {
  const lanes = { interactive: 0, jobs: 0.2, bulk: 0.8 };
  const models = [{ name: 'one', version: '1.0.0', executor: 'echo', options: { max_concurrency: 1 } }] as const;
  await using own = await startSluice({ models: [...models], pools: [{ ...localPool, lanes }] });
  // It holds the slot until all others wait for it.
  const { body: first } = await call(own.client, 'POST', '/v1/jobs', chat('one', { delay_ms: 600_000 }));
  await Promise.all(Array.from({ length: 60 }, () => call(own.client, 'POST', '/v1/jobs', chat('one', { delay_ms: 20 }))));
  const lines = Array.from({ length: 40 }, (_, i) => chatLine(i, { model: 'one', echo: { delay_ms: 20 } }));
  const batch = await createBatch(own.client, lines);
  const leased = sql`select count(*)::int as n from chunks where state = 'leased'`;
  await until('its lines wait', async () => (await own.db.one<{ n: number }>(leased)).n > 0);
  await call(own.client, 'POST', `/v1/jobs/${String(first['id'])}/cancel`);
  await untilEnded(own.client, batch.id);
  const { body } = await call(own.client, 'GET', `/v1/batches/${batch.id}/requests?limit=100`);
  const through = Math.max(...(body['data'] as { finished_at: number }[]).map(({ finished_at }) => finished_at));
  const jobs = sql`
    select count(*) filter (where ended_at < to_timestamp(${through}))::int as before, count(*)::int as n from jobs where state = 'completed'`;
  await expect.poll(async () => (await own.db.one<{ n: number }>(jobs)).n, { timeout: 30_000 }).toBe(60);
  // One for each four lines.
  expect((await own.db.one<{ before: number }>(jobs)).before).toBeLessThan(20);
});

test('interactive goes before jobs before bulk, each with its share, whatever a worker holds', { timeout: 240_000 }, async () => {
  await using model = await startUpstream();
  const models = [{ name: 'four', version: '1.0.0', executor: 'openai', options: { base_url: model.url, max_concurrency: 4 } }] as const;
  const lanes = { interactive: 0, jobs: 0.25, bulk: 0.25 };
  await using own = await startSluice({ models: [...models], pools: [{ ...localPool, lanes }] });
  const body = (whose: string): Body => ({ model: 'four', messages: [], mode: 'slow', wait: 80, whose });
  const batch = (lane: 'interactive' | 'bulk', count: number) => {
    const lines = Array.from({ length: count }, (_, i) => ({ ...chatLine(i), body: { ...body(lane), i } }));
    return createBatch(own.client, lines, { lane, dedup: 'off' });
  };
  const order = () => model.calls.map(({ body: { whose } }) => whose);
  const count = (whose: string, among = order()) => among.filter((each) => each === whose).length;
  // Chunks of bulk as many as a worker holds of a model, then jobs, then an interactive batch.
  await Promise.all([batch('bulk', 400), batch('bulk', 400)]);
  const leased = sql`select count(*)::int as n from chunks where state = 'leased'`;
  await until('bulk is under way', async () => (await own.db.one<{ n: number }>(leased)).n >= 2);
  await Promise.all(Array.from({ length: 400 }, () => call(own.client, 'POST', '/v1/jobs', body('jobs'))));
  await batch('interactive', 120);
  await until('interactive is through', () => count('interactive') === 120);
  // One slot each is that of jobs and of bulk; the two that are nobody's are interactive's, but for the moments between two chunks.
  const during = order().slice(order().indexOf('interactive'), order().lastIndexOf('interactive'));
  expect(count('jobs', during)).toBeGreaterThanOrEqual(36);
  expect(count('bulk', during)).toBeGreaterThanOrEqual(36);
  expect(count('interactive', during) / during.length).toBeGreaterThan(0.33);
});

test('a tenant with one job does not wait for all of another’s; a higher priority goes first', async () => {
  // One at a time, so that the order is the order in which they were claimed; and none before all are there.
  const { job: first } = await submit(chat('one', { delay_ms: 600_000 }));
  await until('it runs', async () => (await call(sluice.clientFor('ada'), 'GET', `/v1/jobs/${first.id}`)).body['status'] === 'running');
  const many = await Promise.all(Array.from({ length: 20 }, () => submit(chat('one', { delay_ms: 1 }))));
  const [own, urgent] = [await submit(chat('one', { delay_ms: 1 }), {}, 'eve'), await submit({ ...chat('one'), priority: 'high' })];
  await cancel(first.id);
  await Promise.all(many.map(({ job }) => end(job.id)));
  const order = (await sluice.db.many<{ id: string }>(sql`select id from jobs where model = 'one@1.0.0' order by started_at`)).map(
    ({ id }) => id,
  );
  const place = (id: string) => order.indexOf(id);
  const last = Math.max(...many.map(({ job }) => place(job.id)));
  expect(place(own.job.id)).toBeLessThan(last - 5);
  expect(place(urgent.job.id)).toBeLessThan(last - 5);
});

test('queued jobs count against quotas', async () => {
  const hold = Array.from({ length: 6 }, () => submit(chat('one', { delay_ms: 600_000 }), {}, 'eve'));
  const replies = await Promise.all(hold);
  const refused = replies.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThanOrEqual(2);
  expect(refused[0]!.body['error']).toMatchObject({ code: 'quota_exceeded' });
  expect(refused[0]!.headers.get('retry-after')).not.toBeNull();
  for (const { status, job } of replies) if (status < 300) await call(sluice.clientFor('eve'), 'POST', `/v1/jobs/${job.id}/cancel`);
});

test('jobs that ended long ago are deleted with their bodies; others stay', async () => {
  const { job } = await submit({ ...chat('echo', { bytes: 50_000 }) }, { prefer: 'wait=20' });
  const { job: kept } = await submit(chat('echo'), { prefer: 'wait=20' });
  const old = `job_${(Date.now() - 40 * 86_400_000).toString(16).padStart(12, '0')}000000000000`;
  const { result_key: key } = await sluice.db.one<{ result_key: string }>(sql`
    update jobs set id = ${old}, created_at = now() - interval '40 days', started_at = now() - interval '40 days',
      ended_at = now() - interval '40 days' where id = ${job.id} returning result_key`);
  expect(await dropOldJobs(sluice.db, sluice.storage, 30)).toBe(1);
  expect(await sluice.storage.size(key)).toBeNull();
  expect((await call(sluice.clientFor('ada'), 'GET', `/v1/jobs/${old}`)).status).toBe(404);
  expect((await call(sluice.clientFor('ada'), 'GET', `/v1/jobs/${kept.id}`)).status).toBe(200);
});

test('a worker that has to go gives back what runs at the end of its notice, uncharged; another one does it', async () => {
  await using own = await startSluice({ workers: 2 });
  const client = own.client;
  const { body } = await call(client, 'POST', '/v1/jobs', chat('echo', { delay_ms: 4_000 }));
  const id = body['id'] as string;
  const worker = await until('it runs', async () => {
    const job = (await call(client, 'GET', `/v1/jobs/${id}`)).body as unknown as Job;
    return job.status === 'running' && own.workers.find((w) => w.id === job.worker);
  });
  const drained = new Promise<void>((resolve) => worker.once('drained', resolve));
  worker.drain('api', 0.3);
  await drained;
  await call(client, 'GET', `/v1/jobs/${id}/result?wait=20`);
  const job = (await call(client, 'GET', `/v1/jobs/${id}`)).body as unknown as Job;
  expect(job).toMatchObject({ status: 'completed', attempts: 1, history: [] });
  expect(job.worker).not.toBe(worker.id);
});

test('a pool without workers gets one for a job', async () => {
  await using own = await startSluice({ workers: 0, pools: [{ ...localPool, minimum: 0, maximum: 4, backlogRatio: 5 }] });
  const desired = async () => (await own.db.maybe<{ desired: number }>(sql`select desired from pools`))?.desired;
  await until('nothing is wanted', async () => (await desired()) === 0);
  const { body } = await call(own.client, 'POST', '/v1/jobs', chat('echo'));
  await expect.poll(desired).toBe(1);
  await call(own.client, 'POST', `/v1/jobs/${String(body['id'])}/cancel`);
  await until('none is any more', async () => (await desired()) === 0);
});
