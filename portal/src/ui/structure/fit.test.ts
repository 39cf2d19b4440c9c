import { expect, test } from 'vitest';
import type { Atom } from '../../lib/cif.ts';
import { fit } from './fit.ts';

type Point = readonly [number, number, number];

const alpha = (number: number, at: Point, more: Partial<Atom> = {}): Atom => ({
  chain: 'A',
  number,
  residue: 'ALA',
  name: 'CA',
  ligand: false,
  score: 90,
  at,
  ...more,
});

const helix = Array.from({ length: 20 }, (_, i): Point => [2.3 * Math.cos(1.745 * i), 2.3 * Math.sin(1.745 * i), 1.5 * i]);

/** A quarter turn around the x axis, and elsewhere. */
const away = ([x, y, z]: Point): Point => [x + 30, -z - 7, y + 2];

const through = (matrix: readonly number[], [x, y, z]: Point): number[] =>
  [0, 1, 2].map((row) => matrix[row]! * x + matrix[row + 4]! * y + matrix[row + 8]! * z + matrix[row + 12]!);

test('what was only moved comes to lie where it was', () => {
  const found = fit(
    helix.map((at, i) => alpha(i, at)),
    helix.map((at, i) => alpha(i, away(at))),
  )!;
  expect(found.atoms).toBe(20);
  // Mol* counts in 32 bits: what is zero is some thousandths of an Å.
  expect(found.rmsd).toBeCloseTo(0, 2);
  for (const at of helix) for (const [axis, value] of through(found.matrix, away(at)).entries()) expect(value).toBeCloseTo(at[axis]!, 4);
});

test('the RMSD is that of the atoms as they lie after it, over those that both have', () => {
  const onto = helix.map((at, i) => alpha(i, at));
  const moved = helix.map(([x, y, z], i) => alpha(i, away([x + Math.sin(7 * i), y, z + Math.cos(5 * i)])));
  // The last is another residue, and a ligand has no say.
  const found = fit(
    [...onto, alpha(1, [99, 99, 99], { chain: 'L', ligand: true })],
    [...moved.slice(0, -1), { ...moved.at(-1)!, residue: 'GLY' }, alpha(1, [0, 0, 0], { chain: 'L', ligand: true })],
  )!;
  expect(found.atoms).toBe(19);
  const squares = onto.slice(0, 19).map(({ at }, i) => {
    const lies = through(found.matrix, moved[i]!.at);
    return at.reduce((sum, value, axis) => sum + (value - lies[axis]!) ** 2, 0);
  });
  expect(found.rmsd).toBeCloseTo(Math.sqrt(squares.reduce((sum, each) => sum + each) / 19), 4);
  expect(found.rmsd).toBeGreaterThan(0.5);
  expect(found.rmsd).toBeLessThan(1);
});

test('two atoms hold nothing in place', () => {
  const two = helix.slice(0, 2).map((at, i) => alpha(i, at));
  expect(fit(two, two)).toBe(null);
});
