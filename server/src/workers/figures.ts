import type { Db } from '../db/db.ts';
import { classOf, newSpread } from '../policy/spread.ts';
import { addFigures, type Figures } from '../requests/figures.ts';
import type { SettledPart } from './settler.ts';

/** Counts what a worker settles, for pages: told with its heartbeats, so that it costs a request nothing. */
export class Tally {
  #counts = new Map<string, Figures>();

  add({ tenant, model, completed, failed, retried, usage, copied, ms }: SettledPart): void {
    const figures = this.#of(tenant, model);
    figures.completed += completed;
    figures.failed += failed;
    figures.retried += retried;
    figures.copied += copied ? copied.batch + copied.cache + copied.semantic : 0;
    figures.inputTokens += usage.input;
    figures.outputTokens += usage.output;
    for (const each of ms) {
      figures.busyMs += each;
      figures.spread[classOf(each)]! += 1;
    }
  }

  /** What could not be told is told the next time. */
  async report(db: Db): Promise<void> {
    const counts = this.#counts;
    if (counts.size === 0) return;
    this.#counts = new Map();
    try {
      await addFigures(db, [...counts.values()]);
    } catch (error) {
      for (const before of counts.values()) this.#join(before);
      throw error;
    }
  }

  #join({ tenant, model, spread, ...sums }: Figures): void {
    const figures = this.#of(tenant, model);
    for (const key of Object.keys(sums) as (keyof typeof sums)[]) figures[key] += sums[key];
    figures.spread = figures.spread.map((count, i) => count + spread[i]!);
  }

  #of(tenant: string, model: string): Figures {
    const key = `${tenant}\n${model}`;
    let figures = this.#counts.get(key);
    if (!figures) {
      const none = { completed: 0, failed: 0, retried: 0, copied: 0, inputTokens: 0, outputTokens: 0, busyMs: 0 };
      this.#counts.set(key, (figures = { tenant, model, ...none, spread: newSpread() }));
    }
    return figures;
  }
}
