import { ApiError } from '../../lib/errors.ts';
import { didYouMean } from '../../lib/suggest.ts';
import type { Port, TensorHead } from './wire.ts';

/** Typed values, row-major. BOOL is 0 or 1 in a Uint8Array; FP16 is its bits in a Uint16Array. */
export type Values =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

interface Kind {
  /** What ONNX Runtime calls it. */
  type: string;
  bytes: number;
  view: (memory: ArrayBufferLike, at: number, length: number) => Values;
  /** Least and most of an integer that JSON's doubles can hold; null where any finite number will do. */
  range: [number, number] | null;
}

/** JSON's numbers are doubles: beyond 2^53 they are not the integers that were written. */
const safe = Number.MAX_SAFE_INTEGER;

/** The types of the Open Inference Protocol, which are the ones that tensors have here. */
const kinds = {
  BOOL: { type: 'bool', bytes: 1, view: (m, at, n) => new Uint8Array(m, at, n), range: [0, 1] },
  UINT8: { type: 'uint8', bytes: 1, view: (m, at, n) => new Uint8Array(m, at, n), range: [0, 255] },
  UINT16: { type: 'uint16', bytes: 2, view: (m, at, n) => new Uint16Array(m, at, n), range: [0, 65_535] },
  UINT32: { type: 'uint32', bytes: 4, view: (m, at, n) => new Uint32Array(m, at, n), range: [0, 2 ** 32 - 1] },
  UINT64: { type: 'uint64', bytes: 8, view: (m, at, n) => new BigUint64Array(m, at, n), range: [0, safe] },
  INT8: { type: 'int8', bytes: 1, view: (m, at, n) => new Int8Array(m, at, n), range: [-128, 127] },
  INT16: { type: 'int16', bytes: 2, view: (m, at, n) => new Int16Array(m, at, n), range: [-32_768, 32_767] },
  INT32: { type: 'int32', bytes: 4, view: (m, at, n) => new Int32Array(m, at, n), range: [-(2 ** 31), 2 ** 31 - 1] },
  INT64: { type: 'int64', bytes: 8, view: (m, at, n) => new BigInt64Array(m, at, n), range: [-safe, safe] },
  FP16: { type: 'float16', bytes: 2, view: (m, at, n) => new Uint16Array(m, at, n), range: null },
  FP32: { type: 'float32', bytes: 4, view: (m, at, n) => new Float32Array(m, at, n), range: null },
  FP64: { type: 'float64', bytes: 8, view: (m, at, n) => new Float64Array(m, at, n), range: null },
  BYTES: { type: 'string', bytes: 0, view: () => new Uint8Array(0), range: null },
} as const satisfies Record<string, Kind>;

export type Datatype = keyof typeof kinds;

/** A named tensor, in or out of a model. */
export interface Tensor {
  name: string;
  datatype: Datatype;
  shape: number[];
  /** Strings for BYTES: UTF-8 without NUL, at which ONNX Runtime would cut them. */
  data: Values | string[];
}

export const kindOf = (datatype: Datatype): Kind => kinds[datatype];

const byType = new Map(Object.entries(kinds).map(([name, { type }]): [string, Datatype] => [type, name as Datatype]));

export const isDatatype = (name: string): name is Datatype => Object.hasOwn(kinds, name);

/** The datatype of a port's type; null for those no tensor here can have. */
export const datatypeOf = (type: string): Datatype | null => byType.get(type) ?? null;

export const sizeOf = (shape: readonly number[]): number => {
  let size = 1;
  for (const dimension of shape) size *= dimension;
  return size;
};

export const invalidInput = (path: string, problem: string): ApiError =>
  new ApiError('invalid_input', `${path} ${problem}`, { param: path });

export const bytesOf = (values: Values): Uint8Array => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** Small tensors are cut from a block: memory outside of V8's heap costs more to ask for than a small tensor to fill. */
const block = 65_536;
let open = new ArrayBuffer(block);
let used = 0;

/** Room for a tensor's values, all of them 0. */
export const roomFor = (datatype: Datatype, size: number): Values => {
  const { bytes, view } = kinds[datatype];
  const need = (size * bytes + 7) & ~7;
  if (need > block / 16) return view(new ArrayBuffer(size * bytes), 0, size);
  if (used + need > block) [open, used] = [new ArrayBuffer(block), 0];
  used += need;
  return view(open, used - need, size);
};

const chunks = (shape: readonly number[], axis: number) => ({
  outer: sizeOf(shape.slice(0, axis)),
  inner: sizeOf(shape.slice(axis + 1)),
});

/** What lies between `from` and `to` on `axis`; of the first axis a view, not a copy. */
export const sliceOf = ({ name, datatype, shape, data }: Tensor, axis: number, from: number, to: number): Tensor => {
  const { outer, inner } = chunks(shape, axis);
  const [length, count] = [shape[axis]!, to - from];
  const taken = shape.with(axis, count);
  if (Array.isArray(data)) {
    const strings: string[] = [];
    for (let o = 0; o < outer; o++) strings.push(...data.slice((o * length + from) * inner, (o * length + to) * inner));
    return { name, datatype, shape: taken, data: strings };
  }
  if (outer === 1) return { name, datatype, shape: taken, data: data.subarray(from * inner, to * inner) };
  const values = roomFor(datatype, outer * count * inner);
  const [source, target, unit] = [bytesOf(data), bytesOf(values), inner * kinds[datatype].bytes];
  for (let o = 0; o < outer; o++) target.set(source.subarray((o * length + from) * unit, (o * length + to) * unit), o * count * unit);
  return { name, datatype, shape: taken, data: values };
};

