import { expect, test } from 'vitest';
import { bytes, count, duration, percent, relative, shortId } from './format.ts';

test('per cent is 100 only when all is done, and 0 only when nothing is', () => {
  expect([percent(0, 9), percent(1, 50_000), percent(49_999, 50_000), percent(9, 9), percent(0, 0)]).toEqual([
    '0 %',
    '1 %',
    '99 %',
    '100 %',
    '0 %',
  ]);
});

test('durations have their two largest units', () => {
  expect([0, 0.012, 4.21, 75, 600, 3_600, 11_520, 90_000, null].map(duration)).toEqual([
    '< 1 s',
    '12 ms',
    '4.2 s',
    '1 min 15 s',
    '10 min',
    '1 h',
    '3 h 12 min',
    '1 d 1 h',
    '–',
  ]);
});

test('numbers, sizes and ids', () => {
  expect([count(1_234_567), count(null), bytes(999), bytes(12_400_000)]).toEqual(['1,234,567', '–', '999 B', '12.4 MB']);
  expect(shortId('batch_0123456789abcdef')).toBe('batch_0123…cdef');
  expect(shortId('op_12')).toBe('op_12');
});

test('moments are told from now', () => {
  expect([relative(100, 102), relative(40, 100), relative(7_300, 100)]).toEqual(['now', '1 min ago', 'in 2 h']);
  expect([relative(90_000, 0), relative(30 * 86_400 - 60, 0)]).toEqual(['in 1 d 1 h', 'in 29 d']);
});
