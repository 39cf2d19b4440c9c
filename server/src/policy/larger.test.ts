import { expect, test } from 'vitest';
import { larger, ways } from './larger.ts';

const a10 = { name: 'a10', memoryGb: 64, gpuMemoryGb: 24 };
const l40 = { name: 'l40', memoryGb: 64, gpuMemoryGb: 48 };
const a100 = { name: 'a100', memoryGb: 256, gpuMemoryGb: 80 };
const unsaid = { name: 'dedicated' };
const pools = [a100, unsaid, a10, l40];

test('the smallest of the pools that have more of what ran out', () => {
  expect(larger(pools, 'a10', 'gpu_memory')).toBe(l40);
  expect(larger(pools, 'l40', 'gpu_memory')).toBe(a100);
  // As much is not more.
  expect(larger(pools, 'a10', 'memory')).toBe(a100);
  expect(larger([a10, l40], 'a10', 'memory')).toBe(null);
});

test('of two that are alike the first that is written down', () => {
  const twin = { ...l40, name: 'twin' };
  expect(larger([a10, twin, l40], 'a10', 'gpu_memory')).toBe(twin);
});

test('no pool is larger than the largest, than one of unknown size, or than one that is gone', () => {
  expect(larger(pools, 'a100', 'gpu_memory')).toBe(null);
  expect(larger(pools, 'dedicated', 'gpu_memory')).toBe(null);
  expect(larger(pools, 'gone', 'memory')).toBe(null);
});

test('every way says from where to where, and why', () => {
  expect(ways([unsaid, { name: 'gpu', gpuMemoryGb: 24 }, { name: 'big', gpuMemoryGb: 80 }])).toEqual([
    { ran: 'gpu', memory: 'gpu_memory', to: 'big', reason: 'it ran out of GPU memory in gpu, which has 24 GB; big has 80 GB' },
  ]);
  expect(ways([unsaid])).toEqual([]);
});
