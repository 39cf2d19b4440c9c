import { expect, test } from 'vitest';
import type { Ligand } from './queries.ts';
import { figure, ic50, sorted } from './words.ts';

test('an IC50 is said in a unit that leaves it readable', () => {
  expect([0.0000123, 0.0013, 0.24, 0.999, 1, 12.34, 456.7, 2_500, null].map(ic50)).toEqual([
    '12 pM',
    '1.3 nM',
    '240 nM',
    '999 nM',
    '1 µM',
    '12 µM',
    '457 µM',
    '2.5 mM',
    '–',
  ]);
  expect([figure(0.123456), figure(7.5, 1), figure(null)]).toEqual(['0.12', '7.5', '–']);
});

test('ligands are sorted by a figure, and those that have none stand last', () => {
  const ligands = [
    { line: 1, pic50: null, name: 'x', id: 'a' },
    { line: 2, pic50: 5, name: null, id: 'lig-10' },
    { line: 3, pic50: 7, name: null, id: 'lig-9' },
    { line: 4, pic50: 7, name: 'b', id: 'd' },
  ] as Ligand[];
  const lines = (by: 'pic50' | 'name' | 'line', down: boolean) => sorted(ligands, { by, down }).map(({ line }) => line);
  expect(lines('pic50', true)).toEqual([3, 4, 2, 1]);
  expect(lines('pic50', false)).toEqual([2, 3, 4, 1]);
  expect(lines('name', false)).toEqual([4, 3, 2, 1]);
  expect(lines('line', true)).toEqual([4, 3, 2, 1]);
});
