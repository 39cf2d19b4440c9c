import { atRisk, pressure, type Pressure } from './demand.ts';
import { hold, nothingHeld, type Hold } from './hold.ts';
import { guardSeconds, spotIsCheaper, usableWorkers, type Demand, type Market, type Mode, type Supply } from './market.ts';

/** Where the line stands. Source of the defaults: scheduling.md 1.4 and `simulate/FIGURES.md`. */
export interface Line {
  /**
   * Share of Dmax, by the estimate as it is, from which dedicated workers start to help (rho). The safety factor does not
   * count here: this line saves money, the next one keeps deadlines, and with the factor in both a single batch at a load
   * of .6 cost 1.15 × the oracle instead of 1.08 for no deadline more (simulate/FIGURES.md). With the factor it ends up at
   * most at 0.9.
   */
  readonly calm: number;
  /**
   * Share of that line below which the help ends. At 0.9, as first written down, a fleet with starts of 15 minutes on the
   * poorest spot went up and down often enough to cost 1.054 × dedicated workers alone in the worst run; at 0.8 it is 1.022.
   */
  readonly release: number;
  /** Share of Dmax from which no spot worker is counted on any more (rho2). */
  readonly must: number;
  /** Safety factor on work (kappa), `safetyFactor`. */
  readonly factor: number;
}

export const defaultLine: Line = { calm: 0.7, release: 0.8, must: 0.95, factor: 1.25 };

export type Cause = 'idle' | 'calm' | 'line' | 'must' | 'pace' | 'dedicated_only' | 'spot_only' | 'dedicated_cheaper' | 'missing' | 'gap';

/** What the controller writes for everyone to read: one row of a market. It is also what it needs to remember. */
export interface Targets {
  readonly spot: number;
  readonly dedicated: number;
  /** Batches that dedicated workers serve first, in this order. */
  readonly atRisk: readonly string[];
  /** r*: dedicated workers needed if spot vanished now; Infinity once a deadline is closer than the guard. */
  readonly needed: number;
  readonly escalated: boolean;
  readonly cause: Cause;
  /** The same in words, for people. */
  readonly reason: string;
  readonly computedAt: number;
  readonly held: { readonly spot: Hold; readonly dedicated: Hold };
}

export interface TargetsInput {
  readonly now: number;
  readonly mode: Mode;
  readonly line: Line;
  readonly market: Market;
  readonly demands: readonly Demand[];
  /** What was written last; null: never. */
  readonly previous: Targets | null;
}

/** What one round would have if nothing had to be remembered. */
interface Wanted {
  spot: number;
  dedicated: number;
  atRisk: readonly Demand[];
  escalated: boolean;
  cause: Cause;
  reason: string;
}

/** Rounds that may be lost before the controller counts as having been away. */
const lostRounds = 3;

/**
 * The demand-bounded line: spot does all it can, until the dedicated workers that would be needed without it come near
 * what can be had; then just enough of those help, in order of deadline; and close to the limit all of them do.
 *
 * Promise (S1): a batch that was admitted (r* ≤ 0.95 Dmax), whose true cost is at most `line.factor` times its estimate,
 * ends in time while the dedicated workers come within the guard: when r* reaches 0.95 Dmax, Dmax workers asked for now
 * do all that is due by each deadline before it, in order of deadline, with no help from spot.
 *
 * It fails safe (S8): where an estimate is missing, the clock jumped, or the controller was away for more than three
 * rounds, targets stay or rise and never fall.
 *
 * Source: scheduling.md 1.4.
 */
export const decideTargets = (input: TargetsInput): Targets => {
  const { now, market, previous, demands } = input;
  const open = demands.filter(({ requests }) => requests > 0);
  const broken = missing(input, open);
  const gap = previous !== null && (previous.computedAt > now || now - previous.computedAt > lostRounds * Math.max(1, market.guard.tick));
  const seen =
    broken === null && market.dedicated !== null && market.dedicated.max > 0 ? pressure(open, yardstick(input, market.dedicated)) : null;
  const wanted = broken === null ? want(input, open, seen) : unsure(input, open, broken);

  const usable = open.reduce((sum, demand) => sum + usableWorkers(demand, market.concurrency), 0);
  const still = broken !== null || gap;
  const keep = (kind: 'spot' | 'dedicated', supply: Supply | null): Hold => {
    if (supply === null) return nothingHeld;
    const before = previous?.held[kind] ?? nothingHeld;
    const count = clamp(Math.ceil(wanted[kind]), supply.min, supply.max);
    if (still) return { workers: Math.max(count, Math.min(before.workers, supply.max)), since: null, peak: count };
    return hold(before, { now, wanted: count, usable, min: supply.min, seconds: 2 * supply.coldStart });
  };
  const held = { spot: keep('spot', market.spot), dedicated: keep('dedicated', market.dedicated) };
  return {
    spot: held.spot.workers,
    dedicated: held.dedicated.workers,
    atRisk: wanted.atRisk.map(({ batch }) => batch),
    needed: seen?.needed ?? 0,
    escalated: wanted.escalated,
    cause: gap && wanted.cause === 'idle' ? 'gap' : wanted.cause,
    reason: gap ? `${wanted.reason}; after a gap in time nothing is given back in this round` : wanted.reason,
    computedAt: now,
    held,
  };
};

