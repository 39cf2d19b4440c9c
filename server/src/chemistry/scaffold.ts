import type { Mol } from '@rdkit/rdkit';
import type { Rdkit } from './rdkit.ts';

/** RDKit's JSON of a molecule, as far as it is used here; what is left out has its default. */
interface Graph {
  defaults: object;
  molecules: {
    atoms: { z?: number; impHs?: number; chg?: number }[];
    bonds: { bo?: number; atoms: [number, number] }[];
    extensions?: { name: string; atomRings?: number[][] }[];
  }[];
}

/**
 * The scaffold of Bemis and Murcko (J. Med. Chem. 39:2887, 1996): rings and what links them, with the atoms that a double
 * bond ties to these, as RDKit keeps them; without stereochemistry and isotopes. Canonical SMILES; '' where there is no
 * ring. RDKit's own function is not in its WASM build: side chains are taken off here, the rest is RDKit's.
 */
export const scaffoldOf = (rdkit: Rdkit, molecule: Mol): string => {
  const { defaults, molecules } = JSON.parse(molecule.get_json()) as Graph;
  const { atoms, bonds, extensions = [] } = molecules[0]!;
  const ring = new Set(extensions.flatMap(({ atomRings = [] }) => atomRings.flat()));
  if (ring.size === 0) return '';

  const beside: [atom: number, order: number][][] = atoms.map(() => []);
  for (const {
    atoms: [from, to],
    bo = 1,
  } of bonds) {
    beside[from]!.push([to, bo]);
    beside[to]!.push([from, bo]);
  }
  const core = new Set(atoms.keys());
  const degree = beside.map(({ length }) => length);
  const ends = [...core].filter((atom) => degree[atom]! <= 1 && !ring.has(atom));
  for (let atom = ends.pop(); atom !== undefined; atom = ends.pop()) {
    core.delete(atom);
    for (const [next] of beside[atom]!) if (core.has(next) && --degree[next]! === 1 && !ring.has(next)) ends.push(next);
  }
  const kept = new Set(core);
  for (const atom of core) for (const [next, order] of beside[atom]!) if (order === 2) kept.add(next);

  const numbers = new Map([...kept].toSorted((a, b) => a - b).map((atom, number) => [atom, number]));
  const left = [...numbers.keys()].map((atom) => {
    const { impHs = 0, z, chg } = atoms[atom]!;
    // A hydrogen for each bond that was cut.
    const hydrogens = beside[atom]!.reduce((sum, [next, order]) => (kept.has(next) ? sum : sum + order), impHs);
    return { ...(z === undefined ? {} : { z }), ...(chg ? { chg } : {}), impHs: hydrogens };
  });
  const links = bonds
    .filter(({ atoms: [from, to] }) => kept.has(from) && kept.has(to))
    .map(({ bo = 1, atoms: [from, to] }) => ({ bo, atoms: [numbers.get(from)!, numbers.get(to)!] }));
  const graph = { rdkitjson: { version: 11 }, defaults, molecules: [{ atoms: left, bonds: links }] };
  return rdkit.canonical(JSON.stringify(graph)) ?? '';
};