/** Tensors of one shape but for `axis`, one after another along it. */
export const joinOf = (tensors: readonly Tensor[], axis: number): Tensor => {
  const [first] = tensors;
  if (first === undefined) throw new Error('there is nothing to join');
  if (tensors.length === 1) return first;
  const { name, datatype } = first;
  const length = tensors.reduce((sum, { shape }) => sum + shape[axis]!, 0);
  const shape = first.shape.with(axis, length);
  const { outer, inner } = chunks(shape, axis);
  if (datatype === 'BYTES') {
    const strings: string[] = [];
    for (let o = 0; o < outer; o++)
      for (const { shape: own, data } of tensors) {
        const each = own[axis]! * inner;
        if (Array.isArray(data)) strings.push(...data.slice(o * each, (o + 1) * each));
      }
    return { name, datatype, shape, data: strings };
  }
  const values = roomFor(datatype, outer * length * inner);
  const [target, unit] = [bytesOf(values), inner * kinds[datatype].bytes];
  let at = 0;
  for (let o = 0; o < outer; o++)
    for (const { shape: own, data } of tensors) {
      if (Array.isArray(data)) continue;
      const each = own[axis]! * unit;
      target.set(bytesOf(data).subarray(o * each, (o + 1) * each), at);
      at += each;
    }
  return { name, datatype, shape, data: values };
};

const shown = (shape: readonly (number | string)[]): string => `[${shape.map((d) => (typeof d === 'string' ? d || '?' : d)).join(', ')}]`;

/** Why a text cannot be an element of a tensor of strings; null where it can. */
export const textProblem = (text: string): string | null =>
  text.includes('\0')
    ? 'holds a NUL character, at which the model would cut it.'
    : text.isWellFormed()
      ? null
      : 'holds half of a surrogate pair, which is not UTF-8.';

const checkValues = ({ datatype, data }: Tensor, path: string): void => {
  if (datatype === 'BYTES') {
    if (!Array.isArray(data)) throw invalidInput(path, 'must hold strings (BYTES).');
    data.forEach((text, i) => {
      const problem = textProblem(text);
      if (problem) throw invalidInput(`${path}[${i}]`, problem);
    });
  } else if (Array.isArray(data)) throw invalidInput(path, `must hold numbers (${datatype}), not strings.`);
  else if (datatype === 'BOOL') {
    const wrong = bytesOf(data).findIndex((value) => value > 1);
    if (wrong >= 0) throw invalidInput(`${path}[${wrong}]`, 'must be 0 or 1 (BOOL).');
  }
};

/**
 * Holds tensors against a model's inputs: ONNX Runtime ignores those it does not know and coerces what does not fit.
 * Returns them in the order of the ports. Throws `invalid_input` with the path of what is wrong.
 */
export const checkTensors = (tensors: readonly Tensor[], ports: readonly Port[]): Tensor[] => {
  const names = ports.map(({ name }) => name);
  const given = new Map<string, Tensor>();
  for (const tensor of tensors) {
    const path = `inputs.${tensor.name}`;
    if (!names.includes(tensor.name))
      throw invalidInput(path, `is not known; this model takes ${names.join(', ')}.${didYouMean(tensor.name, names)}`);
    if (given.has(tensor.name)) throw invalidInput(path, 'is given twice.');
    given.set(tensor.name, tensor);
  }
  return ports.map(({ name, type, shape }) => {
    const path = `inputs.${name}`;
    const tensor = given.get(name);
    if (!tensor) throw invalidInput(path, 'is missing.');
    const datatype = datatypeOf(type);
    if (datatype !== tensor.datatype) throw invalidInput(path, `must be ${datatype ?? type}, not ${tensor.datatype}.`);
    const fits =
      tensor.shape.length === shape.length &&
      tensor.shape.every(
        (dimension, i) => Number.isSafeInteger(dimension) && dimension >= 0 && (typeof shape[i] === 'string' || shape[i] === dimension),
      );
    if (!fits) throw invalidInput(path, `has shape ${shown(tensor.shape)}; it must be ${shown(shape)}.`);
    const size = sizeOf(tensor.shape);
    if (tensor.data.length !== size)
      throw invalidInput(path, `has ${tensor.data.length} values; its shape ${shown(tensor.shape)} needs ${size}.`);
    checkValues(tensor, path);
    return tensor;
  });
};

/** The tensors of a frame. `memory` is theirs alone and begins where a multiple of 8 does. */
export const tensorsOf = (heads: readonly TensorHead[], memory: ArrayBuffer): Tensor[] =>
  heads.map(({ name, type, dims, at, strings }) => {
    const datatype = datatypeOf(type);
    if (!datatype) throw new Error(`there is no tensor of type ${type}`);
    return { name, datatype, shape: dims, data: strings ?? kinds[datatype].view(memory, at, sizeOf(dims)) };
  });
