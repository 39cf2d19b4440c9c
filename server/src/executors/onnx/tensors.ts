import { didYouMean } from '../../lib/suggest.ts';
import { LoadError, type Json } from '../executor.ts';
import { align, type Port, type SliceHead, type TensorHead } from './wire.ts';

interface Kind {
  bytes: number;
  /** Least and most of an integer type; null where any finite number will do. */
  range: [number, number] | null;
  put: (view: DataView, at: number, value: number) => void;
}

/** JSON's numbers are doubles: beyond 2^53 they are not the integers that were written. */
const safe: [number, number] = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];

/** All little-endian, as ONNX Runtime keeps them on every machine it runs on. */
const kinds: Record<string, Kind> = {
  float32: { bytes: 4, range: null, put: (view, at, value) => view.setFloat32(at, value, true) },
  float64: { bytes: 8, range: null, put: (view, at, value) => view.setFloat64(at, value, true) },
  int64: { bytes: 8, range: safe, put: (view, at, value) => view.setBigInt64(at, BigInt(value), true) },
  uint64: { bytes: 8, range: [0, safe[1]], put: (view, at, value) => view.setBigUint64(at, BigInt(value), true) },
  int32: { bytes: 4, range: [-(2 ** 31), 2 ** 31 - 1], put: (view, at, value) => view.setInt32(at, value, true) },
  uint32: { bytes: 4, range: [0, 2 ** 32 - 1], put: (view, at, value) => view.setUint32(at, value, true) },
  int16: { bytes: 2, range: [-32_768, 32_767], put: (view, at, value) => view.setInt16(at, value, true) },
  uint16: { bytes: 2, range: [0, 65_535], put: (view, at, value) => view.setUint16(at, value, true) },
  int8: { bytes: 1, range: [-128, 127], put: (view, at, value) => view.setInt8(at, value) },
  uint8: { bytes: 1, range: [0, 255], put: (view, at, value) => view.setUint8(at, value) },
  bool: { bytes: 1, range: [0, 1], put: (view, at, value) => view.setUint8(at, value) },
};

/** An input as one row gives it. */
interface Field {
  name: string;
  type: string;
  kind: Kind;
  /** Of one row; null where a dimension may vary from row to row. */
  dims: number[] | null;
  rank: number;
}

export interface Rows {
  fields: Field[];
  /** Whether rows go together along the first dimension. */
  batched: boolean;
  /** Whether rows may differ in shape, so that each must go alone. */
  alone: boolean;
}

const open = (dimension: number | string | undefined) => typeof dimension === 'string';
const varies = (shape: readonly (number | string)[]) => shape.some(open);

/** How rows are laid out for these inputs and outputs. Throws a `LoadError` where they cannot be. */
export const rowsOf = (inputs: readonly Port[], outputs: readonly Port[]): Rows => {
  const batched = inputs.length > 0 && [...inputs, ...outputs].every(({ shape }) => open(shape[0]));
  let alone = outputs.some(({ shape }) => varies(batched ? shape.slice(1) : shape));
  const fields = inputs.map(({ name, type, shape }): Field => {
    const kind = kinds[type];
    if (!kind) throw new LoadError(`The model's input '${name}' has type ${type}, which is not supported.`);
    const row = batched ? shape.slice(1) : shape;
    if (varies(row)) alone = true;
    return { name, type, kind, dims: varies(row) ? null : (row as number[]), rank: row.length };
  });
  return { fields, batched, alone };
};

const shown = (name: string | null) => (name === null ? 'inputs' : `inputs.${name}`);

/** The shape of nested lists, by their first items. */
const shapeOf = (value: Json): number[] => {
  const shape: number[] = [];
  for (let at: Json | undefined = value; Array.isArray(at); at = at[0]) shape.push(at.length);
  return shape;
};

/** A sentence about what is wrong, at the place that is wrong. */
class Unfit extends Error {}

/** Writes the numbers of `value`, which has to have shape `dims`, to `view`; returns where the next would go. */
const put = (
  value: Json | undefined,
  dims: readonly number[],
  depth: number,
  field: Field,
  view: DataView,
  at: number,
  path: string,
): number => {
  const { kind, type } = field;
  if (depth === dims.length) {
    const number = type === 'bool' && typeof value === 'boolean' ? Number(value) : value;
    if (typeof number !== 'number') throw new Unfit(`${path} must be a number${type === 'bool' ? ' or a boolean' : ''}.`);
    if (!Number.isFinite(number)) throw new Unfit(`${path} is not a finite number.`);
    if (kind.range !== null && (!Number.isInteger(number) || number < kind.range[0] || number > kind.range[1]))
      throw new Unfit(`${path} must be a whole number from ${kind.range[0]} to ${kind.range[1]} (${type}).`);
    if (type === 'float32' && !Number.isFinite(Math.fround(number))) throw new Unfit(`${path} is too large for float32.`);
    kind.put(view, at, number);
    return at + kind.bytes;
  }
  const length = dims[depth]!;
  if (!Array.isArray(value)) throw new Unfit(`${path} must be a list of ${length}.`);
  if (value.length !== length) throw new Unfit(`${path} has ${value.length} items; it must have ${length}.`);
  if (depth === dims.length - 1 && type === 'float32') {
    // The common case, flat: a check of type and range a number, no path made unless it is wrong.
    for (let i = 0; i < length; i++) {
      const item = value[i];
      if (typeof item !== 'number' || !(Math.abs(item) <= 3.4028235e38)) put(item, dims, depth + 1, field, view, at, `${path}[${i}]`);
      else view.setFloat32(at, item, true);
      at += 4;
    }
    return at;
  }
  for (let i = 0; i < length; i++) at = put(value[i], dims, depth + 1, field, view, at, `${path}[${i}]`);
  return at;
};

