import { describe, expect, test } from 'vitest';
import type { Tensor } from '../executors/onnx/tensor.ts';
import { apart, gainOf, guesses, largestOf, widthOf } from './batch.ts';
import { inputBytes, plans, sizesToTry, synthesize, typicalSizes, type Port } from './synthesize.ts';

const port = (name: string, shape: (number | string)[], type = 'float32'): Port => ({ name, type, shape });

describe('where rows may lie', () => {
  test.for<[string, Port[], Record<string, number | null>]>([
    ['the first dimension', [port('x', ['N', 3, 'H', 'W'])], { x: 0 }],
    ['of all inputs that have it', [port('ids', ['batch', 'seq'], 'int64'), port('mask', ['batch', 'seq'], 'int64')], { ids: 0, mask: 0 }],
    ['a name that says so, before the first', [port('x', ['seq', 'batch', 8])], { x: 1 }],
    [
      'the one dimension of a state that is open',
      [port('x', ['', '']), port('state', [2, '', 128]), port('sr', [])],
      { x: 0, state: 1, sr: null },
    ],
  ])('%s', ([, inputs, first]) => {
    expect(guesses(inputs)[0]).toEqual(first);
  });

  test('not where nothing is open, nor along a later dimension of one input', () => {
    expect(guesses([port('x', [1, 4])])).toEqual([]);
    expect(guesses([port('x', [1, 'T'])])).toEqual([]);
  });

  test('one name is one size', () => {
    for (const axes of guesses([port('a', ['N', 'T']), port('b', ['T', 'N'])])) expect([axes['a'], axes['b']]).not.toEqual([0, 0]);
  });

  test('twelve guesses are enough for a hundred inputs', () => {
    const inputs = Array.from({ length: 100 }, (_, i) => port(`x${i}`, ['', '', '']));
    const found = guesses(inputs);
    expect(found.length).toBeLessThanOrEqual(12);
    expect(new Set(Object.values(found[0]!))).toEqual(new Set([0]));
  });
});

describe('made-up inputs', () => {
  test('dimensions of one name have one size, those without a name each their own', () => {
    const inputs = [port('a', ['N', 'T']), port('b', ['N', '', 2])];
    const sizes = new Map([
      ['N', 2],
      ['T', 3],
      ['b[1]', 5],
    ]);
    expect(synthesize(inputs, sizes, plans[0]!).map(({ shape }) => shape)).toEqual([
      [2, 3],
      [2, 5, 2],
    ]);
    expect(inputBytes(inputs, sizes)).toBe((6 + 20) * 4);
  });

  test('all 1 first, then 2; each combination once', () => {
    const tried = sizesToTry([port('x', ['N', 'T'])]).map((sizes) => [...sizes.values()]);
    expect(tried.slice(0, 3)).toEqual([
      [1, 1],
      [1, 2],
      [2, 2],
    ]);
    expect(new Set(tried.map(String)).size).toBe(tried.length);
    expect(sizesToTry([port('x', [4])])).toHaveLength(1);
  });

  test('images are tried at 224, texts at 128; rows alone vary: nothing is', () => {
    expect([...typicalSizes([port('x', ['N', 3, 'H', 'W'])])[0]!.values()]).toEqual([1, 224, 224]);
    expect([...typicalSizes([port('x', ['N', 'T'])])[0]!.values()]).toEqual([1, 128]);
    expect(typicalSizes([port('x', ['N', 4])])).toEqual([]);
  });

  test('rows differ, and each is the same every time', () => {
    const values = (row: number) => [...synthesize([port('x', [8])], new Map(), plans[0]!, row)[0]!.data];
    expect(values(1)).toEqual(values(1));
    expect(values(1)).not.toEqual(values(2));
  });

  test('a sample rate is one', () => {
    expect([...synthesize([port('sr', [], 'int64')], new Map(), plans[0]!)[0]!.data]).toEqual([16_000n]);
  });
});

