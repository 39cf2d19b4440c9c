import type { Job } from '@sluice/contract';
import type { Failure, Outcome, Usage } from '../executors/executor.ts';
import { backoff } from '../lib/backoff.ts';
import type { JobLease } from '../jobs/claim.ts';
import { cancelled, type JobEnd } from '../jobs/settle.ts';
import type { Retry } from './gathering.ts';

/** Why a run was ended before it was done. */
export type Ending = 'cancelled' | 'timeout' | 'deadline' | 'given back' | 'lost';

/** Milliseconds after which a job is offered again that its executor did not start: it leaves its upstream alone just now. */
const againMs = 1_000;

/** What a run of a job came to, as it is written down. The answer's text is put where it belongs by the caller. */
export const endOf = (
  lease: JobLease,
  workerId: string,
  outcome: Outcome | null,
  ending: Ending | null,
  retry: Retry,
): JobEnd & { answer: string | null } => {
  const attempts = lease.attempts + 1;
  const base = {
    id: lease.id,
    token: lease.token,
    attempts,
    delayMs: 0,
    statusCode: null,
    result: null,
    resultKey: null,
    error: null,
    failure: null,
    inferenceMs: outcome?.ms ?? null,
    usage: null,
    answer: null,
    ...(outcome?.artifacts && { artifacts: outcome.artifacts }),
  };
  if (outcome?.ok)
    return {
      ...base,
      state: 'completed',
      statusCode: outcome.status,
      answer: outcome.body,
      usage: outcome.usage ? usageOf(outcome.usage) : null,
    };
  const failed = (code: string, message: string): Failure => ({
    line: 1,
    startedAt: outcome?.startedAt ?? Date.now(),
    ms: outcome?.ms ?? 0,
    ok: false,
    kind: 'permanent',
    code,
    message,
  });
  if (ending === 'cancelled') return { ...base, state: 'cancelled', attempts: lease.attempts, error: cancelled };
  if (ending === 'deadline') {
    const failure = failed('job_expired', 'The job had not ended at its deadline.');
    return { ...base, state: 'expired', error: errorOf(failure), failure: attemptOf(failure, attempts, workerId) };
  }
  if (ending === 'timeout') {
    const failure = failed('timeout', `The job ran for longer than its hard limit of ${lease.timeout_ms} ms.`);
    return { ...base, state: 'failed', statusCode: 504, error: errorOf(failure), failure: attemptOf(failure, attempts, workerId) };
  }
  // Nothing was done for it, and nothing is charged.
  if (outcome === null || outcome.kind === 'cancelled')
    return { ...base, state: 'queued', attempts: lease.attempts, delayMs: ending === null ? againMs : 0, inferenceMs: null };

  const failure = attemptOf(outcome, attempts, workerId);
  const { maxAttempts, baseMs, capMs, budget } = retry;
  if (outcome.kind === 'retryable' && attempts < (lease.max_attempts ?? maxAttempts)) {
    const { retryAfterMs } = outcome;
    const delayMs = backoff(attempts, { base: baseMs, cap: capMs, ...(retryAfterMs !== undefined && { retryAfterMs }) });
    return { ...base, state: 'waiting', delayMs: Math.max(delayMs, budget?.retry() ?? 0), failure };
  }
  return {
    ...base,
    state: outcome.kind === 'retryable' ? 'dead_lettered' : 'failed',
    statusCode: outcome.status ?? null,
    answer: outcome.status === undefined ? null : (outcome.body ?? null),
    error: errorOf(outcome),
    failure,
  };
};

/** As jsonb takes it: it holds no NUL and no half of a surrogate pair. */
const clip = (text: string, most = 1_000): string =>
  (text.length > most ? `${text.slice(0, most)}…` : text).replaceAll('\0', '').toWellFormed();

const errorOf = ({ code, message, traceback }: Failure): JobEnd['error'] => ({
  code,
  message: clip(message),
  traceback: traceback === undefined ? null : clip(traceback, 8_000),
});

const attemptOf = ({ kind, code, message, status, startedAt, ms }: Failure, number: number, worker: string): Job['history'][number] => ({
  number,
  kind,
  code,
  message: clip(message),
  status_code: status ?? null,
  worker,
  started_at: startedAt / 1_000,
  duration_ms: Math.round(ms),
});

const usageOf = (usage: Usage): NonNullable<Job['usage']> => ({
  input_tokens: usage.input_tokens,
  input_tokens_details: { cached_tokens: usage.cached_tokens },
  output_tokens: usage.output_tokens,
  output_tokens_details: { reasoning_tokens: usage.reasoning_tokens },
  total_tokens: usage.input_tokens + usage.output_tokens,
});
