import fc from 'fast-check';
import { expect, test } from 'vitest';
import { atRisk, pressure, type Yardstick } from './demand.ts';
import { guardSeconds, shareWorkers, usableWorkers, type Demand } from './market.ts';

const at: Yardstick = { now: 0, guard: 100, rate: 1, max: 10, concurrency: 1, factor: 1 };
const demand = (batch: string, deadline: number, work: number, rest: Partial<Demand> = {}): Demand => ({
  batch,
  deadline,
  work,
  requests: 1_000,
  width: null,
  admitted: true,
  ...rest,
});
const demands = fc
  .array(fc.record({ deadline: fc.integer({ min: 200, max: 20_000 }), work: fc.integer({ min: 1, max: 50_000 }) }), {
    minLength: 1,
    maxLength: 8,
  })
  .map((rows) => rows.map(({ deadline, work }, index) => demand(`b${index}`, deadline, work)));

test('r* is the hardest prefix in order of deadline', () => {
  const seen = pressure([demand('late', 1_100, 4_000), demand('soon', 600, 1_500)], at);
  expect(seen.order.map(({ batch }) => batch)).toEqual(['soon', 'late']);
  expect(seen.needed).toBe(Math.max(1_500 / 500, 5_500 / 1_000));
  expect(seen.critical).toBe(1);
  expect(seen.sum).toBe(1_500 / 500 + 4_000 / 1_000);
});

test('a deadline closer than the guard needs all there is', () => {
  const seen = pressure([demand('gone', 90, 1), demand('later', 10_000, 1)], at);
  expect(seen.needed).toBe(Infinity);
  expect(atRisk(seen, 0.7).map(({ batch }) => batch)).toEqual(['gone']);
});

test('a batch with a warning adds nothing to what admitted ones need, and is served after them', () => {
  const seen = pressure([demand('flagged', 200, 90_000, { admitted: false }), demand('promised', 1_100, 4_000)], at);
  expect(seen.needed).toBe(4);
  expect(seen.order.map(({ batch }) => batch)).toEqual(['promised', 'flagged']);
  expect(seen.flaggedLoad).toBeGreaterThan(1);
});

test('one that runs only two requests at once is at risk long before the pool is', () => {
  const seen = pressure([demand('narrow', 1_100, 1_800, { width: 2 })], at);
  expect(seen.needed).toBeCloseTo(1.8);
  expect(seen.load).toBeCloseTo(0.9);
});

test('S4: every batch is in the deadline class before D − W/(μ·Dmax) − g', () => {
  fc.assert(
    fc.property(demands, fc.nat(7), (all, pick) => {
      const one = all[pick % all.length]!;
      const now = one.deadline - one.work / (at.rate * at.max) - at.guard;
      expect(atRisk(pressure(all, { ...at, now }), 0.95).map(({ batch }) => batch)).toContain(one.batch);
    }),
  );
});

test('S2: more dedicated workers or a later deadline never press harder', () => {
  fc.assert(
    fc.property(demands, fc.nat(7), fc.integer({ min: 1, max: 5_000 }), (all, pick, more) => {
      const before = pressure(all, at);
      expect(pressure(all, { ...at, max: at.max + more }).load).toBeLessThanOrEqual(before.load);
      const eased = all.map((one, index) => (index === pick % all.length ? { ...one, deadline: one.deadline + more } : one));
      expect(pressure(eased, at).needed).toBeLessThanOrEqual(before.needed + 1e-9);
    }),
  );
});

test('shared machines are divided whole, in proportion to what is needed', () => {
  expect(shareWorkers(10, [3, 1, 1])).toEqual([6, 2, 2]);
  expect(shareWorkers(4, [Infinity, 3, Infinity])).toEqual([2, 0, 2]);
  expect(shareWorkers(4, [0, 0])).toEqual([0, 0]);
  fc.assert(
    fc.property(fc.nat(100), fc.array(fc.double({ min: 0.01, max: 50, noNaN: true }), { minLength: 1, maxLength: 6 }), (max, needs) => {
      expect(shareWorkers(max, needs).reduce((sum, share) => sum + share, 0)).toBe(max);
    }),
  );
});

test('the guard is the sum of all that can pass; a batch keeps as many workers busy as it has requests for', () => {
  expect(guardSeconds({ coldStart: 300, tick: 10, lease: 60, request: 20, finalize: 5 })).toBe(395);
  expect(usableWorkers({ requests: 9, width: null }, 4)).toBe(3);
  expect(usableWorkers({ requests: 9, width: 1 }, 4)).toBe(1);
});
