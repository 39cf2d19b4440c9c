import { ApiError } from '../lib/errors.ts';
import type { Column } from './layout.ts';
import { identifier } from './quoted.ts';
import { namesIn, tableOf, whereSql, type Question } from './select.ts';
import { columnOf, type Condition } from './where.ts';

/**
 * Figures of a table: what is asked of DuckDB for summaries, top rows and scatter plots. Values that are no numbers, or
 * infinite, count as missing everywhere.
 */

export const isNumeric = ({ type }: Column): boolean => type === 'number' || type === 'integer';

/** The columns that figures are about: those that are named, else what the models computed. */
export const propertiesOf = (columns: readonly Column[], names: string | undefined): Column[] => {
  if (names === undefined) return columns.filter((column) => column.role === 'output' && isNumeric(column)).slice(0, mostProperties);
  const found = namesIn(names).map((name) => numeric(columns, name, 'properties'));
  if (found.length > mostProperties)
    throw new ApiError('invalid_value', `At most ${mostProperties} properties at once.`, { param: 'properties' });
  return found;
};

export const mostProperties = 50;

export const numeric = (columns: readonly Column[], name: string, param: string): Column => {
  const column = columnOf(columns, name, param);
  if (isNumeric(column)) return column;
  throw new ApiError('invalid_value', `The column '${column.name}' holds ${column.type}, not numbers.`, { param });
};

/** The value as a number, or null. */
export const value = ({ name, type }: Column): string => {
  const own = identifier(name);
  return type === 'integer' ? `cast(${own} as double)` : `if(isfinite(${own}), cast(${own} as double), null)`;
};

export const quantiles = [0.05, 0.25, 0.5, 0.75, 0.95] as const;

/** Rows above which quantiles come from a sample: sorting a million values takes a quarter of a second each. */
export const exactRows = 200_000;
const sampleRows = 100_000;
const scale = 1_000_000_007;

/** About so many rows of a table, always the same ones. */
export const sampled = (rows: number, wanted: number): string =>
  `hash(line) % ${scale} < ${Math.ceil((wanted / Math.max(rows, 1)) * scale)}`;

export const basics = (path: string, columns: readonly Column[], where: readonly Condition[]): Question => {
  const filter = whereSql(where);
  const figures = columns.map((column, i) => {
    const v = value(column);
    return `, count(${v})::double as n${i}, avg(${v}) as mean${i}, stddev_samp(${v}) as sd${i}, min(${v}) as min${i}, max(${v}) as max${i}`;
  });
  return { sql: `select count(*)::double as rows${figures.join('')} from ${tableOf(path)} ${filter.sql}`, values: filter.values };
};

/** @param rows how many the filter lets pass */
export const quantilesOf = (path: string, columns: readonly Column[], where: readonly Condition[], rows: number): Question => {
  const filter = whereSql(where, rows > exactRows ? [sampled(rows, sampleRows)] : []);
  const list = columns.map((column, i) => `quantile_cont(${value(column)}, [${quantiles.join(', ')}]) as q${i}`);
  return { sql: `select ${list.join(', ')} from ${tableOf(path)} ${filter.sql}`, values: filter.values };
};

export const bins = 30;

/** Rows in each of the bins between the least and the largest value; the largest is in the last one. */
export const histogram = (path: string, column: Column, where: readonly Condition[], min: number, max: number): Question => {
  const filter = whereSql(where);
  const bin = max > min ? `cast(least(floor((v - ${min}) / ${(max - min) / bins}), ${bins - 1}) as integer)` : '0';
  return {
    sql: `select ${bin} as bin, count(*)::double as n from (select ${value(column)} as v from ${tableOf(path)} ${filter.sql}) where v is not null group by 1`,
    values: filter.values,
  };
};

export const failures = (path: string, where: readonly Condition[]): Question => {
  const filter = whereSql(where, ["status <> 'completed'"]);
  return {
    sql: `select status, error_code as code, count(*)::double as n, min(line)::double as line, arg_min(error_message, line) as message
      from ${tableOf(path)} ${filter.sql} group by status, error_code order by n desc, code limit 50`,
    values: filter.values,
  };
};

export const states = (path: string, where: readonly Condition[]): Question => {
  const filter = whereSql(where);
  return { sql: `select status, count(*)::double as n from ${tableOf(path)} ${filter.sql} group by status`, values: filter.values };
};

/** Lines with the largest or the least values. */
export const extremes = (path: string, column: Column, where: readonly Condition[], order: 'asc' | 'desc', n: number): Question => {
  const filter = whereSql(where);
  return {
    sql: `select line, custom_id, v as value from (select line, custom_id, ${value(column)} as v from ${tableOf(path)} ${filter.sql}) where v is not null order by v ${order}, line limit ${n}`,
    values: filter.values,
  };
};

/** A property and what it counts for; negative: the less, the better. */
export interface Weighted {
  column: Column;
  weight: number;
}

/** `logS:1,p_bbb:-0.5`. */
export const parseObjective = (text: string, columns: readonly Column[]): Weighted[] => {
  const found = namesIn(text).map((part) => {
    const at = part.lastIndexOf(':');
    const weight = Number(part.slice(at + 1));
    if (at <= 0 || part.slice(at + 1).trim() === '' || !Number.isFinite(weight) || weight === 0)
      throw new ApiError(
        'invalid_value',
        `'${part.slice(0, 100)}' is no property with a weight; an objective looks like logS:1,p_bbb:-0.5.`,
        { param: 'objective' },
      );
    return { column: numeric(columns, part.slice(0, at).trim(), 'objective'), weight };
  });
  if (found.length === 0 || found.length > 20)
    throw new ApiError('invalid_value', 'An objective has 1 to 20 properties.', { param: 'objective' });
  return found;
};

/**
 * The best rows by a weighted sum of their values, each first brought to mean 0 and standard deviation 1 over the rows
 * that the filter lets pass, so that units do not count. Rows without one of the values are left out; a property that is
 * the same in all rows counts nothing.
 */
export const best = (path: string, objective: readonly Weighted[], where: readonly Condition[], n: number): Question => {
  const filter = whereSql(where);
  const v = objective.map(({ column }, i) => `${value(column)} as v${i}`).join(', ');
  const stats = objective.map((_, i) => `avg(v${i}) as m${i}, stddev_samp(v${i}) as s${i}`).join(', ');
  const score = objective.map(({ weight }, i) => `coalesce(${weight} * (v${i} - m${i}) / nullif(s${i}, 0), 0)`).join(' + ');
  const there = objective.map((_, i) => `v${i} is not null`).join(' and ');
  return {
    sql: `with given as (select line, ${v} from ${tableOf(path)} ${filter.sql}), held as (select * from given where ${there}), of_all as (select ${stats} from held)
      select line, ${score} as value from held, of_all order by value desc, line limit ${n}`,
    values: filter.values,
  };
};

export const scatter = (path: string, axes: readonly Column[], where: readonly Condition[], rows: number, most: number): Question => {
  const there = axes.slice(0, 2).map((column) => `${value(column)} is not null`);
  const filter = whereSql(where, [...there, ...(rows > most ? [sampled(rows, most)] : [])]);
  const list = axes
    .map((column, i) => `${isNumeric(column) ? value(column) : `cast(${identifier(column.name)} as varchar)`} as v${i}`)
    .join(', ');
  const columns = axes.map((_, i) => `list(v${i} order by line) as v${i}`).join(', ');
  return {
    sql: `select list(line order by line) as line, ${columns} from (select line, ${list} from ${tableOf(path)} ${filter.sql} order by line limit ${most})`,
    values: filter.values,
  };
};
