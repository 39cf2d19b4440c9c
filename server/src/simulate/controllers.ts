import { byDeadline, pressure } from '../policy/demand.ts';
import { guardSeconds, usableWorkers, type Demand, type Market, type Mode } from '../policy/market.ts';
import { decideTargets, defaultLine, type Line, type Targets } from '../policy/targets.ts';

/** What a controller sees in a round. */
export interface View {
  readonly now: number;
  readonly market: Market;
  readonly demands: readonly (Demand & Progress)[];
  /** Whether any spot slot can hold a worker now. */
  readonly spotUp: boolean;
}

/** What the older rules look at besides. */
export interface Progress {
  readonly arrivedAt: number;
  /** Estimated work at arrival. */
  readonly whole: number;
}

export interface Decision {
  readonly spot: number;
  readonly dedicated: number;
  readonly atRisk: readonly string[];
  readonly escalated: boolean;
}

export interface Controller {
  readonly name: string;
  /** Order of the general claim: the product's, or that of a plainer system. */
  readonly order: 'fair' | 'fifo' | 'edf';
  /** False: a fleet that never ends, whose cost runs to the end of the last batch. */
  readonly scales: boolean;
  decide(view: View): Decision;
}

/** The product's own policy, in one of its modes. */
export const policyController = (name: string, mode: Mode, line: Partial<Line> = {}): Controller => {
  let previous: Targets | null = null;
  return {
    name,
    order: 'fair',
    scales: true,
    decide: ({ now, market, demands }) =>
      (previous = decideTargets({ now, mode, market, demands, previous, line: { ...defaultLine, ...line } })),
  };
};

const work = (demands: readonly Demand[]): number => demands.reduce((sum, demand) => sum + demand.work, 0);
const usable = ({ demands, market }: View): number => demands.reduce((sum, demand) => sum + usableWorkers(demand, market.concurrency), 0);
const allSpot = (view: View): number => Math.min(view.market.spot?.max ?? 0, usable(view));
const allDedicated = (view: View): number => Math.min(view.market.dedicated?.max ?? 0, usable(view));
const named = (demands: readonly Demand[]): string[] => [...demands].sort(byDeadline).map(({ batch }) => batch);
const measure = ({ now, market, demands }: View, factor: number, guard = guardSeconds(market.guard)) =>
  pressure(demands, {
    now,
    guard,
    factor,
    rate: market.dedicated?.rate ?? 1,
    max: market.dedicated?.max ?? 0,
    concurrency: market.concurrency,
  });

/** Spot for everything, and nothing else. */
const onlySpot = (name: string, order: 'fifo' | 'edf'): Controller => ({
  name,
  order,
  scales: true,
  decide: (view) => ({ spot: allSpot(view), dedicated: 0, atRisk: [], escalated: false }),
});

const constantDedicated: Controller = {
  name: 'dedicated_constant',
  order: 'edf',
  scales: false,
  decide: ({ market }) => ({ spot: 0, dedicated: market.dedicated?.max ?? 0, atRisk: [], escalated: false }),
};

/** Both kinds of workers; all dedicated ones as soon as one batch is due within so many seconds. */
const threshold = (name: string, within: (demand: Demand & Progress) => number): Controller => ({
  name,
  order: 'fair',
  scales: true,
  decide: (view) => {
    const risk = view.demands.filter((demand) => demand.deadline - view.now < within(demand));
    return { spot: allSpot(view), dedicated: risk.length > 0 ? allDedicated(view) : 0, atRisk: named(risk), escalated: risk.length > 0 };
  },
});

/** Each batch with a safety net of its own, as if all dedicated workers were its own. */
const independentNets = (factor: number): Controller => {
  const caught = new Set<string>();
  return {
    name: 'independent_nets',
    order: 'fair',
    scales: true,
    decide: (view) => {
      for (const demand of view.demands) if (measure({ ...view, demands: [demand] }, factor).load >= 1) caught.add(demand.batch);
      const risk = view.demands.filter(({ batch }) => caught.has(batch));
      return { spot: allSpot(view), dedicated: risk.length > 0 ? allDedicated(view) : 0, atRisk: named(risk), escalated: risk.length > 0 };
    },
  };
};

