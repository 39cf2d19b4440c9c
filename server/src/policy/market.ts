/**
 * The policy decides, without a database, a clock or a file, what the scheduler then does: how many workers of which
 * kind, what is at risk, who is next. Production calls it with what it read from its tables, the simulator with what it
 * made up, and both get the same answer for the same question.
 *
 * Units everywhere in this room: seconds for times (`now` and deadlines on one clock, whichever it is) and for
 * durations; **work** in worker-seconds of a plain worker, so that a rate of 1 is one worker-second of work a second; money
 * in whatever currency the prices are in, per worker-hour.
 */

/** How the money and the promise are weighed; see `targets.ts`. */
export type Mode = 'balanced' | 'cautious' | 'dedicated_only' | 'spot_only';

export type Kind = 'spot' | 'dedicated';

/** The workers of one kind that a market can have; pools of the same kind are added up by the caller (`spread` divides again). */
export interface Supply {
  /** Per worker-hour. */
  readonly price: number;
  /** Workers that are kept even without work. */
  readonly min: number;
  /** Workers that can be had at most: the `Dmax` of the formulas for dedicated ones. */
  readonly max: number;
  /** Workers that are ready now; those still starting do not count. */
  readonly ready: number;
  /** Seconds from asking for a worker to its first request, p95. */
  readonly coldStart: number;
  /** Work per second of one worker, the lower confidence bound; null: neither measured nor given by the operator. */
  readonly rate: number | null;
  /** True once `rate` comes from measurements. */
  readonly measured: boolean;
}

/** Pools of two prices that can run the same work ("lane" in the literature on schedulers: a model on a kind of hardware). */
export interface Market {
  readonly spot: Supply | null;
  readonly dedicated: Supply | null;
  /** How often a spot worker is taken away, per worker-hour. */
  readonly preemptions: number;
  /** Requests that one worker runs at a time. */
  readonly concurrency: number;
  readonly guard: Guard;
}

/** What may pass between the decision to act and the work being done, in seconds. */
export interface Guard {
  /** p95 of a dedicated worker's start; plus the time to swap models where markets share machines. */
  readonly coldStart: number;
  /** Between two rounds of the controller. */
  readonly tick: number;
  /** Until a dead worker's lease runs out. */
  readonly lease: number;
  /** p99.9 of what one lease holds: a started chunk is not taken back. */
  readonly request: number;
  /** p95 of writing the output files. */
  readonly finalize: number;
}

/** One unfinished batch, as the controller sees it. */
export interface Demand {
  readonly batch: string;
  readonly deadline: number;
  /** Estimated work of all requests that are not terminal (queued, leased, waiting for a retry). */
  readonly work: number;
  /** How many those are. */
  readonly requests: number;
  /** Requests that may run at once (`max_concurrent`, strategy); null: any number. */
  readonly width: number | null;
  /** False: accepted with a warning; it runs, but never at the cost of an admitted batch's deadline. */
  readonly admitted: boolean;
}

/** Source: scheduling.md 1.4, `g`. */
export const guardSeconds = (guard: Guard): number => guard.coldStart + guard.tick + guard.lease + guard.request + guard.finalize;

/** Workers that one batch can keep busy: what it may run at once, over what a worker runs at once. */
export const usableWorkers = ({ requests, width }: Pick<Demand, 'requests' | 'width'>, concurrency: number): number =>
  Math.ceil(Math.min(requests, width ?? Infinity) / Math.max(1, concurrency));

/** True where a worker-second of spot buys more work than its price difference costs; scheduling.md 1.4, `spot_first`. */
export const spotIsCheaper = ({ spot, dedicated }: Market): boolean =>
  spot !== null &&
  (dedicated === null || spot.price / (spot.rate ?? dedicated.rate ?? 1) < dedicated.price / (dedicated.rate ?? spot.rate ?? 1));

/**
 * Divides the dedicated workers that several markets share, in proportion to what each needs, in whole workers
 * (largest remainder). Add the time to swap models to each market's guard.
 *
 * @param pressures the workers each market needs (`Pressure.needed`); infinite ones share alike before all others
 */
export const shareWorkers = (max: number, pressures: readonly number[]): number[] => {
  const endless = pressures.some((needed) => needed === Infinity);
  const weights = pressures.map((needed) => (endless ? Number(needed === Infinity) : Math.max(0, needed)));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (sum === 0) return pressures.map(() => 0);
  const exact = weights.map((weight) => (weight / sum) * max);
  const shares = exact.map(Math.floor);
  const byRemainder = exact.map((share, index) => ({ index, rest: share - Math.floor(share) })).sort((a, b) => b.rest - a.rest);
  let left = max - shares.reduce((total, share) => total + share, 0);
  for (const { index } of byRemainder) if (left-- > 0) shares[index]! += 1;
  return shares;
};
