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

/** A number as DuckDB reads it without loss; as it stands it would be a decimal of fewer digits. */
const double = (number: number): string => `'${number}'::double`;

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
  const list = columns.map((column, i) => `, quantile_cont(${value(column)}, [${quantiles.join(', ')}]) as q${i}`);
  return { sql: `select count(*)::double as rows${list.join('')} from ${tableOf(path)} ${filter.sql}`, values: filter.values };
};

export const bins = 30;

/** From the least to the largest value; where they are the same, there is one bin. */
export const edgesOf = (min: number, max: number): number[] => {
  if (min === max) return [min, max];
  const width = (max - min) / bins;
  const edge = Number.isFinite(width)
    ? (k: number): number => min + ((max - min) * k) / bins
    : (k: number): number => min * (1 - k / bins) + max * (k / bins);
  return Array.from({ length: bins + 1 }, (_, k) => (k === bins ? max : edge(k)));
};

/**
 * Rows in each bin of several columns, in one scan. A value at an edge is in the bin above it, the largest in the last;
 * DuckDB's own bins hold their upper edge and not their lower one: so it is given all of it with the sign turned.
 */
export const histograms = (
  path: string,
  columns: readonly { column: Column; edges: readonly number[] }[],
  where: readonly Condition[],
): Question => {
  const filter = whereSql(where);
  const list = columns.map(
    ({ column, edges }, i) => `histogram(-${value(column)}, [${[...new Set(edges)].map((edge) => double(-edge)).join(', ')}]) as bins${i}`,
  );
  return { sql: `select ${list.join(', ')} from ${tableOf(path)} ${filter.sql}`, values: filter.values };
};

/** Rows in each bin, from what `histograms` found. */
export const countsOf = (found: readonly { key: number; value: string | number }[], edges: readonly number[]): number[] => {
  const counts = Array<number>(edges.length - 1).fill(0);
  const at = new Map(edges.map((edge, k) => [-edge, Math.min(k, counts.length - 1)]));
  for (const { key, value } of found) {
    const bin = at.get(key);
    if (bin !== undefined) counts[bin]! += Number(value);
  }
  return counts;
};

/** A value that at least `n` rows reach from the upper or the lower end, by their histogram; null where there are not so many. */
export const reachOf = (edges: readonly number[], counts: readonly number[], order: 'asc' | 'desc', n: number): number | null => {
  let [rows, bin] = [0, order === 'desc' ? counts.length : -1];
  while (rows < n) {
    bin += order === 'desc' ? -1 : 1;
    if (bin < 0 || bin >= counts.length) return null;
    rows += counts[bin]!;
  }
  return edges[order === 'desc' ? bin : bin + 1]!;
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

/**
 * Lines with the largest or the least values.
 * @param reach a value that at least `n` rows reach, where one is known: then the others are not sorted
 */
export const extremes = (
  path: string,
  column: Column,
  where: readonly Condition[],
  order: 'asc' | 'desc',
  n: number,
  reach: number | null = null,
): Question => {
  const own = identifier(column.name);
  const near = reach === null ? [] : [`${own} ${order === 'desc' ? '>=' : '<='} ${double(reach)}`];
  const filter = whereSql(where, [...near, column.type === 'integer' ? `${own} is not null` : `isfinite(${own})`]);
  return {
    sql: `select line, cast(${own} as double) as value from ${tableOf(path)} ${filter.sql} order by ${own} ${order}, line limit ${n}`,
    values: filter.values,
  };
};

/** Whose rows these are. */
export const customIds = (path: string, lines: readonly number[]): Question => ({
  sql: `select line, custom_id from ${tableOf(path)} where line in (${lines.join(', ')})`,
  values: [],
});

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
