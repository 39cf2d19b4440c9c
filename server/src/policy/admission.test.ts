import fc from 'fast-check';
import { expect, test } from 'vitest';
import { admit, type AdmissionInput } from './admission.ts';
import { pressure } from './demand.ts';
import type { Demand, Market } from './market.ts';

const supply = { price: 3, min: 0, max: 10, ready: 0, coldStart: 300, rate: 1, measured: true };
const market: Market = {
  spot: null,
  dedicated: supply,
  preemptions: 0,
  concurrency: 1,
  guard: { coldStart: 60, tick: 10, lease: 10, request: 10, finalize: 10 },
};
const batch = (name: string, deadline: number, work: number): Demand => ({
  batch: name,
  deadline,
  work,
  requests: 10_000,
  width: null,
  admitted: true,
});
const ask = (demands: readonly Demand[], candidate: Demand, rest: Partial<AdmissionInput> = {}) =>
  admit({ now: 0, mode: 'refuse', market, demands, candidate, factor: 1, ...rest });

test('what fits under 95 % of the dedicated workers is admitted', () => {
  expect(ask([], batch('new', 1_100, 9_500))).toMatchObject({ result: 'ok', admitted: true });
  expect(ask([], batch('new', 1_100, 9_600))).toMatchObject({ result: 'window_not_feasible', admitted: false });
});

test('a refusal names the earliest deadline that holds', () => {
  const refused = ask([batch('old', 1_100, 9_000)], batch('new', 600, 3_000));
  expect(refused).toMatchObject({ result: 'window_not_feasible' });
  expect(refused.earliest).toBeCloseTo(100 + 12_000 / 9.5);
  expect(ask([], batch('new', 600, 9_500), { mode: 'flag' })).toMatchObject({ result: 'flagged', earliest: 1_100 });
  expect(ask([], batch('new', 600, 9_500), { mode: 'off' })).toMatchObject({ result: 'ok' });
});

test('a narrow batch is judged by its own width', () => {
  expect(ask([], { ...batch('new', 1_100, 1_500), width: 1 })).toMatchObject({ result: 'window_not_feasible' });
  expect(ask([], { ...batch('new', 2_100, 1_500), width: 1 })).toMatchObject({ result: 'ok' });
});

test('where nothing can be promised it is flagged, not refused', () => {
  expect(ask([], batch('new', 1_100, 10), { market: { ...market, dedicated: null } })).toMatchObject({ result: 'flagged', earliest: null });
  expect(ask([], batch('new', 1_100, 10), { market: { ...market, dedicated: { ...supply, rate: null } } })).toMatchObject({
    result: 'flagged',
  });
});

const demands = fc
  .array(fc.tuple(fc.integer({ min: 150, max: 9_000 }), fc.integer({ min: 1, max: 20_000 })), { maxLength: 6 })
  .map((rows) => rows.map(([deadline, work], index) => batch(`b${index}`, deadline, work)));

test('S1: admission keeps r* within 0.95 of Dmax, and the earliest deadline is the earliest', () => {
  fc.assert(
    fc.property(demands, fc.integer({ min: 150, max: 9_000 }), fc.integer({ min: 1, max: 20_000 }), (offered, deadline, work) => {
      const admitted: Demand[] = [];
      for (const one of offered) if (ask(admitted, one).result === 'ok') admitted.push(one);
      const needed = (all: readonly Demand[]): number =>
        pressure(all, { now: 0, guard: 100, rate: 1, max: 10, concurrency: 1, factor: 1 }).needed;
      expect(needed(admitted)).toBeLessThanOrEqual(9.5 + 1e-6);
      const { result, earliest } = ask(admitted, batch('new', deadline, work));
      expect(result === 'ok').toBe(needed([...admitted, batch('new', deadline, work)]) <= 9.5);
      expect(needed([...admitted, batch('new', earliest! + 1e-6, work)])).toBeLessThanOrEqual(9.5 + 1e-6);
      expect(needed([...admitted, batch('new', earliest! - 1, work)])).toBeGreaterThan(9.5);
    }),
  );
});
