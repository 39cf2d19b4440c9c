import { expect, test } from 'vitest';
import { pathOf, roundUp } from './lines.tsx';

test('axes end at a round number that holds every value', () => {
  expect([0, 1, 1.2, 3, 7, 10, 11, 480, 0.03].map(roundUp)).toEqual([1, 1, 2, 5, 10, 10, 20, 500, 0.05]);
});

test('a value that is not known leaves a hole, and is no zero', () => {
  const at = (i: number) => i;
  expect(pathOf([1, null, 2, 3], at, at)).toBe('M0.0 1.0M2.0 2.0L3.0 3.0');
  expect(pathOf([null, null], at, at)).toBe('');
});
