import { expect, test } from 'vitest';
import { joinOf, sliceOf, type Tensor } from '../executors/onnx/tensor.ts';
import type { Port } from '../executors/onnx/wire.ts';
import { ApiError } from '../lib/errors.ts';
import { Ask, type Part } from './ask.ts';
import { Counts } from './figures.ts';
import { readInputs } from './inputs.ts';
import { keyOf, layoutOf, type Layout } from './layout.ts';
import { Pace } from './pace.ts';
import { Queue } from './queue.ts';

const port = (name: string, type: string, shape: (number | string)[]): Port => ({ name, type, shape });

const layout = (inputs: Port[], outputs: Port[], more: Partial<Parameters<typeof layoutOf>[1]> = {}): Layout =>
  layoutOf({ inputs, outputs }, { smiles: false, columns: null, facts: null, batching: { max_rows: 8 }, ...more });

test('the pace of runs is a line through what was measured', () => {
  const pace = new Pace();
  expect(pace.of(10)).toBeNull();
  pace.add(1, 3);
  expect(pace.of(10)).toBeCloseTo(30);
  for (const rows of [1, 5, 20, 60, 3]) pace.add(rows, 2 + 0.5 * rows);
  expect(pace.of(100)).toBeGreaterThan(45);
  expect(pace.of(100)).toBeLessThan(60);
  for (let i = 0; i < 500; i++) pace.add(1 + (i % 7), 4 + 2 * (1 + (i % 7)));
  expect(pace.of(100)).toBeCloseTo(204, 0);
});

test('counts fall at their bounds', () => {
  const counts = new Counts([1, 2]);
  for (const value of [0.5, 1, 1.5, 2, 3]) counts.observe(value);
  expect([counts.counts, counts.sum, counts.count]).toEqual([[2, 2, 1], 8, 5]);
});

const parts = (...keys: [key: string | null, rows: number][]): Part[] =>
  keys.map(([key, rows]) => {
    const ask = new Ask({ rows, outputs: null }, 1000, () => {});
    ask.promise.catch(() => {});
    return ask.split([{ tensors: [], smiles: null, rows, key }], () => null)[0]!;
  });

test('the queue gives the oldest, and with it those of its key, up to a number of rows', () => {
  const queue = new Queue();
  const [a1, b1, a2, n, a3, a4] = parts(['a', 2], ['b', 1], ['a', 3], [null, 1], ['a', 4], ['a', 1]) as [
    Part,
    Part,
    Part,
    Part,
    Part,
    Part,
  ];
  queue.add([a1, b1, a2, n, a3, a4]);
  expect(queue.rows).toBe(12);
  expect(queue.take(6)).toEqual([a1, a2, a4]);
  b1.ask.fail(new ApiError('unavailable', 'gone'));
  expect(queue.take(6)).toEqual([n]);
  queue.again([a1]);
  expect(queue.take(6)).toEqual([a1, a3]);
  expect([queue.rows, queue.take(6)]).toEqual([0, []]);
});

const tensor = (shape: number[], from = 0): Tensor => ({
  name: 'x',
  datatype: 'FP32',
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => from + i),
});

test.each([0, 1, 2])('what is cut along axis %i comes together again', (axis) => {
  const whole = tensor([3, 4, 5]);
  const cut = [0, 1, 2].map((from) => sliceOf(whole, axis, from, from + 1));
  if (axis === 1)
    expect(cut[1]).toMatchObject({ shape: [3, 1, 5], data: Float32Array.of(5, 6, 7, 8, 9, 25, 26, 27, 28, 29, 45, 46, 47, 48, 49) });
  const rest = sliceOf(whole, axis, 3, whole.shape[axis]!);
  expect(joinOf([...cut, rest], axis)).toEqual(whole);
});

test('strings are cut and joined too', () => {
  const whole: Tensor = { name: 's', datatype: 'BYTES', shape: [2, 3], data: ['a', 'b', 'c', 'd', 'e', 'f'] };
  expect(sliceOf(whole, 1, 1, 3).data).toEqual(['b', 'c', 'e', 'f']);
  expect(joinOf([sliceOf(whole, 1, 0, 1), sliceOf(whole, 1, 1, 3)], 1)).toEqual(whole);
});

const speech = [port('input', 'float32', ['', '']), port('state', 'float32', [2, '', 3]), port('sr', 'int64', [])];
const voice: Layout = layout(speech, [port('output', 'float32', ['', 1]), port('stateN', 'float32', ['', '', ''])], {
  batching: null,
  facts: { inputs: { input: 0, state: 1, sr: null }, outputs: { output: 0, stateN: 1 }, safe: true, maxRows: 16, memoryBytes: 1 },
});

test('rows may share a run where shapes, outputs and what all rows share are equal', () => {
  const ask = (width: number, sr: number, rows = 1) => {
    const { questions } = readInputs(
      {
        input: Array(width).fill(0),
        state: [
          [0, 0, 0],
          [0, 0, 0],
        ],
        sr,
      },
      voice,
      null,
    );
    return keyOf(voice, questions[0]!.tensors, rows > 1 ? ['output'] : null);
  };
  expect(ask(4, 16000)).toBe(ask(4, 16000));
  expect(ask(4, 16000)).not.toBe(ask(5, 16000));
  expect(ask(4, 16000)).not.toBe(ask(4, 8000));
  expect(ask(4, 16000)).not.toBe(ask(4, 16000, 2));
  const unsafe = layout([port('x', 'float32', ['N', 2])], [port('y', 'float32', ['N', 2])], {
    facts: { inputs: { x: 0 }, outputs: { y: 0 }, safe: false, maxRows: 1, memoryBytes: 1 },
  });
  expect(unsafe.maxRows).toBe(1);
});

