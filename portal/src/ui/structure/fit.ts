import { MinimizeRmsd } from 'molstar/lib/mol-math/linear-algebra/3d/minimize-rmsd.js';
import type { Atom } from '../../lib/cif.ts';

/** How one structure is laid onto another. */
export interface Fit {
  /** Four by four, by column: where its atoms go. */
  matrix: readonly number[];
  /** The root of the mean square distance of the atoms it was fitted by, in Å. */
  rmsd: number;
  /** How many these are. */
  atoms: number;
}

/** By which a chain is followed: the alpha carbon of amino acids, the phosphorus of nucleotides. */
const traceOf = (atoms: readonly Atom[]): Map<string, Atom> =>
  new Map(
    atoms
      .filter(({ ligand, name }) => !ligand && (name === 'CA' || name === 'P'))
      .map((atom) => [`${atom.chain} ${atom.number} ${atom.residue} ${atom.name}`, atom]),
  );

const positions = (atoms: readonly Atom[]): MinimizeRmsd.Positions => ({
  x: atoms.map(({ at }) => at[0]),
  y: atoms.map(({ at }) => at[1]),
  z: atoms.map(({ at }) => at[2]),
});

/**
 * Lays a structure onto another by the alpha carbons that both have at the same place of the same chain, which structures of
 * one screen do for they are of one protein. Nothing where these are fewer than three: they would leave it free to turn.
 * The rotation with the least RMSD: Theobald, Acta Cryst. A61 (2005) 478, as Mol* has it. Ligands take no part in the fit.
 */
export const fit = (onto: readonly Atom[], moved: readonly Atom[]): Fit | null => {
  const trace = traceOf(onto);
  const pairs = [...traceOf(moved)].flatMap(([key, b]) => {
    const a = trace.get(key);
    return a === undefined ? [] : [{ a, b }];
  });
  if (pairs.length < 3) return null;
  const found = MinimizeRmsd.compute({ a: positions(pairs.map(({ a }) => a)), b: positions(pairs.map(({ b }) => b)) });
  return { matrix: [...found.bTransform], rmsd: found.rmsd, atoms: pairs.length };
};
