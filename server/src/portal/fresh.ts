interface Kept<V> {
  /** Null: it is being read for the first time. */
  value: { of: V; at: number } | null;
  reading: Promise<V> | null;
}

/**
 * Answers many readers with what one of them read: as it is for `freshMs`; up to `staleMs` as it is while it is read
 * anew; what is older is waited for. Thirty pages that look every second cost the database what one does.
 */
export class Fresh<V> {
  readonly #kept = new Map<string, Kept<V>>();
  readonly #freshMs: number;
  readonly #staleMs: number;
  readonly #now: () => number;

  constructor(freshMs: number, staleMs: number, now: () => number = () => performance.now()) {
    [this.#freshMs, this.#staleMs, this.#now] = [freshMs, staleMs, now];
  }

  async get(key: string, read: () => Promise<V>): Promise<V> {
    let kept = this.#kept.get(key);
    if (kept === undefined) {
      if (this.#kept.size >= 1_000) this.#kept.clear();
      this.#kept.set(key, (kept = { value: null, reading: null }));
    }
    const age = kept.value === null ? Infinity : this.#now() - kept.value.at;
    if (age < this.#freshMs) return kept.value!.of;
    kept.reading ??= this.#read(kept, read);
    if (age < this.#staleMs) {
      // Who comes when it is too old will be told.
      kept.reading.catch(() => {});
      return kept.value!.of;
    }
    return kept.reading;
  }

  async #read(kept: Kept<V>, read: () => Promise<V>): Promise<V> {
    try {
      const of = await read();
      kept.value = { of, at: this.#now() };
      return of;
    } finally {
      kept.reading = null;
    }
  }
}
