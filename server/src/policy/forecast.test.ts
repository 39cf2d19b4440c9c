import fc from 'fast-check';
import { expect, test } from 'vitest';
import { forecast, slaOf, type Queued } from './forecast.ts';
import type { Market } from './market.ts';

const supply = { price: 1, min: 0, max: 10, ready: 4, coldStart: 300, rate: 1, measured: true };
const market: Market = {
  spot: supply,
  dedicated: { ...supply, ready: 0 },
  preemptions: 0,
  concurrency: 1,
  guard: { coldStart: 300, tick: 10, lease: 60, request: 10, finalize: 10 },
};
const queued = (batch: string, work: number, rest: Partial<Queued> = {}): Queued => ({
  batch,
  work,
  requests: 1_000,
  deadline: 1e6,
  width: null,
  admitted: true,
  tenant: batch,
  weight: 1,
  ...rest,
});
const targets = { spot: 4, dedicated: 0, atRisk: [], escalated: false };
const ends = (queue: readonly Queued[], rest: Partial<Parameters<typeof forecast>[0]> = {}) =>
  forecast({ now: 0, market, targets, queue, factor: 1.25, ...rest });

test('tenants share the workers; a tenant serves its batches in order', () => {
  expect(ends([queued('x', 400), queued('y', 800)]).map(({ p50 }) => p50)).toEqual([200, 300]);
  expect(ends([queued('x', 400, { tenant: 'a' }), queued('y', 800, { tenant: 'a' })]).map(({ p50 }) => p50)).toEqual([100, 300]);
  expect(ends([queued('x', 400, { weight: 3 }), queued('y', 800)])[0]!.p50).toBeCloseTo(400 / 3);
});

test('a narrow batch leaves the rest to others', () => {
  expect(ends([queued('x', 400, { width: 1 }), queued('y', 900)]).map(({ p50 }) => p50)).toEqual([400, 300]);
});

test('without workers nothing ends, unless a deadline was promised', () => {
  const none = { ...market, spot: { ...supply, ready: 0 }, dedicated: null };
  expect(ends([queued('x', 400)], { market: none, targets: { ...targets, spot: 0 } })).toEqual([
    { batch: 'x', p50: null, p90: null, sla: 'at_risk' },
  ]);
  const promised = ends([queued('x', 40_000, { deadline: 5_000 })])[0]!;
  expect(promised.p90).toBeLessThanOrEqual(5_000);
  expect(ends([queued('x', 40_000, { deadline: 5_000, admitted: false })])[0]).toMatchObject({ sla: 'at_risk', p50: 10_000 });
});

test('p50 is never later than p90, and work is conserved', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 9_000 })), { minLength: 1, maxLength: 8 }),
      (rows) => {
        const queue = rows.map(([tenant, work], index) => queued(`b${index}`, work, { tenant, deadline: 1e9 }));
        const all = ends(queue);
        for (const { p50, p90 } of all) expect(p50!).toBeLessThanOrEqual(p90!);
        expect(Math.max(...all.map(({ p50 }) => p50!))).toBeCloseTo(rows.reduce((sum, [, work]) => sum + work, 0) / 4, 3);
      },
    ),
  );
});

test('the verdict', () => {
  expect(slaOf({ endedAt: 9, deadline: 9 })).toBe('met');
  expect(slaOf({ endedAt: 10, deadline: 9 })).toBe('breached');
});
