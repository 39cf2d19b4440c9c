import type { Db } from '../db/db.ts';
import { isUnreachable } from '../db/db.ts';
import type { Outcome, Success, Task } from '../executors/executor.ts';
import { countLines } from '../formats/lines.ts';
import type { Copied } from '../formats/manifest.ts';
import { backoff } from '../lib/backoff.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { Lease } from '../requests/claim.ts';
import { settle, wasSettled, type Part } from '../requests/settle.ts';
import { StorageFull, type Storage } from '../storage/storage.ts';
import { Gathering, type Kept, type KeepScope, type Retry } from './gathering.ts';
import { Buffers } from './result-lines.ts';

export interface SettlerDeps {
  log?: Logger;
  db: Db;
  storage: Storage;
  workerId: string;
  leaseSeconds: number;
  retry: Retry;
  /** Shared by all settlers of a worker. */
  buffers?: Buffers;
  /** Milliseconds after which what has come in is settled. */
  settleMs: number;
  /** Where answers are kept for others; absent: nowhere. */
  keep?: KeepScope | null;
}

/** What one part came to, for metrics and rates. */
export interface SettledPart {
  tenant: string;
  model: string;
  completed: number;
  failed: number;
  retried: number;
  usage: Part['usage'];
  /** Of the completed ones, those that were not run; absent: none. */
  copied?: Part['copied'];
  /** Milliseconds each settled request took that was run. */
  ms: number[];
}

/** What is known of requests beside their outcome. */
export interface Notes<T extends Task> {
  /** Those who get their answer too, by line. */
  followers?: ReadonlyMap<number, readonly T[]>;
  /** What their answer is kept under, by line. */
  kept?: ReadonlyMap<number, Kept>;
}

/** A request that need not be run, and the answer it gets. */
export interface Hit<T extends Task> {
  task: T;
  outcome: Success;
  copied: Copied;
}

const maxBytes = 4 << 20;
const maxOutcomes = 4_000;
/** What room is made for, a line, before any has come. Pages that stay empty cost nothing. */
const usualBytes = 1_000;
/** Tries at writing a segment or a part before the work is given back; troubles that pass are not counted. */
const maxTries = 8;

/**
 * Turns the outcomes of one lease into settled parts: a segment in storage, then one fenced statement. A part is due
 * after `settleMs`, 4 MB or 4,000 outcomes. Parts of a lease follow one another; while one is being written, the next
 * gathers. After `lost` nothing more is written.
 */
export class Settler {
  readonly #deps: SettlerDeps;
  readonly #buffers: Buffers;
  readonly #lease: Lease;
  readonly #onPart: (part: SettledPart) => void;
  readonly #signal: AbortSignal;
  #gathering: Gathering;
  #parts: number;
  #writing: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #failed: { error: unknown } | null = null;
  /** `done`: no line is left and the lease has ended. `lost`: another worker has the chunk. */
  state: 'open' | 'done' | 'lost' = 'open';

  constructor(deps: SettlerDeps, lease: Lease, signal: AbortSignal, onPart: (part: SettledPart) => void) {
    this.#deps = deps;
    this.#buffers = deps.buffers ?? new Buffers();
    this.#lease = lease;
    this.#parts = lease.parts;
    this.#signal = signal;
    this.#onPart = onPart;
    this.#gathering = this.#nextGathering();
  }

