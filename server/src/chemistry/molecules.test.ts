import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silent } from '../lib/log.ts';
import { openChemistry, type Chemistry } from './chemistry.ts';
import { described } from './describe.ts';

let chemistry: Chemistry;
let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'sluice-molecules-'));
  chemistry = openChemistry({ log: silent, scratch, processes: 1 });
});
afterAll(async () => {
  await chemistry[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true });
});

const bad = ['CC(', '', 'C'.repeat(700), 'CCO\0'];

describe('scaffolds', () => {
  test.for<[smiles: string, scaffold: string]>([
    ['CC(=O)c1ccc(cc1)CCN1CCOC1=O', 'O=C1OCCN1CCc1ccccc1'],
    ['CC(C)NCC(O)COc1cccc2ccccc12.Cl', 'c1ccc2ccccc2c1'],
    ['Cn1cccc1C', 'c1cc[nH]c1'],
    ['Cn1cnc2c1c(=O)n(C)c(=O)n2C', 'O=c1[nH]c(=O)c2[nH]cnc2[nH]1'],
    ['O=S(=O)(c1ccccc1)N1CCC(CC1)=C(C)C', 'C=C1CCN(S(=O)(=O)c2ccccc2)CC1'],
    ['C[C@H](N)c1ccc([C@@H]2CCCO2)cc1', 'c1ccc(C2CCCO2)cc1'],
    ['CCO', ''],
  ])('%s: %s', async ([smiles, scaffold]) => {
    expect(await chemistry.scaffold([smiles])).toEqual([scaffold]);
  });

  test('a scaffold is its own scaffold; what is no molecule has none', async () => {
    const once = await chemistry.scaffold(['CC(=O)c1ccc(cc1)CCN1CCOC1=O', 'Cn1cnc2c1c(=O)n(C)c(=O)n2C', 'FC(F)(F)c1ccc(cc1)C#Cc1ccccc1']);
    expect(await chemistry.scaffold(once as string[])).toEqual(once);
    expect(await chemistry.scaffold([...bad, 'C1CC1'])).toEqual([null, null, null, null, 'C1CC1']);
  });
});

describe('substructure and similarity', () => {
  test('row for row, null for what is no molecule', async () => {
    const found = await chemistry.matchSubstructure(['CCO', 'c1ccccc1', ...bad, 'OC'], '[OX2H]');
    expect(found).toEqual({ ok: true, matches: [true, false, null, null, null, null, true] });
    const alike = await chemistry.similarity(['CCO', 'OCC', 'c1ccccc1', ...bad], 'CCO');
    expect(alike).toEqual({ ok: true, values: [1, 1, 0, null, null, null, null] });
  });

  test('a is as like b as b is like a', async () => {
    const [aspirin, salicylic] = ['CC(=O)Oc1ccccc1C(=O)O', 'OC(=O)c1ccccc1O'];
    const there = await chemistry.similarity([salicylic], aspirin);
    expect(await chemistry.similarity([aspirin], salicylic)).toEqual(there);
    expect(there.ok && there.values[0]).toBeCloseTo(0.448, 1);
  });

  test.for(['', '(((', 'C '.repeat(10), 'C'.repeat(101), 'C'.repeat(3_000), '[!'])('%j is no SMARTS', async (smarts) => {
    expect(await chemistry.matchSubstructure(['CCO'], smarts)).toMatchObject({ ok: false, code: 'invalid_smarts', message: /\w/ });
  });

  test('nor can anything be like what is no molecule', async () => {
    expect(await chemistry.similarity(['CCO'], 'CC(')).toMatchObject({ ok: false, code: 'invalid_smiles' });
  });
});

describe('drawings', () => {
  const drawing = { width: 250, height: 200, theme: 'light' } as const;

  test('an SVG of the size, for the theme, with the match in another colour', async () => {
    const [plain, dark, marked] = await Promise.all([
      chemistry.depict('OCCN', drawing),
      chemistry.depict('OCCN', { ...drawing, theme: 'dark' }),
      chemistry.depict('OCCN', { ...drawing, highlight: 'CO' }),
    ]);
    for (const drawn of [plain, dark, marked]) {
      expect(drawn).toMatchObject({ ok: true });
      expect(drawn.ok && drawn.svg).toMatch(/^<svg [^>]*width='250px' height='200px'/);
    }
    expect(new Set([plain, dark, marked].map((drawn) => drawn.ok && drawn.svg)).size).toBe(3);
    expect(marked.ok && marked.svg).toContain('#FFC659');
    expect(plain.ok && plain.svg).not.toContain('#FFC659');
  });

  test('what is no molecule, and what is no SMARTS, says so', async () => {
    expect(await chemistry.depict('CC(', drawing)).toMatchObject({ ok: false, code: 'invalid_smiles' });
    expect(await chemistry.depict('C'.repeat(700), drawing)).toMatchObject({ ok: false, code: 'smiles_too_large' });
    expect(await chemistry.depict('CCO', { ...drawing, highlight: '(((' })).toMatchObject({ ok: false, code: 'invalid_smarts' });
  });
});

describe('descriptors', () => {
  test('of aspirin', async () => {
    const [found] = await chemistry.describe(['CC(=O)Oc1ccccc1C(=O)O']);
    if (!found!.ok) throw new Error(found!.message);
    expect(Object.keys(found!.values).toSorted()).toEqual(described.map(({ name }) => name).toSorted());
    expect(found!.values).toMatchObject({
      rdkit_mol_weight: expect.closeTo(180.159, 3) as number,
      rdkit_exact_mass: expect.closeTo(180.04226, 5) as number,
      rdkit_logp: expect.closeTo(1.3101, 4) as number,
      rdkit_tpsa: expect.closeTo(63.6, 2) as number,
      rdkit_h_donors: 1,
      rdkit_h_acceptors: 4,
      rdkit_rotatable_bonds: 2,
      rdkit_rings: 1,
      rdkit_heavy_atoms: 13,
      ocl_h_donors: 1,
      lipinski_violations: 0,
      lipinski: true,
      veber: true,
      rule_of_three: false,
    });
    expect(await chemistry.describe(['CCO'], { openchemlib: false })).not.toHaveProperty('0.values.ocl_logp');
  });

  test('a fat and a polar one break the rules', async () => {
    const [fat, polar] = await chemistry.describe(['C'.repeat(40), 'OCC(O)C(O)C(O)C(O)C(O)C(O)C(O)C(O)C(O)CO'], { openchemlib: false });
    expect(fat).toMatchObject({ values: { lipinski_violations: 2, lipinski: false, veber: false, egan: false, ghose: false } });
    expect(polar).toMatchObject({ values: { lipinski: false, veber: false, egan: false } });
  });

  test('hostile ones fail alone', async () => {
    expect(await chemistry.describe([...bad, 'CCO'])).toMatchObject([
      { ok: false, code: 'invalid_smiles' },
      { ok: false, code: 'empty_smiles' },
      { ok: false, code: 'smiles_too_large' },
      { ok: false, code: 'invalid_smiles' },
      { ok: true },
    ]);
  });
});
