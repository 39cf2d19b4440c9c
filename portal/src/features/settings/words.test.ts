import { expect, test } from 'vitest';
import { roomOf, useInWords } from './words.ts';

test('what is used is said in words, which nine tenths of a limit change', () => {
  expect(useInWords({ used: 12, limit: null }, 'number')).toBe('12, no limit');
  expect(useInWords({ used: 89, limit: 100 }, 'number')).toBe('89 of 100 (89 %)');
  expect(useInWords({ used: 90, limit: 100 }, 'number')).toBe('90 of 100 (90 %), nearly full');
  expect(useInWords({ used: 100, limit: 100 }, 'number')).toBe('100 of 100 (100 %), full');
  expect(useInWords({ used: 1_500_000, limit: 3_000_000 }, 'bytes')).toBe('1.5 MB of 3.0 MB (50 %)');
  // More than is allowed is no more than full, as after a limit was lowered; and of nothing all is used.
  expect(roomOf({ used: 7, limit: 5 })).toBe('full');
  expect(useInWords({ used: 0, limit: 0 }, 'number')).toBe('0 of 0 (none allowed), full');
});
