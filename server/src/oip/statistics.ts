import { modelKey, type ModelSpec } from '../models/models.ts';
import type { Times } from '../predictions/infer.ts';

/** How often, and nanoseconds in all. */
interface Duration {
  count: number;
  ns: number;
}

const nothing = (): Duration => ({ count: 0, ns: 0 });

const add = (to: Duration, ms: number): void => {
  to.count++;
  to.ns += Math.round(ms * 1e6);
};

const fresh = () => ({
  last: 0,
  rows: 0,
  success: nothing(),
  fail: nothing(),
  queue: nothing(),
  computeInput: nothing(),
  computeInfer: nothing(),
  computeOutput: nothing(),
});

type Counts = ReturnType<typeof fresh>;

/** What one request took, in milliseconds. */
export interface Took {
  total: number;
  /** Reading and checking what came. */
  input: number;
  /** Writing the answer. */
  output: number;
  times: Times;
}

/** Inferences over this protocol, counted by model since this process began. */
export class Statistics {
  readonly #models = new Map<string, Counts>();

  succeeded(model: ModelSpec, rows: number, { total, input, output, times }: Took): void {
    const counts = this.#of(model);
    counts.last = Date.now();
    counts.rows += rows;
    add(counts.success, total);
    add(counts.queue, times.queueMs + times.batchMs);
    add(counts.computeInput, input);
    add(counts.computeInfer, times.computeMs);
    add(counts.computeOutput, output);
  }

  failed(model: ModelSpec, total: number): void {
    add(this.#of(model).fail, total);
  }

  /** One entry of `model_stats`. An execution is a request here: what it shared a batch with is not told. */
  of(model: ModelSpec) {
    const { last, rows, success, fail, queue, computeInput, computeInfer, computeOutput } = this.#models.get(modelKey(model)) ?? fresh();
    return {
      name: model.name,
      version: model.version,
      last_inference: last,
      inference_count: rows,
      execution_count: success.count,
      inference_stats: {
        success,
        fail,
        queue,
        compute_input: computeInput,
        compute_infer: computeInfer,
        compute_output: computeOutput,
        cache_hit: nothing(),
        cache_miss: nothing(),
      },
      batch_stats: [],
      memory_usage: [],
    };
  }

  #of(model: ModelSpec): Counts {
    const key = modelKey(model);
    const counts = this.#models.get(key) ?? fresh();
    this.#models.set(key, counts);
    return counts;
  }
}
