/**
 * Small ONNX models for tests, written as protobuf by hand: no package here writes them.
 * Field numbers are those of onnx.proto (IR version 8, opset 13).
 */
type Field = [number: number, value: number | string | Uint8Array];

const varint = (value: number): number[] => {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return [...bytes, value];
};

const message = (...fields: Field[]): Uint8Array =>
  Buffer.concat(
    fields.map(([number, value]) => {
      if (typeof value === 'number') return Buffer.from([...varint(number << 3), ...varint(value)]);
      const bytes = Buffer.from(value);
      return Buffer.concat([Buffer.from([...varint((number << 3) | 2), ...varint(bytes.length)]), bytes]);
    }),
  );

export const types = { float32: 1, int64: 7, bool: 9, string: 8, int32: 6, uint8: 2 };
type Type = keyof typeof types;

/** A value of a graph: a dimension is a number or a name. */
const port = (name: string, type: Type, dims: (number | string)[]): Uint8Array => {
  const shape = message(...dims.map((dim): Field => [1, typeof dim === 'number' ? message([1, dim]) : message([2, dim])]));
  return message([1, name], [2, message([1, message([1, types[type]], [2, shape])])]);
};

const node = (operator: string, inputs: string[], outputs: string[], ...attributes: Uint8Array[]): Uint8Array =>
  message(
    ...inputs.map((name): Field => [1, name]),
    ...outputs.map((name): Field => [2, name]),
    [4, operator],
    ...attributes.map((a): Field => [5, a]),
  );

interface Graph {
  nodes: Uint8Array[];
  inputs: Uint8Array[];
  outputs: Uint8Array[];
  initializers?: Uint8Array[];
}

const graph = ({ nodes, inputs, outputs, initializers = [] }: Graph): Uint8Array =>
  message(
    ...nodes.map((bytes): Field => [1, bytes]),
    [2, 'g'],
    ...initializers.map((bytes): Field => [5, bytes]),
    ...inputs.map((bytes): Field => [11, bytes]),
    ...outputs.map((bytes): Field => [12, bytes]),
  );

const model = (body: Graph): Uint8Array => message([1, 8], [7, graph(body)], [8, message([1, ''], [2, 13])]);

/** y = a + 2b; a float32[N, 2], b int64[N, 2]. */
export const twoInputs = (): Uint8Array =>
  model({
    nodes: [
      node('Cast', ['b'], ['c'], message([1, 'to'], [3, types.float32], [20, 2])),
      node('Add', ['c', 'c'], ['d']),
      node('Add', ['a', 'd'], ['y']),
    ],
    inputs: [port('a', 'float32', ['N', 2]), port('b', 'int64', ['N', 2])],
    outputs: [port('y', 'float32', ['N', 2])],
  });

/** y = x for `type` and a row of `dims`; `first` is the leading dimension. */
export const identity = (type: Type, dims: (number | string)[], first: number | string = 'N'): Uint8Array =>
  model({
    nodes: [node('Identity', ['x'], ['y'])],
    inputs: [port('x', type, [first, ...dims])],
    outputs: [port('y', type, [first, ...dims])],
  });

/** y = 1 / x. */
export const reciprocal = (): Uint8Array =>
  model({ nodes: [node('Reciprocal', ['x'], ['y'])], inputs: [port('x', 'float32', ['N'])], outputs: [port('y', 'float32', ['N'])] });

/** Goes round a loop as often as the greatest of its inputs says (int64[N]), then gives them back. */
export const loop = (): Uint8Array => {
  const body = graph({
    nodes: [node('Identity', ['go'], ['goes']), node('Add', ['v', 'one'], ['w'])],
    inputs: [port('i', 'int64', []), port('go', 'bool', []), port('v', 'int64', [])],
    outputs: [port('goes', 'bool', []), port('w', 'int64', [])],
  });
  const scalar = (name: string, type: Type, raw: Uint8Array) => message([2, types[type]], [8, name], [9, raw]);
  const number = (value: number) => Buffer.from(new BigInt64Array([BigInt(value)]).buffer);
  return model({
    nodes: [
      node('ReduceMax', ['x'], ['count'], message([1, 'keepdims'], [3, 0], [20, 2])),
      node('Loop', ['count', 'true', 'zero'], ['rounds'], message([1, 'body'], [6, body], [20, 5])),
      // What the loop counted is part of the answer, or it would not run.
      node('Mul', ['rounds', 'zero'], ['nothing']),
      node('Add', ['x', 'nothing'], ['y']),
    ],
    inputs: [port('x', 'int64', ['N'])],
    outputs: [port('y', 'int64', ['N'])],
    initializers: [scalar('true', 'bool', Buffer.from([1])), scalar('zero', 'int64', number(0)), scalar('one', 'int64', number(1))],
  });
};

/** y float32[N], whose weights are in a file beside it, or above. */
export const external = (location: string): Uint8Array => {
  const entry = (key: string, value: string) => message([1, key], [2, value]);
  return model({
    nodes: [node('Add', ['x', 'w'], ['y'])],
    inputs: [port('x', 'float32', ['N'])],
    outputs: [port('y', 'float32', ['N'])],
    initializers: [message([1, 1], [2, types.float32], [8, 'w'], [13, entry('location', location)], [13, entry('length', '4')], [14, 1])],
  });
};

/** Fills as many float32 as its inputs multiply to: a memory bomb of 200 bytes. x int64[2]. */
export const bomb = (): Uint8Array =>
  model({
    nodes: [
      node('ConstantOfShape', ['x'], ['all']),
      node('ReduceSum', ['all'], ['sum'], message([1, 'keepdims'], [3, 0], [20, 2])),
      node('Identity', ['sum'], ['y']),
    ],
    inputs: [port('x', 'int64', [2])],
    outputs: [port('y', 'float32', [])],
  });
