import { expect, test } from 'vitest';
import { Breaker, type BreakerLimits } from './breaker.ts';

/** A breaker on a clock of its own, without jitter. */
const make = (failures = 3) => {
  const clock = { now: 0 };
  const breaker = new Breaker({ now: () => clock.now, random: () => 1 });
  const limits: BreakerLimits = { failures, openMs: 1000 };
  const record = (failed: boolean, retryAfterMs?: number) => breaker.record(failed, limits, retryAfterMs);
  const fail = (times: number) => Array.from({ length: times }, () => record(true)).at(-1);
  return { breaker, record, clock, fail };
};

test('failures in a row open it; a success between them starts the row anew', () => {
  const { breaker, record, fail } = make();
  expect(fail(2)).toBeNull();
  expect(record(false)).toBeNull();
  expect(fail(2)).toBeNull();
  expect([breaker.passes, breaker.opened.aborted]).toEqual([true, false]);
  expect(fail(1)).toBe('opened');
  expect([breaker.passes, breaker.opened.aborted, breaker.enter()]).toEqual([false, true, 'open']);
});

test('more failures than successes open it as well, once there are enough of either', () => {
  const { record } = make(100);
  for (let i = 0; i < 9; i++) record(false);
  for (let i = 0; i < 10; i++) expect(record(true)).toBeNull();
  expect(record(true)).toBe('opened');
});

test('what happened before the window does not count', () => {
  const { record, clock } = make(100);
  for (let i = 0; i < 19; i++) record(true);
  clock.now = 60_000;
  for (let i = 0; i < 19; i++) expect(record(true)).toBeNull();
});

test('after its time one call probes; the others wait', () => {
  const { breaker, record, clock, fail } = make();
  fail(3);
  clock.now = 999;
  expect(breaker.enter()).toBe('open');
  clock.now = 1000;
  expect(breaker.passes).toBe(true);
  expect([breaker.enter(), breaker.enter(), breaker.passes]).toEqual(['probe', 'open', false]);
  expect(record(false)).toBe('closed');
  expect([breaker.enter(), breaker.opened.aborted]).toEqual(['closed', false]);
});

test('a probe that fails opens it for twice as long, to a minute, and no shorter than the upstream asks', () => {
  const { breaker, record, clock, fail } = make();
  fail(3);
  const waits: number[] = [];
  for (let i = 0; i < 8; i++) {
    const since = clock.now;
    while (!breaker.passes) clock.now += 500;
    waits.push(clock.now - since);
    breaker.enter();
    record(true, i === 0 ? 7000 : 0);
  }
  expect(waits).toEqual([1000, 7000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
});

test('a probe that never came to a call leaves the place to the next', () => {
  const { breaker, clock, fail } = make();
  fail(3);
  clock.now = 1000;
  expect(breaker.enter()).toBe('probe');
  breaker.leave();
  expect(breaker.enter()).toBe('probe');
});

test('with no failures allowed for it never opens', () => {
  const { fail } = make(0);
  expect(fail(1000)).toBeNull();
});
