import type { JobStatus } from '@sluice/contract';

/**
 * A job: one request, answered in the background.
 *
 * Promise: once its submission is answered it is durable, and it gets exactly one result. It runs at least once: what a
 * worker did whose lease was lost is done again, and the late write is refused by its token. Jobs do not pass through
 * chunks and turns: claims, settles and submissions are gathered into one statement each, and bulk work, which is
 * claimed by another loop, never stands before them.
 *
 * On a crash of a worker its jobs go back to the queue when their leases end; a job that three workers died of is a
 * dead letter. A crash of the API loses no job whose submission was answered; who waited asks again by id.
 */

/**
 * The moves a job may make; everything else is refused by the guard in the statement that would make it.
 * `docs/states.md` is drawn from this table.
 */
export const jobMoves: readonly { from: JobStatus; to: JobStatus; when: string }[] = [
  { from: 'queued', to: 'running', when: 'a worker claims it' },
  { from: 'running', to: 'queued', when: 'the worker gives it back, or is lost' },
  { from: 'running', to: 'waiting', when: 'an attempt failed, and another may go better' },
  { from: 'waiting', to: 'running', when: 'the wait is over and a worker claims it' },
  { from: 'running', to: 'completed', when: 'it succeeded' },
  { from: 'running', to: 'failed', when: 'it failed in a way that no attempt would mend, or ran into its hard limit' },
  { from: 'running', to: 'dead_lettered', when: 'its last attempt failed, or three workers died of it' },
  { from: 'queued', to: 'cancelled', when: 'cancelled by its owner' },
  { from: 'waiting', to: 'cancelled', when: 'cancelled by its owner' },
  { from: 'running', to: 'cancelled', when: 'cancelled by its owner, and its worker ended it' },
  { from: 'queued', to: 'expired', when: 'its deadline passed' },
  { from: 'waiting', to: 'expired', when: 'its deadline passed' },
  { from: 'running', to: 'expired', when: 'its deadline passed, and its worker ended it' },
];

export const jobEnded = (state: JobStatus): boolean => !jobMoves.some((move) => move.from === state);

/** Seconds of waiting that a point of priority is worth. */
export const prioritySeconds = 10;

/** Of so many losses a job dies; before the last of them it is run without other suspects beside it. */
export const jobLosses = 3;
