import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { parse } from 'csv-parse/sync';
import { csvRows, delimiterOf } from './csv.ts';
import { identifier, literal, parquetOfSteps, rowsOf } from './duck.ts';
import { BadTable, mostColumns, type Ask } from './facts.ts';
import { jsonRows } from './json-rows.ts';
import { hasHeader } from './recognise.ts';
import { columnNames, type Row } from './rows.ts';
import { sdfRows } from './sdf.ts';
import { smiRows } from './smi.ts';
import { textLines } from './text-lines.ts';
import { isDisagreement, promisedCasts } from './typed.ts';

/**
 * Rows as they were read: a relation with `line`, from 1, `problem` (null: the row could be read), and the columns as
 * `c0`, `c1`, …, in the order of `names`. `held`: what these hold: texts, values of JSON, or what their own type says.
 */
export interface Gathered {
  relation: string;
  names: string[];
  held: 'texts' | 'json' | 'typed';
}

type Read = Extract<Ask, { do: 'read' }>;

const tooMany = (columns: number): BadTable =>
  new BadTable(`The table has ${columns.toLocaleString('en')} columns; ${mostColumns.toLocaleString('en')} are allowed.`);

/** Any table as a relation that can be read again and again; what is not Parquet is made so, in `folder`. */
export const gather = async (duck: DuckDBConnection, folder: string, read: Read): Promise<Gathered> => {
  const { path, format } = read;
  if (format === 'parquet') return parquet(duck, path);
  if (format === 'csv' || format === 'tsv') return csv(duck, folder, read);
  const input = createReadStream(path, { highWaterMark: 1 << 20 });
  const lines = textLines(input);
  if (format === 'jsonl') return written(duck, folder, jsonRows(lines), 'json');
  return written(duck, folder, format === 'sdf' ? sdfRows(lines) : smiRows(lines), 'texts');
};

const parquet = async (duck: DuckDBConnection, path: string): Promise<Gathered> => {
  const columns = await rowsOf(duck, `describe select * from read_parquet(${literal(path)})`);
  const own = columns.map(({ column_name: name }) => String(name));
  if (own.length > mostColumns) throw tooMany(own.length);
  if (own.some((name) => name.includes('\0'))) throw new BadTable('The name of a column holds a NUL.');
  const list = own.map((name, i) => `${identifier(name)} as c${i}`);
  const relation = `(select file_row_number + 1 as line, null::varchar as problem, ${list.join(', ')} from read_parquet(${literal(path)}, file_row_number = true))`;
  return { relation, names: columnNames(own), held: 'typed' };
};

/** Bytes in which the first record of a CSV file has to end. */
const headBytes = 4 << 20;

/**
 * DuckDB reads what keeps to the rules, ten times as fast; a file in which one record does not is read again by a reader
 * that makes of each such record a row with a problem, and leaves the others in their places.
 */
const csv = async (duck: DuckDBConnection, folder: string, { path, format, header, delimiter: given }: Read): Promise<Gathered> => {
  const head = await headOf(path);
  const delimiter = given ?? (format === 'tsv' ? '\t' : delimiterOf(head.slice(0, 65_536).split(/\r|\n/)[0]!));
  const first = firstRecord(head, delimiter);
  if (first.length > mostColumns) throw tooMany(first.length);
  const named = header ?? hasHeader(first);
  const names = columnNames(named ? first : first.map(() => ''));
  // What DuckDB misreads without a word is never given to it: a blank line is a row where there is but one column, one above
  // the header is the header; and in the first record, a line end in quotes behind a byte order mark ends the record, and a bare
  // carriage return in them takes the rows with it.
  if (names.length > 1 && !/^[\r\n]/.test(head) && !first.some((name) => /[\r\n]/.test(name))) {
    const to = join(folder, 'gathered.parquet');
    const columns = names.map((_, i) => `c${i}: 'varchar'`).join(', ');
    const from = `read_csv(${literal(path)}, auto_detect = false, header = ${named}, columns = {${columns}}, delim = ${literal(delimiter)}, quote = '"', escape = '"', nullstr = '')`;
    try {
      const held = await readStrictly(duck, from, names, to);
      return { relation: stored(to, names.length, false), names, held };
    } catch (error) {
      if (!(error instanceof Error) || /No space left|File too large/.test(error.message)) throw error;
      if (/Invalid unicode|not utf-8/i.test(error.message))
        throw new BadTable('The text is not UTF-8: save it in that encoding, and upload it again.');
    }
  }
  const input = createReadStream(path, { highWaterMark: 1 << 20 });
  return written(duck, folder, csvRows(input, '', { delimiter, header: named }), 'texts', names);
};

