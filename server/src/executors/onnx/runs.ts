import { Tensor, type InferenceSession } from 'onnxruntime-node';
import { messageOf } from '../../lib/errors.ts';
import { align, type RowFailure, type RunHead, type RunResult, type RunsHead, type RunsResultHead, type TensorHead } from './wire.ts';

/** Milliseconds after which results are sent without waiting for those of the message that are still to come. */
const holdMs = 2;

const arrays = {
  float16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};
export type Values = keyof typeof arrays;

export const typed = (type: Values, bytes: ArrayBuffer, at: number, length: number) => new arrays[type](bytes, at, length);

export type Feeds = Record<string, Tensor>;

export const tensorOf = ({ name, type, dims, at, bytes, strings }: TensorHead, memory: ArrayBuffer): [string, Tensor] => {
  if (strings) return [name, new Tensor('string', strings, dims)];
  const kind = type as Values;
  return [name, new Tensor(kind, typed(kind, memory, at, bytes / arrays[kind].BYTES_PER_ELEMENT), dims)];
};

/** Tensors as they go into a frame: heads, and the bytes that they point to. */
export class Outgoing {
  size = 0;
  readonly parts: Uint8Array[] = [];

  add(tensors: readonly [string, Tensor][]): TensorHead[] {
    return tensors.map(([name, { type, dims, data }]): TensorHead => {
      if (type === 'string') return { name, type, dims: [...dims], at: this.size, bytes: 0, strings: data as string[] };
      const { buffer, byteOffset, byteLength } = data as Float32Array;
      const head = { name, type, dims: [...dims], at: this.size, bytes: byteLength };
      this.parts.push(new Uint8Array(buffer, byteOffset, byteLength), new Uint8Array(align(byteLength) - byteLength));
      this.size += align(byteLength);
      return head;
    });
  }
}

export interface Means {
  session: InferenceSession;
  /** The features of those SMILES that are molecules; the others go to `failed`. Called with what to note at each. */
  featurise: (smiles: readonly string[], failed: RowFailure[], at: () => void) => { feeds: Feeds; rows: number[] };
  note: (row: number) => void;
  send: (head: RunsResultHead, outgoing: Outgoing) => void;
}

/** Does the runs of a message one after another; where one fails, its result says why, and the next begins. */
export const serveRuns = async ({ runs }: RunsHead, memory: ArrayBuffer, { session, featurise, note, send }: Means): Promise<void> => {
  const feed = (run: RunHead, index: number, failed: RowFailure[]): Feeds | null => {
    if (!run.smiles) return Object.fromEntries((run.tensors ?? []).map((tensor) => tensorOf(tensor, memory)));
    const { feeds, rows } = featurise(run.smiles, failed, () => note(index));
    return rows.length > 0 ? feeds : null;
  };
  let outgoing = new Outgoing();
  let results: RunResult[] = [];
  let first = 0;
  let sentAt = performance.now();
  for (const [index, run] of runs.entries()) {
    note(index);
    const began = performance.now();
    const failed: RowFailure[] = [];
    try {
      const feeds = feed(run, index, failed);
      const outputs = feeds === null ? {} : run.outputs ? await session.run(feeds, run.outputs) : await session.run(feeds);
      const tensors = outgoing.add(Object.entries(outputs));
      results.push({ ms: performance.now() - began, tensors, ...(failed.length > 0 ? { failed } : {}) });
    } catch (error) {
      results.push({ ms: performance.now() - began, error: messageOf(error) });
    }
    const now = performance.now();
    if (index < runs.length - 1 && now - sentAt < holdMs) continue;
    send({ first, runs: results }, outgoing);
    [outgoing, results, first, sentAt] = [new Outgoing(), [], index + 1, now];
  }
};
