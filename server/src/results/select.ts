import { ApiError } from '../lib/errors.ts';
import { identifier, literal } from './quoted.ts';
import type { Column } from './layout.ts';
import { columnOf, type Condition } from './where.ts';

/** A statement and its values, in order of their question marks. */
export interface Question {
  sql: string;
  values: string[];
}

export interface Sorted {
  column: Column;
  descending: boolean;
}

/** `-logS,custom_id`: names with commas between, those that fall behind a minus. */
export const parseSort = (text: string, columns: readonly Column[]): Sorted[] =>
  namesIn(text).map((name) => {
    const whole = columns.some((column) => column.name === name);
    const descending = !whole && name.startsWith('-');
    return { column: columnOf(columns, descending ? name.slice(1) : name, 'sort'), descending };
  });

/** Names with commas between; one in double quotes may hold a comma itself. */
export const namesIn = (text: string): string[] =>
  [...text.matchAll(/\s*(-?)(?:"((?:[^"]|"")*)"|([^,]+))\s*(?:,|$)/g)].map(
    ([, minus, quoted, plain]) => minus! + (quoted?.replaceAll('""', '"') ?? plain!.trim()),
  );

export const parseColumns = (text: string, columns: readonly Column[]): Column[] => {
  const found = namesIn(text).map((name) => columnOf(columns, name, 'columns'));
  if (found.length === 0) throw new ApiError('invalid_value', 'columns names no column.', { param: 'columns' });
  return [...new Set(found)];
};

export const tableOf = (path: string): string => `read_parquet(${literal(path)})`;

/** The value as its column has it: exact, and cheap to compare with. */
const bound = ({ type }: Column, value: string): string => {
  if (type === 'boolean') return 'cast(? as boolean)';
  if (type !== 'integer' && type !== 'number') return '?';
  if (type === 'number' || !/^[+-]?\d+$/.test(value)) return 'cast(? as double)';
  return value.length <= 18 ? 'cast(? as bigint)' : value.length <= 38 ? 'cast(? as decimal(38,0))' : 'cast(? as double)';
};

const conditionSql = ({ column, op, values }: Condition): Question => {
  const name = identifier(column.name);
  const text = column.type === 'text' ? name : `cast(${name} as varchar)`;
  if (op === '~' || op === '!~') {
    const sql = `contains(lower(${text}), lower(?))`;
    return { sql: op === '~' ? sql : `not coalesce(${sql}, false)`, values: [values[0]!] };
  }
  const given = values.filter((value) => value !== null);
  const left = column.type === 'json' ? text : name;
  const each = given.map((value) => bound(column, value));
  if (op !== '=' && op !== '!=') return { sql: `${left} ${op} ${each[0]!}`, values: given };
  const parts = [
    ...(given.length > 0 ? [`${left} in (${each.join(', ')})`] : []),
    ...(given.length < values.length ? [`${left} is null`] : []),
  ];
  const sql = parts.join(' or ');
  return { sql: op === '=' ? `(${sql})` : `not coalesce(${sql}, false)`, values: given };
};

/** `where …`, or nothing. */
export const whereSql = (conditions: readonly Condition[], more: readonly string[] = []): Question => {
  const parts = conditions.map(conditionSql);
  const all = [...parts.map(({ sql }) => sql), ...more];
  return { sql: all.length === 0 ? '' : `where ${all.join(' and ')}`, values: parts.flatMap(({ values }) => values) };
};

/** Rows without a value come last, whichever way; rows with the same values in the order of the input. */
export const orderSql = (sort: readonly Sorted[]): string =>
  sort.length === 0 || (sort.length === 1 && sort[0]!.column.role === 'line' && !sort[0]!.descending)
    ? ''
    : `order by ${[...sort.map(({ column, descending }) => `${identifier(column.name)} ${descending ? 'desc' : 'asc'} nulls last`), 'line'].join(', ')}`;

export interface Selection {
  columns: readonly Column[];
  where: readonly Condition[];
  sort: readonly Sorted[];
  offset: number;
  limit: number | null;
  /** Of the rows these alone: a text with a `1` at the place of each line that is meant, from 0. */
  lines?: string;
}

export type Writing = (column: Column) => string;

/** As the table has it. */
export const plainly: Writing = ({ name }) => identifier(name);

/** For JSON, which has no infinities and nothing that is no number. */
export const forJson: Writing = ({ name, type }) =>
  type === 'number' ? `if(isfinite(${identifier(name)}), ${identifier(name)}, null) as ${identifier(name)}` : identifier(name);

/** What a spreadsheet would take for a formula at the beginning of a cell. */
const formula = "'^[=+\\-@\\t\\r\\n＝＋－＠]'";

/**
 * For spreadsheets: a cell of text that would be run as a formula gets an apostrophe before it, which makes it text.
 * Source: OWASP, CSV Injection. Numbers stay as they are.
 */
export const forSpreadsheets: Writing = ({ name, type }) => {
  const own = identifier(name);
  const text = type === 'json' ? `cast(${own} as varchar)` : own;
  return type === 'text' || type === 'json'
    ? `if(regexp_matches(${text}, ${formula}), '''' || ${text}, ${text}) as ${identifier(safeName(name))}`
    : `${own} as ${identifier(safeName(name))}`;
};

const safeName = (name: string): string => (/^[=+\-@\t\r\n＝＋－＠]/.test(name) ? `'${name}` : name);

export const selectSql = (path: string, { columns, where, sort, offset, limit, lines }: Selection, writing: Writing): Question => {
  // One value, however many lines it names.
  const filter = whereSql(where, lines === undefined ? [] : ['get_bit(cast(? as bit), cast(line as integer)) = 1']);
  const page = `${limit === null ? '' : `limit ${limit}`} ${offset === 0 ? '' : `offset ${offset}`}`;
  // Chosen and ordered first, written after: functions are computed for the rows of the page alone.
  const inner = `select ${columns.map(({ name }) => identifier(name)).join(', ')} from ${tableOf(path)} ${filter.sql} ${orderSql(sort)} ${page}`;
  return {
    sql: `select ${columns.map(writing).join(', ')} from (${inner})`,
    values: lines === undefined ? filter.values : [...filter.values, lines],
  };
};
