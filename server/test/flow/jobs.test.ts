import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Job } from '@sluice/contract';
import { Listener } from '../../src/db/listen.ts';
import { sql } from '../../src/db/sql.ts';
import { buildServer } from '../../src/http/server.ts';
import { JobDesk } from '../../src/jobs/desk.ts';
import { answerLater } from '../../src/jobs/later.ts';
import { silent } from '../../src/lib/log.ts';
import { Predictor } from '../../src/predictions/predictor.ts';
import { predictRoutes } from '../../src/predictions/routes.ts';
import { call } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

let sluice: Sluice;

beforeAll(async () => {
  sluice = await startSluice({
    keys: [
      { key: 'ada', tenant: 'lab', user: 'ada' },
      { key: 'bob', tenant: 'lab', user: 'bob' },
      { key: 'eve', tenant: 'other', user: 'eve' },
    ],
  });
});

afterAll(() => sluice[Symbol.asyncDispose]());

type Body = Record<string, unknown>;

const chat = (text: string, echo?: Body): Body => ({
  model: 'echo',
  messages: [{ role: 'user', content: text }],
  ...(echo && { sluice_echo: echo }),
});

const as = (user: string) => sluice.clientFor(user);

const submit = async (body: Body, headers: Record<string, string> = {}, user = 'ada') => {
  const reply = await call(as(user), 'POST', '/v1/jobs', body, headers);
  return { ...reply, job: reply.body as unknown as Job };
};

const get = async (id: string, user = 'ada') => (await call(as(user), 'GET', `/v1/jobs/${id}`)).body as unknown as Job;

/** The reply of `/result`, once the job has ended. */
const resultOf = (id: string, user = 'ada') => call(as(user), 'GET', `/v1/jobs/${id}/result?wait=20`);

/** Waits until it has ended, whatever it ended as. */
const ended = async (id: string): Promise<Job> => {
  await resultOf(id);
  return get(id);
};

/** Waits until a worker runs it: its row says so. */
const running = async (id: string): Promise<void> => {
  for (;;) {
    const { status } = await get(id);
    if (status === 'running') return;
    if (status !== 'queued') throw new Error(`${id} is ${status}`);
  }
};

