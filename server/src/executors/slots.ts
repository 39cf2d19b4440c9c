import { Share, usualShare } from './share.ts';

/** Milliseconds after an urgent task for which room is kept for the next: who asks now and then finds it free. */
const keptMs = 300_000;

/**
 * How many tasks may be under way at once, shared by every run of one executor. The limit may move while tasks run;
 * those over a lowered one finish. Who waits longest is next, but urgent tasks come before all others.
 *
 * Urgent tasks never wait for a long one to end where that can be had: while some come, an eighth of the slots is left
 * free for them. Nor do they take it all: where others wait, they leave these their share of the slots, and of a slot that
 * is theirs in part the same part of the turns.
 */
export class Slots {
  readonly #share: number;
  #limit: number;
  /** Whose turn it is in the slot that belongs to the others in part. */
  #part: Share;
  #used = 0;
  #urgent = 0;
  #urgentAt = -Infinity;
  readonly #waiting = new Set<() => void>();
  readonly #waitingUrgent = new Set<() => void>();

  /** @param share of the slots that tasks which are not urgent are sure of while they wait */
  constructor(limit: number, share = usualShare) {
    this.#limit = limit;
    this.#share = share;
    this.#part = new Share((limit * share) % 1);
  }

  get limit(): number {
    return this.#limit;
  }

  get used(): number {
    return this.#used;
  }

  /** How many wait for one. */
  get waiting(): number {
    return this.#waiting.size + this.#waitingUrgent.size;
  }

  /** Whether a task that came now would start at once. */
  get free(): boolean {
    return this.#used < this.#limit - this.#kept && this.#waiting.size === 0;
  }

  resize(limit: number): void {
    const before = this.#limit;
    this.#limit = Math.max(1, Math.floor(limit));
    if (this.#limit !== before) this.#part = new Share((this.#limit * this.#share) % 1);
    this.#next();
  }

  /** Resolves once a slot is taken; false where `signal` aborted first. */
  take(signal: AbortSignal, urgent = false): boolean | Promise<boolean> {
    if (signal.aborted) return false;
    if (urgent) this.#urgentAt = performance.now();
    if (urgent ? this.#mayUrgent && this.#waitingUrgent.size === 0 : this.free) {
      this.#begin(urgent);
      return true;
    }
    const waiting = urgent ? this.#waitingUrgent : this.#waiting;
    return new Promise((resolve) => {
      const given = () => {
        signal.removeEventListener('abort', gone);
        this.#begin(urgent);
        resolve(true);
      };
      const gone = () => {
        waiting.delete(given);
        resolve(false);
      };
      waiting.add(given);
      signal.addEventListener('abort', gone, { once: true });
    });
  }

  /** @param urgent as it was taken */
  give(urgent = false): void {
    this.#used--;
    if (urgent) this.#urgent--;
    this.#next();
  }

  #begin(urgent: boolean): void {
    this.#used++;
    if (urgent) {
      this.#urgent++;
      this.#part.urgent(1, this.#waiting.size > 0);
    } else this.#part.others(1);
  }

  /** Slots that are left for urgent tasks just now. */
  get #kept(): number {
    if (this.#limit < 2 || performance.now() - this.#urgentAt > keptMs) return 0;
    return Math.max(0, Math.ceil(this.#limit / 8) - this.#urgent);
  }

  get #mayUrgent(): boolean {
    if (this.#used >= this.#limit) return false;
    if (this.#waiting.size === 0) return true;
    const left = this.#limit - this.#limit * this.#share - this.#urgent;
    return left >= 1 || (left > 0 && this.#part.owed < 1);
  }

  #next(): void {
    for (const given of this.#waitingUrgent) {
      if (!this.#mayUrgent) break;
      this.#waitingUrgent.delete(given);
      given();
    }
    for (const given of this.#waiting) {
      if (this.#used >= this.#limit - this.#kept) return;
      this.#waiting.delete(given);
      given();
    }
  }
}
