import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Tensor } from '../executors/onnx/tensor.ts';
import type { Question } from './ask.ts';
import type { Form } from './inputs.ts';
import { questionBytes } from './question.ts';

const tensor: fc.Arbitrary<Tensor> = fc.oneof(
  fc.record({
    name: fc.constantFrom('x', 'y'),
    datatype: fc.constant('FP32' as const),
    shape: fc.constantFrom<number[]>([1, 2], [2, 1], [2]),
    data: fc.tuple(fc.float({ noNaN: true }), fc.float({ noNaN: true })).map((values) => Float32Array.from(values)),
  }),
  fc.record({
    name: fc.constantFrom('x', 'y'),
    datatype: fc.constantFrom('INT64' as const, 'UINT64' as const),
    shape: fc.constant<number[]>([1]),
    data: fc.constantFrom(2n ** 53n, 2n ** 53n + 1n, 1n).map((value) => BigInt64Array.of(value)),
  }),
  fc.record({
    name: fc.constantFrom('x', 'y'),
    datatype: fc.constant('BYTES' as const),
    shape: fc.constant<number[]>([2]),
    data: fc.array(fc.constantFrom('', 'a', '","', 'a,a'), { minLength: 2, maxLength: 2 }),
  }),
);
const question: fc.Arbitrary<Question> = fc.record({
  tensors: fc.array(tensor, { maxLength: 2 }),
  smiles: fc.option(fc.array(fc.constantFrom('C', 'CC'), { minLength: 1, maxLength: 2 })),
  rows: fc.integer({ min: 1, max: 2 }),
  apart: fc.boolean(),
  outputs: fc.constant(null),
});
const asked = fc.tuple(
  fc.constantFrom<Form>('row', 'rows', 'tensors'),
  fc.array(question, { minLength: 1, maxLength: 2 }),
  fc.constantFrom<string[] | null>(null, ['a'], ['a', 'b'], ['b', 'a']),
);

/** What is asked, as text in which nothing is lost; whether rows may share a run is no part of the question. */
const told = ([form, questions, wanted]: [Form, Question[], string[] | null]): string =>
  JSON.stringify([
    form,
    wanted,
    questions.map(({ apart: _, outputs: __, ...rest }) => ({
      ...rest,
      tensors: rest.tensors.map((each) => ({
        ...each,
        data: [...each.data].map((value) => (Object.is(value, -0) ? '-0' : String(value))),
      })),
    })),
  ]);

test('two predictions have the same bytes exactly when they ask the same', () => {
  fc.assert(
    fc.property(asked, asked, (a, b) => {
      expect(Buffer.compare(questionBytes(...a), questionBytes(...b)) === 0).toBe(told(a) === told(b));
    }),
    { numRuns: 2_000 },
  );
});

test('a shape counts, and so does which output is wanted', () => {
  const of = (shape: number[], wanted: string[] | null = null) =>
    Buffer.from(
      questionBytes(
        'row',
        [
          {
            tensors: [{ name: 'x', datatype: 'FP32', shape, data: new Float32Array(16) }],
            smiles: null,
            rows: 1,
            apart: true,
            outputs: null,
          },
        ],
        wanted,
      ),
    ).toString('hex');
  expect(of([2, 8])).not.toBe(of([8, 2]));
  expect(of([2, 8], ['a'])).not.toBe(of([2, 8]));
  expect(of([2, 8])).toBe(of([2, 8]));
});