const yardstick = ({ now, market, line }: TargetsInput, dedicated: Supply) => ({
  now,
  guard: guardSeconds(market.guard),
  rate: dedicated.rate!,
  max: dedicated.max,
  concurrency: market.concurrency,
  factor: line.factor,
});

const want = (input: TargetsInput, open: readonly Demand[], seen: Pressure | null): Wanted => {
  const { market, mode } = input;
  const calm = { atRisk: [], escalated: false };
  const least = { spot: market.spot?.min ?? 0, dedicated: market.dedicated?.min ?? 0 };
  if (open.length === 0) return { ...least, ...calm, cause: 'idle', reason: 'no work' };
  const broad = breadth(input, open);
  if (seen === null || mode === 'spot_only')
    return { ...calm, spot: broad.spot, dedicated: least.dedicated, cause: 'spot_only', reason: 'spot only: no deadline is promised' };
  if (mode === 'dedicated_only' || market.spot === null || market.spot.max === 0) {
    const risk = atRisk(seen, helpFrom(input.line, input.previous));
    const reason = `dedicated workers only; ${workers(seen.needed)} are needed for the deadlines`;
    return { spot: 0, dedicated: broad.dedicated, atRisk: risk, escalated: risk.length > 0, cause: 'dedicated_only', reason };
  }
  const decided = mode === 'cautious' ? pace(input, seen) : line(input, seen);
  if (spotIsCheaper(market)) return { ...decided, spot: broad.spot };
  // The pools change places: dedicated workers do the work, and spot helps where they may not be enough.
  return {
    ...decided,
    dedicated: Math.max(decided.dedicated, broad.dedicated),
    spot: Math.max(least.spot, seen.load >= input.line.must || seen.flaggedLoad >= input.line.must ? broad.spot : 0),
    cause: decided.cause === 'calm' ? 'dedicated_cheaper' : decided.cause,
    reason: decided.cause === 'calm' ? 'spot costs as much per unit of work as dedicated workers, which do it' : decided.reason,
  };
};

/** The line in the measure of `pressure`, which counts work with the safety factor; lower once escalated, so that it does not flap. */
const helpFrom = ({ calm, release, factor, must }: Line, previous: Targets | null): number =>
  (previous?.escalated === true ? release : 1) * Math.min(calm * factor, Math.max(calm, must - 0.05));

/** n_d of the line; `cause` says on which side of it. */
const line = ({ line, market, previous }: TargetsInput, seen: Pressure): Omit<Wanted, 'spot'> => {
  const { max, min, rate, measured } = market.dedicated!;
  const load = Math.max(seen.load, seen.flaggedLoad);
  const from = helpFrom(line, previous);
  const name = seen.order[seen.critical]?.batch ?? '';
  if (load <= from) {
    const canary = measured ? 0 : Math.min(1, max);
    const reason = `${workers(seen.needed)} of ${max} dedicated workers would do without spot, below the line at ${workers(from * max)}`;
    return { dedicated: Math.max(min, canary), atRisk: [], escalated: false, cause: 'calm', reason };
  }
  const risk = atRisk(seen, from);
  if (load >= line.must) {
    const reason = `${workers(seen.needed)} of ${max} dedicated workers are needed for ${name} and what is due before it: all that can help do`;
    return { dedicated: enough(risk, market, line.factor, max), atRisk: risk, escalated: true, cause: 'must', reason };
  }
  const credit = (market.spot!.ready * (market.spot!.rate ?? rate!)) / rate!;
  const dedicated = Math.min(enough(risk, market, line.factor, max), clamp(Math.ceil(seen.needed - credit), 1, max));
  const reason = `${workers(seen.needed)} of ${max} dedicated workers would be needed without spot for ${name}, above the line at ${workers(from * max)}; ${market.spot!.ready} spot workers help`;
  return { dedicated, atRisk: risk, escalated: true, cause: 'line', reason };
};

