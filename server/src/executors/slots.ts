/**
 * How many tasks may be under way at once, shared by every run of one executor. The limit may move while tasks run;
 * those over a lowered one finish. Who waits longest is next.
 */
export class Slots {
  #limit: number;
  #used = 0;
  readonly #waiting = new Set<() => void>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get limit(): number {
    return this.#limit;
  }

  get used(): number {
    return this.#used;
  }

  /** How many wait for one. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Whether a task that came now would start at once. */
  get free(): boolean {
    return this.#used < this.#limit && this.#waiting.size === 0;
  }

  resize(limit: number): void {
    this.#limit = Math.max(1, Math.floor(limit));
    this.#next();
  }

  /** Resolves once a slot is taken; false where `signal` aborted first. */
  take(signal: AbortSignal): boolean | Promise<boolean> {
    if (signal.aborted) return false;
    if (this.free) {
      this.#used++;
      return true;
    }
    return new Promise((resolve) => {
      const given = () => {
        signal.removeEventListener('abort', gone);
        this.#used++;
        resolve(true);
      };
      const gone = () => {
        this.#waiting.delete(given);
        resolve(false);
      };
      this.#waiting.add(given);
      signal.addEventListener('abort', gone, { once: true });
    });
  }

  give(): void {
    this.#used--;
    this.#next();
  }

  #next(): void {
    for (const given of this.#waiting) {
      if (this.#used >= this.#limit) return;
      this.#waiting.delete(given);
      given();
    }
  }
}