describe('how far answers are apart', () => {
  const floats = (...values: number[]): Tensor => ({
    name: 'y',
    datatype: 'FP32',
    shape: [values.length],
    data: Float32Array.from(values),
  });
  const ints = (...values: bigint[]): Tensor => ({
    name: 'y',
    datatype: 'INT64',
    shape: [values.length],
    data: BigInt64Array.from(values),
  });
  test.for<[string, Tensor, Tensor, boolean]>([
    ['equal', floats(1, 2), floats(1, 2), true],
    ['other last digits', floats(1, 100), floats(1.000001, 100.0001), true],
    ['other digits', floats(1, 100), floats(1.1, 100), false],
    ['what cancels out beside what does not', floats(1e-9, 100), floats(3e-6, 100), true],
    ['both no number', floats(NaN), floats(NaN), true],
    ['one of them none', floats(NaN), floats(1), false],
    ['other shapes', floats(1), floats(1, 1), false],
    ['whole numbers', ints(2n ** 53n), ints(2n ** 53n + 1n), false],
    ['texts', { name: 'y', datatype: 'BYTES', shape: [1], data: ['a'] }, { name: 'y', datatype: 'BYTES', shape: [1], data: ['b'] }, false],
  ])('%s', ([, a, b, same]) => {
    expect(apart(a, b, largestOf(a)) <= 1).toBe(same);
  });
});

describe('what sharing runs gains', () => {
  const widths = (...ms: number[]) => {
    const { gain, best } = widthOf(ms.map((each, i) => ({ rows: [1, 8, 32, 128][i]!, ms: each })));
    return [best.rows, Math.round(gain * 100) / 100];
  };

  test.for<[string, number[], [number, number]]>([
    ['a call costs more than a row: the more the better', [0.05, 0.008, 0.003, 0.002], [128, 25]],
    ['a convolution takes for eight rows eight times as long: one', [2, 1.95, 1.9, 2.1], [1, 1.03]],
    ['less than a tenth is not worth the wait', [1.09, 1, 1, 1], [1, 1.09]],
    ['of those that are about as quick the largest', [10, 1, 0.5, 0.54], [128, 18.52]],
    ['of those that are not, the quickest', [10, 0.5, 1, 1.2], [8, 20]],
    ['none that others would have to wait for', [40, 20, 10, 5], [1, 2]],
    ['as far as it was measured', [1, 0.5], [8, 2]],
    ['one size says nothing', [1], [1, 1]],
  ])('%s', ([, ms, wanted]) => {
    expect(widths(...ms)).toEqual(wanted);
  });

  /** A model of which a run takes `took` milliseconds, by a clock that only its runs move. */
  const timed = (took: (rows: number, run: number) => number, ms = 1_000) => {
    let [clock, runs] = [0, 0];
    const x = port('x', ['N', 2]);
    const run = (inputs: readonly Tensor[]): Promise<Tensor[]> => {
      clock += took(inputs[0]!.shape[0]!, runs++);
      return Promise.resolve([]);
    };
    const trial = { run, inputs: [x], sizes: new Map([['N', 1]]), plan: plans[0]! };
    return gainOf(trial, { x: 0 }, ms, () => clock);
  };

  test('each size is measured, by the run and by the row', async () => {
    const { gain, maxRows, measured } = await timed((rows) => 1.28 + rows / 100);
    expect(measured.map(({ rows, ms }) => [rows, Math.round(ms * 1e4) / 1e4])).toEqual([
      [1, 1.29],
      [8, 0.17],
      [32, 0.05],
      [128, 0.02],
    ]);
    expect([maxRows, Math.round(gain)]).toEqual([128, 65]);
    expect(await timed((rows) => 2 * rows)).toMatchObject({ maxRows: 1 });
  });

  test('what disturbs the runs for a while changes nothing', async () => {
    const { maxRows, measured } = await timed((rows, run) => (1 + rows / 10) * (run < 60 ? 5 : 1), 1e6);
    expect([maxRows, measured[0]!.ms.toFixed(3)]).toEqual([128, '1.100']);
  });

  test('a size that does not fit ends it, and what takes too long is not tried further', async () => {
    const small = await timed((rows) => {
      if (rows > 8) throw new Error('no memory');
      return 1;
    });
    expect([small.maxRows, small.measured.length]).toEqual([8, 2]);
    expect((await timed((rows) => 20 * rows)).measured.map(({ rows }) => rows)).toEqual([1, 8]);
  });
});
