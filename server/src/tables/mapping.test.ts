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

test('unless the batch says otherwise', () => {
  expect(mapColumns(columns('name', 'SMILES', 'molblock'), { smiles: 'smiles' })).toMatchObject({
    inputs: { smiles: 'SMILES' },
    checked: { column: 'SMILES', as: 'smiles' },
  });
});
