import type { RequestState } from '@sluice/contract';

/** What a request's state means, and where it shows: the one place that says so. `docs/states.md` is drawn from it. */
export const requestMeaning: Record<RequestState, { means: string; counted: string | null; line: string | null }> = {
  queued: { means: 'stands in a chunk that no worker holds', counted: null, line: null },
  running: { means: 'stands in a chunk that a worker has leased', counted: null, line: null },
  waiting: { means: 'failed in a way that another attempt may mend, and waits for it', counted: null, line: null },
  completed: { means: 'succeeded', counted: 'completed', line: 'output file' },
  failed: { means: 'failed in a way that no attempt would mend', counted: 'failed', line: 'error file' },
  dead_lettered: { means: 'used up its attempts, or killed each worker that ran it', counted: 'failed', line: 'error file' },
  cancelled: { means: 'had not settled when its batch was cancelled', counted: 'cancelled', line: 'error file, `batch_cancelled`' },
  expired: { means: 'had not settled at the deadline', counted: 'expired', line: 'error file, `batch_expired`' },
};

/**
 * The moves a request may make. None of them is an update of a row: a request is where its line is, in a chunk, a wait,
 * a segment or an exception row, and each move takes the line out of one and into the other in one statement.
 */
export const requestMoves: readonly { from: RequestState; to: RequestState; when: string }[] = [
  { from: 'queued', to: 'running', when: 'a worker leases its chunk' },
  { from: 'running', to: 'queued', when: 'the worker gives it back unstarted, or is lost' },
  { from: 'running', to: 'waiting', when: 'an attempt failed, and another may go better' },
  { from: 'waiting', to: 'queued', when: 'the wait is over' },
  { from: 'running', to: 'completed', when: 'it succeeded' },
  { from: 'running', to: 'failed', when: 'it failed in a way that no attempt would mend' },
  { from: 'running', to: 'dead_lettered', when: 'its last attempt failed' },
  { from: 'queued', to: 'dead_lettered', when: 'its workers died each time it ran' },
  { from: 'queued', to: 'cancelled', when: 'its batch is cancelled' },
  { from: 'waiting', to: 'cancelled', when: 'its batch is cancelled' },
  { from: 'running', to: 'cancelled', when: 'its batch is cancelled and it was given back' },
  { from: 'queued', to: 'expired', when: 'the deadline passed' },
  { from: 'waiting', to: 'expired', when: 'the deadline passed' },
  { from: 'running', to: 'expired', when: 'the deadline passed and it was given back' },
];
