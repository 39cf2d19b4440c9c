import { expect, test } from 'vitest';
import { classes, classOf, newSpread, quantile } from './spread.ts';

test('a quantile is at most 15 % above the value, and never below', () => {
  const values = Array.from({ length: 5_000 }, (_, i) => 1 + i ** 1.7);
  const counts = newSpread();
  for (const value of values) counts[classOf(value)]! += 1;
  for (const share of [0.5, 0.95, 0.99, 0.999, 1]) {
    const exact = values[Math.ceil(share * values.length) - 1]!;
    expect(quantile(counts, share)! / exact).toBeGreaterThanOrEqual(1 - 1e-9);
    expect(quantile(counts, share)! / exact).toBeLessThanOrEqual(1.16);
  }
});

test('few values say nothing; tiny and huge ones are in the classes at the ends', () => {
  const counts = newSpread();
  counts[classOf(0.01)]! += 1;
  expect(quantile(counts, 0.99, 2)).toBeNull();
  expect(quantile(counts, 0.99)).toBe(1);
  expect(classOf(1e12)).toBe(classes - 1);
  expect(quantile(newSpread(), 0.5)).toBeNull();
});
