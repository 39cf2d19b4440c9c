import { controllerNames, type ControllerName } from './controllers.ts';
import { oracleCost, type Due } from './oracle.ts';
import { defaults, type Options } from './options.ts';
import { run, type Outcome } from './world.ts';

/** What one run comes to. Times in seconds, money in the prices' currency. */
export interface Report {
  readonly policy: ControllerName;
  readonly batches: number;
  readonly refused: number;
  /** Batches that were promised their deadline (all that ran, where nobody asks). */
  readonly promised: number;
  /** Of those, how many ended late or not at all. */
  readonly missed: number;
  /** Lateness over all promised batches, 0 for those in time. */
  readonly lateP50: number;
  readonly lateP99: number;
  /** The lateness of each promised batch. */
  readonly late: readonly number[];
  readonly cost: number;
  /** The least that the work which ran could have cost. */
  readonly oracle: number;
  readonly costOverOracle: number;
  /** Against dedicated workers that start in no time and never idle. */
  readonly costOverDedicated: number;
  readonly jain: number;
  /** Largest difference in weighted service of two tenants that both had work waiting, in worker-seconds. */
  readonly maxGap: number;
  /** Share of the paid time in which something was run. */
  readonly utilisation: number;
  /** Workers started. */
  readonly starts: number;
  /** Most often that one batch entered the deadline class. */
  readonly escalations: number;
  readonly spotHours: number;
  readonly dedicatedHours: number;
  readonly broken: readonly string[];
}

/** The q-quantile by nearest rank; 0 of nothing. */
export const quantile = (values: readonly number[], q: number): number =>
  values.length === 0 ? 0 : values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.max(0, Math.ceil(q * values.length) - 1))]!;

/** Runs one policy once. Deterministic: the same options give the same report. */
export const runSimulation = (given: Partial<Options> & Pick<Options, 'workload'>): Report => {
  const options: Options = { ...defaults, ...given };
  return summarise(options, run(options));
};

const summarise = (options: Options, { batches, bill, slots, jain, maxGap, broken }: Outcome): Report => {
  const ran = batches.filter(({ admitted }) => admitted || options.admission !== 'refuse');
  const promised = ran.filter(({ admitted }) => admitted);
  const late = promised.map((batch) => batch.late);
  const due = ran.map(({ arrival }): Due => ({
    at: arrival.at,
    deadline: arrival.at + arrival.window,
    work: arrival.requests * arrival.seconds,
  }));
  const oracle = oracleCost(due, slots, options);
  const { price, rate } = options.pools.dedicated;
  const plain = (due.reduce((sum, { work }) => sum + work, 0) / 3_600 / rate) * price;
  return {
    policy: options.policy,
    batches: batches.length,
    refused: batches.length - ran.length,
    promised: promised.length,
    missed: late.filter((seconds) => seconds > 0).length,
    late,
    lateP50: quantile(late, 0.5),
    lateP99: quantile(late, 0.99),
    cost: bill.cost,
    oracle,
    costOverOracle: oracle > 0 ? bill.cost / oracle : 1,
    costOverDedicated: plain > 0 ? bill.cost / plain : 1,
    jain,
    maxGap,
    utilisation: bill.busy / Math.max(1, 3_600 * (bill.hours.spot + bill.hours.dedicated)),
    starts: bill.starts.spot + bill.starts.dedicated,
    escalations: Math.max(0, ...batches.map(({ escalations }) => escalations)),
    spotHours: bill.hours.spot,
    dedicatedHours: bill.hours.dedicated,
    broken,
  };
};

/** One policy over many seeds: a row of the table. */
export interface Row extends Omit<Report, 'broken' | 'escalations' | 'late'> {
  readonly runs: number;
  /** The largest ratio of any single run. */
  readonly worstOverOracle: number;
  readonly worstOverDedicated: number;
  readonly maxEscalations: number;
  readonly broken: number;
}

export interface CompareOptions {
  readonly policies?: readonly ControllerName[];
  /** Makes the runs: one for each seed. */
  readonly seeds: number;
  readonly scenario: (seed: number) => Partial<Options> & Pick<Options, 'workload'>;
}

/** Runs the policies on the same seeds, each with the same workload and the same spot. Ratios are of sums, not means of ratios. */
export const compare = ({ policies = controllerNames, seeds, scenario }: CompareOptions): Row[] => {
  const scenarios = Array.from({ length: seeds }, (_, seed) => ({ seed, ...scenario(seed) }));
  return policies.map((policy) =>
    row(
      policy,
      scenarios.map((options) => runSimulation({ ...options, policy })),
    ),
  );
};

/** Adds the reports of one policy up. */
export const row = (policy: ControllerName, reports: readonly Report[]): Row => {
  const sum = (of: (report: Report) => number): number => reports.reduce((total, report) => total + of(report), 0);
  const most = (of: (report: Report) => number): number => Math.max(0, ...reports.map(of));
  const late = reports.flatMap((report) => report.late);
  const hours = sum(({ spotHours, dedicatedHours }) => spotHours + dedicatedHours);
  return {
    policy,
    runs: reports.length,
    batches: sum(({ batches }) => batches),
    refused: sum(({ refused }) => refused),
    promised: sum(({ promised }) => promised),
    missed: sum(({ missed }) => missed),
    lateP50: quantile(late, 0.5),
    lateP99: quantile(late, 0.99),
    cost: sum(({ cost }) => cost),
    oracle: sum(({ oracle }) => oracle),
    costOverOracle: sum(({ cost }) => cost) / sum(({ oracle }) => oracle),
    costOverDedicated: sum(({ cost }) => cost) / sum(({ cost, costOverDedicated }) => cost / costOverDedicated),
    worstOverOracle: most(({ costOverOracle }) => costOverOracle),
    worstOverDedicated: most(({ costOverDedicated }) => costOverDedicated),
    jain: reports.length === 0 ? 1 : Math.min(...reports.map(({ jain }) => jain)),
    maxGap: most(({ maxGap }) => maxGap),
    utilisation: hours === 0 ? 0 : sum(({ utilisation, spotHours, dedicatedHours }) => utilisation * (spotHours + dedicatedHours)) / hours,
    starts: sum(({ starts }) => starts),
    maxEscalations: most(({ escalations }) => escalations),
    spotHours: sum(({ spotHours }) => spotHours),
    dedicatedHours: sum(({ dedicatedHours }) => dedicatedHours),
    broken: sum(({ broken }) => broken.length),
  };
};
