import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lowerBound, noEstimate, observe, remainingWork, safetyFactor, upperBound } from './estimate.ts';

const seen = (samples: readonly number[]) => samples.reduce(observe, noEstimate);

test('the prior is believed until thirty completions are in', () => {
  const samples = Array.from({ length: 29 }, () => 5);
  expect(lowerBound(seen(samples), 2)).toBe(2);
  expect(lowerBound(seen(samples), null)).toBeNull();
  expect(lowerBound(seen([...samples, 5]), 2)).toBeCloseTo(5);
});

test('the bounds lie on their sides of the mean, and close in on steady rates', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0.1, max: 100, noNaN: true }), { minLength: 30, maxLength: 200 }), (samples) => {
      const estimate = seen(samples);
      const [low, high] = [lowerBound(estimate, null)!, upperBound(estimate, null)!];
      expect(low).toBeGreaterThan(0);
      expect(low).toBeLessThanOrEqual(estimate.mean + 1e-9);
      expect(high).toBeGreaterThanOrEqual(estimate.mean - 1e-9);
      expect(estimate.mean).toBeGreaterThanOrEqual(Math.min(...samples) - 1e-9);
      expect(estimate.mean).toBeLessThanOrEqual(Math.max(...samples) + 1e-9);
    }),
  );
});

test('a rate that changed is found again within a hundred completions', () => {
  const before = seen(Array.from({ length: 500 }, () => 10));
  expect(Array.from({ length: 100 }, () => 4).reduce(observe, before).mean).toBeCloseTo(4, 0);
  expect(observe(before, Number.NaN)).toBe(before);
});

test('work that is unknown in part is unknown', () => {
  expect(
    remainingWork([
      { requests: 3, cost: 2 },
      { requests: 0, cost: null },
    ]),
  ).toBe(6);
  expect(
    remainingWork([
      { requests: 3, cost: 2 },
      { requests: 1, cost: null },
    ]),
  ).toBeNull();
});

test.each([
  [null, 1.25],
  [0.04, 1],
  [0.05, 1.25],
  [0.2, 1.25],
  [0.6, 1.6],
  [9, 2],
])('an error of %s asks for a safety factor of %s', (error, factor) => expect(safetyFactor(error)).toBe(factor));
