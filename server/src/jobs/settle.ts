import type { Job } from '@sluice/contract';
import { insertOfJobs, type Kept } from '../artifacts/artifacts.ts';
import type { Db } from '../db/db.ts';
import { sql, type Statement } from '../db/sql.ts';
import type { JobError } from './rows.ts';

/** What came of one run of a job. */
export interface JobEnd {
  id: string;
  token: number;
  /** `queued`: given back, uncharged. `waiting`: to be tried again. The others are ends. */
  state: 'queued' | 'waiting' | 'completed' | 'failed' | 'dead_lettered' | 'cancelled' | 'expired';
  /** Attempts that are behind it now. */
  attempts: number;
  /** Milliseconds until it may be claimed again, where it may. */
  delayMs: number;
  statusCode: number | null;
  result: string | null;
  resultKey: string | null;
  error: JobError | null;
  /** The attempt, where it failed, as `history` shows it. */
  failure: Job['history'][number] | null;
  inferenceMs: number | null;
  usage: Job['usage'];
  /** Files that the attempt left; absent: none. */
  artifacts?: readonly Kept[];
}

const column = <K extends keyof JobEnd>(rows: readonly JobEnd[], key: K): JobEnd[K][] => rows.map((row) => row[key]);
const json = (values: readonly unknown[]): (string | null)[] => values.map((value) => (value === null ? null : JSON.stringify(value)));

/** Whether somebody wants it no more: then what would be tried again is cancelled instead. */
const unwanted = sql`(r.state in ('queued', 'waiting') and j.cancel_requested_at is not null)`;

export const cancelled: JobError = { code: 'job_cancelled', message: 'The job was cancelled before it was done.', traceback: null };

/**
 * Writes down what came of any number of jobs in one statement, each fenced by its token. Jobs that are not among the
 * answers were lost: nothing of them was written. Repeated after an unknown outcome it does nothing twice: who has
 * settled holds no token any more.
 */
export const settleJobs = (db: Db, ends: readonly JobEnd[]): Promise<{ id: string; state: JobEnd['state'] }[]> => {
  const files = ends.flatMap(({ id, attempts, artifacts = [] }) => artifacts.map((kept) => ({ ...kept, job: id, attempt: attempts })));
  const settled = settledBy(ends);
  // Most jobs leave none.
  if (files.length === 0) return db.many(settled);
  return db.many(sql`with moved as (${settled}), files as (${insertOfJobs(sql`moved`, files)}) select id, state from moved`);
};

const settledBy = (ends: readonly JobEnd[]): Statement => sql`
    update jobs j
    set state = case when ${unwanted} then 'cancelled' else r.state end,
        token = null, leased_until = null, attempts = r.attempts,
        turn_at = case when r.state in ('queued', 'waiting') then now() + make_interval(secs => r.delay_ms / 1000) else j.turn_at end,
        status_code = r.status_code, result = r.result, result_key = r.result_key,
        error = case when ${unwanted} then ${JSON.stringify(cancelled)}::jsonb when r.state in ('queued', 'waiting') then null else r.error end,
        history = case when r.failure is null then j.history else j.history || r.failure end,
        inference_ms = coalesce(r.inference_ms, j.inference_ms), usage = r.usage,
        ended_at = case when r.state in ('queued', 'waiting') and not ${unwanted} then null else now() end
    from unnest(${column(ends, 'id')}::text[], ${column(ends, 'token')}::bigint[], ${column(ends, 'state')}::text[],
      ${column(ends, 'attempts')}::smallint[], ${column(ends, 'delayMs')}::float8[], ${column(ends, 'statusCode')}::smallint[],
      ${column(ends, 'result')}::text[], ${column(ends, 'resultKey')}::text[], ${json(column(ends, 'error'))}::jsonb[],
      ${json(column(ends, 'failure'))}::jsonb[], ${column(ends, 'inferenceMs')}::float8[], ${json(column(ends, 'usage'))}::jsonb[])
      r (id, token, state, attempts, delay_ms, status_code, result, result_key, error, failure, inference_ms, usage)
    where j.id = any(${column(ends, 'id')}::text[]) and j.id = r.id and j.token = r.token and j.token is not null
    returning j.id, j.state`;
