import type { Db } from '../db/db.ts';
import type { Listener } from '../db/listen.ts';
import { idsOf } from './announce.ts';
import { answeredJobs, type AnsweredRow } from './read.ts';
import { jobEnded } from './state.ts';

/** How often those who are waited for are looked for without having been told of: a notification may have been lost. */
const pollMs = 2_000;
/** Jobs read in one statement. */
const most = 200;

/** Somebody who waits for a job. */
export interface Wait {
  /** The job as it was seen last: ended, or not within the time. Null: it was not seen, or is not the tenant's. */
  readonly seen: Promise<AnsweredRow | null>;
  /** Stops waiting; `seen` resolves. Safe twice. */
  leave(): void;
}

interface Waiting {
  tenant: string;
  /** What is there now is enough. */
  once: boolean;
  /** It was submitted before; where it is not, there is nothing to wait for. */
  submitted: boolean;
  row: AnsweredRow | null;
  done: () => void;
}

/**
 * Reads jobs and waits for their ends, on behalf of many: one connection listens, and what is looked at in the same
 * moment is read in one statement.
 */
export class Waiters implements AsyncDisposable {
  readonly #db: Db;
  readonly #listener: Listener;
  readonly #waiting = new Map<string, Set<Waiting>>();
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
   * Waits for at most `ms` milliseconds; 0: what is there now. Whoever waits before the job is submitted misses nothing,
   * and need not `look`; who comes later does, at once.
   */
  wait(id: string, tenant: string, ms: number, { look = true }: { look?: boolean } = {}): Wait {
    const { promise, resolve } = Promise.withResolvers<AnsweredRow | null>();
    const waiting: Waiting = {
      tenant,
      once: ms === 0,
      submitted: look,
      row: null,
      done: () => {
        clearTimeout(timer);
        const others = this.#waiting.get(id);
        others?.delete(waiting);
        if (others?.size === 0) this.#waiting.delete(id);
        resolve(waiting.row);
      },
    };
    const timer = ms === 0 ? undefined : setTimeout(waiting.done, ms);
    const others = this.#waiting.get(id);
    if (others) others.add(waiting);
    else this.#waiting.set(id, new Set([waiting]));
    if (ms > 0) this.#poll ??= setInterval(() => this.#lookForAll(), pollMs);
    if (look) this.#look([id]);
    return { seen: promise, leave: waiting.done };
  }

  /** Lets everybody go who waits: the server closes. */
  letGo(): void {
    for (const waiting of this.#waiting.values()) for (const { done } of waiting) done();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.off('jobEnds', this.#onEnds);
    this.#listener.off('ready', this.#onReady);
    if (this.#poll) clearInterval(this.#poll);
    this.letGo();
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
    if (this.#told.size > 0) this.#reading ??= this.#read();
  }

  async #read(): Promise<void> {
    await new Promise(setImmediate);
    while (this.#told.size > 0) {
      const ids = [...this.#told].slice(0, most);
      for (const id of ids) this.#told.delete(id);
      const rows = await answeredJobs(this.#db, ids).catch(() => null);
      const found = new Map(rows?.map((row) => [row.id, row]));
      for (const id of ids) for (const waiting of this.#waiting.get(id) ?? []) this.#see(waiting, found.get(id), rows !== null);
    }
    // In the same breath: what is told after this begins anew.
    this.#reading = null;
  }

  #see(waiting: Waiting, row: AnsweredRow | undefined, read: boolean): void {
    const own = row?.tenant_id === waiting.tenant ? row : null;
    waiting.row = own ?? waiting.row;
    const missing = read && own === null && (row !== undefined || waiting.submitted);
    if (waiting.once || missing || (own !== null && jobEnded(own.state))) waiting.done();
  }
}
