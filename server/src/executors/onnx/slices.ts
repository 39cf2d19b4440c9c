import type { Failure, Outcome, RunSignals, Task } from '../executor.ts';

/** Tasks that go to a child together; all of one run. */
export interface Slice {
  run: Run;
  tasks: Task[];
  /** How often a child was lost over it, or over a larger slice that held it. */
  losses: number;
}

/** One `run` of the executor: what it has still to start, what is under way, and the outcomes nobody has fetched. */
export class Run {
  readonly #tasks: readonly Task[];
  readonly #started: ((line: number) => void) | undefined;
  #at = 0;
  #ready: Outcome[] = [];
  #wake: () => void = () => {};
  /** Started, and without an outcome yet, with the time at which they were handed on. */
  readonly #open = new Map<Task, number>();
  ended = false;

  constructor(tasks: readonly Task[], started?: (line: number) => void) {
    this.#tasks = tasks;
    this.#started = started;
  }

  get waiting(): number {
    return this.#tasks.length - this.#at;
  }

  /** Starts up to `most` of its tasks. */
  take(most: number): Slice | null {
    if (this.waiting === 0) return null;
    const tasks = this.#tasks.slice(this.#at, this.#at + most);
    this.#at += tasks.length;
    const now = Date.now();
    for (const task of tasks) {
      this.#open.set(task, now);
      this.#started?.(task.line);
    }
    return { run: this, tasks, losses: 0 };
  }

  stop(): void {
    this.#at = this.#tasks.length;
    this.#wake();
  }

  /** Cancels what is under way. */
  end(): void {
    this.stop();
    this.ended = true;
    for (const task of this.#open.keys()) this.fail(task, 'cancelled', 'batch_cancelled', 'Cancelled before it was done.');
  }

  /** An outcome for a task that has none yet; late ones, after an abort, go nowhere. */
  settle(outcome: Outcome, task: Task): void {
    if (!this.#open.delete(task)) return;
    this.#ready.push(outcome);
    this.#wake();
  }

  fail(task: Task, kind: Failure['kind'], code: string, message: string): void {
    const startedAt = this.#open.get(task) ?? Date.now();
    this.settle({ line: task.line, startedAt, ms: Math.max(0, Date.now() - startedAt), ok: false, kind, code, message }, task);
  }

  async *outcomes(signals: RunSignals): AsyncGenerator<Outcome[]> {
    const [stop, end] = [() => this.stop(), () => this.end()];
    signals.stop.addEventListener('abort', stop);
    signals.abort.addEventListener('abort', end);
    try {
      if (signals.stop.aborted || signals.abort.aborted) this.stop();
      while (true) {
        if (this.#ready.length > 0) {
          const group = this.#ready;
          this.#ready = [];
          yield group;
        } else if (this.waiting === 0 && this.#open.size === 0) return;
        else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      signals.stop.removeEventListener('abort', stop);
      signals.abort.removeEventListener('abort', end);
      this.end();
    }
  }
}

/**
 * What to try again after a child was lost over a slice. The row it was at goes alone, and so does each row at last
 * where that is not known (halves). One that loses a child alone, a second time, did it: then the answer is null.
 */
export const retryParts = (slice: Slice, row: number): Slice[] | null => {
  const { tasks, run, losses } = slice;
  if (tasks.length === 1) return losses > 0 ? null : [{ ...slice, losses: 1 }];
  const part = (from: number, to: number, more: number): Slice => ({ run, tasks: tasks.slice(from, to), losses: more });
  const half = tasks.length >> 1;
  const parts =
    row >= 0 && row < tasks.length
      ? [part(0, row, 0), part(row + 1, tasks.length, 0), part(row, row + 1, losses + 1)]
      : [part(0, half, losses + 1), part(half, tasks.length, losses + 1)];
  return parts.filter((slice) => slice.tasks.length > 0);
};
