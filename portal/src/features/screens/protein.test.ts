import { expect, test } from 'vitest';
import { bodyOfProteins, countOf, proteinsOf, smilesOf, wrongOf } from './protein.ts';

test('FASTA, a bare sequence and a complex are read, and what is no amino acid is named with its place', () => {
  expect(proteinsOf('>sp|P01116 KRAS\nMTEY KLV\r\nvvga*\n')).toEqual([{ name: 'sp|P01116 KRAS', sequence: 'MTEYKLVVVGA' }]);
  expect(proteinsOf('MTEY\nKLV')).toEqual([{ name: '', sequence: 'MTEYKLV' }]);
  expect(wrongOf(proteinsOf('MTEYX'))).toBeNull();
  expect(wrongOf(proteinsOf(''))).toBe('A sequence is needed.');
  expect(wrongOf(proteinsOf('>a\nMTE\n>b\n'))).toBe('Sequence 2 (b) is empty.');
  expect(wrongOf(proteinsOf('MTE1'))).toContain("'1' at 4");
  expect(bodyOfProteins(proteinsOf('MTE'))).toEqual({ protein: 'MTE' });
  expect(bodyOfProteins(proteinsOf('>a\nMTE\n>b\nGG'))).toEqual({
    proteins: [
      { id: 'A', sequence: 'MTE' },
      { id: 'B', sequence: 'GG' },
    ],
  });
});

test('pasted ligands are lines of SMILES, or a table that the server reads', () => {
  expect(smilesOf('CCO ethanol\n\n c1ccccc1\tbenzene')).toEqual(['CCO', 'c1ccccc1']);
  expect([countOf('CCO ethanol\n\nC'), countOf('smiles,name\nCCO,ethanol\nC,methane\n')]).toEqual([2, 2]);
  for (const head of ['smiles', 'id,SMILES', 'name\t"smiles"', 'ccd;id']) expect(smilesOf(`${head}\nC`)).toBeNull();
});
