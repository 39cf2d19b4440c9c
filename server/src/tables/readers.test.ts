import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { DuckDBConnection } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { csvRows } from './csv.ts';
import { openDuck, rowsOf } from './duck.ts';
import { gather } from './gather.ts';

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

/** The table as DuckDB reads it; null where it refused, and ours was asked. */
const strict = async (text: string): Promise<{ names: string[]; rows: Values[] } | null> => {
  const path = join(folder, 'in.csv');
  writeFileSync(path, text);
  const { names, relation } = await gather(duck, folder, { do: 'read', path, format: 'csv', header: true, delimiter: ',' });
  if (!relation.includes('null::varchar as problem')) return null;
  const rows = await rowsOf(duck, `select * from ${relation} order by line`);
  return { names, rows: rows.map((row) => names.map((_, i) => row[`c${i}`] as string | null)) };
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
    return { text: (mark ? '\uFEFF' : '') + text, rows: rows.map((row) => row.map(([each]) => (each === '' ? null : each))) };
  });

test('a table that keeps to the rules is the same to both readers, and what was written', async () => {
  let read = 0;
  await fc.assert(
    fc.asyncProperty(written, async ({ text, rows }) => {
      const own = await ours(text);
      expect(own.rows).toEqual(rows);
      const theirs = await strict(text);
      if (theirs === null) return;
      read++;
      expect(theirs).toEqual(own);
    }),
    { numRuns: 150 },
  );
  // Else nothing was held against anything.
  expect(read).toBeGreaterThan(20);
});

const pieces = fc.constantFrom('a', 'b', '1', '"', '""', ',', ',', '\n', '\n', '\r\n', ' ', 'é');
const soup = fc.array(pieces, { maxLength: 30 }).map((parts) => `a,b\n${parts.join('')}`);

test('what breaks the rules is refused by the strict reader, or is the same to both', async () => {
  let read = 0;
  await fc.assert(
    fc.asyncProperty(soup, async (text) => {
      const theirs = await strict(text);
      if (theirs === null) return;
      read++;
      expect(theirs.rows).toEqual((await ours(text)).rows);
    }),
    { numRuns: 300 },
  );
  expect(read).toBeGreaterThan(20);
});
