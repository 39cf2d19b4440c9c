import type { ApiError } from '../lib/errors.ts';
import type { Answer } from './ask.ts';

/** Counts by upper bound, as Prometheus has them; a few comparisons an observation, where prom-client's takes a microsecond. */
export class Counts {
  readonly bounds: readonly number[];
  /** One more than there are bounds: the last is of what exceeds them all. */
  readonly counts: number[];
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    let i = 0;
    while (i < this.bounds.length && value > this.bounds[i]!) i++;
    this.counts[i]!++;
    this.sum += value;
    this.count++;
  }
}

const seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What one version of a model has been asked by way of predictions; kept when the model is unloaded. */
export class ModelFigures {
  readonly model: string;
  readonly version: string;
  readonly queue = new Counts(seconds);
  readonly batch = new Counts(seconds);
  readonly compute = new Counts(seconds);
  /** Rows of each run. */
  readonly sizes = new Counts([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]);
  completed = 0;
  rows = 0;
  /** Failed, by the error's code. */
  readonly failed = new Map<string, number>();
  lastAt: number | null = null;

  constructor({ name, version }: { name: string; version: string }) {
    this.model = name;
    this.version = version;
  }

  answered(rows: number, { times }: Answer): void {
    this.completed++;
    this.rows += rows;
    this.lastAt = Date.now();
    this.queue.observe(times.queueMs / 1000);
    this.batch.observe(times.batchMs / 1000);
    this.compute.observe(times.computeMs / 1000);
  }

  refused({ code }: ApiError): void {
    this.failed.set(code, (this.failed.get(code) ?? 0) + 1);
    this.lastAt = Date.now();
  }
}
