import type { Db } from '../db/db.ts';
import type { Listener } from '../db/listen.ts';
import { idsOf } from './announce.ts';
import { answeredJobs, type AnsweredRow } from './read.ts';
import { jobEnded } from './state.ts';

/** How often those who are waited for are looked for without having been told of: a notification may have been lost. */
const pollMs = 2_000;
/** Jobs read in one statement. */
const most = 200;

/**
 * Waits for jobs on behalf of many: one connection listens, and those that ended in the same moment are read in one
 * statement. A job of another tenant's is read and handed over like any; the caller compares.
 */
export class Waiters implements AsyncDisposable {
  readonly #db: Db;
  readonly #listener: Listener;
  readonly #waiting = new Map<string, Set<(row: AnsweredRow | null) => void>>();
  readonly #told = new Set<string>();
  #reading: Promise<void> | null = null;
  #poll: NodeJS.Timeout | null = null;

  constructor(db: Db, listener: Listener) {
    this.#db = db;
    this.#listener = listener;
    listener.on('jobEnds', this.#onEnds);
    listener.on('ready', this.#onReady);
  }

  /**
   * The job once it has ended; null where it has not within `ms`, or `signal` aborts. Whoever calls it before the job is
   * submitted misses nothing; whoever comes later says `look`, and it is read once at the start.
   */
  wait(id: string, ms: number, signal: AbortSignal, { look }: { look: boolean }): Promise<AnsweredRow | null> {
    if (signal.aborted) return Promise.resolve(null);
    return new Promise((resolve) => {
      const done = (row: AnsweredRow | null): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', leave);
        const others = this.#waiting.get(id);
        others?.delete(done);
        if (others?.size === 0) this.#waiting.delete(id);
        resolve(row);
      };
      const leave = (): void => done(null);
      const timer = setTimeout(leave, ms);
      signal.addEventListener('abort', leave, { once: true });
      const others = this.#waiting.get(id) ?? new Set();
      this.#waiting.set(id, others.add(done));
      this.#poll ??= setInterval(() => this.#lookForAll(), pollMs);
      if (look) this.#look([id]);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.off('jobEnds', this.#onEnds);
    this.#listener.off('ready', this.#onReady);
    if (this.#poll) clearInterval(this.#poll);
    for (const waiting of this.#waiting.values()) for (const done of waiting) done(null);
    await this.#reading;
  }

  readonly #onEnds = (payload: string): void => this.#look(idsOf(payload));
  readonly #onReady = (): void => this.#lookForAll();

  #lookForAll(): void {
    if (this.#waiting.size > 0) this.#look(this.#waiting.keys());
    else if (this.#poll) {
      clearInterval(this.#poll);
      this.#poll = null;
    }
  }

  #look(ids: Iterable<string>): void {
    for (const id of ids) if (this.#waiting.has(id)) this.#told.add(id);
    if (this.#told.size > 0) this.#reading ??= this.#read().finally(() => (this.#reading = null));
  }

  async #read(): Promise<void> {
    await new Promise(setImmediate);
    while (this.#told.size > 0) {
      const ids = [...this.#told].slice(0, most);
      for (const id of ids) this.#told.delete(id);
      // Where the database is away, the next look finds them.
      const rows = await answeredJobs(this.#db, ids).catch(() => []);
      for (const row of rows) if (jobEnded(row.state)) for (const done of this.#waiting.get(row.id) ?? []) done(row);
    }
  }
}
