import type { Db } from '../db/db.ts';
import { lowerBound, safetyFactor } from '../policy/estimate.ts';
import type { Kind } from '../policy/market.ts';
import { quantile } from '../policy/spread.ts';
import { readPreemptions, readRates, readSpreads, reportWeight, type RateRow } from '../requests/measured.ts';

/** What the policy believes of work and workers, each with what stands for it until it was measured. */
export interface Estimates {
  /** Requests a second of one worker, the lower bound of what was measured; null: it was not. */
  rate: (model: string) => number | null;
  /** How fast workers of one kind are beside those of both; 1 where that was not measured apart. */
  speed: (model: string, kind: Kind) => number;
  /** Seconds of a request: the one in a hundred, and in a thousand, that takes longest. */
  request: (model: string) => { p99: number; p999: number };
  /** Seconds of writing a batch's files, p95. */
  finalize: number;
  /** Spot workers taken away per worker-hour. */
  preemptions: number;
  /** Safety factor on work (kappa). */
  factor: number;
}

/** Seconds, until measured. */
const [priorRequest, priorFinalize] = [2, 5];
/** Spot workers taken away per worker-hour, until measured, and how many hours that weighs. */
const [priorTaken, priorHours] = [0.2, 5];
/** Values below which a quantile says nothing. */
const enough = 100;

export const unmeasured: Estimates = {
  rate: () => null,
  speed: () => 1,
  request: () => ({ p99: priorRequest, p999: priorRequest }),
  finalize: priorFinalize,
  preemptions: priorTaken,
  factor: safetyFactor(null),
};

const bound = ({ rate: mean, variance, settled: count }: RateRow): number | null =>
  lowerBound({ mean, variance, count }, null, undefined, reportWeight);

export const readEstimates = async (db: Db): Promise<Estimates> => {
  const [rates, spreads, spot] = [await readRates(db), await readSpreads(db), await readPreemptions(db)];
  const known = new Map(rates.map((row) => [`${row.kind ?? ''} ${row.model}`, bound(row)]));
  const counts = new Map(spreads.map((row) => [`${row.what} ${row.model}`, row.counts]));
  const seconds = (name: string, share: number, prior: number, least = enough): number => {
    const ms = quantile(counts.get(name) ?? [], share, least);
    return ms === null ? prior : ms / 1_000;
  };
  const error = quantile(counts.get('estimate ') ?? [], 0.95, enough);
  return {
    rate: (model) => known.get(` ${model}`) ?? null,
    speed: (model, kind) => {
      const [own, all] = [known.get(`${kind} ${model}`) ?? null, known.get(` ${model}`) ?? null];
      return own === null || all === null ? 1 : own / all;
    },
    request: (model) => ({
      p99: seconds(`request ${model}`, 0.99, priorRequest),
      p999: seconds(`request ${model}`, 0.999, priorRequest),
    }),
    // A batch or two a day would never come to a hundred.
    finalize: seconds('finalize ', 0.95, priorFinalize, 20),
    preemptions: (spot.taken + priorTaken * priorHours) / (spot.hours + priorHours),
    factor: safetyFactor(error === null ? null : error / 1_000),
  };
};
