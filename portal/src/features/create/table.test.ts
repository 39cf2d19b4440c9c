import fc from 'fast-check';
import { expect, test } from 'vitest';
import { guess, kindOf, rowsOf } from './table.ts';

test('what is written as CSV is read back', () => {
  const cell = fc.string({ maxLength: 12 }).map((text) => text.replaceAll('\r', ''));
  const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 8 }), (rows) => {
      const text = `id,smiles\n${rows.map((row) => `${row.map(quote).join(',')}\n`).join('')}`;
      expect(rowsOf(text, 100)).toEqual([['id', 'smiles'], ...rows]);
    }),
  );
});

test('only as many rows as are asked for, with tabs and semicolons too', () => {
  expect(rowsOf('a\tb\n1\t2\n3\t4\n', 2)).toEqual([
    ['a', 'b'],
    ['1', '2'],
  ]);
  expect(rowsOf('a;b\r\n1;2', 9)).toEqual([
    ['a', 'b'],
    ['1', '2'],
  ]);
});

test('names tell what a column and a file are', () => {
  expect(guess(['Compound_ID', 'SMILES', 'logS'])).toEqual({ smiles: 'SMILES', id: 'Compound_ID' });
  expect(guess(['x'])).toEqual({});
  expect(['a.jsonl', 'a.csv', 'a.sdf', 'a.csv.gz', 'a.jsonl.gz'].map(kindOf)).toEqual(['requests', 'table', 'other', 'other', 'other']);
});
