import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Atom } from '../../lib/cif.ts';
import { axesOf, traceOf } from './trace.ts';

const size = { width: 200, height: 100, margin: 10 };
const carbon = (number: number, at: Atom['at'], rest: Partial<Atom> = {}): Atom => ({
  chain: 'A',
  number,
  residue: 'GLY',
  name: 'CA',
  ligand: false,
  score: 95,
  at,
  ...rest,
});

const coordinate = fc.double({ min: -100, max: 100, noNaN: true });
const points = fc.array(fc.tuple(coordinate, coordinate, coordinate), { minLength: 2, maxLength: 40 });

test('the axes are a rotation, the first along which points spread most', () => {
  fc.assert(
    fc.property(points, (given) => {
      const axes = axesOf(given);
      const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
      for (const [i, a] of axes.entries()) for (const [j, b] of axes.entries()) expect(dot(a, b)).toBeCloseTo(Number(i === j), 6);
      const [x, y, z] = axes;
      const cross = [x[1]! * y[2]! - x[2]! * y[1]!, x[2]! * y[0]! - x[0]! * y[2]!, x[0]! * y[1]! - x[1]! * y[0]!];
      expect(dot(cross, z)).toBeCloseTo(1, 6);
      const spread = axes.map((axis) => {
        const along = given.map((point) => dot(axis, point));
        const mean = along.reduce((sum, value) => sum + value, 0) / along.length;
        return along.reduce((sum, value) => sum + (value - mean) ** 2, 0) / along.length;
      });
      expect(spread[0]!).toBeGreaterThanOrEqual(spread[1]! - 1e-6);
      expect(spread[1]!).toBeGreaterThanOrEqual(spread[2]! - 1e-6);
    }),
  );
});

test('a chain is one line through its residues, broken where neighbours are missing, in the colours of its pLDDT', () => {
  const chain = [0, 1, 2, 3, 4].map((i) => carbon(i + 1, [i * 3.8, 0, 0], { score: i < 2 ? 95 : 40 }));
  const strokes = traceOf([...chain, carbon(9, [40, 0, 0]), carbon(10, [43.8, 0, 0])], size);
  expect(strokes.map(({ band }) => band).toSorted((a, b) => a!.localeCompare(b!))).toEqual([
    'very-high',
    'very-high',
    'very-high',
    'very-high',
    'very-low',
    'very-low',
    'very-low',
  ]);
  // Nothing reaches over the gap, or out of the picture.
  for (const { path } of strokes) {
    const xs = [...path.matchAll(/(-?[\d.]+) (-?[\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)] as const);
    for (const [x, y] of xs) {
      expect(x).toBeGreaterThanOrEqual(size.margin - 0.1);
      expect(x).toBeLessThanOrEqual(size.width - size.margin + 0.1);
      expect(y).toBeGreaterThanOrEqual(size.margin - 0.1);
      expect(y).toBeLessThanOrEqual(size.height - size.margin + 0.1);
    }
    expect(Math.max(...xs.map(([x]) => x)) - Math.min(...xs.map(([x]) => x))).toBeLessThan(20);
  }
});

test('ligands are their bonds and ions, without hydrogens; what is nearer comes later', () => {
  const ligand = (name: string, at: Atom['at']) => carbon(1, at, { chain: 'L', residue: 'LIG', name, ligand: true });
  const atoms = [ligand('C1', [0, 0, 0]), ligand('O1', [1.4, 0, 0]), ligand('H1', [-1, 0, 0]), ligand('N1', [5, 0, 0])];
  const flat = [carbon(1, [0, 4, 3]), carbon(2, [3.8, 4, 3]), carbon(3, [7.6, 4, 3])];
  const strokes = traceOf([...atoms, ...flat], size);
  const own = strokes.filter(({ band }) => band === null).map(({ path }) => path.slice(1).split('L'));
  expect(own).toHaveLength(2);
  // The bond, and the atom that is bound to none as a dot.
  expect(own.filter(([from, to]) => from === to)).toHaveLength(1);
  expect(strokes.map(({ near }) => near)).toEqual(strokes.map(({ near }) => near).toSorted((a, b) => a - b));
});

test('there is nothing to draw where there is no chain', () => {
  expect(traceOf([], size)).toEqual([]);
  expect(traceOf([carbon(1, [0, 0, 0])], size)).toEqual([]);
});