/** Greedy of "Can't Be Late": spot while it is there, else wait; from the safety net on dedicated workers only, to the end. */
const greedyExclusive = (factor: number): Controller => {
  let caught = false;
  return {
    name: 'greedy_exclusive',
    order: 'edf',
    scales: true,
    decide: (view) => {
      caught = view.demands.length > 0 && (caught || measure(view, factor).needed >= (view.market.dedicated?.max ?? 0));
      return { spot: caught ? 0 : allSpot(view), dedicated: caught ? allDedicated(view) : 0, atRisk: [], escalated: caught };
    },
  };
};

/**
 * Uniform progress with one kind of workers at a time, over the sum of all batches.
 * Source: Wu et al., "Can't Be Late", NSDI 2024, section 5.2.
 */
const polarised = (factor: number): Controller => {
  let on: 'idle' | 'spot' | 'dedicated' = 'idle';
  let caught = false;
  return {
    name: 'up_polarised',
    order: 'edf',
    scales: true,
    decide: (view) => {
      const { now, market, demands } = view;
      const expected = (at: number): number =>
        demands.reduce((sum, { whole, arrivedAt, deadline }) => sum + whole * Math.min(1, (at - arrivedAt) / (deadline - arrivedAt)), 0);
      const done = demands.reduce((sum, { whole }) => sum + whole, 0) - work(demands);
      const start = market.dedicated?.coldStart ?? 0;
      caught = demands.length > 0 && (caught || measure(view, factor).needed >= (market.dedicated?.max ?? 0));
      if (demands.length === 0) on = 'idle';
      else if (caught) on = 'dedicated';
      else if (on === 'dedicated') on = done >= expected(now + 2 * start) ? 'spot' : 'dedicated';
      else if (view.spotUp) on = 'spot';
      else on = done < expected(now) ? 'dedicated' : 'idle';
      const spot = on === 'dedicated' ? 0 : allSpot(view);
      return { spot, dedicated: on === 'dedicated' ? allDedicated(view) : 0, atRisk: [], escalated: on === 'dedicated' };
    },
  };
};

/** The policies to compare, each with a fresh memory. */
export const controllers = {
  fifo_spot: () => onlySpot('fifo_spot', 'fifo'),
  edf_spot: () => onlySpot('edf_spot', 'edf'),
  dedicated_constant: () => constantDedicated,
  dedicated_autoscaled: (factor: number) => policyController('dedicated_autoscaled', 'dedicated_only', { factor }),
  threshold_15min: () => threshold('threshold_15min', () => 900),
  threshold_2h: () => threshold('threshold_2h', () => 7_200),
  threshold_25pct: () => threshold('threshold_25pct', ({ deadline, arrivedAt }) => 0.25 * (deadline - arrivedAt)),
  greedy_exclusive: greedyExclusive,
  up_polarised: polarised,
  independent_nets: independentNets,
  sum_of_up: (factor: number) => policyController('sum_of_up', 'cautious', { factor }),
  rho_0_5: (factor: number) => policyController('rho_0_5', 'balanced', { factor, calm: 0.5 }),
  rho_0_7: (factor: number) => policyController('rho_0_7', 'balanced', { factor, calm: 0.7 }),
  rho_0_9: (factor: number) => policyController('rho_0_9', 'balanced', { factor, calm: 0.9 }),
  /** The line measured with the safety factor, as first written down; the product's measures it without. */
  rho_0_7_safe: (factor: number) => policyController('rho_0_7_safe', 'balanced', { factor, calm: 0.7 / factor }),
  spot_only: (factor: number) => policyController('spot_only', 'spot_only', { factor }),
} satisfies Record<string, (factor: number) => Controller>;

export type ControllerName = keyof typeof controllers;
export const controllerNames = Object.keys(controllers) as ControllerName[];
