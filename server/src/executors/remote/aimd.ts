import type { Shares } from '../share.ts';
import { Slots } from '../slots.ts';

/** At most this many at once before the upstream has shown what it bears. */
const first = 16;

/**
 * Concurrency that finds what an upstream bears: a slot more with every success until it first complains, from then
 * on a slot more for each round of successes; half as many at a complaint. Attempts that began before the last cut
 * say nothing about the new limit, so that one burst of refusals cuts once.
 * Source: Chiu and Jain, "Analysis of the increase and decrease algorithms for congestion avoidance", 1989; the quick
 * start is TCP's (RFC 5681).
 */
export class Aimd {
  readonly slots: Slots;
  readonly most: number;
  #limit: number;
  #cutAt = 0;
  #calm = true;

  constructor(most: number, shares?: Shares) {
    this.most = most;
    this.#limit = Math.min(most, first);
    this.slots = new Slots(this.#limit, shares);
  }

  /** An attempt that went well. It counts only while the limit is what holds the others back, or nearly. */
  went(): void {
    if (this.slots.used * 2 < this.#limit) return;
    this.#set(this.#limit + (this.#calm ? 1 : 1 / this.#limit));
  }

  /** An attempt, begun at `began` (of `performance.now()`), that was refused for load or had no answer in time. Says whether it cut. */
  overloaded(began: number, now = performance.now()): boolean {
    if (began < this.#cutAt) return false;
    this.#cutAt = now;
    this.#calm = false;
    this.#set(this.#limit / 2);
    return true;
  }

  #set(limit: number): void {
    this.#limit = Math.max(1, Math.min(this.most, limit));
    this.slots.resize(this.#limit);
  }
}
