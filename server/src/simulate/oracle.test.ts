import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seeded } from './random.ts';
import { spotSlots, zones } from './availability.ts';
import { Events } from './events.ts';
import { oracleCost } from './oracle.ts';
import { defaults } from './options.ts';
import { compare, runSimulation } from './simulate.ts';
import { manyBatches, singleBatch } from './workload.ts';

const at = { pools: defaults.pools, coldStart: 300 };

test('for one batch the bound is min(W, A)·p_s + max(0, W − A)·p_d', () => {
  fc.assert(
    fc.property(fc.nat(8), fc.integer({ min: 100, max: 900_000 }), (zone, work) => {
      const slots = spotSlots({ kind: 'zone', zone: zones[zone]!, correlated: 0.5 }, 16, 86_400, seeded(work));
      const there = slots.flat().reduce((sum, { from, to }) => sum + Math.max(0, Math.min(to, 86_400) - (from + 300)), 0);
      const cost = (Math.min(work, there) + 3 * Math.max(0, work - there)) / 3_600;
      // A run that begins within a start of the deadline has nothing to give on either side.
      expect(
        oracleCost(
          [{ at: 0, deadline: 86_400, work }],
          slots.map((ups) => ups.filter(({ from, to }) => Math.min(to, 86_400) - from > 300)),
          at,
        ),
      ).toBeLessThanOrEqual(cost + 1e-6);
      expect(oracleCost([{ at: 0, deadline: 86_400, work }], slots, at)).toBeGreaterThanOrEqual((work / 3_600) * 0.999);
    }),
    { numRuns: 30 },
  );
  expect(oracleCost([{ at: 0, deadline: 7_200, work: 7_200 }], [[{ from: 0, to: 3_900 }]], at)).toBeCloseTo(1 + 3);
});

test('work is dropped at its deadline, and the nearest one goes first', () => {
  const slots = [[{ from: 0, to: 300 + 3_600 }]];
  const due = [
    { at: 0, deadline: 3_900, work: 3_600 },
    { at: 0, deadline: 2_100, work: 1_800 },
  ];
  expect(oracleCost(due, slots, at)).toBeCloseTo(1 + 1.5);
});

test('no policy that keeps its deadlines is cheaper than the bound', () => {
  const rows = compare({
    seeds: 6,
    policies: ['rho_0_7', 'sum_of_up', 'dedicated_autoscaled', 'up_polarised'],
    scenario: (seed) => ({
      seed,
      workload:
        seed % 2 === 0
          ? singleBatch({ load: 0.4, workers: 16, hours: 6 })
          : manyBatches({ batches: 10, tenants: 2, load: 0.4, workers: 16 }, seeded(seed)),
    }),
  });
  const kept = rows.filter(({ missed }) => missed === 0);
  expect(kept.map(({ policy }) => policy)).toContain('rho_0_7');
  expect(Math.min(...kept.map(({ costOverOracle }) => costOverOracle))).toBeGreaterThanOrEqual(1);
});

test('spot is up for the share of the time that its zone says', () => {
  for (const zone of zones) {
    const slots = spotSlots({ kind: 'zone', zone, correlated: 0 }, 200, 100 * 86_400, seeded(zone.name));
    const up = slots.flat().reduce((sum, { from, to }) => sum + Math.min(to, 100 * 86_400) - from, 0) / (200 * 100 * 86_400);
    expect(up).toBeCloseTo(zone.up / (zone.up + zone.down), 1);
    expect(zone.down).toBeGreaterThan(0.79);
    expect(zone.down).toBeLessThan(3.61);
  }
});

test('events come by time, then in the order in which they were announced', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), (times) => {
      const events = new Events<number>();
      times.forEach((time, index) => events.add(time, index));
      const out = Array.from({ length: times.length }, () => events.next()!);
      const order = times.map((time, index) => ({ at: time, event: index })).sort((a, b) => a.at - b.at || a.event - b.event);
      expect(out.map(({ at: time, event }) => ({ at: time, event }))).toEqual(order);
      expect(events.size).toBe(0);
    }),
  );
});

test('all work is done and paid for: nothing but a start and the last chunks is wasted on dedicated workers', () => {
  const { cost, dedicatedHours, utilisation, broken } = runSimulation({
    workload: singleBatch({ load: 0.5, workers: 16, hours: 6 }),
    policy: 'dedicated_autoscaled',
    check: true,
  });
  expect(dedicatedHours).toBeCloseTo(48 + (16 * 300) / 3_600, 0);
  expect(cost).toBeCloseTo(3 * dedicatedHours);
  expect(utilisation).toBeGreaterThan(0.95);
  expect(broken).toEqual([]);
});
