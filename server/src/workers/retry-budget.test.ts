import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RetryBudget } from './retry-budget.ts';

test('a few retries wait for nothing', () => {
  const budget = new RetryBudget(10);
  for (let i = 0; i < 100; i++) expect(budget.retry(0)).toBe(0);
});

test('beyond the floor they come due one after the other', () => {
  const budget = new RetryBudget(10);
  const waits = Array.from({ length: 200 }, () => budget.retry(0));
  expect(waits[100]).toBeCloseTo(100);
  expect(waits[101]).toBeCloseTo(200);
  expect(waits[199]).toBeCloseTo(10_000);
  // Ten seconds later they are due, and the next is not.
  expect(budget.retry(10_000)).toBeCloseTo(100);
});

test('a tenth of the requests may be repeated at once', () => {
  const budget = new RetryBudget(1);
  let waited = 0;
  for (let i = 0; i < 100_000; i++) {
    budget.request(i);
    if (i % 10 === 9) waited += budget.retry(i);
  }
  expect(waited).toBe(0);
});

test('a third of the requests may not', () => {
  const budget = new RetryBudget(1);
  const waits: number[] = [];
  for (let i = 0; i < 100_000; i++) {
    budget.request(i);
    if (i % 3 === 0) waits.push(budget.retry(i));
  }
  expect(waits.at(-1)).toBeGreaterThan(10_000);
});

test('no retry waits longer than a quarter of an hour', () => {
  const budget = new RetryBudget(1);
  const waits = Array.from({ length: 100_000 }, () => budget.retry(0));
  expect(waits.at(-1)).toBe(900_000);
});

test('retries never come due faster than the floor, a tenth of the requests and what was saved', () => {
  const step = fc.record({
    ms: fc.integer({ min: 0, max: 500 }),
    requests: fc.integer({ min: 0, max: 20 }),
    retries: fc.integer({ min: 0, max: 20 }),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(step, { maxLength: 80 }), (floor, steps) => {
      const budget = new RetryBudget(floor);
      const due: number[] = [];
      let [now, requests] = [0, 0];
      for (const { ms, requests: more, retries } of steps) {
        now += ms;
        for (let i = 0; i < more; i++, requests++) budget.request(now);
        for (let i = 0; i < retries; i++) due.push(now + budget.retry(now));
      }
      const allowed = floor * 10 + (floor * now) / 1000 + 0.1 * requests;
      expect(due.filter((at) => at <= now).length).toBeLessThanOrEqual(Math.ceil(allowed) + 1);
    }),
  );
});
