import { isUnreachable, type Db } from '../db/db.ts';
import type { Outcome } from '../executors/executor.ts';
import type { Announcer } from '../jobs/announce.ts';
import { keep, resultKey } from '../jobs/bodies.ts';
import type { JobLease } from '../jobs/claim.ts';
import { settleJobs, type JobEnd } from '../jobs/settle.ts';
import { jobEnded } from '../jobs/state.ts';
import { backoff } from '../lib/backoff.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { StorageFull, type Storage } from '../storage/storage.ts';
import type { SettledPart } from './settler.ts';

export interface JobSettlerDeps {
  db: Db;
  storage: Storage;
  log: Logger;
  announcer: Announcer;
  /** False once leases may have run out: what could not be written is done again by whoever leases it next. */
  mayClaim: () => boolean;
}

/** A job that is off the worker's hands, whether its end was written or refused. */
export interface SettledJob {
  token: number;
  /** What it came to, for the metrics; null where the lease was lost. */
  part: SettledPart | null;
  /** Milliseconds until it is tried again; null: it is not. */
  againMs: number | null;
}

interface Pending {
  lease: JobLease;
  end: JobEnd;
  outcome: Outcome | null;
}

const most = 500;
/** Tries at what fails for other reasons than a database or a disk that is away. */
const maxTries = 4;

/** Writes down the ends of jobs: those that come while a statement is under way go with the next. */
export class JobSettler {
  readonly #deps: JobSettlerDeps;
  readonly #onSettled: (settled: readonly SettledJob[]) => void;
  readonly #pending: Pending[] = [];
  #writing: Promise<void> | null = null;

  constructor(deps: JobSettlerDeps, onSettled: (settled: readonly SettledJob[]) => void) {
    this.#deps = deps;
    this.#onSettled = onSettled;
  }

  /** Takes an end in; a large answer is put into storage first, beside the others. */
  add(lease: JobLease, { answer, ...end }: JobEnd & { answer: string | null }, outcome: Outcome | null): void {
    if (answer === null) return this.#push({ lease, end, outcome });
    const { storage } = this.#deps;
    const key = resultKey(lease.tenant_id, lease.id, lease.token);
    this.#again(async () => keep(storage, key, answer)).then(
      ({ text, key: stored }) => this.#push({ lease, end: { ...end, result: text, resultKey: stored }, outcome }),
      (error: unknown) => this.#push({ lease, end: unkept(end, error), outcome }),
    );
  }

  /** Resolves when nothing is left to write. */
  async idle(): Promise<void> {
    await this.#writing;
  }

  #push(pending: Pending): void {
    this.#pending.push(pending);
    this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    // What ends in this turn of the event loop goes together.
    await new Promise(setImmediate);
    while (this.#pending.length > 0) await this.#settle(this.#pending.splice(0, most)).catch((error: unknown) => this.#log(error));
    // In the same breath: what is pushed after this begins anew.
    this.#writing = null;
  }

  #log(error: unknown): void {
    this.#deps.log.error({ reason: messageOf(error) }, 'ends of jobs were lost; others will run them again');
  }

  async #settle(group: readonly Pending[]): Promise<void> {
    const { db, announcer, log } = this.#deps;
    let written: Awaited<ReturnType<typeof settleJobs>> = [];
    try {
      written = await this.#again(() =>
        settleJobs(
          db,
          group.map(({ end }) => end),
        ),
      );
    } catch (error) {
      if (!isUnreachable(error)) {
        // One that the database refuses must not take the others with it.
        if (group.length > 1) {
          for (const one of group) await this.#settle([one]);
          return;
        }
        const { lease, end } = group[0]!;
        log.error({ job: lease.id, reason: messageOf(error) }, 'the end of a job could not be written');
        written = await settleJobs(db, [unkept(end, error)]).catch(() => []);
      }
    }
    const states = new Map(written.map(({ id, state }) => [id, state]));
    announcer.ended(written.filter(({ state }) => jobEnded(state)).map(({ id }) => id));
    if (written.some(({ state }) => state === 'queued')) announcer.queued();
    this.#onSettled(
      group.map(({ lease, end, outcome }) => {
        const state = states.get(lease.id);
        return {
          token: lease.token,
          part: state === undefined ? null : partOf(lease, state, outcome),
          againMs: state === 'waiting' || state === 'queued' ? end.delayMs : null,
        };
      }),
    );
  }

  async #again<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        const passes = error instanceof StorageFull || isUnreachable(error);
        if (!passes || (!this.#deps.mayClaim() && attempt >= maxTries)) throw error;
        await new Promise((resolve) => setTimeout(resolve, backoff(attempt, { base: 100, cap: 2_000 })));
      }
    }
  }
}

/** An answer that cannot be kept is no answer. */
const unkept = (end: JobEnd, error: unknown): JobEnd => ({
  ...end,
  state: 'failed',
  statusCode: 500,
  result: null,
  resultKey: null,
  usage: null,
  failure: null,
  error: {
    code: 'executor_error',
    message: `The answer could not be kept: ${messageOf(error).slice(0, 500).replaceAll('\0', '')}`,
    traceback: null,
  },
});

const partOf = ({ tenant_id: tenant, model }: JobLease, state: JobEnd['state'], outcome: Outcome | null): SettledPart => {
  const used = outcome?.ok ? outcome.usage : undefined;
  return {
    tenant,
    model,
    completed: state === 'completed' ? 1 : 0,
    failed: state === 'failed' || state === 'dead_lettered' ? 1 : 0,
    retried: state === 'waiting' ? 1 : 0,
    usage: {
      input: used?.input_tokens ?? 0,
      cached: used?.cached_tokens ?? 0,
      output: used?.output_tokens ?? 0,
      reasoning: used?.reasoning_tokens ?? 0,
    },
    copied: { batch: 0, cache: 0, semantic: 0 },
    ms: outcome === null ? [] : [outcome.ms],
  };
};
