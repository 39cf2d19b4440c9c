import { LoadError } from '../executor.ts';
import type { Tensor } from './tensor.ts';
import type { Frame } from '../../lib/frames.ts';
import type { Port, ResultHead } from './wire.ts';

/** What a child answers to a slice. */
export interface Result {
  head: ResultHead;
  bytes: Buffer;
}

export const resultOf = ({ head, bytes }: Frame): Result => ({ head: JSON.parse(head.toString()) as ResultHead, bytes });

/** What stands for a value that JSON cannot hold; no text of a value holds it. */
const lost = '\0';

const float64 = (value: number): string => (Number.isFinite(value) ? String(value) : lost);

const powers = Array.from({ length: 23 }, (_, power) => 10 ** power);

/** `whole / 10^places` as JavaScript writes it, from 1e-6 on; `places` at most 15. */
const decimal = (whole: number, places: number): string => {
  while (places > 0 && whole % 10 === 0) {
    whole /= 10;
    places--;
  }
  const digits = String(whole);
  if (places === 0) return digits;
  const point = digits.length - places;
  return point > 0 ? `${digits.slice(0, point)}.${digits.slice(point)}` : `0.${'0'.repeat(-point)}${digits}`;
};

/** Shortest decimal that reads back as the same float32: -0.1, not -0.10000000149011612. */
export const float32Text = (value: number): string | null => {
  if (!Number.isFinite(value)) return null;
  if (value === 0) return '0';
  const [sign, size] = value < 0 ? ['-', -value] : ['', value];
  const scale = Math.floor(Math.log10(size));
  for (let digits = 6; digits < 9; digits++) {
    const places = digits - 1 - scale;
    const power = powers[places];
    if (power === undefined) {
      const short = Number(size.toPrecision(digits));
      if (Math.fround(short) === size) return sign + String(short);
      continue;
    }
    // Both are whole and below 2^53, so that the quotient is the double nearest to that decimal: as toPrecision has it,
    // in a tenth of the time. Its digits are those of the whole number, which is written in half the time of the double.
    const whole = Math.round(size * power);
    if (Math.fround(whole / power) === size) return sign + (size < 1e-6 ? String(whole / power) : decimal(whole, places));
  }
  return String(value);
};

const float32 = (value: number): string => float32Text(value) ?? lost;

type Item = (index: number) => string;

const itemOf = (type: string, bytes: Buffer, at: number, strings: readonly string[] | undefined): Item => {
  switch (type) {
    case 'float32':
      return (i) => float32(bytes.readFloatLE(at + 4 * i));
    case 'float64':
      return (i) => float64(bytes.readDoubleLE(at + 8 * i));
    case 'int64':
      return (i) => String(bytes.readBigInt64LE(at + 8 * i));
    case 'uint64':
      return (i) => String(bytes.readBigUInt64LE(at + 8 * i));
    case 'int32':
      return (i) => String(bytes.readInt32LE(at + 4 * i));
    case 'uint32':
      return (i) => String(bytes.readUInt32LE(at + 4 * i));
    case 'int16':
      return (i) => String(bytes.readInt16LE(at + 2 * i));
    case 'uint16':
      return (i) => String(bytes.readUInt16LE(at + 2 * i));
    case 'int8':
      return (i) => String(bytes.readInt8(at + i));
    case 'bool':
      return (i) => String(bytes[at + i] === 1);
    case 'string':
      return (i) => JSON.stringify(strings![i]);
    default:
      return (i) => String(bytes[at + i]);
  }
};

/** Each value of a tensor as JSON text; null for one that JSON cannot hold (NaN, infinity). */
export const textsOf = ({ datatype, data }: Tensor): ((index: number) => string | null) => {
  if (Array.isArray(data)) return (i) => JSON.stringify(data[i]);
  const finite = (value: number) => (Number.isFinite(value) ? String(value) : null);
  if (datatype === 'FP32') return (i) => float32Text(Number(data[i]));
  if (datatype === 'FP64') return (i) => finite(Number(data[i]));
  if (datatype === 'FP16') {
    const halves = new Float16Array(data.buffer, data.byteOffset, data.length);
    return (i) => finite(halves[i]!);
  }
  if (datatype === 'BOOL') return (i) => (data[i] ? 'true' : 'false');
  return (i) => String(data[i]);
};

const nest = (dims: readonly number[], depth: number, first: number, item: Item): string => {
  if (depth === dims.length) return item(first);
  const size = dims.slice(depth + 1).reduce((product, dimension) => product * dimension, 1);
  return `[${Array.from({ length: dims[depth]! }, (_, i) => nest(dims, depth + 1, first + i * size, item)).join()}]`;
};

/**
 * The `outputs` of each row as JSON text. `columns`: the names given to the numbers of a row, across all outputs;
 * without them each output has its own name, and a list where a row has more than one value. Null for a row with a
 * value that JSON cannot hold (NaN, infinity).
 */
export const outputsOf = ({ head, bytes }: Result, columns: readonly string[] | undefined): (string | null)[] => {
  const rows = head.tensors[0]?.dims[0] ?? 0;
  const outputs = head.tensors.map(({ name, type, dims, at, strings }) => {
    const inner = dims.slice(1);
    const size = inner.reduce((product, dimension) => product * dimension, 1);
    return { name, inner, size, item: itemOf(type, bytes, at, strings) };
  });
  const names = (columns ?? outputs.map(({ name }) => name)).map((name) => JSON.stringify(name));
  return Array.from({ length: rows }, (_, row) => {
    const values = columns
      ? outputs.flatMap(({ size, item }) => Array.from({ length: size }, (_, i) => item(row * size + i)))
      : outputs.map(({ inner, size, item }) => nest(size === 1 ? [] : inner, 0, row * size, item));
    if (values.length !== names.length) return null;
    const text = `{${values.map((value, i) => `${names[i]}:${value}`).join()}}`;
    return text.includes(lost) ? null : text;
  });
};

/** Throws a `LoadError` where `columns` cannot be the names of a row's numbers. */
export const checkColumns = (outputs: readonly Port[], batched: boolean, columns: readonly string[] | undefined): void => {
  const strange = outputs.find(({ type }) => type === 'not a tensor');
  if (strange) throw new LoadError(`The model's output '${strange.name}' is not a tensor, which is not supported.`);
  if (!columns) return;
  let width = 0;
  for (const { shape } of outputs) {
    const row = batched ? shape.slice(1) : shape;
    if (row.some((dimension) => typeof dimension === 'string')) return;
    width += row.reduce<number>((product, dimension) => product * (dimension as number), 1);
  }
  if (width !== columns.length) throw new LoadError(`option 'outputs' gives ${columns.length} names; the model has ${width} values a row.`);
};
