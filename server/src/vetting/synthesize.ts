import { datatypeOf, kindOf, roomFor, sizeOf, type Datatype, type Tensor } from '../executors/onnx/tensor.ts';

/** An input or output as ONNX Runtime tells it: a dimension is a size, a name, or '' where it has neither. */
export interface Port {
  name: string;
  type: string;
  shape: (number | string)[];
}

/** Sizes of the dimensions that are not fixed, by `dimensionKey`. */
export type Sizes = ReadonlyMap<string, number>;

/** One of the same name is the same everywhere; one without a name is its own. */
export const dimensionKey = (port: Port, axis: number): string =>
  port.shape[axis] === '' ? `${port.name}[${axis}]` : String(port.shape[axis]);

export const isOpen = (dimension: number | string | undefined): dimension is string => typeof dimension === 'string';

/** The dimensions that are not fixed, in order. */
export const openDimensions = (inputs: readonly Port[]): string[] => [
  ...new Set(inputs.flatMap((port) => port.shape.flatMap((dimension, axis) => (isOpen(dimension) ? [dimensionKey(port, axis)] : [])))),
];

const rowNames = /^(n|b|bs|batch.*|.*batch(_?size)?|num_?(rows|samples)|none|unk__\d+)$/i;

export const namesRows = (key: string): boolean => rowNames.test(key);

/** Sizes worth a try where 1 does not do: of texts, images, windows of sound. */
const plausible = [1, 2, 8, 16, 32, 64, 128, 224, 256, 320, 512, 576, 640, 1024];

/** Dimensions that may count rows: first ones, those whose name says so, and (`later`) in a state such as [2, N, 128]. */
const rowDimensions = (inputs: readonly Port[]): { rows: Set<string>; later: Set<string> } => {
  const firsts = inputs.flatMap((port) => (isOpen(port.shape[0]) ? [dimensionKey(port, 0)] : []));
  const rows = new Set([...firsts, ...openDimensions(inputs).filter(namesRows)]);
  const unnamed = inputs.flatMap((port) => {
    const axis = port.shape.findIndex(isOpen);
    return axis > 0 && port.shape[axis] === '' ? [dimensionKey(port, axis)] : [];
  });
  return { rows, later: new Set([...rows, ...unnamed]) };
};

/**
 * Sizes to try in turn: all 1; then what may count rows 1 and all others alike; the others of 14 sizes, of which one
 * fits nearly every model that is not fixed by its very values.
 */
export const sizesToTry = (inputs: readonly Port[]): Sizes[] => {
  const open = openDimensions(inputs);
  const { rows, later } = rowDimensions(inputs);
  const tried = new Map<string, Sizes>();
  for (const size of plausible)
    for (const ones of [later, rows, new Set<string>()]) {
      const sizes = new Map(open.map((key) => [key, ones.has(key) ? 1 : size]));
      tried.set([...sizes.values()].join(), sizes);
    }
  return [...tried.values()];
};

/** Of an image's side, and of anything else that varies: texts, windows. The usual ones first. */
const typical = [
  { image: 224, other: 128 },
  { image: 64, other: 512 },
  { image: 32, other: 16 },
];

/** Sizes as they occur, of what does not count rows; none where nothing else is open. */
export const typicalSizes = (inputs: readonly Port[]): Sizes[] => {
  const open = openDimensions(inputs);
  const { later } = rowDimensions(inputs);
  if (open.every((key) => later.has(key))) return [];
  const images = new Set(
    inputs.flatMap((port) =>
      port.shape.length === 4 ? port.shape.flatMap((size, axis) => (isOpen(size) ? [dimensionKey(port, axis)] : [])) : [],
    ),
  );
  return typical.map(({ image, other }) => new Map(open.map((key) => [key, later.has(key) ? 1 : images.has(key) ? image : other])));
};

/** Values for a trial: numbers from a share between 0 and 1. */
export interface Plan {
  name: string;
  real: (share: number) => number;
  whole: (share: number) => number;
  text: (share: number) => string;
}

