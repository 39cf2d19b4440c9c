import { expect, test } from 'vitest';
import { adapt, newAdaptive, strategies, width, type Adaptive } from './strategy.ts';

const workers = [
  { memoryBytes: 16e9, gpus: 1, concurrency: 8 },
  { memoryBytes: 64e9, gpus: 4, concurrency: 8 },
];
const ask = { maxConcurrent: null, request: null, workers, adaptive: null };

test('each strategy has its width, and max_concurrent bounds it', () => {
  for (const strategy of strategies) expect(width({ ...ask, strategy, maxConcurrent: 1 })).toBe(1);
  expect(width({ ...ask, strategy: 'parallel' })).toBeNull();
  expect(width({ ...ask, strategy: 'parallel', maxConcurrent: 7 })).toBe(7);
  expect(width({ ...ask, strategy: 'sequential', maxConcurrent: 7 })).toBe(1);
  expect(width({ ...ask, strategy: 'adaptive', maxConcurrent: 3 })).toBe(3);
});

test('resource_aware: as many as fit memory and GPUs of each worker', () => {
  const of = (memoryBytes: number, gpus: number) => width({ ...ask, strategy: 'resource_aware', request: { memoryBytes, gpus } });
  expect(of(8e9, 0)).toBe(2 + 8);
  expect(of(8e9, 1)).toBe(1 + 4);
  expect(of(40e9, 0)).toBe(1);
  expect(of(100e9, 0)).toBe(0);
  expect(width({ ...ask, strategy: 'resource_aware' })).toBeNull();
});

/** A server whose throughput grows to `knee` requests at once, and that fails a fifth of them above `limit`. */
const drive = (rounds: number, plant: { knee: number; limit: number }, state: Adaptive = newAdaptive): Adaptive[] => {
  const states: Adaptive[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const done = Math.min(state.width, plant.knee) * 10;
    const errors = state.width > plant.limit ? done / 5 : 0;
    state = adapt(state, { completed: done - errors, errors, seconds: 10, full: true });
    states.push(state);
  }
  return states;
};

test.each([1, 6, 48, 300])('adaptive settles near a knee at %i', (knee) => {
  const late = drive(120, { knee, limit: Infinity }).slice(60);
  expect(Math.max(...late.map((state) => state.width))).toBeLessThanOrEqual(Math.max(8, knee * 1.5));
  expect(Math.min(...late.map((state) => state.width))).toBeGreaterThanOrEqual(knee * 0.75);
});

test('adaptive halves where requests fail, and stays below what broke', () => {
  const late = drive(200, { knee: 1_000, limit: 40 }).slice(60);
  expect(Math.max(...late.map((state) => state.width))).toBeLessThanOrEqual(46);
  expect(Math.min(...late.map((state) => state.width))).toBeGreaterThanOrEqual(15);
});

test('adaptive finds a server that became faster, and learns nothing from rounds that were not full', () => {
  const before = drive(60, { knee: 20, limit: Infinity }).at(-1)!;
  expect(drive(300, { knee: 80, limit: Infinity }, before).at(-1)!.width).toBeGreaterThan(50);
  expect(adapt(before, { completed: 1, errors: 0, seconds: 10, full: false })).toBe(before);
});
