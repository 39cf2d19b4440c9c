import { expect, test } from 'vitest';
import { checkOutputs, checkPorts } from './ports.ts';

const port = (name: string, type = 'float32') => ({ name, type, shape: ['N', 2] });
const fine = [port('x')];

test.for<[string, ReturnType<typeof port>[], ReturnType<typeof port>[], RegExp]>([
  ['complex numbers', [port('x', 'complex64')], fine, /input x is a complex64.*cannot be served/],
  ['a sequence', fine, [port('y', 'sequence')], /output y is a sequence/],
  ['a map', fine, [port('y', 'map')], /output y is a map/],
  ['what may not be there', [port('x', 'optional')], fine, /input x is an optional/],
  ['a type without a name', [port('x', 'untyped')], fine, /untyped/],
  ['a type of four bits', fine, [port('y', 'int4')], /an int4/],
  ['no outputs', fine, [], /no outputs/],
  ['two inputs of one name', [port('x'), port('x')], fine, /Two inputs have the name x/],
  ['no name', [port('')], fine, /input 0 has no name/],
  ['a name that JSON objects cannot have', [port('__proto__')], fine, /__proto__/],
  ['a name of several lines', fine, [port('a\nb')], /control character/],
  ['a name of 300 characters', fine, [port('x'.repeat(300))], /300 characters/],
])('%s cannot be served', ([, inputs, outputs, reason]) => {
  expect(checkPorts(inputs, outputs)).toMatchObject({ reason: expect.stringMatching(reason) });
});

test('an input without a shape cannot be served; an output may be without', () => {
  const bare = { name: 'x', type: 'float32', shape: null };
  expect(checkPorts([bare], fine)).toMatchObject({ reason: expect.stringContaining('no shape') });
  expect(checkPorts(fine, [bare])).toBeNull();
});

test('an input and an output may have one name, and a model no inputs', () => {
  expect(checkPorts(fine, fine)).toBeNull();
  expect(checkPorts([], fine)).toBeNull();
});

test('a kind that can be had otherwise comes with a hint', () => {
  expect(checkPorts(fine, [port('probabilities', 'sequence')])?.hint).toContain('zipmap');
  expect(checkPorts([port('x', 'bfloat16')], fine)?.hint).toContain('float32');
});

const tensor = (data: Float32Array | Uint16Array, shape: number[]) => ({
  name: 'y',
  datatype: data instanceof Uint16Array ? ('FP16' as const) : ('FP32' as const),
  shape,
  data,
});

test('what is not finite is found where it is; other values may do', () => {
  expect(checkOutputs([tensor(Float32Array.of(1, NaN), [2])], [])).toMatchObject({
    reason: expect.stringContaining('NaN at 1'),
    values: true,
  });
  // Bits of 1 and of infinity.
  expect(checkOutputs([tensor(Uint16Array.of(0x3c00, 0x7c00), [2])], [])).toMatchObject({ values: true });
  expect(checkOutputs([tensor(Uint16Array.of(0x3c00, 0x7bff), [2])], [])).toBeNull();
});

test('shapes are those that are declared', () => {
  const outputs = [tensor(new Float32Array(6), [2, 3])];
  expect(checkOutputs(outputs, [{ name: 'y', shape: ['N', 3] }])).toBeNull();
  expect(checkOutputs(outputs, [{ name: 'y', shape: ['N', 4] }])).toMatchObject({ values: false });
  expect(checkOutputs(outputs, [{ name: 'y', shape: ['N'] }])).toMatchObject({ values: false });
});
