import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Market } from '../policy/market.ts';
import { decideTargets, defaultLine, type Targets } from '../policy/targets.ts';
import { zones, type Up } from './availability.ts';
import { defaults, type Options } from './options.ts';
import { runSimulation } from './simulate.ts';
import { singleBatch, type Arrival } from './workload.ts';

const hour = 3_600;
/** Small enough for a hundred runs: 4 workers of either kind, batches of one to eight hours. */
const pools = { spot: { slots: 4, price: 1, rate: 1 }, dedicated: { max: 4, min: 0, price: 3, rate: 1 } };
const small: Partial<Options> = { pools, tick: 30, chunk: 60, check: true };
const run = (given: Partial<Options> & Pick<Options, 'workload'>) => runSimulation({ ...small, ...given });

const batches = fc
  .array(
    fc.record({
      at: fc.integer({ min: 0, max: 4 * hour }),
      window: fc.integer({ min: hour, max: 8 * hour }),
      share: fc.double({ min: 0.02, max: 0.9, noNaN: true }),
      tenant: fc.constantFrom('a', 'b', 'c'),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((rows): Arrival[] =>
    rows.map(({ at, window, share, tenant }, index) => ({
      batch: `b${index}`,
      tenant,
      weight: 1,
      lane: 'bulk',
      priority: 1,
      at,
      window,
      requests: Math.max(1, Math.round((share * window * 4) / 10)),
      seconds: 10,
      estimate: 10,
      maxConcurrent: null,
    })),
  );

/** Spot that comes and goes at the worst of times: here and there, or all of it gone for good at some moment. */
const runs = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 2 * hour }), fc.integer({ min: 1, max: 2 * hour })), { maxLength: 6 })
  .map((pairs) => {
    const ups: Up[] = [];
    let at = 0;
    for (const [up, down] of pairs) {
      ups.push({ from: at, to: at + up });
      at += up + down;
    }
    return ups;
  });
const spot = fc.oneof(
  fc.array(runs, { minLength: 1, maxLength: 4 }),
  fc.integer({ min: 0, max: 12 * hour }).map((until) => [until === 0 ? [] : [{ from: 0, to: until }]]),
);
const policy = fc.constantFrom('rho_0_7', 'rho_0_9', 'sum_of_up', 'rho_0_7_safe');
const scenario = fc.record({
  workload: batches,
  slots: spot,
  policy,
  coldStart: fc.constantFrom(30, 300, 600),
  notice: fc.constantFrom(0, 120),
});
const given = ({
  slots,
  ...rest
}: {
  workload: Arrival[];
  slots: Up[][];
  policy: Options['policy'];
  coldStart: number;
  notice: number;
}): Partial<Options> & Pick<Options, 'workload'> => ({ ...rest, availability: { kind: 'given', slots } });

/**
 * Work that flows, one batch of 8 h on 4 + 4 workers, and an opponent who sees each decision before he says whether spot is
 * ready: at once, unlike real spot, so that he can do his worst.
 */
const endsInTime = (load: number, coldStart: number, isUp: (targets: Targets, before: Targets, round: number) => boolean): boolean => {
  const tick = 15;
  const guard = { coldStart, tick, lease: 60, request: 10, finalize: 10 };
  const deadline = 8 * hour;
  const shared = { min: 0, max: 4, coldStart, rate: 1, measured: true };
  let work = load * 4 * (deadline - coldStart - 95);
  let previous: Targets | null = null;
  let ready = 0;
  let starting: number[] = [];
  let spotReady = 0;
  for (let [now, round] = [0, 0]; now < deadline && work > 0; now += tick, round += 1) {
    ready += starting.filter((at) => at <= now).length;
    starting = starting.filter((at) => at > now);
    const market: Market = {
      spot: { ...shared, price: 1, ready: spotReady },
      dedicated: { ...shared, price: 3, ready },
      preemptions: 0,
      concurrency: 1,
      guard,
    };
    const demands = [{ batch: 'b', deadline, work, requests: Math.ceil(work / 10), width: null, admitted: true }];
    const targets: Targets = decideTargets({ now, mode: 'balanced', line: { ...defaultLine, factor: 1 }, market, demands, previous });
    while (ready + starting.length < targets.dedicated) starting.push(now + coldStart);
    while (ready + starting.length > targets.dedicated) if (starting.pop() === undefined) ready -= 1;
    spotReady = isUp(targets, previous ?? targets, round) ? 4 : 0;
    // What is promised must not need spot's work: only its presence deceives.
    work -= ready * tick;
    previous = targets;
  }
  return work <= 0;
};

