import type { Db } from '../db/db.ts';
import { trusted } from '../policy/estimate.ts';
import { classOf, newSpread } from '../policy/spread.ts';
import { addRate, addSpread, tellSpread } from '../requests/measured.ts';

interface Rate {
  /** Leases of the model under way. */
  running: number;
  since: number;
  /** Milliseconds with at least one lease, since the last report. */
  busyMs: number;
  settled: number;
  /** How long the requests took, by classes of milliseconds; null: none did. */
  spread: number[] | null;
  /** Requests a second, as measured last; null: never. */
  last: number | null;
}

/** Measures how many requests of each model this worker does in a second while it works on it, and how long each takes. */
export class Rates {
  readonly #rates = new Map<string, Rate>();
  readonly #kind: 'spot' | 'dedicated';

  constructor(kind: 'spot' | 'dedicated') {
    this.#kind = kind;
  }

  begin(model: string): void {
    const rate = this.#of(model);
    if (rate.running++ === 0) rate.since = performance.now();
  }

  end(model: string): void {
    const rate = this.#of(model);
    if (--rate.running === 0) rate.busyMs += performance.now() - rate.since;
  }

  /** @param ms what each of them took */
  settled(model: string, ms: readonly number[]): void {
    const rate = this.#of(model);
    rate.settled += ms.length;
    this.took(model, ms);
  }

  /** How long requests took that say nothing of the rate: their batch may have only so many in flight. */
  took(model: string, ms: readonly number[]): void {
    const rate = this.#of(model);
    if (ms.length > 0) rate.spread ??= newSpread();
    for (const each of ms) rate.spread![classOf(each)]! += 1;
  }

  /**
   * Writes what was measured since the last report, unless another worker told of the model just now. Fewer than 30
   * requests say nothing of the rate.
   */
  async report(db: Db): Promise<void> {
    const now = performance.now();
    for (const [model, rate] of this.#rates) {
      const spread = rate.spread;
      rate.spread = null;
      if (spread !== null && !(await tellSpread(db, 'request', model, spread))) {
        // It goes on counting, and says it all the next time.
        const since = this.#of(model).spread;
        rate.spread = spread.map((count, i) => count + (since?.[i] ?? 0));
        continue;
      }
      const busyMs = rate.busyMs + (rate.running > 0 ? now - rate.since : 0);
      if (rate.settled < trusted || busyMs <= 0) continue;
      const measured = (rate.settled * 1_000) / busyMs;
      rate.last = measured;
      const before = await addRate(db, { model, kind: this.#kind, rate: measured, settled: rate.settled });
      if (before !== null && before.settled >= trusted) {
        const error = newSpread();
        error[classOf(1_000 * Math.abs(before.rate / measured - 1))]! += 1;
        await addSpread(db, 'estimate', '', error);
      }
      rate.busyMs = 0;
      rate.since = now;
      rate.settled = 0;
    }
  }

  last(model: string): number | null {
    return this.#rates.get(model)?.last ?? null;
  }

  #of(model: string): Rate {
    let rate = this.#rates.get(model);
    if (!rate) this.#rates.set(model, (rate = { running: 0, since: 0, busyMs: 0, settled: 0, spread: null, last: null }));
    return rate;
  }
}
