import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sql } from '../db/sql.ts';
import { test as onDatabase } from '../../test/support/database.ts';
import { clipLines, countLines, eachLine, formatLines, hasLine, linesOf, nthLine, parseLines, rankOfLine } from './lines.ts';

const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 200 }), { maxLength: 60 }).map((list) => list.sort((a, b) => a - b));

test('a set of lines is what it was made of, and reads back from its text', () => {
  fc.assert(
    fc.property(numbers, (list) => {
      const lines = linesOf(list);
      expect([...eachLine(lines)]).toEqual(list);
      expect(countLines(lines)).toBe(list.length);
      expect(parseLines(formatLines(lines))).toEqual(lines);
      for (let n = 0; n <= 201; n++) expect(hasLine(lines, n)).toBe(list.includes(n));
      list.forEach((n, i) => {
        expect(rankOfLine(lines, n)).toBe(i + 1);
        expect(nthLine(lines, i + 1)).toBe(n);
      });
      expect(nthLine(lines, list.length + 1)).toBeNull();
    }),
  );
});

test('clipping keeps just what lies in the range', () => {
  fc.assert(
    fc.property(numbers, fc.nat(200), fc.nat(200), (list, from, to) => {
      expect([...eachLine(clipLines(linesOf(list), from, to))]).toEqual(list.filter((n) => n >= from && n < to));
    }),
  );
});

onDatabase('PostgreSQL reads and writes the same text', async ({ db }) => {
  const lines = linesOf([1, 2, 3, 7, 9, 10]);
  const { text } = await db.one<{ text: string }>(sql`select ${formatLines(lines)}::int4multirange::text as text`);
  expect(text).toBe(formatLines(lines));
  expect(formatLines([])).toBe((await db.one<{ text: string }>(sql`select '{}'::int4multirange::text as text`)).text);
});
