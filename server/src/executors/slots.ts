import { lanes, type Lane } from '../policy/turns.ts';
import { Due, usualShares, type Shares } from './share.ts';

/** Milliseconds after a task of another lane than bulk for which room is kept for the next: who asks now and then finds it free. */
const keptMs = 300_000;

/** The tasks of one lane. */
interface Line {
  readonly share: number;
  readonly waiting: Set<() => void>;
  running: number;
  /** Slots that are its own while it has tasks for them, and what it has of one more, which others have the rest of. */
  whole: number;
  part: number;
  readonly due: Due;
}

/**
 * How many tasks may be under way at once, shared by every run of one executor. The limit may move while tasks run;
 * those over a lowered one finish.
 *
 * Interactive tasks start before jobs, and jobs before bulk; within a lane, who waits longest is next. But each lane is
 * sure of its share of the slots while it has tasks for them: below it, its tasks come before all others. Of a slot that
 * is a lane's in part it has that part of the time; of several that are owed some, whoever is owed most comes first.
 *
 * Nor does who comes before bulk wait for a long task of it where that can be had: while some come, an eighth of the slots
 * is left free for them.
 */
export class Slots {
  readonly #now: () => number;
  readonly #lines: Readonly<Record<Lane, Line>>;
  /** The same, in order. */
  readonly #order: readonly Line[];
  #limit: number;
  #used = 0;
  #waiting = 0;
  #aheadAt = -Infinity;
  /** When it was last reckoned what lanes are owed. */
  #at: number;

  /**
   * @param shares of the slots that each lane is sure of
   * @param now milliseconds, of any clock that only goes forward
   */
  constructor(limit: number, shares: Shares = usualShares, now = () => performance.now()) {
    this.#now = now;
    const line = (share: number): Line => ({ share, waiting: new Set(), running: 0, whole: 0, part: 0, due: new Due() });
    this.#lines = { interactive: line(shares.interactive), jobs: line(shares.jobs), bulk: line(shares.bulk) };
    this.#order = lanes.map((lane) => this.#lines[lane]);
    this.#limit = limit;
    this.#at = now();
    this.#divide();
  }

  get limit(): number {
    return this.#limit;
  }

  get used(): number {
    return this.#used;
  }

  /** How many wait for one. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Whether a task of a batch that came now would start at once. */
  get free(): boolean {
    return this.#waiting === 0 && this.#used < this.#limit - this.#kept;
  }

  resize(limit: number): void {
    this.#reckon();
    this.#limit = Math.max(1, Math.floor(limit));
    this.#divide();
    this.#next();
  }

  /** Resolves once a slot is taken; false where `signal` aborted first. */
  take(signal: AbortSignal, lane: Lane = 'bulk'): boolean | Promise<boolean> {
    if (signal.aborted) return false;
    const line = this.#lines[lane];
    if (lane !== 'bulk') this.#aheadAt = this.#now();
    this.#reckon();
    if (line.waiting.size === 0 && this.#first(line) === line) {
      this.#begin(line);
      return true;
    }
    return new Promise((resolve) => {
      const given = () => {
        this.#waiting--;
        signal.removeEventListener('abort', gone);
        this.#begin(line);
        resolve(true);
      };
      const gone = () => {
        this.#reckon();
        line.waiting.delete(given);
        this.#waiting--;
        resolve(false);
      };
      if (this.#waiting++ === 0) this.#rest();
      line.waiting.add(given);
      signal.addEventListener('abort', gone, { once: true });
    });
  }

  /** @param lane as it was taken */
  give(lane: Lane = 'bulk'): void {
    this.#reckon();
    this.#used--;
    this.#lines[lane].running--;
    this.#next();
  }

  #begin(line: Line): void {
    this.#used++;
    line.running++;
  }

  #next(): void {
    if (this.#waiting === 0) return;
    for (let line = this.#first(null); line !== null; line = this.#first(null)) {
      const [given] = line.waiting;
      line.waiting.delete(given!);
      given!();
    }
  }

  /**
   * The lane of which a task may start now; null: of none.
   *
   * @param come one that has a task which does not wait yet
   */
  #first(come: Line | null): Line | null {
    if (this.#used >= this.#limit) return null;
    let first: Line | null = null;
    let owed: Line | null = null;
    for (const line of this.#order) {
      if (line !== come && line.waiting.size === 0) continue;
      if (line.running < line.whole) return line;
      // Whoever is owed most: in their order, a lane with a large part might never catch up. (Sums of fractions come out a
      // little above or below what they are: who is owed the same keeps the order.)
      if (line.running === line.whole && line.due.owed > (owed === null ? 0 : owed.due.owed + 1e-9)) owed = line;
      first ??= line;
    }
    if (owed !== null) return owed;
    return first !== this.#lines.bulk || this.#used < this.#limit - this.#kept ? first : null;
  }

  /** Slots that bulk leaves free just now. */
  get #kept(): number {
    if (this.#limit < 2 || this.#aheadAt === -Infinity || this.#now() - this.#aheadAt > keptMs) return 0;
    return Math.max(0, Math.ceil(this.#limit / 8) - this.#lines.interactive.running - this.#lines.jobs.running);
  }

  #divide(): void {
    for (const line of this.#order) {
      const own = this.#limit * line.share;
      // Sums of fractions come out a little above or below what they are.
      line.whole = Math.floor(own + 1e-9);
      line.part = Math.max(0, own - line.whole);
    }
  }

  /** Adds what has gone by to what lanes are owed; before each change of who runs and who waits. */
  #reckon(): void {
    if (this.#waiting === 0) return;
    const ms = this.#passed();
    let there = 0;
    for (const { running, waiting } of this.#order) if (running > 0 || waiting.size > 0) there++;
    for (const { due, part, running, waiting, whole } of this.#order)
      if (running === 0 && waiting.size === 0) due.rest(ms * part);
      else if (there === 1) due.rest(ms);
      else due.pass(ms, part, Math.min(1, Math.max(0, running - whole)), waiting.size > 0);
  }

  /** The same for the time in which nobody waited, when somebody begins to. */
  #rest(): void {
    const ms = this.#passed();
    for (const { due } of this.#order) due.rest(ms);
  }

  #passed(): number {
    const before = this.#at;
    this.#at = this.#now();
    return this.#at - before;
  }
}
