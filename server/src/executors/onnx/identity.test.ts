import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json } from '../executor.ts';
import { inputBytes, rowsOf } from './tensors.ts';

const out = [{ name: 'y', type: 'float32', shape: ['N', 1] }];
const rows = rowsOf(
  [
    { name: 'x', type: 'float32', shape: ['N', 2] },
    { name: 'k', type: 'int64', shape: ['N', 1] },
  ],
  out,
);
const identity = (x: Json, k: Json): string | null => {
  const bytes = inputBytes(rows, { x, k });
  return bytes === null ? null : Buffer.from(bytes).toString('hex');
};

test('rows are one question exactly when the model sees the same values', () => {
  const value = fc.oneof(
    fc.constantFrom(0, -0, 0.1, 0.10000000149011612, 1, 16_777_216, 16_777_217),
    fc.float({ noNaN: true, noDefaultInfinity: true }),
  );
  const row = fc.record({ x: fc.tuple(value, value), k: fc.integer() });
  fc.assert(
    fc.property(row, row, (a, b) => {
      const seen = ({ x, k }: typeof a): boolean[] => [...x.map((v, i) => Object.is(Math.fround(v), Math.fround(b.x[i]!))), k === b.k];
      expect(identity([...a.x], [a.k]) === identity([...b.x], [b.k])).toBe(seen(a).every(Boolean));
    }),
    { numRuns: 300 },
  );
});

test('what does not fit the model is no question, and a name or a type makes another one', () => {
  expect(identity([1], [1])).toBe(null);
  expect(identity([1, 2], [1.5])).toBe(null);
  expect(identity([1, 2], ['1'])).toBe(null);
  const other = (name: string, type: string): Uint8Array | null => inputBytes(rowsOf([{ name, type, shape: ['N', 2] }], out), [0, 0]);
  const all = [other('x', 'float32'), other('z', 'float32'), other('x', 'int32')].map((bytes) => Buffer.from(bytes!).toString('hex'));
  expect(new Set(all).size).toBe(3);
});
