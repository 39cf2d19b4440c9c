import type { Demand } from './market.ts';

/** How hard the deadlines press on the dedicated workers. */
export interface Pressure {
  /** The demands in the order in which the deadline class serves them: admitted ones by deadline, then the others by theirs. */
  readonly order: readonly Demand[];
  /**
   * Of each demand in that order: the share of all dedicated workers needed from now on, if spot vanished, for it and all
   * before it to end in time. Above 1 it cannot be done.
   */
  readonly loads: readonly number[];
  /** r*: the most dedicated workers that any admitted prefix needs; Infinity once a deadline is closer than the guard. */
  readonly needed: number;
  /** The largest load of an admitted demand, which a narrow batch can carry although few workers are needed. */
  readonly load: number;
  /** The same for the demands that were accepted with a warning. */
  readonly flaggedLoad: number;
  /** Position in the order of the demand that presses hardest; −1 without demand. */
  readonly critical: number;
  /** Σ over admitted demands of what each needs alone: the sum-of-paces rule of mode `cautious`. */
  readonly sum: number;
}

export interface Yardstick {
  readonly now: number;
  /** Seconds, `guardSeconds`. */
  readonly guard: number;
  /** Work a second of one dedicated worker. */
  readonly rate: number;
  /** Dedicated workers that can be had (Dmax). */
  readonly max: number;
  /** Requests that one worker runs at a time. */
  readonly concurrency: number;
  /** Safety factor on work (kappa). */
  readonly factor: number;
}

/** Admitted before flagged; each by deadline, then by name, so that two readers agree. */
export const byDeadline = (a: Demand, b: Demand): number =>
  Number(b.admitted) - Number(a.admitted) || a.deadline - b.deadline || (a.batch < b.batch ? -1 : Number(a.batch > b.batch));

/**
 * The processor-demand criterion over all batches in order of deadline: r* = max_i κ·Σ_{j≤i} W_j / (μ_d·(D_i − now − g)).
 * One test over all of them, because nets that each assume the whole pool for themselves miss 6 % of many batches.
 * A batch that may run only so many requests at once has a line of its own besides: κ·W / (μ_d·width·(D − now − g)).
 * Source: scheduling.md 1.4; Baruah, Rosier, Howell 1990 for the criterion.
 */
export const pressure = (demands: readonly Demand[], at: Yardstick): Pressure => {
  const order = demands.filter(({ work, requests }) => work > 0 && requests > 0).sort(byDeadline);
  const result = { order, loads: [] as number[], needed: 0, load: 0, flaggedLoad: 0, critical: -1, sum: 0 };
  let work = 0;
  let worst = 0;
  order.forEach((demand, index) => {
    const left = demand.deadline - at.now - at.guard;
    const own = at.factor * demand.work;
    work += own;
    const needed = left <= 0 ? Infinity : work / (at.rate * left);
    const load = Math.max(needed / at.max, narrowness(demand, own, left, at));
    result.loads.push(load);
    if (demand.admitted) {
      result.needed = Math.max(result.needed, needed);
      result.load = Math.max(result.load, load);
      result.sum += left <= 0 ? Infinity : own / (at.rate * left);
    } else result.flaggedLoad = Math.max(result.flaggedLoad, load);
    if (load > worst || result.critical < 0) [worst, result.critical] = [load, index];
  });
  return result;
};

/** Share of the time left that a batch needs when it runs as wide as it may; 0 where it may be as wide as the pool. */
const narrowness = ({ width, requests }: Demand, own: number, left: number, at: Yardstick): number => {
  const workers = Math.min(requests, width ?? Infinity) / Math.max(1, at.concurrency);
  if (workers >= at.max) return 0;
  return left <= 0 ? Infinity : own / (at.rate * workers * left);
};

/** The demands from the first to the last whose load reaches `line`: the prefix that the dedicated workers serve by deadline. */
export const atRisk = ({ order, loads }: Pressure, line: number): Demand[] =>
  order.slice(0, loads.findLastIndex((load) => load >= line) + 1);
