import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ApiError } from '../../lib/errors.ts';
import { bytesOf, isDatatype, kindOf, sizeOf, type Datatype, type Tensor } from '../onnx/tensor.ts';
import { fromBytes, toBytes } from './binary.ts';
import { toJson } from './elements.ts';
import { Message, written } from './message.ts';

const datatypes = ['BOOL', 'UINT8', 'UINT16', 'UINT32', 'UINT64', 'INT8', 'INT16', 'INT32', 'INT64', 'FP16', 'FP32', 'FP64', 'BYTES'];

const plain = ({ data }: Pick<Tensor, 'data'>): unknown[] => Array.from<unknown>(data);

/** A message as a client sends it: JSON, and perhaps bytes behind it. */
const message = (json: unknown, ...parts: Uint8Array[]): Message => {
  const head = Buffer.from(typeof json === 'string' ? json : JSON.stringify(json));
  return new Message(Buffer.concat([head, ...parts]), parts.length > 0 ? String(head.length) : undefined);
};

const one = (tensor: object): Tensor => message({ inputs: [{ name: 'x', ...tensor }] }).tensors('inputs')[0]!;

const refusal = (act: () => unknown): ApiError => {
  try {
    act();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

/** Values of a datatype, the ends of its range among them. */
const valueOf = (datatype: Datatype): fc.Arbitrary<unknown> => {
  const { range } = kindOf(datatype);
  if (datatype === 'BOOL') return fc.boolean();
  if (datatype === 'INT64') return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  if (datatype === 'UINT64') return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  if (range) return fc.integer({ min: range[0], max: range[1] });
  if (datatype === 'FP64') return fc.double({ noNaN: true, noDefaultInfinity: true });
  if (datatype === 'FP32') return fc.float({ noNaN: true, noDefaultInfinity: true });
  if (datatype === 'FP16') return fc.integer({ min: -2048, max: 2048 }).map((value) => value / 16);
  return fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0') && text.isWellFormed());
};

const nest = (values: readonly unknown[], shape: readonly number[]): unknown => {
  if (shape.length === 0) return values[0];
  const size = sizeOf(shape.slice(1));
  return Array.from({ length: shape[0]! }, (_, i) => nest(values.slice(i * size, (i + 1) * size), shape.slice(1)));
};

/** JSON in which integers of 64 bits are written to the digit. */
const text = (value: unknown): string =>
  Array.isArray(value) ? `[${value.map(text).join()}]` : typeof value === 'bigint' ? String(value) : JSON.stringify(value);

const anyTensor = fc
  .constantFrom(...datatypes)
  .filter(isDatatype)
  .chain((datatype) =>
    fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }).chain((shape) => {
      const size = sizeOf(shape);
      return fc.array(valueOf(datatype), { minLength: size, maxLength: size }).map((values) => ({ datatype, shape, values }));
    }),
  );

describe('values', () => {
  test('are the same nested, flat, and as bytes', () => {
    fc.assert(
      fc.property(anyTensor, ({ datatype, shape, values }) => {
        const read = (data: string): Tensor =>
          message(`{"inputs":[{"name":"x","datatype":"${datatype}","shape":${JSON.stringify(shape)},"data":${data}}]}`).tensors(
            'inputs',
          )[0]!;
        const flat = read(text(values));
        if (shape.length > 0) expect(plain(read(text(nest(values, shape))))).toEqual(plain(flat));
        const bytes = Buffer.from(toBytes(flat));
        expect(plain({ data: fromBytes(bytes, datatype, shape, 'x') })).toEqual(plain(flat));
        // -0 is written as 0, which is the same number.
        expect(plain(read(toJson(flat)!)).map((value) => (value === 0 ? 0 : value))).toEqual(
          plain(flat).map((value) => (value === 0 ? 0 : value)),
        );
      }),
      { numRuns: 500 },
    );
  });

  test('of 64 bits are exact, and those beyond are refused', () => {
    const read = (datatype: string, data: string) =>
      plain(message(`{"inputs":[{"name":"x","datatype":"${datatype}","shape":[1],"data":[${data}]}]}`).tensors('inputs')[0]!)[0];
    for (const exact of ['9007199254740993', '-9007199254740993', '9223372036854775807', '-9223372036854775808', '123456789012345678'])
      expect(String(read('INT64', exact))).toBe(exact);
    expect(read('UINT64', '18446744073709551615')).toBe(2n ** 64n - 1n);
    for (const wrong of ['9223372036854775808', '-9223372036854775809', '1.5', '1e30', '9007199254740993.5', '"1"', 'true', 'null'])
      expect(() => read('INT64', wrong)).toThrow(/inputs\.x\.data\[0\] must be a whole number/);
    expect(() => read('UINT64', '-1')).toThrow(/must be a whole number from 0/);
  });

  test.each([
    ['INT8', 300, 'from -128 to 127'],
    ['UINT8', -1, 'from 0 to 255'],
    ['INT32', 1e12, 'whole number'],
    ['INT32', 1.5, 'whole number'],
    ['INT16', '7', 'whole number'],
    ['BOOL', 2, 'true or false'],
    ['BOOL', 'true', 'true or false'],
    ['FP32', 1e39, 'FP32 can hold'],
    ['FP16', 70_000, 'FP16 can hold'],
    ['FP32', '1', 'FP32 can hold'],
    ['FP64', null, 'FP64 can hold'],
    ['BYTES', 'a\0b', 'NUL'],
    ['BYTES', '\ud800', 'surrogate'],
    ['BYTES', 5, 'must be a string'],
  ])('%s does not take %j', (datatype, value, words) => {
    const { code, message: said } = refusal(() => one({ datatype, shape: [1, 2], data: [[value, value]] }));
    expect([code, said]).toEqual(['invalid_input', expect.stringContaining(words)]);
    expect(said).toContain('inputs.x.data[0][0]');
  });

  test('NaN and infinity are not JSON, and are said so', () => {
    expect(toJson({ datatype: 'FP32', data: new Float32Array([1, NaN]) })).toBeNull();
    expect(toJson({ datatype: 'FP16', data: new Uint16Array([0x7c00]) })).toBeNull();
    expect(toJson({ datatype: 'FP16', data: new Uint16Array([0x3e00]) })).toBe('[1.5]');
    expect(() => written([{ name: 'y', datatype: 'FP64', shape: [1], data: new Float64Array([Infinity]) }], () => false)).toThrow(
      /binary_data/,
    );
    expect(() => message('{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[NaN]}]}')).toThrow(/not valid JSON/);
  });
});

