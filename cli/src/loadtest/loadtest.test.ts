import { Client } from '@sluice/contract/client';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { percentile, Tally } from './figures.ts';
import { mixOf, operations, rateOf, spanOf, turnsOf } from './options.ts';
import { Failed, runLoad } from './run.ts';
import { Target } from './target.ts';

test('percentiles are by nearest rank', () => {
  const values = Array.from({ length: 200 }, (_, i) => i + 1);
  expect([0.5, 0.9, 0.95, 0.99, 1].map((share) => percentile(values, share))).toEqual([100, 180, 190, 198, 200]);
  expect(percentile([7], 0.5)).toBe(7);
});

test('failures have no part in the times', () => {
  const tally = new Tally();
  tally.went(3);
  tally.failed('timeout');
  tally.failed('timeout');
  expect(tally.figures('list', 2)).toEqual({
    operation: 'list',
    calls: 3,
    succeeded: 1,
    rate: 0.5,
    ms: { p50: 3, p90: 3, p95: 3, p99: 3, max: 3 },
    errors: { timeout: 2 },
  });
});

test('options are read', () => {
  expect([rateOf('50/s'), rateOf('0.5'), spanOf('30s'), spanOf('5m'), spanOf('250ms')]).toEqual([50, 0.5, 30_000, 300_000, 250]);
  expect(mixOf('predict:3, list')).toEqual([
    { operation: 'predict', weight: 3 },
    { operation: 'list', weight: 1 },
  ]);
});

test('at every moment each operation has had its share, within one call for each other', () => {
  const weights = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: operations.length });
  fc.assert(
    fc.property(weights, fc.integer({ min: 1, max: 300 }), (given, calls) => {
      const mix = given.map((weight, i) => ({ operation: operations[i]!, weight }));
      const next = turnsOf(mix);
      const had = Map.groupBy(Array.from({ length: calls }, next), (operation) => operation);
      const total = given.reduce((sum, weight) => sum + weight, 0);
      for (const { operation, weight } of mix)
        expect(Math.abs((had.get(operation)?.length ?? 0) - (calls * weight) / total)).toBeLessThan(given.length);
    }),
  );
});

test('calls of an open loop count from when they were due', async () => {
  const first = Promise.withResolvers<void>();
  let calls = 0;
  // The fifth call answers all: those before it have waited since they were due.
  const call = async () => {
    if (++calls === 5) first.resolve();
    await first.promise;
  };
  const load = { pace: { rate: 200 }, durationMs: 25, count: 100, next: () => 'list' as const, signal: new AbortController().signal };
  const { tallies } = await runLoad({ ...load, call });
  const { calls: made, ms } = tallies.get('list')!.figures('list', 1);
  expect(made).toBe(5);
  // The first was due 20 ms before the fifth; a timer may fire a millisecond early.
  expect(ms!.max).toBeGreaterThan(18);
});

test('a run is stopped, and counts failures by class', async () => {
  const stop = new AbortController();
  let calls = 0;
  const call = async () => {
    if (++calls === 3) stop.abort();
    throw new Failed('503 unavailable');
  };
  const run = await runLoad({ pace: { concurrency: 1 }, durationMs: 60_000, count: 100, next: () => 'list', call, signal: stop.signal });
  expect([run.calls, run.tallies.get('list')!.figures('list', 1).errors]).toEqual([3, { '503 unavailable': 3 }]);
});

test('a batch that ends before it can be cancelled is removed as well', async () => {
  const asked: string[] = [];
  const json = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });
  let ended = false;
  const server: typeof fetch = async (input, init) => {
    const { pathname } = new URL(input instanceof Request ? input.url : input);
    asked.push(`${init!.method} ${pathname}`);
    if (pathname === '/v1/files') return json(200, { id: 'file-1' });
    if (pathname.endsWith('/cancel')) {
      ended = true;
      return json(409, { error: { message: 'ended', type: 'x', param: null, code: 'conflict' } });
    }
    return json(200, { id: 'batch_1', status: ended ? 'completed' : 'in_progress' });
  };
  const target = new Target(new Client({ url: 'http://x', key: null, fetch: server, retries: 0 }), {
    model: 'echo',
    lines: 1,
    timeoutMs: 1000,
  });
  await target.prepare();
  expect(await target.remove(10_000)).toBe(0);
  expect(asked.slice(-2)).toEqual(['DELETE /v1/batches/batch_1', 'DELETE /v1/files/file-1']);
});
