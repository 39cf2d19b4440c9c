import { frame } from '../../lib/frames.ts';

/**
 * What the executor and its children say to each other, in frames over one socket pair. The child reads and writes with blocking
 * calls: it has nothing else to do meanwhile.
 *
 * Tensors to a child go through a file without a name that both hold, which is memory in fact: a socket holds 200 kB,
 * so that a child would wait at every slice until the executor's event loop has fed it (60 % of a bare loop).
 */
export interface TensorHead {
  name: string;
  type: string;
  dims: number[];
  /** Where its values begin in the frame's bytes; a multiple of 8. */
  at: number;
  bytes: number;
  /** In place of bytes, for a tensor of strings. */
  strings?: string[];
}

/** The first frame to a child. */
export interface LoadHead {
  path: string;
  smiles: boolean;
  /** Descriptor 6 is the file of the host's features. */
  features?: boolean;
}

export interface Port {
  name: string;
  type: string;
  /** A string (or '') where the dimension is not fixed. */
  shape: (number | string)[];
}

export type LoadedHead = { ok: true; inputs: Port[]; outputs: Port[] } | { ok: false; message: string };

/** A slice: SMILES to featurise, or the tensors as they are. `single`: row by row. */
export interface SliceHead {
  rows: number;
  smiles?: string[];
  tensors?: TensorHead[];
  /** Where the tensors' bytes are in the shared file. */
  shared?: { at: number; bytes: number };
  single?: boolean;
}

/** One run of the model, by itself: tensors as they are, or SMILES to featurise; `outputs`: those wanted, all without. */
export interface RunHead {
  tensors?: TensorHead[];
  smiles?: string[];
  outputs?: string[];
}

/** Several runs, one after another; one that fails does not touch the others. */
export interface RunsHead {
  runs: RunHead[];
  /** Where the tensors' bytes are in the shared file; without it they are in the frame. */
  shared?: { at: number; bytes: number };
}

/** `failed`: molecules that are none; the tensors have rows for the others alone. */
export type RunResult = { ms: number; tensors: TensorHead[]; failed?: RowFailure[] } | { ms: number; error: string };

/** Results of some of the runs, in order, beginning with number `first`. */
export interface RunsResultHead {
  first: number;
  runs: RunResult[];
}

/** A row that has no result: its index in the slice, and why. */
export interface RowFailure {
  row: number;
  code: 'invalid_input' | 'executor_error';
  message: string;
}

export interface ResultHead {
  startedAt: number;
  ms: number;
  failed: RowFailure[];
  /** Row after row of those that did not fail; a tensor's first dimension counts them. */
  tensors: TensorHead[];
}

export const align = (bytes: number): number => (bytes + 7) & ~7;

export const frameOf = (head: LoadHead | SliceHead | RunsHead | LoadedHead | ResultHead | RunsResultHead, bytes = 0): Buffer =>
  frame(head, bytes);
