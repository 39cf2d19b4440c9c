import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { DuckDBConnection } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { csvRows } from './csv.ts';
import { literal, openDuck, rowsOf } from './duck.ts';
import { gather, type Gathered } from './gather.ts';
import { typed } from './typed.ts';

let folder: string;
let duck: DuckDBConnection;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-readers-'));
  duck = await openDuck(folder, 256);
});
afterAll(() => {
  duck.closeSync();
  rmSync(folder, { recursive: true });
});

type Values = (string | null)[];

const gathered = (text: string): Promise<Gathered> => {
  // A folder for each: DuckDB remembers what it has read of a file by its path.
  const own = mkdtempSync(join(folder, 'table-'));
  const path = join(own, 'in.csv');
  writeFileSync(path, text);
  return gather(duck, own, { do: 'read', path, format: 'csv', header: true, delimiter: ',' });
};

/** Columns and rows of a table, in the types that its values have. */
const seen = async (table: Gathered) => {
  const { columns, relation } = await typed(duck, table);
  return { columns, rows: await rowsOf(duck, `select * from ${relation} order by line`) };
};

/** The table as DuckDB reads it, its types promised by its first rows; null where it refused, and ours was asked. */
const strict = async (text: string) => {
  const table = await gathered(text);
  return table.relation.includes('null::varchar as problem') ? seen(table) : null;
};

/** The same of rows that were read by ours, its types found when all rows are known. */
const seenOurs = async ({ names, rows }: { names: string[]; rows: (Values | null)[] }) => {
  expect(rows).not.toContain(null);
  const lines = rows.map((row, i) => `(${[i + 1, ...row!.map((text) => (text === null ? 'null' : literal(text)))].join(', ')})`);
  const columns = names.map((_, i) => `cast(c${i} as varchar) as c${i}`);
  const places = names.map((_, i) => `c${i}`);
  await duck.run(
    `create or replace temp table ours as select line::bigint as line, null::varchar as problem, ${columns.join(', ')} from (values ${lines.join(', ')}) t(line, ${places.join(', ')})`,
  );
  return seen({ relation: 'ours', names, held: 'texts' });
};

/** The same by our reader; null in place of a row with a problem. */
const ours = async (text: string): Promise<{ names: string[]; rows: (Values | null)[] }> => {
  const rows = await Array.fromAsync(csvRows(Readable.from([Buffer.from(text)]), '', { delimiter: ',' }));
  return {
    names: Object.keys(rows[0]?.values ?? {}),
    rows: rows.map((row) => ('problem' in row ? null : (Object.values(row.values) as Values))),
  };
};

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const needsQuotes = (text: string): boolean => /[",\r\n]/.test(text);

const special = fc.constantFrom(
  '',
  ' ',
  ' a ',
  '"',
  '""',
  'a"b',
  ',',
  '\n',
  '\r\n',
  'x\r\ny',
  '007',
  '1.50',
  '1e5',
  '-0',
  'NaN',
  'null',
  'é',
  '😀',
  '\u2028',
  "'",
  '\\',
  '#',
);
const value = fc.oneof(
  { weight: 4, arbitrary: special },
  { weight: 3, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replaceAll('\0', '')) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 100_000 }).map((length) => 'x,"\n'.repeat(length / 4)) },
);
const header = fc.constantFrom('a', 'A', 'b', 'a_1', '', ' a', 'with "quote"', 'with, comma', 'line\nend', 'ü', 'line', 'problem');

const written = fc
  .integer({ min: 2, max: 5 })
  .chain((columns) =>
    fc.record({
      names: fc.array(header, { minLength: columns, maxLength: columns }).filter((names) => names.some((name) => name !== '')),
      rows: fc.array(fc.array(fc.tuple(value, fc.boolean()), { minLength: columns, maxLength: columns }), { minLength: 1, maxLength: 8 }),
      ends: fc.array(fc.constantFrom('\n', '\r\n', '\r'), { minLength: 1, maxLength: 3 }),
      mark: fc.boolean(),
      lastEnd: fc.boolean(),
    }),
  )
  .map(({ names, rows, ends, mark, lastEnd }) => {
    const lines = [
      names.map((name) => (needsQuotes(name) ? quoted(name) : name)).join(','),
      ...rows.map((row) => row.map(([text, quotes]) => (quotes || needsQuotes(text) ? quoted(text) : text)).join(',')),
    ];
    const text = lines.map((line, i) => line + (i < lines.length - 1 || lastEnd ? ends[i % ends.length]! : '')).join('');
    // DuckDB drops a blank that begins a line where a bare carriage return ends lines among others that end otherwise.
    const mixed = ends.includes('\r') && new Set(ends).size > 1;
    return { mixed, text: (mark ? '\uFEFF' : '') + text, rows: rows.map((row) => row.map(([each]) => (each === '' ? null : each))) };
  });

test('a table that keeps to the rules is the same to both readers, and what was written', async () => {
  let read = 0;
  await fc.assert(
    fc.asyncProperty(written, async ({ text, rows, mixed }) => {
      const own = await ours(text);
      expect(own.rows).toEqual(rows);
      if (mixed) return;
      const theirs = await strict(text);
      if (theirs === null) return;
      read++;
      expect(theirs).toEqual(await seenOurs(own));
    }),
    { seed: 20_261_128, numRuns: 150 },
  );
  // Else nothing was held against anything.
  expect(read).toBeGreaterThan(20);
});

// What was found by hand, or by the properties above and below.
test.each([
  '\uFEFF"a\nx",b\n1,2\n',
  '\uFEFF"a\r\nx",b\r\n1,2\r\n',
  'a,"b\rx"\n1,2\n',
  '\na,b\n1,2\n',
  '\uFEFF\r\n\r\na,b\r\n1,2\r\n',
  '\uFEFF"a,x",b\n1,2\n',
  '\uFEFF"a ""q"" ",b\n1,2\n',
  'a,b\n1,2,,,\n',
])('%j has one row, and a header', async (text) => {
  const { relation } = await gathered(text);
  expect(await rowsOf(duck, `select * from ${relation}`)).toEqual([
    { line: expect.anything() as unknown, problem: null, c0: '1', c1: '2' },
  ]);
  expect((await ours(text)).rows).toEqual([['1', '2']]);
});

const pieces = fc.constantFrom('a', 'b', '1', '"', '""', ',', ',', '\n', '\n', '\r\n', ' ', 'é');
/** But for blanks beside quotes: DuckDB drops both, and ours keeps both. */
const soup = fc
  .array(pieces, { maxLength: 30 })
  .map((parts) => `a,b\n${parts.join('')}`)
  .filter((text) => !/" | "/.test(text));

test('what breaks the rules is refused by the strict reader, or is the same to both', async () => {
  let read = 0;
  await fc.assert(
    fc.asyncProperty(soup, async (text) => {
      const theirs = await strict(text);
      if (theirs === null || theirs.rows.length === 0) return;
      read++;
      expect(theirs.rows).toEqual((await seenOurs(await ours(text))).rows);
    }),
    { seed: 20_261_128, numRuns: 300 },
  );
  expect(read).toBeGreaterThan(20);
});