test('an axis other than the first: one row, or all dimensions', () => {
  const one = readInputs(
    {
      input: [1, 2],
      state: [
        [1, 2, 3],
        [4, 5, 6],
      ],
      sr: 16000,
    },
    voice,
    null,
  );
  expect(one.form).toBe('row');
  expect(one.questions[0]!.tensors.map(({ shape }) => shape)).toEqual([[1, 2], [2, 1, 3], []]);
  const all = readInputs(
    {
      input: [[1], [2]],
      state: [
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        [
          [7, 8, 9],
          [1, 2, 3],
        ],
      ],
      sr: 16000,
    },
    voice,
    null,
  );
  expect([all.form, all.questions[0]!.rows]).toEqual(['tensors', 2]);
  const rows = readInputs(
    [
      {
        input: [1],
        state: [
          [1, 2, 3],
          [4, 5, 6],
        ],
        sr: 1,
      },
      {
        input: [1, 2],
        state: [
          [1, 2, 3],
          [4, 5, 6],
        ],
        sr: 2,
      },
    ],
    voice,
    null,
  );
  expect([rows.form, rows.questions.length]).toEqual(['rows', 2]);
});

const two = layout([port('a', 'float32', ['N', 2]), port('b', 'int8', ['N'])], [port('y', 'float32', ['N'])]);
const one = layout([port('x', 'float32', ['N', 2])], [port('y', 'float32', ['N'])]);
const typed = (type: string) => layout([port('x', type, ['N'])], [port('y', type, ['N'])]);

test.each<[string, Layout, unknown, string]>([
  ['nothing', two, undefined, 'inputs is missing'],
  ['a list for two inputs', two, [1, 2], 'inputs must be an object with a, b.'],
  ['no row', two, [], 'inputs is empty'],
  ['a missing input', two, { a: [1, 2] }, 'inputs.b is missing.'],
  ['an extra input', two, { a: [1, 2], b: 1, c: 1 }, 'inputs.c is not known; this model takes a, b.'],
  [
    'an extra input in a row',
    two,
    [
      { a: [1, 2], b: 1 },
      { a: [1, 2], b: 1, bb: 1 },
    ],
    'inputs[1].bb is not known',
  ],
  ['a row that is none', two, [{ a: [1, 2], b: 1 }, 5], 'inputs[1] must be an object'],
  ['int8 300', two, { a: [1, 2], b: 300 }, 'inputs.b must be a whole number from -128 to 127 (INT8).'],
  [
    'int8 1.5',
    two,
    [
      { a: [1, 2], b: 1 },
      { a: [1, 2], b: 1.5 },
    ],
    'inputs[1].b must be a whole number',
  ],
  ['a text for a number', two, { a: [1, '2'], b: 1 }, 'inputs.a[1] must be a number.'],
  ['null', two, { a: [1, null], b: 1 }, 'inputs.a[1] must be a number.'],
  ['too few', two, { a: [1], b: 1 }, 'inputs.a has 1 items; it must have 2.'],
  ['too deep', one, { x: [[[1, 2]]] }, 'inputs.x'],
  ['too flat', one, { x: 1 }, 'inputs.x must be a list of 2.'],
  ['ragged rows', one, { x: [[1, 2], [3]] }, 'inputs.x[1] has 1 items'],
  ['too large for float32', one, { x: [1, 1e39] }, 'inputs.x[1] is too large for FP32.'],
  ['infinity', one, { x: [1, Infinity] }, 'inputs.x[1] is not a finite number.'],
  ['2^53 + 1', typed('int64'), { x: 2 ** 53 }, 'must be a whole number from -9007199254740991'],
  ['a negative uint64', typed('uint64'), { x: -1 }, 'must be a whole number from 0'],
  ['true for a number', typed('int32'), { x: true }, 'inputs.x must be a number.'],
  ['2 for a boolean', typed('bool'), { x: 2 }, 'must be a whole number from 0 to 1 (BOOL)'],
  ['NUL', typed('string'), { x: 'a\0b' }, 'inputs.x holds a NUL character'],
  ['half a surrogate pair', typed('string'), { x: '\ud800' }, 'inputs.x holds half'],
  ['a number for a text', typed('string'), { x: 5 }, 'inputs.x must be a string'],
  ['70,000 in float16', typed('float16'), { x: 70_000 }, 'inputs.x is too large for FP16.'],
])('%s is refused with its path', (_, model, inputs, words) => {
  expect(() => readInputs(inputs as never, model, null)).toThrow(
    expect.objectContaining({ code: 'invalid_input', message: expect.stringContaining(words) }),
  );
});

test('the only input needs no name, in any form', () => {
  expect(readInputs([1, 2], one, null)).toMatchObject({ form: 'row', questions: [{ rows: 1, tensors: [{ shape: [1, 2] }] }] });
  expect(
    readInputs(
      [
        [1, 2],
        [3, 4],
      ],
      one,
      null,
    ),
  ).toMatchObject({ form: 'tensors', questions: [{ rows: 2, tensors: [{ shape: [2, 2] }] }] });
  const rows = readInputs([{ x: [1, 2] }, { x: [3, 4] }], one, null);
  expect(rows).toMatchObject({ form: 'rows', questions: [{ rows: 2, tensors: [{ data: Float32Array.of(1, 2, 3, 4) }] }] });
  expect(readInputs({ x: [0.5, -2] }, layout([port('x', 'float16', ['N', 2])], []), null).questions[0]!.tensors[0]!.data).toEqual(
    Uint16Array.of(0x3800, 0xc000),
  );
});
