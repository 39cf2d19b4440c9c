import { expect, test } from 'vitest';
import { Fresh } from './fresh.ts';

test('one reads for all, and what is a little old is good until it is there', async () => {
  let now = 0;
  let reads = 0;
  let { promise, resolve } = Promise.withResolvers<void>();
  const fresh = new Fresh<number>(10, 30, () => now);
  const read = async (): Promise<number> => {
    const mine = ++reads;
    await promise;
    return mine;
  };
  const first = [fresh.get('a', read), fresh.get('a', read)];
  resolve();
  expect([await Promise.all(first), reads]).toEqual([[1, 1], 1]);
  now = 9;
  expect([await fresh.get('a', read), reads]).toEqual([1, 1]);
  ({ promise, resolve } = Promise.withResolvers<void>());
  now = 20;
  expect([await fresh.get('a', read), await fresh.get('a', read), reads]).toEqual([1, 1, 2]);
  now = 40;
  const late = fresh.get('a', read);
  resolve();
  expect([await late, reads]).toEqual([2, 2]);
  // Of another, nothing is known.
  expect(await fresh.get('b', read)).toBe(3);
});

test('a failed reading is told once it matters, and the next one tries again', async () => {
  let now = 0;
  const fresh = new Fresh<number>(10, 30, () => now);
  expect(await fresh.get('a', async () => 1)).toBe(1);
  const fail = (): Promise<number> => Promise.reject(new Error('away'));
  now = 20;
  expect(await fresh.get('a', fail)).toBe(1);
  now = 40;
  await expect(fresh.get('a', fail)).rejects.toThrow('away');
  expect(await fresh.get('a', async () => 2)).toBe(2);
});
