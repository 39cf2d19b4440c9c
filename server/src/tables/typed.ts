import type { DuckDBConnection } from '@duckdb/node-api';
import { literal, oneOf, rowsOf } from './duck.ts';
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
const isMissing = (c: string): string => `regexp_full_match(${c}, 'NaN|nan|NA|N/A|#N/A|null|NULL|None')`;
/** No `in (…)`: of a longer list DuckDB makes a join, and a join delivers the rows of a table in any order. */
const isFlag = (c: string): string => `regexp_full_match(${c}, '[Tt]rue|TRUE|[Ff]alse|FALSE')`;

/** Numbers as `valueOf` knows them: `007`, `+1` and numbers of 19 digits and more are texts. */
const isInteger = (c: string): string => `regexp_full_match(${c}, '-?(0|[1-9][0-9]{0,17})')`;
const isNumber = (c: string): string =>
  `(regexp_full_match(${c}, '-?(0|[1-9][0-9]{0,17})(\\.[0-9]+)?([eE][+-]?[0-9]{1,3})?') and isfinite(try_cast(${c} as double)))`;

/** What a value may be, a bit each, so that all kinds of a column's values are one number. */
const kinds = { integer: 1, number: 2, flag: 4, missing: 8, text: 16 };

/** The tests stand in the order of how often they decide: what one has decided the others are not asked. */
const kindOf = (c: string): string => `case
  when ${isInteger(c)} then ${kinds.integer}
  when ${isNumber(c)} then ${kinds.number}
  when ${isMissing(c)} then ${kinds.missing}
  when ${isFlag(c)} then ${kinds.flag}
  when ${c} is not null then ${kinds.text} end`;

/** Columns asked about in one pass. */
const together = 200;

const inGroups = async (duck: DuckDBConnection, { relation, names }: Gathered, ask: (column: string) => string): Promise<unknown[]> => {
  const found: unknown[] = [];
  for (let at = 0; at < names.length; at += together) {
    const columns = names.slice(at, at + together).map((_, i) => `c${at + i}`);
    const row = await oneOf(duck, `select ${columns.map((column) => `${ask(column)} as ${column}`).join(', ')} from ${relation}`);
    found.push(...columns.map((column) => row[column]));
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

type Held = 'integers' | 'numbers' | 'flags' | 'texts' | 'nothing';

const heldIn = (found: number): Held => {
  const values = found & ~kinds.missing;
  if (values === 0) return 'nothing';
  if (values === kinds.integer) return 'integers';
  if ((values & ~(kinds.integer | kinds.number)) === 0) return 'numbers';
  return found === kinds.flag ? 'flags' : 'texts';
};

/** What the texts of each column are, all of them. */
const heldBy = async (duck: DuckDBConnection, gathered: Gathered): Promise<Held[]> =>
  (await inGroups(duck, gathered, (c) => `coalesce(bit_or(${kindOf(c)}), 0)::double`)).map((found) => heldIn(found as number));

const castTexts = async (duck: DuckDBConnection, gathered: Gathered): Promise<string[]> =>
  (await heldBy(duck, gathered)).map((held, i) => {
    if (held === 'integers') return `try_cast(c${i} as bigint)`;
    if (held === 'numbers') return `case when isfinite(try_cast(c${i} as double)) then cast(c${i} as double) end`;
    return held === 'flags' ? `cast(c${i} as boolean)` : `c${i}`;
  });

const disagreement = 'A value is not what its column seemed to hold';

/** Whether a statement ended because of a value that its column's first ones did not promise. */
export const isDisagreement = (error: unknown): boolean => error instanceof Error && error.message.includes(disagreement);

/**
 * The types that a column has by the rows of `sample`, for a statement over all rows; it fails with a disagreement where
 * one of them is of another kind, and what it has written is worth nothing then.
 */
export const promisedCasts = async (duck: DuckDBConnection, sample: Gathered): Promise<string[]> =>
  (await heldBy(duck, sample)).map((held, i) => {
    const c = `c${i}`;
    const other = `error(${literal(`${disagreement}.`)})`;
    const none = `${c} is null or ${isMissing(c)}`;
    if (held === 'integers') return `case when ${isInteger(c)} then cast(${c} as bigint) when ${none} then null else ${other} end`;
    if (held === 'numbers') return `case when ${isNumber(c)} then cast(${c} as double) when ${none} then null else ${other} end`;
    if (held === 'flags') return `case when ${isFlag(c)} then cast(${c} as boolean) when ${c} is null then null else ${other} end`;
    return held === 'texts' ? c : `case when ${none} then ${c} else ${other} end`;
  });

/** Values of JSON: of one kind throughout, or JSON as it came. */
const castJson = async (duck: DuckDBConnection, gathered: Gathered): Promise<string[]> => {
  const found = await inGroups(duck, gathered, (c) => `list(distinct json_type(${c})) filter (json_type(${c}) <> 'NULL')`);
  return found.map((kinds, i) => {
    const of = new Set((kinds as string[] | null) ?? []);
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
