import { expect, test } from 'vitest';
import { atomsOf, bandOf, letterOf, residuesOf } from './cif.ts';

const columns = ['group_PDB', 'id', 'label_atom_id', 'label_comp_id', 'label_seq_id', 'auth_seq_id', 'label_asym_id', 'B_iso_or_equiv'];

const cif = (rows: string[], behind = '#\n_entity.id 1\n'): string =>
  `data_x\n_struct.title 'a "quoted" word'\nloop_\n${columns.map((name) => `_atom_site.${name}`).join('\n')}\n${rows.join('\n')}\n${behind}`;

test('residues and ligands are read from mmCIF, each with the mean of its atoms', () => {
  const rows = [
    'ATOM 1 N MET 1 1 A 90.0',
    'ATOM 2 CA MET 1 1 A 80.0',
    `ATOM 3 "C1'" THR 2 2 A 40.5`,
    'ATOM 4 CA MET 1 1 B 71',
    'HETATM 5 C1 LIG1 . 1 C 60',
    'HETATM 6 C2 LIG1 . 1 C 50',
    'HETATM 7 CA MSE 3 3 A 95',
  ];
  expect(residuesOf(atomsOf(cif(rows)))).toEqual([
    { chain: 'A', number: 1, name: 'MET', ligand: false, atoms: 2, plddt: 85 },
    { chain: 'A', number: 2, name: 'THR', ligand: false, atoms: 1, plddt: 40.5 },
    { chain: 'B', number: 1, name: 'MET', ligand: false, atoms: 1, plddt: 71 },
    { chain: 'C', number: 1, name: 'LIG1', ligand: true, atoms: 2, plddt: 55 },
    { chain: 'A', number: 3, name: 'MSE', ligand: false, atoms: 1, plddt: 95 },
  ]);
  expect(atomsOf(cif(rows)).map(({ chain, name }) => `${chain} ${name}`)).toContain("A C1'");
});

test('what is no structure has no residues', () => {
  for (const text of ['', 'HEADER', '{"error": 1}', 'data_x\nloop_\n_entity.id\n1\n']) expect(atomsOf(text)).toEqual([]);
});

test('letters and bands', () => {
  expect(['MET', 'TRP', 'LIG1'].map(letterOf).join('')).toBe('MWX');
  expect([100, 90, 89.9, 70, 50, 49.9, 0].map((plddt) => bandOf(plddt).id)).toEqual([
    'very-high',
    'very-high',
    'high',
    'high',
    'low',
    'very-low',
    'very-low',
  ]);
});
