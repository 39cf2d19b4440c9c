import { ApiError } from '../lib/errors.ts';
import { guessColumns } from '../tables/recognise.ts';
import type { Column } from './layout.ts';

/** The column that holds the molecules: as they were checked, where they were; a field called SMILES may be anything. */
export const smilesColumn = (columns: readonly Column[], param: string): Column => {
  const texts = columns.filter(({ type, role }) => type === 'text' && (role === 'input' || role === 'carried'));
  const { smiles } = guessColumns(texts.map(({ key, name }) => key ?? name));
  const found = texts.find(({ name }) => name === 'smiles_canonical') ?? texts.find(({ key, name }) => (key ?? name) === smiles);
  if (!found) throw new ApiError('invalid_value', 'The table has no column of SMILES, so that there are no molecules in it.', { param });
  return found;
};