describe('submitting', () => {
  test('202 with the job and its place; then the answer as the endpoint would give it', async () => {
    const { status, headers, job } = await submit(chat('hello'));
    expect(status).toBe(202);
    expect(headers.get('location')).toBe(`/v1/jobs/${job.id}`);
    expect(job).toMatchObject({ object: 'job', status: 'queued', model: 'echo@1.0.0', endpoint: '/v1/chat/completions', user: 'ada' });
    expect(job.id).toMatch(/^job_[0-9a-f]{24}$/);
    const result = await resultOf(job.id);
    expect(result.status).toBe(200);
    expect(result.body).toMatchObject({ object: 'chat.completion', choices: [{ message: { content: 'hello' } }] });
    const done = await get(job.id);
    expect(done).toMatchObject({ status: 'completed', attempts: 1, status_code: 200, error: null, history: [], slow: false });
    expect(done.queue_time_ms).toBeGreaterThanOrEqual(0);
    expect(done.inference_time_ms).toBeGreaterThanOrEqual(0);
    expect(done.worker).toBe(sluice.workers[0]!.id);
    expect(done.usage?.total_tokens).toBeGreaterThan(0);
    expect(done.request_id).toMatch(/^req_/);
  });

  test('Prefer: wait holds the call: 200 with the result, or 202 when the time is over', async () => {
    const quick = await submit(chat('hello'), { prefer: 'wait=10' });
    expect(quick.status).toBe(200);
    expect(quick.headers.get('preference-applied')).toBe('wait=10');
    expect(quick.job).toMatchObject({ status: 'completed', result: { object: 'chat.completion' } });
    const slow = await submit(chat('later', { delay_ms: 60_000 }), { prefer: 'respond-async, wait=3' });
    expect(slow.status).toBe(202);
    // Looked at by itself meanwhile, and not taken for an end.
    expect(slow.job.status).toBe('running');
    const still = await call(as('ada'), 'GET', `/v1/jobs/${slow.job.id}/result`);
    expect([still.status, still.body['status'], still.headers.get('retry-after')]).toEqual([202, 'running', '1']);
    await call(as('ada'), 'POST', `/v1/jobs/${slow.job.id}/cancel`);
  });

  test('the body may stand by itself; numbers go on as they were written', async () => {
    const text = '{"model":"echo","body":{"inputs":{"id":9007199254740993}},"endpoint":"/v1/predict"}';
    const reply = await fetch(`${sluice.url}/v1/jobs`, {
      method: 'POST',
      headers: { authorization: 'Bearer ada', 'content-type': 'application/json', prefer: 'wait=10' },
      body: text,
    });
    expect(reply.status).toBe(200);
    expect(await reply.text()).toContain('9007199254740993');
  });

  test('bodies and answers of any size', async () => {
    const { job } = await submit(chat('x'.repeat(200_000), { bytes: 300_000 }), { prefer: 'wait=20' });
    expect(JSON.stringify(job.result).length).toBeGreaterThan(200_000);
    const row = await sluice.db.one<{ body_key: string; result_key: string }>(
      sql`select body_key, result_key from jobs where id = ${job.id}`,
    );
    expect(await sluice.storage.size(row.body_key)).toBeGreaterThan(200_000);
    await call(as('ada'), 'DELETE', `/v1/jobs/${job.id}`);
    expect(await sluice.storage.size(row.body_key)).toBeNull();
    expect(await sluice.storage.size(row.result_key)).toBeNull();
    expect((await call(as('ada'), 'GET', `/v1/jobs/${job.id}`)).status).toBe(404);
  });

  test('the same Idempotency-Key gives the same job; with another body it is a mistake', async () => {
    const key = { 'idempotency-key': 'once' };
    const all = await Promise.all(Array.from({ length: 8 }, () => submit(chat('once'), key)));
    expect(new Set(all.map(({ job }) => job.id)).size).toBe(1);
    expect(all.filter(({ headers }) => headers.get('idempotent-replayed') === null)).toHaveLength(1);
    const again = await submit(chat('once'), { ...key, prefer: 'wait=10' });
    expect(again.job).toMatchObject({ id: all[0]!.job.id, status: 'completed', result: {} });
    const other = await submit(chat('twice'), key);
    expect([other.status, (other.body['error'] as Body)['code']]).toEqual([409, 'idempotency_mismatch']);
    expect((await submit(chat('twice'), key, 'eve')).status, 'keys are of a tenant').toBe(202);
  });

  test.each([
    [{ model: 'nobody', messages: [] }, 404, 'model_not_found'],
    [{ model: 'echo' }, 400, 'missing_required_parameter'],
    [{ model: 'echo', body: { messages: [] }, inputs: 1 }, 400, 'unknown_parameter'],
    [{ model: 'echo', messages: [], timeout_ms: 0 }, 400, 'invalid_value'],
    [{ model: 'echo', messages: [], stream: true }, 400, 'invalid_value'],
    [{ messages: [] }, 400, 'missing_required_parameter'],
  ])('%j is refused', async (body, status, code) => {
    const reply = await submit(body);
    expect([reply.status, (reply.body['error'] as Body)['code']]).toEqual([status, code]);
  });
});

