import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';

interface Rate {
  /** Leases of the model under way. */
  running: number;
  since: number;
  /** Milliseconds with at least one lease, since the last report. */
  busyMs: number;
  settled: number;
}

/** Fewer than this say nothing. */
const enough = 30;

/** Measures how many requests of each model this worker does in a second while it works on it. */
export class Rates {
  readonly #rates = new Map<string, Rate>();

  begin(model: string): void {
    const rate = this.#of(model);
    if (rate.running++ === 0) rate.since = performance.now();
  }

  end(model: string): void {
    const rate = this.#of(model);
    if (--rate.running === 0) rate.busyMs += performance.now() - rate.since;
  }

  settled(model: string, count: number): void {
    this.#of(model).settled += count;
  }

  /** Writes what was measured since the last report; new figures count three tenths. */
  async report(db: Db): Promise<void> {
    const now = performance.now();
    for (const [model, rate] of this.#rates) {
      const busyMs = rate.busyMs + (rate.running > 0 ? now - rate.since : 0);
      if (rate.settled < enough || busyMs <= 0) continue;
      const measured = (rate.settled * 1_000) / busyMs;
      await db.run(sql`
        insert into model_rates as m (model, rate, settled) values (${model}, ${measured}::float8, ${rate.settled})
        on conflict (model) do update set rate = 0.7 * m.rate + 0.3 * excluded.rate, settled = m.settled + excluded.settled, updated_at = now()`);
      rate.busyMs = 0;
      rate.since = now;
      rate.settled = 0;
    }
  }

  #of(model: string): Rate {
    let rate = this.#rates.get(model);
    if (!rate) this.#rates.set(model, (rate = { running: 0, since: 0, busyMs: 0, settled: 0 }));
    return rate;
  }
}