/** n_d of mode `cautious`: every batch keeps its own pace, by uniform progress (Wu et al., NSDI 2024) with both pools at once. */
const pace = (input: TargetsInput, seen: Pressure): Omit<Wanted, 'spot'> => {
  const { market, line: at } = input;
  const { max, min, rate, measured } = market.dedicated!;
  const decided = line(input, seen);
  if (decided.cause === 'must') return decided;
  const credit = (market.spot!.ready * (market.spot!.rate ?? rate!)) / rate!;
  const behind = Math.max(measured ? 0 : 1, Math.ceil(seen.sum - credit));
  const dedicated = clamp(Math.max(behind, min), 0, enough(seen.order, market, at.factor, max));
  const reason = `${workers(seen.sum)} workers keep all batches at their pace; ${market.spot!.ready} spot workers are ready`;
  return { dedicated, atRisk: dedicated > min ? seen.order : [], escalated: dedicated > min, cause: 'pace', reason };
};

/**
 * All that can help: at most as many as have requests to run, and as have more than a moment of work each: a start is
 * paid too. The moment is part of the guard, so that it is never missed.
 */
const enough = (risk: readonly Demand[], { dedicated, concurrency, guard }: Market, factor: number, max: number): number => {
  const usable = risk.reduce((sum, demand) => sum + usableWorkers(demand, concurrency), 0);
  const work = risk.reduce((sum, demand) => sum + demand.work, 0);
  const moment = guard.tick + guard.lease / 2;
  return Math.max(Math.min(1, max), Math.min(max, usable, Math.ceil((factor * work) / (dedicated!.rate! * moment))));
};

/**
 * Workers for all the work: as wide as it pays for a worker's start (work for twice as long as that takes), wider where
 * the deadlines ask for it. Those who are there stay while they have something to do: a fleet that shrinks with its
 * work never ends.
 */
const breadth = ({ now, market, line, previous }: TargetsInput, open: readonly Demand[]): { spot: number; dedicated: number } => {
  const usable = open.reduce((sum, demand) => sum + usableWorkers(demand, market.concurrency), 0);
  const work = open.reduce((sum, demand) => sum + demand.work, 0);
  const of = (supply: Supply | null, before: number, spare: number): number => {
    if (supply === null) return 0;
    const at = {
      now,
      guard: guardSeconds(market.guard),
      rate: supply.rate ?? 1,
      max: Math.max(1, supply.max),
      concurrency: market.concurrency,
    };
    const { needed } = pressure(
      open.map((demand) => ({ ...demand, admitted: true })),
      { ...at, factor: line.factor },
    );
    const wide = Math.max(Math.ceil(work / (at.rate * 2 * Math.max(supply.coldStart, 1))), Math.ceil(needed), 1);
    return clamp(Math.max(Math.min(Math.ceil(wide * spare), usable), Math.min(before, usable)), supply.min, supply.max);
  };
  // Of each spot worker's hour, this much goes into the starts of its successors.
  const lost = market.spot ? Math.min(0.5, market.preemptions * (market.spot.coldStart / 3_600)) : 0;
  return { spot: of(market.spot, previous?.spot ?? 0, 1 + lost), dedicated: of(market.dedicated, previous?.dedicated ?? 0, 1) };
};

/** What is not known, in words; null: all is. */
const missing = ({ now, market, line }: TargetsInput, open: readonly Demand[]): string | null => {
  const known = (value: number | null | undefined): boolean =>
    value === undefined || (value !== null && Number.isFinite(value) && value > 0);
  if (!Number.isFinite(now) || !known(line.factor)) return 'the time or the safety factor is not a number';
  if (open.length === 0) return null;
  const unknown = open.find(({ work, deadline }) => !Number.isFinite(work) || work < 0 || !Number.isFinite(deadline));
  if (unknown) return `the work left in ${unknown.batch} is not known`;
  if (market.dedicated && market.dedicated.max > 0 && !known(market.dedicated.rate)) return 'the rate of dedicated workers is not known';
  if (market.spot && market.spot.rate !== null && !known(market.spot.rate)) return 'the rate of spot workers is not a number';
  return null;
};

const unsure = ({ market, previous }: TargetsInput, open: readonly Demand[], why: string): Wanted => {
  const risk = new Set(previous?.atRisk);
  return {
    spot: Math.max(previous?.spot ?? 0, open.length > 0 ? 1 : 0),
    // One that finds out how fast it goes.
    dedicated: Math.max(previous?.dedicated ?? 0, Math.min(1, market.dedicated?.max ?? 0)),
    atRisk: open.filter(({ batch }) => risk.has(batch)),
    escalated: previous?.escalated ?? false,
    cause: 'missing',
    reason: `${why}: targets stay or rise until it is`,
  };
};

const clamp = (value: number, min: number, max: number): number => Math.max(Math.min(value, max), Math.min(min, max));
const workers = (count: number): string => (count === Infinity ? 'more than all' : count.toFixed(1));
