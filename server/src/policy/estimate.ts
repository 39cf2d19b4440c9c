/**
 * Measured rates and how far to trust them. An estimate is a value to keep in one row: nothing here remembers.
 */
export interface Estimate {
  /** Exponentially weighted mean of the samples. */
  readonly mean: number;
  /** Exponentially weighted variance of the samples. */
  readonly variance: number;
  /** Samples seen so far. */
  readonly count: number;
}

/** The weight of a new sample: about the last 40 count. */
const alpha = 0.05;
/** Below that many completions the operator's prior is believed instead. */
export const trusted = 30;

export const noEstimate: Estimate = { mean: 0, variance: 0, count: 0 };

/**
 * Takes in one sample. The first ones are averaged plainly, so that the very first does not linger.
 * Source: West, "Updating mean and variance estimates", 1979, with a constant weight once 1/n falls below it.
 *
 * @throws nothing; a sample that is no finite number is left out
 */
export const observe = (estimate: Estimate, sample: number): Estimate => {
  if (!Number.isFinite(sample)) return estimate;
  const weight = Math.max(alpha, 1 / (estimate.count + 1));
  const difference = sample - estimate.mean;
  const step = weight * difference;
  return {
    mean: estimate.mean + step,
    variance: (1 - weight) * (estimate.variance + difference * step),
    count: estimate.count + 1,
  };
};

/**
 * What to count on: mean − z × the deviation of that mean. It is the mean's deviation, sd × √(α/(2−α)), not one
 * sample's: work is a sum over thousands of requests, and a bound of one request's spread would ask for several
 * times the workers. Never below a tenth of the mean.
 *
 * @param weight of a new sample in mean and variance, where that is another
 * @param prior the operator's figure, used while fewer than 30 samples are in
 * @returns null: nothing measured and no prior
 */
export const lowerBound = (estimate: Estimate, prior: number | null, z = 1.645, weight = alpha): number | null =>
  estimate.count < trusted ? prior : Math.max(estimate.mean / 10, estimate.mean - z * deviation(estimate, weight));

/** The same from above: for costs, where more is worse. */
export const upperBound = (estimate: Estimate, prior: number | null, z = 1.645): number | null =>
  estimate.count < trusted ? prior : estimate.mean + z * deviation(estimate);

const deviation = ({ variance, count }: Estimate, weight = alpha): number =>
  Math.sqrt(variance * Math.max(1 / count, weight / (2 - weight)));

/** Open requests of one kind: of one model, or of one size class. */
export interface Open {
  readonly requests: number;
  /** Worker-seconds of one request; null: unknown. */
  readonly cost: number | null;
}

/**
 * Work that is left in a batch: the sum over its non-terminal requests.
 *
 * @returns worker-seconds; null when the cost of some of them is unknown
 */
export const remainingWork = (open: readonly Open[]): number | null => {
  let work = 0;
  for (const { requests, cost } of open) {
    if (requests === 0) continue;
    if (cost === null || !Number.isFinite(cost)) return null;
    work += requests * cost;
  }
  return work;
};

/**
 * How much more work to plan for than was estimated (kappa). An under-estimate of 20 %, which made a just-in-time policy
 * miss 36 % of its deadlines, is exactly what 1.25 covers; it costs 4–12 % where the estimate was right, so that it is
 * dropped once the errors are known to be small. Source: scheduling.md 1.4 and 1.5.
 *
 * @param errorP95 p95 of |true − estimated| / estimated over finished batches; null: not known yet
 */
export const safetyFactor = (errorP95: number | null): number => {
  if (errorP95 === null || !Number.isFinite(errorP95)) return 1.25;
  return errorP95 < 0.05 ? 1 : Math.min(2, Math.max(1.25, 1 + errorP95));
};