  /**
   * Takes outcomes in; waits only while more than two parts' worth is in hand. Those who follow a request that succeeded
   * get its answer with it.
   *
   * @returns followers of what has failed for good: they are to be run themselves
   */
  async add<T extends Task>(
    tasks: ReadonlyMap<number, Task>,
    outcomes: readonly Outcome[],
    { followers, kept }: Notes<T> = {},
  ): Promise<T[]> {
    const left: T[] = [];
    for (const outcome of outcomes) {
      const task = tasks.get(outcome.line);
      if (task === undefined) continue;
      const own = followers?.get(outcome.line);
      // An aborted request costs nothing: its line stays in the chunk, and so do those of its followers.
      const taken = this.#gathering.take(task, outcome, own, kept?.get(outcome.line));
      if (own === undefined) continue;
      if (taken === 'failed') left.push(...own);
      else if (outcome.ok) {
        for (const follower of own) {
          this.#gathering.copy(follower, outcome, { kind: 'batch', line: task.line });
          // A part's worth of them may come of one answer.
          if (this.#due()) await this.#settled();
          if (this.state !== 'open' || this.#failed) return left;
        }
      }
    }
    await this.#settled();
    return left;
  }

  /** Takes answers that were given to other requests. */
  async copy<T extends Task>(hits: Iterable<Hit<T>> | AsyncIterable<Hit<T>>): Promise<void> {
    for await (const { task, outcome, copied } of hits) {
      this.#gathering.copy(task, outcome, copied);
      if (this.#due()) await this.#settled();
      if (this.state !== 'open' || this.#failed) return;
    }
    await this.#settled();
  }

  #due(): boolean {
    return this.#gathering.bytes >= maxBytes || this.#gathering.count >= maxOutcomes;
  }

  /** Begins a part where one is due, and sees to it that the rest becomes one soon. */
  async #settled(): Promise<void> {
    if (this.#gathering.count === 0) return;
    if (this.#due()) {
      await this.#written();
      if (this.#due()) this.#begin();
    } else this.#timer ??= setTimeout(() => this.#begin(), this.#deps.settleMs);
  }

  /** Settles all that has come in. Throws where it could not be written; the lines are then still in the chunk. */
  async flush(): Promise<void> {
    await this.#written();
    this.#begin();
    await this.#written();
    if (this.#failed) throw this.#failed.error;
  }

  /** Waits for the part being written, if there is one. */
  async #written(): Promise<void> {
    await this.#writing;
  }

  #begin(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#writing !== null || this.#gathering.count === 0 || this.state !== 'open' || this.#failed) return;
    const gathered = this.#gathering;
    this.#gathering = this.#nextGathering();
    this.#writing = this.#write(gathered)
      .catch((error: unknown) => void (this.#failed = { error }))
      .finally(() => {
        this.#writing = null;
        // What came in meanwhile found its timer used up.
        if (this.#gathering.count > 0) this.#timer ??= setTimeout(() => this.#begin(), this.#deps.settleMs);
      });
  }

  #nextGathering(): Gathering {
    const { batchId, lines } = this.#lease;
    return new Gathering(batchId, this.#deps.retry, this.#buffers, Math.min(maxBytes, countLines(lines) * usualBytes), this.#deps.keep);
  }

  async #write(gathered: Gathering): Promise<void> {
    const { db, storage, workerId, leaseSeconds, log } = this.#deps;
    const lease = this.#lease;
    const { part, object, retried, ms } = gathered.finish(++this.#parts);
    try {
      if (object !== null) {
        const key = `${lease.tenant}/${lease.batchId}/${lease.chunkId}.${lease.token}.${part.number}`;
        const { bytes, dataBytes } = object;
        await this.#persist(async () => void (await storage.put(key, [bytes])));
        part.segment = { key, dataBytes, manifestBytes: bytes.length - dataBytes };
      }
    } finally {
      gathered.release();
    }
    let unsure = false;
    await this.#persist(async () => {
      try {
        if (unsure && (await wasSettled(db, lease, part))) return;
        const result = await settle(db, lease, workerId, part, leaseSeconds);
        if (result !== 'open') this.state = result;
      } catch (error) {
        unsure = true;
        if (isUnreachable(error)) throw error;
        // Said at once: of a lease that is lost meanwhile nobody would hear it.
        log?.error({ batch: lease.batchId, chunk: lease.chunkId, reason: messageOf(error) }, 'a part could not be settled');
        throw new Stop(error);
      }
    });
    if (this.state === 'lost') return;
    const { completed, exceptions, usage, copied } = part;
    this.#onPart({
      tenant: lease.tenant,
      model: lease.model,
      completed,
      failed: exceptions.length,
      retried,
      usage,
      ...(copied && { copied }),
      ms,
    });
  }

  /**
   * Again while the lease may still be ours. A full disk and a database that is away are waited for, however long: the
   * work is done and perhaps paid for, and given back it would only be done again.
   */
  async #persist(work: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (error instanceof Stop) throw error.cause;
        const passes = error instanceof StorageFull || isUnreachable(error);
        if (this.#signal.aborted || (attempt >= maxTries && !passes)) throw error;
        await new Promise((resolve) => setTimeout(resolve, backoff(attempt, { base: 200, cap: 3_000 })));
      }
    }
  }
}

/** Wraps an error that another try would not mend. */
class Stop extends Error {
  constructor(cause: unknown) {
    super('stop', { cause });
  }
}
