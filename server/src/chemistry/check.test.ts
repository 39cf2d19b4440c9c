import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { checker, type Flag } from './check.ts';
import { Rdkit } from './rdkit.ts';

const check = checker(await Rdkit.load());
const root = fileURLToPath(new URL('../../../', import.meta.url));

test.for<[smiles: string, fragments: number, flags: Flag[]]>([
  ['CCO', 1, []],
  ['CC(C)NCC(O)COc1cccc2ccccc12.Cl', 2, ['salt']],
  ['CC(=O)[O-].[Na+]', 2, ['salt']],
  ['[Na+].[Cl-]', 2, ['salt', 'no_carbon']],
  ['Clc1ccccc1C(=O)O.NCCc1ccccc1', 2, ['mixture']],
  ['CCN.CCN.OS(=O)(=O)O', 3, ['salt']],
  ['CCN.CCS.Cl', 3, ['salt', 'mixture']],
  ['OCc1ccccc1.O', 2, ['solvate']],
  ['C[C@H]([NH3+])C(=O)[O-]', 1, []],
  ['C[N+](C)(C)CCO', 1, ['charged']],
  ['[Ca+2].[Cl-]', 2, ['salt', 'charged', 'no_carbon']],
  ['O', 1, ['no_carbon']],
  ['ClBr', 1, ['no_carbon']],
  ['[Co+2]', 1, ['charged', 'no_carbon', 'metal']],
  ['[13CH4]', 1, ['isotope']],
  ['[2H]C([2H])([2H])O', 1, ['isotope']],
  ['[cH-]1cccc1.[cH-]1cccc1.[Fe+2]', 3, ['mixture', 'metal']],
  ['*c1ccccc1', 1, ['open_ends']],
  ['CC(=O)[O][Na]', 1, ['metal']],
])('%s has %i fragments and the flags %j', ([smiles, fragments, flags]) => {
  const found = check(smiles, {});
  expect(found).toMatchObject({ ok: true, fragments });
  expect(found.ok && found.flags).toEqual(flags);
});

test.for([
  ['', 'empty_smiles', /is empty/, undefined],
  [' \t\n', 'empty_smiles', /is empty/, undefined],
  ['CCO ethanol', 'invalid_smiles', /white space/, 4],
  ['CCO\0', 'invalid_smiles', /U\+0000/, 4],
  ['CCO\0CC', 'invalid_smiles', /U\+0000/, 4],
  ['Cé', 'invalid_smiles', /U\+00E9/, 2],
  ['\u{1F600}', 'invalid_smiles', /U\+1F600/, 1],
  ['C'.repeat(501), 'smiles_too_large', /501 atoms/, undefined],
  [`C${'(C'.repeat(201)}${')'.repeat(201)}`, 'smiles_too_large', /nests 201/, undefined],
  ['='.repeat(2001), 'smiles_too_large', /2000 characters/, undefined],
  ['CC(', 'invalid_smiles', /syntax error/, 3],
  ['[Xx]', 'invalid_smiles', /syntax error/, 2],
  ['C1CC', 'invalid_smiles', /unclosed ring/, undefined],
  ['CC(C)(C)(C)C', 'invalid_chemistry', /valence for atom # 1 C, 5/, undefined],
  ['c1cccc1', 'invalid_chemistry', /kekulize/, undefined],
  ['Cc', 'invalid_chemistry', /non-ring atom 1 marked aromatic/, undefined],
] as const)('%j is %s', ([smiles, code, message, position]) => {
  const found = check(smiles, {});
  expect(found).toMatchObject({ ok: false, code, message: expect.stringMatching(message) as string });
  expect(!found.ok && found.position).toBe(position);
});

test('a name is taken where names are allowed', () => {
  expect(check(' CCI ethyl iodide ', { names: true })).toMatchObject({ ok: true, smiles: 'CCI', name: 'ethyl iodide' });
  expect(check('CCI', { names: true })).not.toHaveProperty('name');
});

test('the canonical form of a canonical form is itself, and of one InChIKey', () => {
  const rows = parse(readFileSync(`${root}server/test/expected/aqsol_logs.csv`), { columns: true }) as { smiles: string }[];
  expect(rows).toHaveLength(400);
  for (const { smiles } of rows) {
    const once = check(smiles, {});
    if (!once.ok) throw new Error(`${smiles}: ${once.message}`);
    expect(check(once.smiles, {})).toEqual(once);
  }
});

test('of a record, drawn hydrogens are none of the canonical form', () => {
  const atom = (symbol: string, x: number) => `${x.toFixed(4).padStart(10)}    0.0000    0.0000 ${symbol}   0  0\n`;
  const record = `\n\n\n  3  2  0  0  0  0            999 V2000\n${atom('H', 0)}${atom('O', 1)}${atom('H', 2)}  1  2  1  0\n  2  3  1  0\nM  END\n`;
  expect(check(record, { molblock: true })).toMatchObject({ ok: true, smiles: 'O' });
  const nothing = '\n\n\n  0  0  0  0  0  0            999 V2000\nM  END\n';
  expect(check(nothing, { molblock: true })).toEqual({ ok: false, code: 'empty_smiles', message: 'The record has no atoms.' });
});