/** Values of a table that its types are guessed by. */
const sampled = 100_000;

/**
 * Writes what DuckDB reads, in the types that the first rows have; where a later one is of another kind, as texts, whose
 * types are found when all of them are known.
 */
const readStrictly = async (duck: DuckDBConnection, from: string, names: string[], to: string): Promise<'typed' | 'texts'> => {
  const write = (columns: readonly string[]) =>
    duck.run(`copy (select ${columns.join(', ')} from ${from}) to ${literal(to)} (${parquetOfSteps})`);
  await duck.run(`create or replace temp table sample as select * from ${from} limit ${Math.ceil(sampled / names.length)}`);
  try {
    const casts = await promisedCasts(duck, { relation: 'sample', names, held: 'texts' });
    await write(casts.map((cast, i) => `${cast} as c${i}`));
    return 'typed';
  } catch (error) {
    if (!isDisagreement(error)) throw error;
    await write(['*']);
    return 'texts';
  } finally {
    await duck.run('drop table sample');
  }
};

const headOf = async (path: string): Promise<string> => {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return buffer.toString('utf8', 0, bytesRead).replace(/^\uFEFF/, '');
  } finally {
    await file.close();
  }
};

const firstRecord = (head: string, delimiter: string): string[] => {
  try {
    const [record] = parse(head, {
      delimiter,
      to: 1,
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      record_delimiter: ['\r\n', '\n', '\r'],
    });
    return record ?? [];
  } catch {
    throw new BadTable(`The first line has no end within ${headBytes.toLocaleString('en')} characters, or a quote in it is never closed.`);
  }
};

const stored = (path: string, columns: number, problems: boolean): string => {
  const list = Array.from({ length: columns }, (_, i) => `c${i}`);
  return `(select file_row_number + 1 as line, ${problems ? 'problem' : 'null::varchar as problem'}, ${list.join(', ')} from read_parquet(${literal(path)}, file_row_number = true))`;
};

/** Rows that were read here, written where DuckDB finds them; columns are known when all are through. */
const written = async (
  duck: DuckDBConnection,
  folder: string,
  rows: AsyncIterable<Row>,
  held: 'texts' | 'json',
  known: readonly string[] = [],
): Promise<Gathered> => {
  const path = join(folder, 'gathered.jsonl');
  const places = new Map(known.map((name, i) => [name, i]));
  const place = (name: string): number => {
    const found = places.get(name);
    if (found !== undefined) return found;
    if (places.size === mostColumns) throw tooMany(places.size + 1);
    places.set(name, places.size);
    return places.size - 1;
  };
  const lineOf = (row: Row): string => {
    let text = 'problem' in row ? `{"problem":${JSON.stringify(row.problem)}` : '{"problem":null';
    for (const [name, value] of Object.entries(row.values))
      if (value !== null)
        text += `,"c${place(name)}":${held === 'json' ? JSON.stringify(value) : JSON.stringify((typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed())}`;
    return `${text}}\n`;
  };
  const output = createWriteStream(path);
  const failed = once(output, 'error').then(([error]) => Promise.reject(error as Error));
  failed.catch(() => {});
  let text = '';
  for await (const row of rows) {
    text += lineOf(row);
    if (text.length < 1 << 18) continue;
    if (!output.write(text)) await Promise.race([once(output, 'drain'), failed]);
    text = '';
  }
  output.end(text);
  await finished(output);
  const names = columnNames([...places.keys()]);
  if (names.length === 0) throw new BadTable('The table has no row.');
  const to = join(folder, 'gathered.parquet');
  const columns = names.map((_, i) => `c${i}: '${held === 'json' ? 'json' : 'varchar'}'`).join(', ');
  await duck.run(
    `copy (select * from read_json(${literal(path)}, format = 'newline_delimited', maximum_object_size = ${32 << 20}, columns = {problem: 'varchar', ${columns}})) to ${literal(to)} (${parquetOfSteps})`,
  );
  return { relation: stored(to, names.length, true), names, held };
};
