import { joinOf, type Tensor } from '../executors/onnx/tensor.ts';
import type { RowFailure } from '../executors/onnx/wire.ts';
import type { ApiError } from '../lib/errors.ts';
import type { Times } from './infer.ts';

/** What a model is asked: tensors, or molecules to featurise. */
export interface Question {
  tensors: readonly Tensor[];
  smiles: readonly string[] | null;
  /** Rows along the axes of the inputs; where there are none, 1. */
  rows: number;
  /** Its rows are requests of their own: they need not share a run. */
  apart: boolean;
  /** It is a run of its own whatever the layout says. */
  alone?: boolean;
  /** The outputs wanted, in this order; null: all. */
  outputs: readonly string[] | null;
}

export interface Answer {
  outputs: Tensor[];
  /** Molecules that are none: those rows are not among the outputs. */
  failed: RowFailure[];
  times: Times;
}

/** Part of a question that goes into one run. */
export interface Part {
  ask: Ask;
  tensors: readonly Tensor[];
  smiles: readonly string[] | null;
  rows: number;
  /** What parts of one run have in common; null: it runs alone. */
  key: string | null;
  /** How often a process was lost with it, before it had begun. */
  losses: number;
}

interface Done {
  outputs: Tensor[];
  failed: RowFailure[];
}

/** One question on its way: its parts may be answered in any order and together with those of others. */
export class Ask {
  readonly promise: Promise<Answer>;
  /** By `performance.now()`. */
  readonly askedAt = performance.now();
  readonly deadline: number;
  readonly rows: number;
  /** The outputs wanted; null: all. */
  readonly outputs: readonly string[] | null;
  ended = false;
  #startedAt = 0;
  #computeMs = 0;
  #open = 0;
  readonly #done: (Done | undefined)[] = [];
  readonly #parts: Part[] = [];
  #axes: (name: string) => number | null = () => null;
  #resolve: (answer: Answer) => void = () => {};
  #reject: (error: Error) => void = () => {};

  readonly #onEnd: (ask: Ask, answer: Answer | ApiError) => void;

  /** `onEnd` is told once, whichever way it ends. */
  constructor(
    { rows, outputs }: Pick<Question, 'rows' | 'outputs'>,
    timeoutMs: number,
    onEnd: (ask: Ask, answer: Answer | ApiError) => void,
  ) {
    this.rows = rows;
    this.outputs = outputs;
    this.#onEnd = onEnd;
    this.deadline = this.askedAt + timeoutMs;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Its parts, in the order of their rows; `axes`: along which outputs are put together again. */
  split(parts: readonly Omit<Part, 'ask' | 'losses'>[], axes: (name: string) => number | null): Part[] {
    this.#axes = axes;
    this.#open = parts.length;
    for (const part of parts) this.#parts.push({ ...part, ask: this, losses: 0 });
    return this.#parts;
  }

  /** One of its parts is on its way to a process. */
  started(now: number): void {
    if (this.#startedAt === 0) this.#startedAt = now;
  }

  answer(part: Part, outputs: Tensor[], failed: RowFailure[], ms: number): void {
    if (this.ended) return;
    const index = this.#parts.length === 1 ? 0 : this.#parts.indexOf(part);
    if (this.#done[index]) return;
    this.#done[index] = { outputs, failed };
    this.#computeMs += ms;
    if (--this.#open > 0) return;
    this.ended = true;
    const [queueMs, sinceMs] = [this.#startedAt - this.askedAt, performance.now() - this.#startedAt];
    const times = { queueMs, batchMs: Math.max(0, sinceMs - this.#computeMs), computeMs: this.#computeMs };
    const answer = { ...this.#joined(), times };
    this.#onEnd(this, answer);
    this.#resolve(answer);
  }

  fail(error: ApiError): void {
    if (this.ended) return;
    this.ended = true;
    this.#onEnd(this, error);
    this.#reject(error);
  }

  #joined(): Done {
    const all = this.#done.filter((done) => done !== undefined);
    const [first] = all;
    if (all.length === 1 && first) return first;
    // A part of molecules that are none has no outputs at all.
    const outputs = (all.find((done) => done.outputs.length > 0)?.outputs ?? []).map((output, i) => {
      const each = all.flatMap(({ outputs }) => outputs[i] ?? []);
      return joinOf(each, this.#axes(output.name) ?? 0);
    });
    let before = 0;
    const failed = all.flatMap((done, i) => {
      const own = done.failed.map((failure) => ({ ...failure, row: before + failure.row }));
      before += this.#parts[i]!.rows;
      return own;
    });
    return { outputs, failed };
  }
}
