/** How wide a batch runs. */
export type Strategy = 'parallel' | 'sequential' | 'resource_aware' | 'adaptive';

export const strategies: readonly Strategy[] = ['parallel', 'sequential', 'resource_aware', 'adaptive'];

/** What one request declares it needs, or what one worker has. */
export interface Resources {
  readonly memoryBytes: number;
  readonly gpus: number;
}

/** What each request of a model needs, as its options declare it; null: nothing is declared. */
export const needsOf = (options: Readonly<Record<string, unknown>> | undefined): Resources | null => {
  const [memory, gpus] = [options?.['request_memory_mb'], options?.['request_gpus']];
  if (typeof memory !== 'number' && typeof gpus !== 'number') return null;
  return { memoryBytes: typeof memory === 'number' ? memory * 1_000_000 : 0, gpus: typeof gpus === 'number' ? gpus : 0 };
};

export interface WidthInput {
  readonly strategy: Strategy;
  /** `max_concurrent` of the batch; null: none. */
  readonly maxConcurrent: number | null;
  /** What one request needs; null: not declared. */
  readonly request: Resources | null;
  /** What the ready workers have, and the requests each runs at a time at most. */
  readonly workers: readonly (Resources & { readonly concurrency: number })[];
  /** State of the controller of `adaptive`; null: nothing has called for a limit. */
  readonly adaptive: Adaptive | null;
}

/**
 * Requests of a batch that may be in flight.
 *
 * `parallel`: as many as its limits allow. `sequential`: one, in order. `resource_aware`: as many as fit the memory and
 * GPUs of the workers. `adaptive`: what its controller found (`widening.ts`).
 *
 * @returns null: any number. 0: no worker is large enough for one request.
 */
export const width = ({ strategy, maxConcurrent, request, workers, adaptive }: WidthInput): number | null => {
  const limited = (most: number | null): number | null => (most === null ? maxConcurrent : Math.min(most, maxConcurrent ?? Infinity));
  switch (strategy) {
    case 'parallel':
      return limited(null);
    case 'sequential':
      return limited(1);
    case 'resource_aware':
      return limited(request === null ? null : workers.reduce((sum, worker) => sum + fitting(request, worker), 0));
    case 'adaptive':
      return limited(adaptive?.width ?? null);
  }
};

/** Requests that fit one worker at a time. */
export const fitting = (request: Resources, worker: Resources & { readonly concurrency: number }): number => {
  // Ten tenths of a GPU are one, and not a little more.
  const by = (has: number, needs: number): number => (needs > 0 ? Math.floor(has / needs + 1e-9) : Infinity);
  return Math.max(0, Math.min(worker.concurrency, by(worker.memoryBytes, request.memoryBytes), by(worker.gpus, request.gpus)));
};

/** What the controller of `adaptive` remembers. */
export interface Adaptive {
  readonly width: number;
  /** `start` doubles, `climb` adds an eighth, `hold` waits before it tries again. */
  readonly phase: 'start' | 'climb' | 'hold';
  /** The width that was best so far, and completions per second there. */
  readonly best: { readonly width: number; readonly throughput: number };
  /** Rounds left to hold. */
  readonly rounds: number;
}

export const newAdaptive: Adaptive = { width: 4, phase: 'start', best: { width: 0, throughput: 0 }, rounds: 0 };

/** What was seen of the batch in one round. */
export interface Observation {
  readonly completed: number;
  /** Retryable failures and losses: what too much width causes. Errors of the input do not count. */
  readonly errors: number;
  readonly seconds: number;
  /** False while fewer than `width` requests were in flight for want of workers or of work: nothing is learnt from such a round. */
  readonly full: boolean;
}

const grows = 1.05;
const errorLimit = 0.05;
const holdRounds = 10;

/**
 * One round of the controller of `adaptive`: doubles while throughput grows by 5 % or more, then goes in steps of an
 * eighth; where throughput stops growing it goes back to the best width and holds for ten rounds; where more than 5 % of
 * the requests fail it halves. After a hold it tries one step, because conditions change.
 * Source: slow start and additive increase, multiplicative decrease (Jacobson 1988), with throughput as the signal as in
 * Netflix's concurrency-limits.
 */
export const adapt = (state: Adaptive, { completed, errors, seconds, full }: Observation, most = 65_536): Adaptive => {
  const done = completed + errors;
  if (done > 0 && errors / done > errorLimit) {
    const half = Math.max(1, Math.floor(state.width / 2));
    return { width: half, phase: 'hold', best: { width: half, throughput: 0 }, rounds: holdRounds };
  }
  if (!full || done === 0 || seconds <= 0) return state;
  const throughput = completed / seconds;
  const wider = (by: number): number => Math.min(most, Math.max(state.width + 1, Math.round(state.width * by)));
  if (state.phase === 'hold') {
    // What the best width gives is measured anew, so that the next try compares with today.
    const best = { width: state.width, throughput };
    if (state.rounds > 0) return { ...state, best, rounds: state.rounds - 1 };
    return { width: wider(1.125), phase: 'climb', best, rounds: 0 };
  }
  const gain = throughput / state.best.throughput;
  // Twice the width for less than half as much again: the knee lies between, about where throughput says (Little's law).
  if (state.phase === 'start' && gain >= grows && gain < 1.5)
    return { width: Math.max(1, Math.round(state.best.width * gain * 1.05)), phase: 'climb', best: state.best, rounds: 0 };
  if (throughput >= state.best.throughput * grows) {
    const best = { width: state.width, throughput };
    return { width: wider(state.phase === 'start' ? 2 : 1.125), phase: state.phase, best, rounds: 0 };
  }
  if (state.phase === 'start' && state.best.width > 1)
    return { width: Math.max(1, Math.round(state.best.width * 1.125)), phase: 'climb', best: state.best, rounds: 0 };
  return { width: Math.max(1, state.best.width), phase: 'hold', best: state.best, rounds: holdRounds };
};
