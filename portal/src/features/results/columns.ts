import type { Column, Row } from './queries.ts';

export const isNumber = ({ type }: Pick<Column, 'type'>): boolean => type === 'number' || type === 'integer';

/** What models computed, as numbers: what can be drawn and ranked. */
export const properties = (columns: readonly Column[]): Column[] =>
  columns.filter((column) => column.role === 'output' && isNumber(column));

/** The column that holds molecules, by its name. */
export const smilesOf = (columns: readonly Column[]): string | null => {
  const named = columns.find(({ name }) => name.toLowerCase() === 'smiles') ?? columns.find(({ name }) => /smiles/i.test(name));
  return named?.name ?? null;
};

/** A value as a cell shows it: numbers with as many digits as say something, lists and objects as JSON. */
export const shown = (value: unknown): string => {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(5)));
  return typeof value === 'string' ? value : JSON.stringify(value);
};

/** A condition on a name that may hold anything: in double quotes, as the grammar of `where` has it. */
export const condition = (name: string, operator: string, value: string | number): string => {
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  return `${quoted(name)}${operator}${typeof value === 'number' ? value : quoted(value)}`;
};

export const textOf = (row: Row, name: string | null): string | null => {
  const value = name === null ? null : row[name];
  return typeof value === 'string' && value !== '' ? value : null;
};
