import { BadTable, type Column, type Mapping } from './facts.ts';
import { guessColumns, isSmiles } from './recognise.ts';

/** What a batch says of its columns: inputs by name, and `id`, the column that names the rows. */
export type AskedColumns = Readonly<Record<string, string | readonly string[]>>;

/** What a model is to be asked with. */
export interface Need {
  model: string;
  inputs: readonly string[];
}

/** Inputs that hold molecules or proteins, whatever a model does with them. */
const checks: Record<string, 'smiles' | 'sequence'> = { smiles: 'smiles', sequence: 'sequence', protein: 'sequence' };

/**
 * Which column is what: as the batch says, else as their names say; a table of which neither says anything is rows of
 * features, each column an input of its name. Columns are found by their exact names, or by names of another case.
 *
 * Throws `BadTable` where no column is what a model needs: every row would fail.
 */
export const mapColumns = (columns: readonly Column[], asked: AskedColumns = {}, needs: readonly Need[] = []): Mapping => {
  const names = columns.map(({ name }) => name);
  const find = (wanted: string): string => {
    const found = names.find((name) => name === wanted) ?? names.find((name) => name.toLowerCase() === wanted.trim().toLowerCase());
    if (found !== undefined) return found;
    throw new BadTable(`The table has no column '${wanted}'; it has ${listed(names)}.`);
  };
  const { id: askedId, ...askedInputs } = asked;
  const guessed = guessColumns(names);
  const id = typeof askedId === 'string' ? find(askedId) : (guessed.id ?? null);
  const inputs: Mapping['inputs'] = Object.fromEntries(
    Object.entries(askedInputs).map(([input, from]) => [input, typeof from === 'string' ? find(from) : from.map(find)]),
  );
  if (Object.keys(inputs).length === 0) {
    // What a program wrote beside a record of an SD file may be in a dialect of its own: the record is the molecule.
    if (names.includes('molblock')) inputs['smiles'] = 'molblock';
    else if (guessed.smiles !== undefined) inputs['smiles'] = guessed.smiles;
    if (guessed.sequence !== undefined) inputs['sequence'] = guessed.sequence;
    if (Object.keys(inputs).length === 0) for (const name of names) if (name !== id) inputs[name] = name;
  }
  for (const { model, inputs: needed } of needs) {
    const lacking = needed.find((name) => !Object.hasOwn(inputs, name));
    if (lacking !== undefined)
      throw new BadTable(
        `The model '${model}' needs '${lacking}', and no column is known to be that: say which with "columns": {"${lacking}": "NAME"}. The table has ${listed(names)}.${
          names.some(isSmiles) ? ' Where that is its first row and no line of names, put one above it.' : ''
        }`,
      );
  }
  return { inputs, id, checked: checkedOf(inputs) };
};

const listed = (names: readonly string[]): string =>
  `${names
    .slice(0, 20)
    .map((name) => `'${name}'`)
    .join(', ')}${names.length > 20 ? ` and ${names.length - 20} more` : ''}`;

const checkedOf = (inputs: Mapping['inputs']): Mapping['checked'] => {
  for (const [input, column] of Object.entries(inputs)) {
    const as = checks[input];
    if (as === undefined || Array.isArray(column)) continue;
    return { input, column, as: as === 'smiles' && column === 'molblock' ? 'molblock' : as };
  }
  return null;
};