/** In the order in which they are tried: the first that a model takes is the one it is vetted with. */
export const plans: readonly Plan[] = [
  {
    name: 'between -1 and 1',
    real: (s) => 2 * s - 1,
    whole: (s) => Math.floor(10 * s),
    text: (s) => 'abcdefghij'.charAt(Math.floor(10 * s)),
  },
  { name: 'between 0 and 1', real: (s) => s, whole: (s) => Math.floor(2 * s), text: (s) => String(Math.floor(10 * s)) },
  { name: 'all 1', real: () => 1, whole: () => 1, text: () => '1' },
  { name: 'all 0', real: () => 0, whole: () => 0, text: () => '' },
  { name: 'up to 255', real: (s) => 255 * s, whole: (s) => 1 + Math.floor(100 * s), text: () => 'a text of some words' },
];

/** Inputs whose name says what they hold. */
const known: readonly { names: RegExp; value: number }[] = [
  { names: /^(sr|sample_?rate|sampling_?rate)$/i, value: 16_000 },
  { names: /mask$/i, value: 1 },
];

/** A share between 0 and 1 for a place, the same in every run (a step of splitmix32). */
const shareOf = (input: number, row: number, place: number): number => {
  let bits = (Math.imul(input + 1, 0x9e3779b1) ^ Math.imul(row + 1, 0x85ebca77) ^ Math.imul(place + 1, 0xc2b2ae3d)) >>> 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad);
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
  return ((bits ^ (bits >>> 15)) >>> 0) / 2 ** 32;
};

/** Rows differ in size too: what a model does with a batch's range, such as quantising by it, is seen. */
const scales = [1, 0.1, 3, 1, 0.5];

const whole = new Set<Datatype>(['UINT8', 'UINT16', 'UINT32', 'UINT64', 'INT8', 'INT16', 'INT32', 'INT64']);

const valueOf = (port: Port, datatype: Datatype, plan: Plan, row: number, share: number): number => {
  const told = known.find(({ names }) => names.test(port.name));
  if (datatype === 'BOOL') return told ? 1 : share < 0.5 ? 1 : 0;
  if (told) return told.value;
  if (!whole.has(datatype)) return plan.real(share) * scales[row % scales.length]!;
  return plan.whole(share);
};

const shapeOf = (port: Port, sizes: Sizes): number[] =>
  port.shape.map((dimension, axis) => (isOpen(dimension) ? (sizes.get(dimensionKey(port, axis)) ?? 1) : dimension));

/** Bytes of the inputs at these sizes. */
export const inputBytes = (inputs: readonly Port[], sizes: Sizes): number =>
  inputs.reduce((sum, port) => {
    const datatype = datatypeOf(port.type);
    return sum + sizeOf(shapeOf(port, sizes)) * (datatype === null ? 1 : Math.max(1, kindOf(datatype).bytes));
  }, 0);

/** The inputs of one row, the same for the same row; another row has other values. */
export const synthesize = (inputs: readonly Port[], sizes: Sizes, plan: Plan, row = 0): Tensor[] =>
  inputs.map((port, input): Tensor => {
    const datatype = datatypeOf(port.type);
    if (datatype === null) throw new Error(`the input ${port.name} has type ${port.type}`);
    const shape = shapeOf(port, sizes);
    const size = sizeOf(shape);
    if (datatype === 'BYTES')
      return { name: port.name, datatype, shape, data: Array.from({ length: size }, (_, i) => plan.text(shareOf(input, row, i))) };
    const data = roomFor(datatype, size);
    for (let i = 0; i < size; i++) {
      const value = valueOf(port, datatype, plan, row, shareOf(input, row, i));
      if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(Math.trunc(value));
      else data[i] = datatype === 'FP16' ? halfOf(value) : value;
    }
    return { name: port.name, datatype, shape, data };
  });

const single = new Float32Array(1);
const bitsOfSingle = new Uint32Array(single.buffer);

/** The bits of a float16, cut rather than rounded; what is too small is 0. */
const halfOf = (value: number): number => {
  single[0] = value;
  const bits = bitsOfSingle[0]!;
  const exponent = ((bits >>> 23) & 255) - 112;
  const sign = (bits >>> 16) & 0x8000;
  if (exponent <= 0) return sign;
  return sign | (Math.min(exponent, 30) << 10) | ((bits >>> 13) & 1023);
};

/** The number that a float16's bits mean. */
export const halfValue = (bits: number): number => {
  const [exponent, fraction] = [(bits >>> 10) & 31, bits & 1023];
  const size =
    exponent === 31
      ? fraction === 0
        ? Infinity
        : NaN
      : exponent === 0
        ? fraction * 2 ** -24
        : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -size : size;
};