describe('shapes', () => {
  test.each([
    [[-1], 'shape[0]'],
    [[1.5], 'shape[0]'],
    [[2 ** 53 + 2], 'shape[0]'],
    [['2'], 'shape[0]'],
    [[65_536, 65_536], 'multiplies to more'],
    [[2 ** 31 - 1, 2 ** 31 - 1, 0], 'multiplies to more'],
    [Array(33).fill(1), 'at most 32'],
    [null, 'at most 32'],
  ])('%j is refused', (shape, words) => {
    expect(refusal(() => one({ datatype: 'FP32', shape, data: [1] })).message).toContain(words);
  });

  test.each([
    [[2, 2], [1, 2, 3], 'has 3 items'],
    [[2, 2], [[1, 2], [3]], 'data[1] has 1 items'],
    [[2, 2], [[1, 2]], 'has 1 items'],
    [[2, 2], [[1, 2], 3], 'data[1] must be a list'],
    [[2], [[1], [2]], 'data[0] must be'],
    [[2, 1], [[[1]], [[2]]], 'data[0][0] must be'],
    [[1_000_000_000], [1], 'needs 1000000000'],
    [[2], 'ab', 'must be a list'],
    [[], [], 'needs 1'],
  ])('%j does not fit %j', (shape, data, words) => {
    expect(refusal(() => one({ datatype: 'FP32', shape, data })).message).toContain(words);
  });

  test('an empty tensor and a scalar are tensors', () => {
    expect(plain(one({ datatype: 'INT64', shape: [0, 4], data: [] }))).toEqual([]);
    expect(plain(one({ datatype: 'INT64', shape: [2, 0], data: [[], []] }))).toEqual([]);
    expect(plain(one({ datatype: 'INT64', shape: [], data: [16_000] }))).toEqual([16_000n]);
  });

  test('lists a million deep are refused, and nothing breaks', () => {
    const deep = '['.repeat(1_000_000) + ']'.repeat(1_000_000);
    for (const datatype of ['FP32', 'INT64', 'BYTES'])
      expect(() => message(`{"inputs":[{"name":"x","shape":[1,1],"datatype":"${datatype}","data":${deep}}]}`).tensors('inputs')).toThrow(
        ApiError,
      );
  });
});

