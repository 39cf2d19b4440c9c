import { expect, test } from 'vitest';
import { troubled, widen, type Sight, type Widening } from './widening.ts';

/** A server whose throughput grows to `knee` requests at once, and that fails a share of what is above `limit`, and of all. */
interface Plant {
  knee: number;
  limit: number;
  always: number;
}

const drive = (rounds: number, { knee, limit, always }: Plant, asked: boolean, workers = 10_000): (number | null)[] => {
  const widths: (number | null)[] = [];
  let state: Widening | null = null;
  let [completed, errors] = [0, 0];
  let waiting = 0;
  for (let now = 0; now < rounds * 5; now += 5) {
    const width: number = Math.min(state?.state.width ?? workers, workers);
    const sight: Sight = { now, completed, errors, running: width, queued: 1_000_000, waiting, takes: workers > width ? 10 : 0 };
    state = widen(state, sight, asked);
    const used = Math.min(state?.state.width ?? workers, workers);
    const done = Math.min(used, knee) * 5;
    const failed = Math.round(done * Math.max(always, used > limit ? 0.3 : 0));
    [completed, errors, waiting] = [completed + done - failed, errors + failed, failed];
    widths.push(state?.state.width ?? null);
  }
  return widths;
};

test('asked for, it begins with few and widens while throughput grows', () => {
  const widths = drive(60, { knee: 100, limit: Infinity, always: 0 }, true);
  expect(widths[0]).toBe(4);
  expect(Math.max(...widths.slice(0, 20).map(Number))).toBeGreaterThan(64);
  for (const width of widths.slice(30)) expect(width).toBeLessThan(160);
});

test('as the default it has no limit while nothing fails', () => {
  expect(new Set(drive(60, { knee: 100, limit: Infinity, always: 0 }, false, 400))).toEqual(new Set([null]));
});

test('as the default it narrows where requests fail for its width, and stays where they do not', () => {
  const widths = drive(120, { knee: 1_000, limit: 50, always: 0 }, false, 400);
  expect(widths[0]).toBeNull();
  expect(widths.slice(20).filter((width) => width === null || width > 60).length).toBeLessThan(8);
  for (const width of widths.slice(20)) expect(width ?? 400).toBeGreaterThanOrEqual(12);
});

test('what fails at any width does not narrow it', () => {
  const widths = drive(120, { knee: 1_000, limit: Infinity, always: 0.2 }, false, 400);
  // Tried once.
  expect(Math.min(...widths.map((width) => width ?? 400))).toBeGreaterThanOrEqual(400 / 8);
  expect(widths.slice(10).filter((width) => width !== null && width < 400)).toEqual([]);
});

test('a few retries are no trouble', () => {
  expect(troubled({ running: 2_000, waiting: 90 })).toBe(false);
  expect(troubled({ running: 4, waiting: 10 })).toBe(false);
  expect(troubled({ running: 8_000, waiting: 4_000 })).toBe(false);
  expect(troubled({ running: 60, waiting: 90 })).toBe(true);
});

test('a round without enough outcomes goes on', () => {
  const begun = widen(null, { now: 0, completed: 0, errors: 0, running: 0, queued: 10, waiting: 0, takes: 10 }, true)!;
  const later = widen(begun, { now: 5, completed: 3, errors: 0, running: 4, queued: 10, waiting: 0, takes: 10 }, true)!;
  expect(later).toMatchObject({ at: 0, completed: 0, state: { width: 4 } });
  expect(widen(later, { now: 10, completed: 40, errors: 0, running: 4, queued: 10, waiting: 0, takes: 10 }, true)!.state.width).toBe(8);
});
