import fc from 'fast-check';
import { expect, test } from 'vitest';
import { moved, parse } from './layout.ts';

test('what is kept is read without tiles that are unknown or there twice', () => {
  expect(parse('work,pace')).toEqual(['work', 'pace']);
  expect(parse('pace,work,pace,of an older version,toString,')).toEqual(['pace', 'work']);
  expect(parse('')).toEqual([]);
});

test('a tile moves by one place, and not beyond the ends', () => {
  const list = ['a', 'b', 'c'];
  expect(moved(list, 'b', -1)).toEqual(['b', 'a', 'c']);
  expect(moved(list, 'b', 1)).toEqual(['a', 'c', 'b']);
  expect(moved(list, 'a', -1)).toEqual(list);
  expect(moved(list, 'c', 1)).toEqual(list);
  expect(moved(list, 'x', 1)).toEqual(list);
});

test('a move loses no tile, and the other way round undoes it', () => {
  const any = fc.uniqueArray(fc.nat(), { minLength: 1 }).chain((list) => fc.tuple(fc.constant(list), fc.constantFrom(...list)));
  fc.assert(
    fc.property(any, ([list, id]) => {
      const back = moved(list, id, 1);
      expect([back.length, new Set(back)]).toEqual([list.length, new Set(list)]);
      expect(moved(back, id, -1)).toEqual(list.at(-1) === id ? moved(list, id, -1) : list);
    }),
  );
});
