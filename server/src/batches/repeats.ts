import { farthest } from '../cache/repeats.ts';

/**
 * The lines of one model that seem to repeat an earlier one, in ascending order: 8 bytes each, both numbers in one double,
 * `first × farthest + distance`, so that sorting them brings together what repeats the same line.
 */
export class RepeatList {
  #pairs = new Float64Array(16);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(first: number, line: number): void {
    if (this.#count === this.#pairs.length) {
      const larger = new Float64Array(this.#count * 2);
      larger.set(this.#pairs);
      this.#pairs = larger;
    }
    this.#pairs[this.#count++] = first * farthest + (line - first);
  }

  /** The repeats in the order of what they repeat, and then of their own lines. */
  byFirst(): { count: number; first: (i: number) => number; line: (i: number) => number } {
    const sorted = this.#pairs.slice(0, this.#count).sort();
    const first = (i: number): number => Math.floor(sorted[i]! / farthest);
    return { count: sorted.length, first, line: (i) => first(i) + (sorted[i]! % farthest) };
  }

  /** Their own lines, ascending. */
  line(i: number): number {
    const pair = this.#pairs[i]!;
    return Math.floor(pair / farthest) + (pair % farthest);
  }
}
