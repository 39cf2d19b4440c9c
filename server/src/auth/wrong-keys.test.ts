import { expect, test } from 'vitest';
import { WrongKeys } from './wrong-keys.ts';

test('ten wrong keys, then one each six seconds, by address', () => {
  let now = 0;
  const wrong = new WrongKeys(() => now);
  for (let i = 0; i < 10; i++) {
    expect(wrong.wait('a')).toBe(0);
    wrong.count('a');
  }
  expect([wrong.wait('a'), wrong.wait('b')]).toEqual([6, 0]);
  now += 5_000;
  expect(wrong.wait('a')).toBe(1);
  now += 1_000;
  expect(wrong.wait('a')).toBe(0);
  wrong.count('a');
  expect(wrong.wait('a')).toBe(6);
  now += 3_600_000;
  for (let i = 0; i < 10; i++) wrong.count('a');
  expect(wrong.wait('a')).toBe(6);
});
