import { expect, test } from 'vitest';
import type { Column } from './facts.ts';
import { mapColumns } from './mapping.ts';

const columns = (...names: string[]): Column[] => names.map((name) => ({ name, type: 'VARCHAR' }));

test('the record of an SD file is the molecule, whatever stands in its fields', () => {
  expect(mapColumns(columns('name', 'SMILES', 'SOL', 'molblock'))).toMatchObject({
    inputs: { smiles: 'molblock' },
    id: 'name',
    checked: { input: 'smiles', column: 'molblock', as: 'molblock' },
  });
});

test('a table without what a model needs is refused, with what it has and what to say', () => {
  const needs = [
    { model: 'free', inputs: [] },
    { model: 'logs', inputs: ['smiles'] },
  ];
  expect(() => mapColumns(columns('id', 'structure code', 'mw'), {}, needs)).toThrow(
    `The model 'logs' needs 'smiles', and no column is known to be that: say which with "columns": {"smiles": "NAME"}. The table has 'id', 'structure code', 'mw'.`,
  );
  expect(mapColumns(columns('id', 'structure code'), { smiles: 'structure code' }, needs).inputs).toEqual({ smiles: 'structure code' });
  expect(mapColumns(columns('Canonical_SMILES', 'x'), {}, needs).inputs).toEqual({ smiles: 'Canonical_SMILES' });
});

test('unless the batch says otherwise', () => {
  expect(mapColumns(columns('name', 'SMILES', 'molblock'), { smiles: 'smiles' })).toMatchObject({
    inputs: { smiles: 'SMILES' },
    checked: { column: 'SMILES', as: 'smiles' },
  });
});
