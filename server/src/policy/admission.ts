import { byDeadline } from './demand.ts';
import { guardSeconds, type Demand, type Market } from './market.ts';

/** `refuse`: such a batch fails with `window_not_feasible`. `flag`: it runs without the promise. `off`: nobody asks. */
export type AdmissionMode = 'refuse' | 'flag' | 'off';

export type Admission =
  | { readonly result: 'ok'; /** Goes into `Demand.admitted`. */ readonly admitted: true; readonly earliest: number | null }
  | {
      /** `flagged` runs, `window_not_feasible` fails. */
      readonly result: 'flagged' | 'window_not_feasible';
      readonly admitted: false;
      /** The earliest deadline that could be promised now; null: none, there are no dedicated workers. */
      readonly earliest: number | null;
      readonly reason: string;
    };

export interface AdmissionInput {
  readonly now: number;
  readonly mode: AdmissionMode;
  readonly market: Market;
  /** What is unfinished now: procrastination eats the headroom that later arrivals need, so only live demand will do. */
  readonly demands: readonly Demand[];
  readonly candidate: Omit<Demand, 'admitted'>;
  /** Safety factor on work, as the controller's. */
  readonly factor: number;
  /** Share of the dedicated workers that promises may take. */
  readonly limit?: number;
}

/** Share of Dmax up to which batches are admitted. Source: scheduling.md 1.4. */
export const admissionLimit = 0.95;

/**
 * Whether the candidate's deadline can be promised: with it among the admitted batches, every prefix in order of deadline
 * that it lengthens must need at most 95 % of the dedicated workers, without any help from spot. Prefixes before it are
 * not its doing. Without a known rate nothing can be promised, and nothing is refused: the batch is flagged.
 */
export const admit = (input: AdmissionInput): Admission => {
  const { now, mode, market, candidate } = input;
  const dedicated = market.dedicated;
  if (mode === 'off') return { result: 'ok', admitted: true, earliest: null };
  const rate = dedicated?.rate ?? null;
  if (!dedicated || dedicated.max <= 0)
    return {
      result: 'flagged',
      admitted: false,
      earliest: null,
      reason: 'no dedicated workers are configured, so no deadline can be promised',
    };
  if (rate === null || !(rate > 0) || !Number.isFinite(candidate.work))
    return {
      result: 'flagged',
      admitted: false,
      earliest: null,
      reason: 'how long this model takes is not known yet, so no deadline can be promised',
    };
  const earliest = earliestDeadline(input, rate, dedicated.max);
  if (earliest <= candidate.deadline && fits(input, rate, dedicated.max, candidate.deadline))
    return { result: 'ok', admitted: true, earliest };
  const late = Math.max(0, Math.ceil(earliest - candidate.deadline));
  return {
    result: mode === 'refuse' ? 'window_not_feasible' : 'flagged',
    admitted: false,
    earliest: Math.max(earliest, now),
    reason: `with ${dedicated.max} dedicated workers it can be promised ${late} s after its deadline at the earliest`,
  };
};

/** The earliest deadline at which the candidate fits: between each two deadlines there are, what it needs itself, if the later ones bear it. */
const earliestDeadline = (input: AdmissionInput, rate: number, max: number): number => {
  const others = input.demands.filter(({ admitted }) => admitted).sort(byDeadline);
  const speed = (input.limit ?? admissionLimit) * max * rate;
  const guard = guardSeconds(input.market.guard);
  const own = input.factor * input.candidate.work;
  let total = others.reduce((sum, { work }) => sum + input.factor * work, 0) + own;
  let earliest = Infinity;
  // From the last position forward: the candidate stands after `others[k - 1]`, and lengthens what is due from `others[k]` on.
  for (let k = others.length; k >= 0; k -= 1) {
    const from = k === 0 ? -Infinity : others[k - 1]!.deadline;
    const until = k === others.length ? Infinity : others[k]!.deadline;
    const needs = Math.max(from, input.now + guard + total / speed, alone(input, rate, max, guard));
    if (needs <= until) earliest = needs;
    if (k === 0) break;
    // Moving before `others[k - 1]` lengthens that prefix too.
    if (total / speed > others[k - 1]!.deadline - input.now - guard) break;
    total -= input.factor * others[k - 1]!.work;
  }
  return earliest;
};

const fits = (input: AdmissionInput, rate: number, max: number, deadline: number): boolean => {
  const guard = guardSeconds(input.market.guard);
  const speed = (input.limit ?? admissionLimit) * max * rate;
  if (deadline < alone(input, rate, max, guard)) return false;
  const all = [...input.demands.filter(({ admitted }) => admitted), { ...input.candidate, deadline, admitted: true }].sort(byDeadline);
  let work = 0;
  return all.every((demand) => {
    work += input.factor * demand.work;
    return demand.deadline < deadline || work / speed <= demand.deadline - input.now - guard;
  });
};

/** When the candidate ends if it runs as wide as it may, on workers of its own. */
const alone = ({ now, candidate, factor, market, limit }: AdmissionInput, rate: number, max: number, guard: number): number => {
  const width = Math.min(max, Math.min(candidate.requests, candidate.width ?? Infinity) / Math.max(1, market.concurrency));
  return candidate.work === 0 ? now : now + guard + (factor * candidate.work) / ((limit ?? admissionLimit) * rate * width);
};
