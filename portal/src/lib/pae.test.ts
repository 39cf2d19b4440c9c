import { expect, test } from 'vitest';
import type { Residue } from './cif.ts';
import { blocksOf, tokensOf } from './pae.ts';

const residue = (chain: string, number: number, atoms: number, ligand = false): Residue => ({
  chain,
  number,
  name: ligand ? 'LIG' : 'ALA',
  ligand,
  atoms,
  plddt: 90,
});

test('each residue of a protein is one place of the map, each atom of a ligand another', () => {
  const tokens = tokensOf([residue('A', 1, 5), residue('A', 2, 5), residue('B', 1, 2, true)]);
  expect(tokens.map(({ chain, number }) => `${chain}${number}`)).toEqual(['A1', 'A2', 'B1', 'B1']);
  // Rows are what is aligned, columns what is off then.
  const values = Float32Array.from([1, 3, 5, 5, 1, 3, 7, 7, 10, 12, 0, 2, 10, 12, 2, 0]);
  expect(blocksOf(values, tokens)).toEqual([
    { aligned: 'A', scored: 'A', mean: 2 },
    { aligned: 'A', scored: 'B', mean: 6 },
    { aligned: 'B', scored: 'A', mean: 11 },
    { aligned: 'B', scored: 'B', mean: 1 },
  ]);
});
