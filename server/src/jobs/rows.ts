import type { Job, JobStatus } from '@sluice/contract';
import { sql } from '../db/sql.ts';
import { shownKey } from '../models/keys.ts';

export interface JobError {
  code: string;
  message: string;
  traceback: string | null;
}

/** A job without its bodies, as the API reads it. Times in seconds since the epoch. */
export interface JobRow {
  id: string;
  model: string;
  endpoint: string;
  created_by: string;
  state: JobStatus;
  priority: number;
  turn_at: number;
  deadline: number | null;
  timeout_ms: number | null;
  soft_timeout_ms: number | null;
  slow: boolean;
  cancel_requested: boolean;
  attempts: number;
  max_attempts: number | null;
  worker_id: string | null;
  request_id: string | null;
  status_code: number | null;
  error: JobError | null;
  usage: Job['usage'];
  history: Job['history'];
  metadata: Record<string, string> | null;
  retry_of: string | null;
  inference_ms: number | null;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
}

/** The columns of a `JobRow`, of `jobs j`. */
export const jobColumns = sql`
  j.id, j.model, j.endpoint, j.created_by, j.state, j.priority, extract(epoch from j.turn_at)::float8 as turn_at,
  floor(extract(epoch from j.deadline))::bigint as deadline, j.timeout_ms, j.soft_timeout_ms, j.slow,
  j.cancel_requested_at is not null as cancel_requested, j.attempts, j.max_attempts, j.worker_id, j.request_id, j.status_code, j.error,
  j.usage, j.history, j.metadata, j.retry_of, j.inference_ms, extract(epoch from j.created_at)::float8 as created_at,
  extract(epoch from j.started_at)::float8 as started_at, extract(epoch from j.ended_at)::float8 as ended_at`;

export const toJob = (row: JobRow): Job => ({
  id: row.id,
  object: 'job',
  status: row.state,
  model: shownKey(row.model),
  endpoint: row.endpoint,
  user: row.created_by,
  priority: row.priority,
  created_at: row.created_at,
  started_at: row.started_at,
  ended_at: row.ended_at,
  next_attempt_at: row.state === 'waiting' ? row.turn_at : null,
  deadline: row.deadline,
  timeout_ms: row.timeout_ms,
  soft_timeout_ms: row.soft_timeout_ms,
  slow: row.slow,
  cancel_requested: row.cancel_requested,
  attempts: row.attempts,
  max_attempts: row.max_attempts,
  worker: row.worker_id,
  request_id: row.request_id,
  queue_time_ms: row.started_at === null ? null : Math.max(0, Math.round((row.started_at - row.created_at) * 1e6) / 1e3),
  inference_time_ms: row.inference_ms,
  status_code: row.status_code,
  error: row.error,
  usage: row.usage,
  history: row.history,
  metadata: row.metadata,
  retry_of: row.retry_of,
});
