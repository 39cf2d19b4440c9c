import type { Lane } from '../policy/turns.ts';
import type { Random } from './random.ts';

/** A batch that will arrive; seconds throughout. */
export interface Arrival {
  readonly batch: string;
  readonly tenant: string;
  readonly weight: number;
  readonly lane: Lane;
  readonly priority: number;
  readonly at: number;
  /** Completion window. */
  readonly window: number;
  readonly requests: number;
  /** What one request truly takes a plain worker. */
  readonly seconds: number;
  /** What the scheduler believes it takes. */
  readonly estimate: number;
  readonly maxConcurrent: number | null;
}

const plain = { tenant: 'a', weight: 1, lane: 'bulk', priority: 1, maxConcurrent: null } as const;

/**
 * One batch with a window of 24 h that needs `load` of all dedicated workers for all of that time.
 *
 * @param under how much too low its work is estimated: 0.2 means the estimate is 80 % of the truth
 */
export const singleBatch = ({
  load,
  workers,
  hours = 24,
  seconds = 10,
  under = 0,
}: {
  load: number;
  workers: number;
  hours?: number;
  seconds?: number;
  under?: number;
}): Arrival[] => [
  {
    ...plain,
    batch: 'batch',
    at: 0,
    window: hours * 3_600,
    requests: Math.round((load * workers * hours * 3_600) / seconds),
    seconds,
    estimate: seconds * (1 - under),
  },
];

export interface Many {
  readonly batches: number;
  readonly tenants: number;
  /** Share of the dedicated workers that all work together needs on average. */
  readonly load: number;
  readonly workers: number;
  readonly under?: number;
}

/** Windows of 1, 6 and 24 hours, and how much of the pool a batch of that window asks for on average. */
const windows = [1, 6, 24].map((hours) => hours * 3_600);

/** Many batches of several tenants: Poisson arrivals, windows of 1 h, 6 h and 24 h, lognormal sizes. */
export const manyBatches = ({ batches, tenants, load, workers, under = 0 }: Many, random: Random): Arrival[] => {
  // A batch asks for about `share` of the pool over its window, whichever that is: median 0.12, mean about 0.2.
  const drafts = Array.from({ length: batches }, () => {
    const window = windows[Math.floor(random.next() * windows.length)]!;
    const share = Math.min(0.8, random.lognormal(0.12, 1));
    return { window, work: share * window * workers, tenant: `t${Math.floor(random.next() * tenants)}`, gap: random.exponential(1) };
  });
  const work = drafts.reduce((sum, draft) => sum + draft.work, 0);
  const gaps = drafts.reduce((sum, draft) => sum + draft.gap, 0);
  const span = work / (load * workers);
  let at = 0;
  return drafts.map((draft, index) => {
    at += (draft.gap / gaps) * span;
    const requests = Math.max(1, Math.round(draft.work / 10));
    const seconds = draft.work / requests;
    return {
      ...plain,
      batch: `b${String(index).padStart(4, '0')}`,
      tenant: draft.tenant,
      at,
      window: draft.window,
      requests,
      seconds,
      estimate: seconds * (1 - under),
    };
  });
};

/**
 * Reads a trace: a JSON array of objects with `at`, `window`, `requests` and `seconds`, and optionally the other fields of
 * an arrival.
 *
 * @throws Error naming the entry and the field that is wrong
 */
export const parseTrace = (text: string): Arrival[] => {
  const read: unknown = JSON.parse(text);
  if (!Array.isArray(read)) throw new Error('a trace is a JSON array of batches');
  return read.map((entry: unknown, index) => {
    const row = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<string, unknown>;
    const number = (name: string, fallback?: number, least = 0): number => {
      const value = row[name] ?? fallback;
      if (typeof value !== 'number' || !Number.isFinite(value) || value < least)
        throw new Error(`batch ${index} of the trace: ${name} must be a number of at least ${least}`);
      return value;
    };
    const text = (name: string, fallback: string): string => (typeof row[name] === 'string' ? row[name] : fallback);
    const lane = text('lane', 'bulk');
    if (lane !== 'interactive' && lane !== 'jobs' && lane !== 'bulk')
      throw new Error(`batch ${index} of the trace: lane must be interactive, jobs or bulk`);
    const seconds = number('seconds', undefined, 0.001);
    return {
      batch: text('batch', `b${String(index).padStart(4, '0')}`),
      tenant: text('tenant', 'a'),
      weight: number('weight', 1, 0.001),
      lane,
      priority: number('priority', 1),
      at: number('at', 0),
      window: number('window', undefined, 1),
      requests: Math.round(number('requests', undefined, 1)),
      seconds,
      estimate: number('estimate', seconds, 0.001),
      maxConcurrent: row['maxConcurrent'] === undefined || row['maxConcurrent'] === null ? null : number('maxConcurrent', undefined, 1),
    };
  });
};