describe('ends', () => {
  test('retries wait and are counted; the last failure is a dead letter with the upstream’s own reply', async () => {
    const mended = await submit(chat('mended', { fail_times: 2 }), { prefer: 'wait=20' });
    expect(mended.job).toMatchObject({ status: 'completed', attempts: 3, history: [{ number: 1, kind: 'retryable' }, { number: 2 }] });
    const { job } = await submit({ ...chat('dead', { status: 503 }), max_attempts: 2 });
    const result = await resultOf(job.id);
    expect(result.status).toBe(503);
    expect(await get(job.id)).toMatchObject({ status: 'dead_lettered', attempts: 2, status_code: 503, history: [{}, {}] });
  });

  test('a failure that no attempt would mend', async () => {
    const { job } = await submit(chat('bad', { status: 422 }));
    expect((await resultOf(job.id)).status).toBe(422);
    expect(await get(job.id)).toMatchObject({ status: 'failed', attempts: 1, error: { code: expect.any(String), traceback: null } });
  });

  test('a job that waits is cancelled at once, one that runs by its worker; again changes nothing', async () => {
    const { job } = await submit(chat('long', { delay_ms: 60_000 }));
    await running(job.id);
    const cancel = await call(as('ada'), 'POST', `/v1/jobs/${job.id}/cancel`);
    expect(cancel.body).toMatchObject({ status: 'running', cancel_requested: true });
    const result = await resultOf(job.id);
    expect([result.status, (result.body['error'] as Body)['code']]).toEqual([409, 'job_cancelled']);
    expect((await call(as('ada'), 'POST', `/v1/jobs/${job.id}/cancel`)).body['status']).toBe('cancelled');
    const done = await submit(chat('done'), { prefer: 'wait=10' });
    expect((await call(as('ada'), 'POST', `/v1/jobs/${done.job.id}/cancel`)).status).toBe(409);
  });

  test('hard and soft limits, and the deadline', async () => {
    const hard = await submit({ ...chat('hard', { delay_ms: 60_000 }), timeout_ms: 50 }, { prefer: 'wait=10' });
    expect(hard.job).toMatchObject({ status: 'failed', error: { code: 'timeout' } });
    expect((await resultOf(hard.job.id)).status).toBe(504);
    const soft = await submit({ ...chat('soft', { delay_ms: 400 }), soft_timeout_ms: 20 }, { prefer: 'wait=10' });
    expect(soft.job).toMatchObject({ status: 'completed', slow: true });
    const soon = Math.floor(Date.now() / 1000) + 1;
    const late = await submit({ ...chat('late', { delay_ms: 60_000 }), deadline: soon }, { prefer: 'wait=10' });
    expect(late.job).toMatchObject({ status: 'expired', error: { code: 'job_expired' } });
    const past = await submit({ ...chat('past'), deadline: soon - 100 }, { prefer: 'wait=10' });
    expect(past.job).toMatchObject({ status: 'expired', attempts: 0, started_at: null });
  });

  test('a prediction may be answered later', async () => {
    const { db, storage, models } = sluice;
    await using listener = new Listener(db.url, ['jobEnds']);
    await listener.start();
    await using jobs = new JobDesk({ db, storage, models, listener });
    const app = await buildServer({
      keys: [{ key: 'ada', tenant: 'lab', user: 'ada' }],
      log: silent,
      checkReplies: true,
      routes: (routes) =>
        predictRoutes(routes, { predictor: new Predictor({ models, log: silent, scratch: tmpdir() }), later: answerLater(jobs) }),
    });
    const reply = await app.inject({
      method: 'POST',
      url: '/v1/models/echo/predict',
      headers: { authorization: 'Bearer ada', prefer: 'respond-async' },
      payload: { inputs: { smiles: 'CCO' } },
    });
    await app.close();
    expect([reply.statusCode, reply.headers['preference-applied']]).toEqual([202, 'respond-async']);
    const result = await resultOf(reply.json<Job>().id);
    expect(result.body).toMatchObject({ object: 'prediction', outputs: { smiles: 'CCO' } });
  });

  test('one that has ended can be run again, as another job', async () => {
    const first = await submit(chat('first', { status: 422 }), { prefer: 'wait=10' });
    const again = await call(as('ada'), 'POST', `/v1/jobs/${first.job.id}/retry`);
    expect(again.status).toBe(202);
    expect(again.body).toMatchObject({ retry_of: first.job.id });
    expect(await ended(again.body['id'] as string)).toMatchObject({ status: 'failed' });
  });
});

describe('reading', () => {
  test('tenants see their own only', async () => {
    const { job } = await submit(chat('mine'), { prefer: 'wait=10' });
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/result'],
      ['GET', '/result?wait=1'],
      ['POST', '/cancel'],
      ['POST', '/retry'],
      ['DELETE', ''],
    ] as const)
      expect((await call(as('eve'), method, `/v1/jobs/${job.id}${path}`)).status, `${method} ${path}`).toBe(404);
    expect((await get(job.id, 'bob')).id).toBe(job.id);
    const listed = (await call(as('eve'), 'GET', '/v1/jobs?limit=100')).body['data'] as Job[];
    expect(listed.every(({ user }) => user === 'eve')).toBe(true);
  });

  test('lists are filtered, and read page after page', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push((await submit(chat(`listed ${i}`), { prefer: 'wait=10' }, 'bob')).job.id);
    const page = async (query: string) => (await call(as('ada'), 'GET', `/v1/jobs?${query}`)).body as { data: Job[]; has_more: boolean };
    const first = await page('user=bob&limit=3&status=completed,failed&model=echo');
    expect(first.data.map(({ id }) => id)).toEqual(ids.toReversed().slice(0, 3));
    expect(first.has_more).toBe(true);
    const rest = await page(`user=bob&limit=3&after=${first.data.at(-1)!.id}`);
    expect(rest.data.map(({ id }) => id)).toEqual(ids.toReversed().slice(3));
    expect((await page('user=bob&status=cancelled')).data).toEqual([]);
    expect((await call(as('ada'), 'GET', '/v1/jobs?status=done')).status).toBe(400);
  });
});
