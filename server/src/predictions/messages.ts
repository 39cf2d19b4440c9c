import { bytesOf, joinOf, kindOf, sliceOf, tensorsOf, type Tensor } from '../executors/onnx/tensor.ts';
import {
  align,
  type RowFailure,
  type RunHead,
  type RunResult,
  type RunsHead,
  type RunsResultHead,
  type TensorHead,
} from '../executors/onnx/wire.ts';
import type { Frame } from '../lib/frames.ts';
import type { Part } from './ask.ts';
import type { Axes, Layout } from './layout.ts';

/** Parts that the model sees as one. */
export interface Run {
  parts: readonly Part[];
  rows: number;
}

/** Runs as a process is told them. */
export const encode = (runs: readonly Run[], { axes }: Layout): { head: RunsHead; bytes: Uint8Array } => {
  const pieces: { at: number; bytes: Uint8Array }[] = [];
  let size = 0;
  const tensor = (parts: readonly Part[], index: number): TensorHead => {
    const first = parts[0]!.tensors[index]!;
    const { name, datatype } = first;
    const type = kindOf(datatype).type;
    const axis = parts.length > 1 ? (axes?.inputs[name] ?? null) : null;
    if (axis === 0 && datatype !== 'BYTES') {
      // Along the first axis rows simply follow one another.
      const from = size;
      let rows = 0;
      for (const { tensors } of parts) {
        const { shape, data } = tensors[index]!;
        if (Array.isArray(data)) continue;
        pieces.push({ at: size, bytes: bytesOf(data) });
        size += data.byteLength;
        rows += shape[0]!;
      }
      const bytes = size - from;
      size = align(size);
      return { name, type, dims: first.shape.with(0, rows), at: from, bytes };
    }
    const { shape, data } =
      axis === null
        ? first
        : joinOf(
            parts.map(({ tensors }) => tensors[index]!),
            axis,
          );
    if (Array.isArray(data)) return { name, type, dims: shape, at: size, bytes: 0, strings: data };
    pieces.push({ at: size, bytes: bytesOf(data) });
    const head = { name, type, dims: shape, at: size, bytes: data.byteLength };
    size = align(size + data.byteLength);
    return head;
  };
  const heads = runs.map(({ parts }): RunHead => {
    const { ask, tensors, smiles } = parts[0]!;
    const head: RunHead = smiles
      ? { smiles: parts.flatMap((part) => part.smiles ?? []) }
      : { tensors: tensors.map((_, i) => tensor(parts, i)) };
    if (ask.outputs) head.outputs = [...ask.outputs];
    return head;
  });
  const bytes = Buffer.allocUnsafe(size);
  for (const { at, bytes: piece } of pieces) bytes.set(piece, at);
  return { head: { runs: heads }, bytes };
};

export type Decoded = { ms: number; outputs: Tensor[]; failed: RowFailure[] } | { ms: number; error: string };

/** What a process answered to runs of a message, beginning with number `first`. */
export const decode = ({ head, bytes }: Frame): { first: number; results: Decoded[] } => {
  const { first, runs } = JSON.parse(head.toString()) as RunsResultHead;
  // A copy of its own, which begins where every type may.
  const memory = new ArrayBuffer(bytes.length);
  new Uint8Array(memory).set(bytes);
  const results = runs.map((run: RunResult): Decoded =>
    'error' in run ? run : { ms: run.ms, outputs: tensorsOf(run.tensors, memory), failed: run.failed ?? [] },
  );
  return { first, results };
};

export interface Share {
  part: Part;
  outputs: Tensor[];
  failed: RowFailure[];
}

/** What each part of a run gets of its results; null where the results do not have the run's rows. */
export const shares = ({ parts, rows }: Run, outputs: Tensor[], failed: RowFailure[], axes: Axes | null): Share[] | null => {
  const [only] = parts;
  if (parts.length === 1 && only) return [{ part: only, outputs, failed }];
  const axisOf = (name: string): number => axes?.[name] ?? 0;
  if (!outputs.every(({ name, shape }) => shape[axisOf(name)] === rows - failed.length)) return null;
  let from = 0;
  let kept = 0;
  return parts.map((part): Share => {
    const own =
      failed.length === 0
        ? failed
        : failed.filter(({ row }) => row >= from && row < from + part.rows).map((failure) => ({ ...failure, row: failure.row - from }));
    const count = part.rows - own.length;
    const share = { part, outputs: outputs.map((output) => sliceOf(output, axisOf(output.name), kept, kept + count)), failed: own };
    from += part.rows;
    kept += count;
    return share;
  });
};
