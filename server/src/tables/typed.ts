import type { DuckDBConnection } from '@duckdb/node-api';
import { oneOf, rowsOf } from './duck.ts';
import type { Column } from './facts.ts';
import type { Gathered } from './gather.ts';

/** A relation of `line`, `problem` and `c0`, `c1`, … in the types that their values have throughout. */
export interface Typed {
  relation: string;
  columns: Column[];
  rows: number;
}

/**
 * What stands for a value that is missing, in columns that are numbers but for it. A column is what all of its values
 * are: one word among a million numbers makes texts of them, rather than be lost.
 */
const missing = "('NaN', 'nan', 'NA', 'N/A', '#N/A', 'null', 'NULL', 'None')";

/** Numbers as `valueOf` knows them: `007`, `+1` and numbers of 19 digits and more are texts. */
const integer = "'-?(0|[1-9][0-9]{0,17})'";
const number = "'-?(0|[1-9][0-9]{0,17})(\\.[0-9]+)?([eE][+-]?[0-9]{1,3})?'";

/** Columns asked about in one pass. */
const together = 200;

const inGroups = async (
  duck: DuckDBConnection,
  { relation, names }: Gathered,
  ask: (column: string) => string,
): Promise<Record<string, unknown>[]> => {
  const found: Record<string, unknown>[] = [];
  for (let at = 0; at < names.length; at += together) {
    const columns = names.slice(at, at + together).map((_, i) => `c${at + i}`);
    const row = await oneOf(duck, `select ${columns.map((column) => `${ask(column)} as ${column}`).join(', ')} from ${relation}`);
    found.push(...columns.map((column) => row[column] as Record<string, unknown>));
  }
  return found;
};

export const typed = async (duck: DuckDBConnection, gathered: Gathered): Promise<Typed> => {
  const { relation, names, held } = gathered;
  const { rows } = await oneOf(duck, `select count(*)::double as rows from ${relation}`);
  const casts = await { texts: castTexts, json: castJson, typed: castNothing }[held](duck, gathered);
  const list = casts.map((cast, i) => `${cast} as c${i}`);
  const cast = `(select line, problem, ${list.join(', ')} from ${relation})`;
  const described = await rowsOf(duck, `describe select * exclude (line, problem) from ${cast}`);
  return { relation: cast, rows: rows as number, columns: names.map((name, i) => ({ name, type: String(described[i]!['column_type']) })) };
};

const castNothing = async (_: DuckDBConnection, { names }: Gathered): Promise<string[]> => names.map((_name, i) => `c${i}`);

const castTexts = async (duck: DuckDBConnection, gathered: Gathered): Promise<string[]> => {
  const found = await inGroups(
    duck,
    gathered,
    (c) => `{
      held: bool_or(${c} not in ${missing}),
      int: bool_and(regexp_full_match(${c}, ${integer}) or ${c} in ${missing}),
      num: bool_and((regexp_full_match(${c}, ${number}) and isfinite(try_cast(${c} as double))) or ${c} in ${missing}),
      flag: bool_and(${c} in ('true', 'false', 'True', 'False', 'TRUE', 'FALSE'))}`,
  );
  return found.map(({ held, int, num, flag }, i) => {
    if (held && int) return `try_cast(c${i} as bigint)`;
    if (held && num) return `case when c${i} not in ${missing} then try_cast(c${i} as double) end`;
    return held && flag ? `cast(c${i} as boolean)` : `c${i}`;
  });
};

/** Values of JSON: of one kind throughout, or JSON as it came. */
const castJson = async (duck: DuckDBConnection, gathered: Gathered): Promise<string[]> => {
  const kinds = await inGroups(duck, gathered, (c) => `{kinds: list(distinct json_type(${c})) filter (json_type(${c}) <> 'NULL')}`);
  return kinds.map((found, i) => {
    const of = new Set((found['kinds'] as string[] | null) ?? []);
    const all = (...allowed: string[]): boolean => of.size > 0 && [...of].every((kind) => allowed.includes(kind));
    const text = `(c${i} ->> '$')`;
    if (all('VARCHAR')) return text;
    if (all('BOOLEAN')) return `cast(${text} as boolean)`;
    if (all('BIGINT')) return `cast(${text} as bigint)`;
    if (all('BIGINT', 'UBIGINT')) return `cast(${text} as hugeint)`;
    if (all('BIGINT', 'UBIGINT', 'DOUBLE')) return `cast(${text} as double)`;
    return `case when json_type(c${i}) <> 'NULL' then c${i} end`;
  });
};