describe('in simulation', () => {
  test('S1: what was admitted is never late while its true cost is within the safety factor, whatever spot does', () => {
    fc.assert(
      fc.property(scenario, fc.double({ min: 0.8, max: 1.25, noNaN: true }), (one, truth) => {
        const workload = one.workload.map((arrival) => ({ ...arrival, seconds: arrival.estimate * truth }));
        expect(run({ ...given(one), workload, factor: 1.25 }).missed).toBe(0);
        expect(run({ ...given(one), factor: 1 }).missed).toBe(0);
      }),
      { numRuns: 300 },
    );
  }, 60_000);

  test.each([
    ['is there exactly while it is counted on', (targets: Targets) => targets.cause === 'line'],
    ['comes when the line was just crossed', (targets: Targets, before: Targets) => targets.escalated && !before.escalated],
    ['goes when the line was just crossed', (targets: Targets) => !targets.escalated],
    ['comes every other round', (_: Targets, __: Targets, round: number) => round % 2 === 0],
    ['never comes', () => false],
  ])('S1: the deadline holds where spot %s', (_, isUp) => {
    for (const load of [0.3, 0.5, 0.7, 0.85, 0.94]) for (const start of [30, 300, 900]) expect(endsInTime(load, start, isUp)).toBe(true);
  });

  test('S2: more dedicated workers, later deadlines or more spot make no miss of what was admitted', () => {
    fc.assert(
      fc.property(scenario, fc.constantFrom('dedicated', 'deadline', 'spot'), fc.integer({ min: 1, max: 4 }), (one, what, more) => {
        // The admitted set of the plain run is fixed: it runs on its own, and nobody asks again.
        const plain = run({ ...given(one), factor: 1 });
        fc.pre(plain.refused === 0);
        const changed = {
          dedicated: { pools: { ...pools, dedicated: { ...pools.dedicated, max: 4 + more } } },
          spot: { pools: { ...pools, spot: { ...pools.spot, slots: 4 + more } } },
          deadline: { workload: one.workload.map((arrival) => ({ ...arrival, window: arrival.window + more * 600 })) },
        }[what];
        expect(run({ ...given(one), factor: 1, ...changed }).missed).toBe(0);
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  test('S3, S6: no ready worker idles while it may run something; nobody is above a limit; nothing is lost', () => {
    fc.assert(
      fc.property(
        scenario,
        fc.option(fc.integer({ min: 1, max: 3 })),
        fc.option(fc.integer({ min: 1, max: 2 })),
        (one, tenantCap, width) => {
          const workload = one.workload.map((arrival, index) => (index % 2 === 0 ? { ...arrival, maxConcurrent: width } : arrival));
          const report = run({ ...given(one), workload, tenantCap, admission: 'off' });
          expect(report.broken).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);

  test('S5: two tenants, one with a hundred times the backlog, differ by no more than twice what is in flight', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 5, max: 60 }),
        runs,
        (first, second, seconds, ups) => {
          const shared = { lane: 'bulk', priority: 1, at: 0, window: 400 * hour, seconds, estimate: seconds, maxConcurrent: null } as const;
          const workload = [
            { ...shared, batch: 'large', tenant: 'large', weight: first, requests: 20_000 },
            { ...shared, batch: 'small', tenant: 'small', weight: second, requests: 200 },
          ];
          const slots = [[{ from: 0, to: 400 * hour }], ups.length > 0 ? ups : [{ from: 0, to: 400 * hour }]];
          const { maxGap } = run({ workload, factor: 1, check: false, tick: 60, availability: { kind: 'given', slots } });
          expect(maxGap).toBeLessThanOrEqual((2 * (60 * 8 + 60)) / Math.min(first, second));
        },
      ),
      { numRuns: 15 },
    );
  }, 60_000);

  test('S7: a batch enters the deadline class no more often than the hysteresis lets it, and workers start no more often', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 0.74, noNaN: true }), runs, fc.constantFrom(1, 1.25), (load, ups, factor) => {
        const { escalations, starts } = run({
          workload: singleBatch({ load, workers: 4, hours: 8 }),
          factor,
          availability: { kind: 'given', slots: [ups] },
        });
        // From a fifth below the line back to it, with no work done, the time left shrinks by a fifth at least.
        const cycles = 1 + Math.log((8 * hour) / 30) / Math.log(1 / 0.8);
        expect(escalations).toBeLessThanOrEqual(cycles);
        // A fleet that was given back stayed at its size for twice a start before.
        expect(starts).toBeLessThanOrEqual(4 * (1 + (8 * hour) / 600) + 4 * (ups.length + 1));
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  test('S8: a controller that was away and comes back keeps the deadline, as long as it was away for less than the slack', () => {
    const workload = singleBatch({ load: 0.6, workers: 4, hours: 8 });
    for (let from = 0; from < 8 * hour; from += 900) {
      const report = run({
        workload,
        factor: 1.25,
        dead: { from, to: from + 600 },
        availability: { kind: 'zone', zone: zones[1]!, correlated: 1 },
        seed: from,
      });
      expect(report.missed).toBe(0);
    }
  });

  test('a run is the same for the same seed, and another for another', () => {
    const options = { workload: singleBatch({ load: 0.5, workers: 16, hours: 6 }), noise: 0.3 };
    expect(runSimulation({ ...options, seed: 7 })).toEqual(runSimulation({ ...options, seed: 7 }));
    expect(runSimulation({ ...options, seed: 7 }).cost).not.toBe(runSimulation({ ...options, seed: 8 }).cost);
    expect(defaults.factor).toBe(1.25);
  });
});
