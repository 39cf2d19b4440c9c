/**
 * Which columns a table of results has: found from the keys that the inputs and the outputs of all its rows have, and
 * the kinds of values under each.
 */

/** What a key was found to hold, in all rows. */
export interface Kind {
  key: string;
  /** As DuckDB's `json_type` has it. */
  type: string;
  /** Characters of the longest value. */
  longest: number;
  /** Values that are whole numbers with more digits than 64 bits have. */
  huge: boolean;
}

export type ColumnType = 'integer' | 'number' | 'boolean' | 'text' | 'json';
export type ColumnRole = 'line' | 'custom_id' | 'input' | 'carried' | 'status' | 'model' | 'output' | 'error';

/** A column of the table, as clients see it. */
export interface Column {
  name: string;
  type: ColumnType;
  role: ColumnRole;
  /** The key of an output, where the column has another name. */
  key?: string;
  /** The model that an output is of, in a table of several. */
  model?: string;
  title?: string;
  unit?: string;
}

/** One key of the JSON, and the column it becomes. */
export interface Field {
  key: string;
  type: ColumnType;
  /** What it is read as, and what the text is then cast to. */
  read: 'BIGINT' | 'DOUBLE' | 'BOOLEAN' | 'VARCHAR' | 'JSON';
  cast: 'DECIMAL(38,0)' | null;
}

/** Columns that inputs, or outputs, may become; where there are more they are one column of JSON. */
export const mostFields = 1_000;

/** Digits that fit in 64 bits with a sign, whatever they are, and in the widest number Parquet keeps exactly. */
const safeDigits = 18;
const mostDigits = 38;

const fieldOf = (key: string, kinds: readonly Kind[]): Field => {
  const known = kinds.filter(({ type }) => type !== 'NULL');
  const all = (...types: string[]): boolean => known.length > 0 && known.every(({ type, huge }) => types.includes(huge ? 'HUGE' : type));
  const longest = Math.max(0, ...known.map((kind) => kind.longest));
  if (all('BIGINT', 'UBIGINT', 'HUGE')) {
    if (longest <= safeDigits) return { key, type: 'integer', read: 'BIGINT', cast: null };
    return longest <= mostDigits
      ? { key, type: 'integer', read: 'VARCHAR', cast: 'DECIMAL(38,0)' }
      : { key, type: 'text', read: 'VARCHAR', cast: null };
  }
  if (all('BIGINT', 'UBIGINT', 'DOUBLE', 'HUGE')) return { key, type: 'number', read: 'DOUBLE', cast: null };
  if (all('BOOLEAN')) return { key, type: 'boolean', read: 'BOOLEAN', cast: null };
  if (all('VARCHAR')) return { key, type: 'text', read: 'VARCHAR', cast: null };
  return { key, type: 'json', read: 'JSON', cast: null };
};

/** The fields, in the order in which the keys first come; null where there are too many for columns. */
export const fieldsOf = (kinds: readonly Kind[]): Field[] | null => {
  const keys = Map.groupBy(kinds, ({ key }) => key);
  return keys.size > mostFields ? null : [...keys].map(([key, found]) => fieldOf(key, found));
};

/** Whether the keys can be fields of one of DuckDB's structs, whose names have no case and are not empty. */
export const fitStruct = (fields: readonly Field[]): boolean =>
  fields.every(({ key }) => key !== '' && !key.includes('\0')) &&
  new Set(fields.map(({ key }) => key.toLowerCase())).size === fields.length;

/** Names of columns, each once whatever its case; characters that no column should have are gone. */
export class Names {
  readonly #taken = new Set<string>();

  /** The name itself where it is free; else behind the prefix; else with a number. */
  take(name: string, prefix?: string): string {
    const plain = name.replaceAll(/\p{Cc}/gu, ' ').trim() || 'unnamed';
    const wanted = [plain, ...(prefix === undefined ? [] : [`${prefix}.${plain}`])];
    let free = wanted.find((each) => !this.#taken.has(each.toLowerCase()));
    for (let n = 2; free === undefined; n++) if (!this.#taken.has(`${wanted.at(-1)!}_${n}`.toLowerCase())) free = `${wanted.at(-1)!}_${n}`;
    this.#taken.add(free.toLowerCase());
    return free;
  }
}
