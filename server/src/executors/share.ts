import { defaultLanes } from '../policy/pools.ts';
import type { Lane } from '../policy/turns.ts';

/** Of the room of a model, what each lane is sure of while it has work, from 0 to 1; together at most 1. */
export type Shares = Readonly<Record<Lane, number>>;

/** Where nobody says. */
export const usualShares: Shares = defaultLanes;

/**
 * What a lane is owed of a piece of room that several have by turns: it grows by the lane's part of all that goes by, be that
 * time or tasks, and falls by what the lane had of it. A lane that is owed something goes before those whose turn it would be,
 * so that over time each has its part, however long the turns of the others are.
 *
 * Nobody saves up: a lane that wants nothing is owed nothing. What it had beyond its part it makes up for also while it is
 * away: one that comes with a task at a time would else have every second turn.
 */
export class Due {
  #owed = 0;

  /** Sums of fractions come out a little above or below what they are. */
  get owed(): number {
    return this.#owed > 1e-9 ? this.#owed : 0;
  }

  /**
   * So much of the piece went by, while the lane had tasks and others had some too.
   *
   * @param part of it that was the lane's
   * @param had of it what the lane had, from 0 to 1
   * @param waits whether it would have had more
   */
  pass(amount: number, part: number, had: number, waits: boolean): void {
    const more = (part - had) * amount;
    this.#owed += waits ? more : Math.min(0, more);
  }

  /** So much went by that was the lane's, and that it left to others, or had because there were none. */
  rest(amount: number): void {
    this.#owed = Math.min(0, this.#owed + amount);
  }
}
