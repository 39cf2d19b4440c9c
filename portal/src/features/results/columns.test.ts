import { expect, test } from 'vitest';
import { condition, properties, shown, smilesOf } from './columns.ts';
import type { Column } from './queries.ts';

const column = (name: string, type: Column['type'], role: Column['role']): Column => ({ name, type, role });

test('the molecules are where their name says, exactly before nearly', () => {
  expect(smilesOf([column('smiles_canonical', 'text', 'carried'), column('SMILES', 'text', 'input')])).toBe('SMILES');
  expect(smilesOf([column('mol_smiles', 'text', 'input')])).toBe('mol_smiles');
  expect(smilesOf([column('x', 'number', 'input')])).toBeNull();
});

test('properties are numbers that a model computed', () => {
  const columns = [column('x', 'number', 'input'), column('logS', 'number', 'output'), column('label', 'text', 'output')];
  expect(properties(columns).map(({ name }) => name)).toEqual(['logS']);
});

test('values are shown with the digits that say something, and texts of the grammar are quoted', () => {
  expect([null, 3, -2.345678901, 'a', [1], 9_007_199_254_740_991].map(shown)).toEqual([
    '–',
    '3',
    '-2.3457',
    'a',
    '[1]',
    '9007199254740991',
  ]);
  expect(condition('a "b",c', '=', 'x|y')).toBe('"a ""b"",c"="x|y"');
  expect(condition('logS', '>=', -2)).toBe('"logS">=-2');
});