const count = (dims: readonly number[]) => dims.reduce((product, dimension) => product * dimension, 1);

/** Bytes that one row takes; a guess where its shape may vary. */
export const rowBytes = ({ fields }: Rows): number => fields.reduce((sum, { dims, kind }) => sum + count(dims ?? []) * kind.bytes, 0);

/** Kept from slice to slice: fresh memory would cost a page fault for every 4 kB, twice what filling it does. */
let room = new ArrayBuffer(0);
/** Bytes of it at most; a row may have more. */
const mostKept = 8 << 20;
const roomFor = (bytes: number): Uint8Array => {
  if (bytes > mostKept) return new Uint8Array(bytes);
  if (bytes > room.byteLength) room = new ArrayBuffer(bytes);
  return new Uint8Array(room, 0, bytes);
};

export interface Packed {
  head: SliceHead;
  /** Good until the next slice is packed. */
  bytes: Uint8Array;
  /** The indexes of the inputs that are in it, in order. */
  kept: number[];
  problems: { index: number; problem: string }[];
}

/** The inputs of several rows as tensors; those that do not fit the model are left out, each with a sentence why. */
export const pack = (rows: Rows, inputs: readonly (Json | undefined)[]): Packed => {
  const { fields, batched } = rows;
  const names = fields.map(({ name }) => name);
  const kept: number[] = [];
  const problems: Packed['problems'] = [];
  // Where shapes vary there is one row, and its own shape counts.
  const shapes = fields.map(({ dims, name }) => dims ?? shapeOf(named(inputs[0], name, names) ?? null));
  const sizes = fields.map(({ kind }, i) => count(shapes[i]!) * kind.bytes);
  const offsets: number[] = [];
  let total = 0;
  for (const size of sizes) {
    offsets.push(total);
    total += align(size * inputs.length);
  }
  const memory = roomFor(total);
  const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  inputs.forEach((given, index) => {
    try {
      check(given, names);
      fields.forEach((field, i) => {
        const value = named(given, field.name, names);
        const path = shown(given !== null && typeof given === 'object' && !Array.isArray(given) ? field.name : null);
        const shape = shapes[i]!;
        if (value === undefined) throw new Unfit(`${path} is missing.`);
        if (shape.length !== field.rank) throw new Unfit(`${path} must be nested ${field.rank} deep, not ${shape.length}.`);
        put(value, shape, 0, field, view, offsets[i]! + kept.length * sizes[i]!, path);
      });
      kept.push(index);
    } catch (error) {
      if (!(error instanceof Unfit)) throw error;
      problems.push({ index, problem: error.message });
    }
  });
  const tensors = fields.map(({ name, type }, i): TensorHead => {
    return { name, type, dims: [kept.length, ...shapes[i]!], at: offsets[i]!, bytes: sizes[i]! * kept.length };
  });
  return { head: { rows: kept.length, tensors, single: !batched }, bytes: memory, kept, problems };
};

/** One row as the model gets it: names, types, shapes and values. Null where it does not fit. */
export const inputBytes = (rows: Rows, inputs: Json | undefined): Uint8Array | null => {
  const { head, bytes, problems } = pack(rows, [inputs]);
  if (problems.length > 0) return null;
  const tensors = head.tensors ?? [];
  const shapes = JSON.stringify(tensors.map(({ name, type, dims }) => [name, type, dims]));
  // Each by itself: between them lies whatever the memory held before.
  return Buffer.concat([Buffer.from(shapes), ...tensors.map(({ at, bytes: size }) => bytes.subarray(at, at + size))]);
};

/** A model of one input also takes its value without the name. */
const named = (inputs: Json | undefined, name: string, names: readonly string[]): Json | undefined => {
  if (typeof inputs === 'object' && inputs !== null && !Array.isArray(inputs)) return inputs[name];
  return names.length === 1 ? inputs : undefined;
};

const check = (inputs: Json | undefined, names: readonly string[]) => {
  if (inputs === undefined || inputs === null) throw new Unfit(`inputs is missing; this model takes ${names.join(', ')}.`);
  if (typeof inputs !== 'object' || Array.isArray(inputs)) {
    if (names.length > 1) throw new Unfit(`inputs must be an object with ${names.join(', ')}.`);
    return;
  }
  for (const name of Object.keys(inputs))
    if (!names.includes(name))
      throw new Unfit(`inputs.${name} is not known; this model takes ${names.join(', ')}.${didYouMean(name, names)}`);
};
