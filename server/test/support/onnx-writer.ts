/**
 * ONNX files written field by field, as tests need them: right ones, and forged ones that no library would write.
 * Field numbers are those of onnx.proto.
 */
type Value = number | bigint | string | Uint8Array;
/** A number or bigint is a varint, all else has a length before it. */
export type Field = readonly [number: number, value: Value];

export const varint = (value: number | bigint): Uint8Array => {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Uint8Array.from([...bytes, Number(rest)]);
};

export const bytes = (...parts: Uint8Array[]): Uint8Array => Buffer.concat(parts);

export const message = (...fields: readonly Field[]): Uint8Array =>
  Buffer.concat(
    fields.flatMap(([number, value]) => {
      if (typeof value === 'number' || typeof value === 'bigint') return [varint(number << 3), varint(value)];
      const body = Buffer.from(value);
      return [varint((number << 3) | 2), varint(body.length), body];
    }),
  );

const each = (number: number, values: readonly Value[]): Field[] => values.map((value) => [number, value]);

export const dtypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  complex64: 14,
  complex128: 15,
  bfloat16: 16,
};
export type Dtype = keyof typeof dtypes;

/** A dimension: its size, its name, or '' where it has neither. */
export type Dim = number | string;

const shape = (dims: readonly Dim[]): Uint8Array =>
  message(...dims.map((dim): Field => [1, typeof dim === 'number' ? message([1, dim]) : dim === '' ? message() : message([2, dim])]));

/** The TypeProto of a tensor; without dims it has no shape at all. */
export const tensorType = (type: Dtype, dims: readonly Dim[] | null): Uint8Array =>
  message([1, message([1, dtypes[type]], ...(dims ? [[2, shape(dims)] as const] : []))]);

export const sequenceType = (of: Uint8Array): Uint8Array => message([4, message([1, of])]);
export const optionalType = (of: Uint8Array): Uint8Array => message([9, message([1, of])]);

/** An input or output of a graph. */
export const port = (name: string, type: Dtype | Uint8Array, dims: readonly Dim[] | null = null): Uint8Array =>
  message([1, name], [2, typeof type === 'string' ? tensorType(type, dims) : type]);

const raw = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/** A TensorProto; values are given as they lie in memory, or as strings. */
export const tensor = (name: string, type: Dtype, dims: readonly number[], values: ArrayBufferView | readonly string[]): Uint8Array =>
  message(
    ...each(1, dims),
    [2, dtypes[type]],
    ...(name === '' ? [] : [[8, name] as const]),
    ...('buffer' in values ? [[9, raw(values)] as const] : each(6, values)),
  );

export const floats = (name: string, dims: readonly number[], values: readonly number[]): Uint8Array =>
  tensor(name, 'float32', dims, Float32Array.from(values));

export const ints = (name: string, dims: readonly number[], values: readonly number[]): Uint8Array =>
  tensor(name, 'int64', dims, BigInt64Array.from(values, BigInt));

/** A TensorProto that says its values are in another file. */
export const externalTensor = (name: string, location: string): Uint8Array =>
  message(
    [1, 1],
    [2, dtypes.float32],
    ...(name === '' ? [] : [[8, name] as const]),
    [13, message([1, 'location'], [2, location])],
    [13, message([1, 'length'], [2, '4'])],
    [14, 1],
  );

const float32 = (number: number, value: number): Uint8Array => bytes(varint((number << 3) | 5), raw(Float32Array.of(value)));

/** An AttributeProto of each kind. */
export const attribute = {
  float: (name: string, value: number) => bytes(message([1, name], [20, 1]), float32(2, value)),
  int: (name: string, value: number) => message([1, name], [3, value], [20, 2]),
  string: (name: string, value: string) => message([1, name], [4, value], [20, 3]),
  tensor: (name: string, value: Uint8Array) => message([1, name], [5, value], [20, 4]),
  graph: (name: string, value: Uint8Array) => message([1, name], [6, value], [20, 5]),
  floats: (name: string, values: readonly number[]) => message([1, name], [7, raw(Float32Array.from(values))], [20, 6]),
  ints: (name: string, values: readonly number[]) => message([1, name], ...each(8, values), [20, 7]),
  strings: (name: string, values: readonly string[]) => message([1, name], ...each(9, values), [20, 8]),
  tensors: (name: string, values: readonly Uint8Array[]) => message([1, name], ...each(10, values), [20, 9]),
  graphs: (name: string, values: readonly Uint8Array[]) => message([1, name], ...each(11, values), [20, 10]),
  sparse: (name: string, value: Uint8Array) => message([1, name], [22, value], [20, 11]),
  sparses: (name: string, values: readonly Uint8Array[]) => message([1, name], ...each(23, values), [20, 12]),
};

/** An operator of another domain is written `ai.onnx.ml:Scaler`. */
export const node = (
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  ...attributes: readonly Uint8Array[]
): Uint8Array => {
  const [name, domain] = operator.split(':').toReversed();
  return message(...each(1, inputs), ...each(2, outputs), [4, name!], ...each(5, attributes), ...(domain ? [[7, domain] as const] : []));
};

export interface Graph {
  nodes: readonly Uint8Array[];
  inputs: readonly Uint8Array[];
  outputs: readonly Uint8Array[];
  initializers?: readonly Uint8Array[];
  sparse?: readonly Uint8Array[];
}

export const graph = ({ nodes, inputs, outputs, initializers = [], sparse = [] }: Graph): Uint8Array =>
  message(...each(1, nodes), [2, 'g'], ...each(5, initializers), ...each(11, inputs), ...each(12, outputs), ...each(15, sparse));

export interface About {
  ir?: number;
  opsets?: Record<string, number>;
  producer?: string;
  metadata?: Record<string, string>;
  functions?: readonly Uint8Array[];
  training?: readonly Uint8Array[];
}

export const model = (
  body: Graph | Uint8Array,
  { ir = 8, opsets = { '': 13 }, producer = 'sluice-test', metadata = {}, functions = [], training = [] }: About = {},
): Uint8Array =>
  message(
    [1, ir],
    [2, producer],
    [7, body instanceof Uint8Array ? body : graph(body)],
    ...Object.entries(opsets).map(([domain, version]): Field => [8, message([1, domain], [2, version])]),
    ...Object.entries(metadata).map(([key, value]): Field => [14, message([1, key], [2, value])]),
    ...each(20, training),
    ...each(25, functions),
  );
