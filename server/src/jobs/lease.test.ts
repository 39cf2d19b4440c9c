import { expect } from 'vitest';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { newJobId } from '../lib/ids.ts';
import { noQuotas } from '../policy/quotas.ts';
import { waitingRequests } from '../telemetry/observe.ts';
import { test } from '../../test/support/database.ts';
import { Announcer } from './announce.ts';
import { claimJobs, renewJobs, type JobLease } from './claim.ts';
import { settleJobs, type JobEnd } from './settle.ts';
import { jobLosses } from './state.ts';
import { Submissions } from './submit.ts';
import { expireJobs, rescueJobs } from './sweep.ts';

let count = 0;

/** Submits jobs of a model of their own, so that tests of one database do not meet. */
const submit = async (db: Db, n: number, { model = `m${count++}@1.0.0`, tenant = 'lab', deadline = null as number | null } = {}) => {
  const submissions = new Submissions(db, noQuotas, new Announcer(db));
  const rows = await Promise.all(
    Array.from({ length: n }, () =>
      submissions.add({
        id: newJobId(),
        identity: { tenant, user: 'ada' },
        model,
        endpoint: '/v1/predict',
        body: { text: '{}', key: null },
        priority: 1,
        deadline,
        timeoutMs: null,
        softTimeoutMs: null,
        maxAttempts: null,
        metadata: null,
        retryOf: null,
        requestId: null,
        idempotencyKey: null,
        idempotencyHash: null,
      }),
    ),
  );
  return { model, ids: rows.map((row) => row!.id) };
};

const claim = (db: Db, worker: string, model: string, room = 10, seconds = 60, suspect = true): Promise<JobLease[]> =>
  claimJobs(db, worker, [{ model, room }], seconds, { suspect });

const done = ({ id, token }: JobLease, text = '{}'): JobEnd => ({
  id,
  token,
  state: 'completed',
  attempts: 1,
  delayMs: 0,
  statusCode: 200,
  result: text,
  resultKey: null,
  error: null,
  failure: null,
  inferenceMs: 1,
  usage: null,
});

const stateOf = async (db: Db, id: string) =>
  db.one<{ state: string; losses: number; result: string | null }>(sql`select state, losses, result from jobs where id = ${id}`);

test('a worker that lost its lease settles nothing, and renews nothing', async ({ db }) => {
  const { model, ids } = await submit(db, 1);
  const [slow] = await claim(db, 'tortoise', model, 10, 0);
  expect(await rescueJobs(db, new Announcer(db))).toBe(1);
  // Nobody has it: it is told so, before the schema would have to refuse the write.
  expect(await settleJobs(db, [done(slow!, '"late"')])).toEqual([]);
  const [quick] = await claim(db, 'hare', model);
  expect(quick!.token).not.toBe(slow!.token);
  expect(await renewJobs(db, 'tortoise', [slow!.token], 60)).toEqual([]);
  expect(await settleJobs(db, [done(slow!, '"late"')])).toEqual([]);
  expect(await settleJobs(db, [done(quick!, '"first"')])).toEqual([{ id: ids[0], state: 'completed' }]);
  // Sent again, because nobody knew whether it had arrived.
  expect(await settleJobs(db, [done(quick!, '"second"')])).toEqual([]);
  expect(await stateOf(db, ids[0]!)).toMatchObject({ state: 'completed', result: '"first"', losses: 1 });
});

test('workers that claim side by side share the jobs; none goes to two', async ({ db }) => {
  const { model, ids } = await submit(db, 200);
  const claimed: string[] = [];
  await Promise.all(
    Array.from({ length: 8 }, async (_, i) => {
      for (let empty = 0; empty < 3;) {
        const leases = await claim(db, `w${i}`, model, 7);
        claimed.push(...leases.map(({ id }) => id));
        empty = leases.length === 0 ? empty + 1 : 0;
      }
    }),
  );
  expect(claimed.toSorted()).toEqual(ids.toSorted());
});

test('each tenant gets its part of a small room, whoever came first', async ({ db }) => {
  const { model } = await submit(db, 30, { tenant: 'many' });
  await submit(db, 2, { model, tenant: 'few' });
  const leases = await claim(db, 'w', model, 4);
  expect(leases.map(({ tenant_id }) => tenant_id).toSorted()).toEqual(['few', 'few', 'many', 'many']);
});

test('what two workers died of runs alone among its kind; what three died of is a dead letter', async ({ db }) => {
  const { model, ids } = await submit(db, 5);
  const announcer = new Announcer(db);
  for (let i = 1; i < jobLosses; i++) {
    expect(await claim(db, 'w', model, 10, 0)).toHaveLength(5);
    expect(await rescueJobs(db, announcer)).toBe(5);
  }
  expect(await claim(db, 'w', model, 10, 0, false)).toHaveLength(0);
  const [only, ...others] = await claim(db, 'w', model, 10, 0);
  expect(others).toEqual([]);
  await rescueJobs(db, announcer);
  expect(await stateOf(db, only!.id)).toMatchObject({ state: 'dead_lettered', losses: jobLosses });
  expect((await Promise.all(ids.map((id) => stateOf(db, id)))).filter(({ state }) => state === 'queued')).toHaveLength(4);
});

test('a job that was cancelled while it ran is cancelled where it would have been tried again', async ({ db }) => {
  const { model, ids } = await submit(db, 2);
  const leases = await claim(db, 'w', model, 10, 0);
  await db.run(sql`update jobs set cancel_requested_at = now() where id = any(${ids}::text[])`);
  expect(await renewJobs(db, 'w', [leases[0]!.token], 0)).toMatchObject([{ cancel: true }]);
  const waiting: JobEnd = { ...done(leases[0]!), state: 'waiting', result: null, statusCode: null };
  expect(await settleJobs(db, [waiting])).toEqual([{ id: leases[0]!.id, state: 'cancelled' }]);
  await rescueJobs(db, new Announcer(db));
  expect(await stateOf(db, leases[1]!.id)).toMatchObject({ state: 'cancelled' });
});

test('what is late is not claimed, and expires', async ({ db }) => {
  const { model, ids } = await submit(db, 1, { deadline: Date.now() / 1000 - 5 });
  expect(await claim(db, 'w', model)).toEqual([]);
  expect(await expireJobs(db, new Announcer(db))).toBe(1);
  expect(await stateOf(db, ids[0]!)).toMatchObject({ state: 'expired' });
});

test('jobs that wait are seen in the depth of the queue', async ({ db }) => {
  const { model, ids } = await submit(db, 3);
  expect((await waitingRequests(db)).filter((row) => row.model === model)).toMatchObject([{ pool: 'dedicated', priority: 1, requests: 3 }]);
  await db.run(sql`delete from jobs where id = any(${ids}::text[])`);
});