describe('bytes', () => {
  const binary = (size: unknown, shape: number[], datatype: string, name = 'x') => ({
    name,
    shape,
    datatype,
    parameters: { binary_data_size: size },
  });

  test('of several tensors follow each other, among tensors in JSON', () => {
    const [a, b, c] = message(
      { inputs: [binary(3, [3], 'UINT8', 'a'), { name: 'b', shape: [1], datatype: 'INT8', data: [5] }, binary(8, [2], 'FP32', 'c')] },
      Buffer.from([1, 2, 3]),
      bytesOf(new Float32Array([1.5, -2])),
    ).tensors('inputs');
    expect([plain(a!), plain(b!), plain(c!)]).toEqual([[1, 2, 3], [5], [1.5, -2]]);
  });

  test('are looked at where they are, if they begin there at a multiple of their size', () => {
    const memory = Buffer.allocUnsafeSlow(64);
    expect((fromBytes(memory.subarray(8, 16), 'FP32', [2], 'x') as Float32Array).buffer).toBe(memory.buffer);
    expect((fromBytes(memory.subarray(7, 15), 'FP32', [2], 'x') as Float32Array).buffer).not.toBe(memory.buffer);
  });

  test.each<[string, object, Uint8Array, string]>([
    ['more than there are', binary(9, [2], 'FP32'), new Uint8Array(8), 'only 8 bytes are left'],
    ['fewer than there are', binary(4, [1], 'FP32'), new Uint8Array(8), 'add up to 4 bytes; 8 follow'],
    ['not what the shape says', binary(8, [3], 'FP32'), new Uint8Array(8), 'takes 12'],
    ['a negative number', binary(-8, [2], 'FP32'), new Uint8Array(8), 'number of bytes'],
    ['a text', binary('8', [2], 'FP32'), new Uint8Array(8), 'number of bytes'],
    ['2^60', binary(2 ** 60, [2], 'FP32'), new Uint8Array(8), 'number of bytes'],
    ['beside data', { ...binary(8, [2], 'FP32'), data: [1, 2] }, new Uint8Array(8), 'has both'],
    ['a bool of 2', binary(1, [1], 'BOOL'), Buffer.from([2]), 'must be 0 or 1'],
    ['a text without its length', binary(3, [1], 'BYTES'), Buffer.from('abc'), 'ends after 0 of 1'],
    ['a text that lies', binary(5, [1], 'BYTES'), Buffer.from([255, 255, 255, 255, 65]), 'longer than what follows'],
    ['a text too many', binary(10, [1], 'BYTES'), Buffer.from([1, 0, 0, 0, 65, 1, 0, 0, 0, 65]), '5 bytes after its 1'],
    ['no UTF-8', binary(5, [1], 'BYTES'), Buffer.from([1, 0, 0, 0, 255]), 'not UTF-8'],
    ['a NUL', binary(5, [1], 'BYTES'), Buffer.from([1, 0, 0, 0, 0]), 'NUL'],
    ['none, though they came', { name: 'x', shape: [1], datatype: 'INT8', data: [1] }, new Uint8Array(4), '4 follow'],
  ])('%s are refused', (_, tensor, bytes, words) => {
    const { code, message: said } = refusal(() => message({ inputs: [tensor] }, bytes).tensors('inputs'));
    expect([code, said]).toEqual(['invalid_input', expect.stringContaining(words)]);
  });

  test.each(['-1', '99', 'x', '', '1e2', '5, 5', '0x10'])('a header of %j is refused', (header) => {
    expect(refusal(() => new Message(Buffer.from('{"inputs":[]}'), header)).status).toBe(400);
  });
});

test.each<[string, unknown, string]>([
  ['no object', [], 'JSON object'],
  ['cut short', '{"inputs":[', 'not valid JSON'],
  ['without inputs', {}, 'inputs must be a list'],
  ['with a tensor that is none', { inputs: [5] }, 'inputs[0] must be a tensor'],
  ['with a tensor without a name', { inputs: [{}] }, 'inputs[0].name'],
  ['with a tensor twice', { inputs: [1, 2].map(() => ({ name: 'x', shape: [1], datatype: 'INT8', data: [1] })) }, 'given twice'],
  ['with a datatype unknown', { inputs: [{ name: 'x', shape: [1], datatype: 'toString', data: [1] }] }, 'must be a datatype'],
  ['with BF16', { inputs: [{ name: 'x', shape: [1], datatype: 'BF16', data: [1] }] }, 'must be a datatype'],
  ['without data', { inputs: [{ name: 'x', shape: [1], datatype: 'INT8' }] }, 'data is missing'],
  [
    'with parameters that are a list',
    { inputs: [{ name: 'x', shape: [1], datatype: 'INT8', data: [1], parameters: [] }] },
    'must be an object',
  ],
  [
    'with a parameter that is one',
    { inputs: [{ name: 'x', shape: [1], datatype: 'INT8', data: [1], parameters: { a: {} } }] },
    'a string, a number',
  ],
])('a body %s is refused', (_, body, words) => {
  const { status, message: said } = refusal(() => message(body).tensors('inputs'));
  expect([status, said]).toEqual([400, expect.stringContaining(words)]);
});

test('a tensor in shared memory is not implemented', () => {
  const parameters = { shared_memory_region: 'r', shared_memory_byte_size: 8 };
  expect(refusal(() => one({ shape: [1], datatype: 'INT8', data: [1], parameters })).status).toBe(501);
});

test('fuzzed bodies are read or refused, and nothing else', () => {
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.json().map((json) => Buffer.from(`{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":${json}}]}`)),
    fc.json().map((json) => Buffer.from(`{"inputs":[{"name":"x","datatype":"INT64","shape":${json},"data":[1]}]}`)),
    fc.json().map((json) => Buffer.from(`{"inputs":${json}}`)),
  );
  fc.assert(
    fc.property(body, fc.option(fc.oneof(fc.nat(300).map(String), fc.string()), { nil: undefined }), (bytes, header) => {
      try {
        new Message(bytes, header).tensors('inputs');
      } catch (error) {
        expect(error).toBeInstanceOf(ApiError);
        expect((error as ApiError).status).toBe(400);
      }
    }),
    { numRuns: 1000 },
  );
});
