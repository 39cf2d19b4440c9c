import { expect, test } from 'vitest';
import { fieldsOf, fitStruct, mostFields, Names, type Kind } from './layout.ts';
import { countsOf, edgesOf, reachOf } from './figures.ts';
import { parseWhere } from './where.ts';
import { forSpreadsheets, whereSql } from './select.ts';

const kind = (key: string, type: string, longest = 1, huge = false): Kind => ({ key, type, longest, huge });
const typeOf = (...kinds: Kind[]): string =>
  fieldsOf(kinds)!
    .map(({ type, read, cast }) => `${type} ${cast ?? read}`)
    .join();

test('a column is what all its values are', () => {
  expect(typeOf(kind('a', 'UBIGINT', 5), kind('a', 'BIGINT', 3), kind('a', 'NULL'))).toBe('integer BIGINT');
  expect(typeOf(kind('a', 'UBIGINT', 20))).toBe('integer DECIMAL(38,0)');
  expect(typeOf(kind('a', 'UBIGINT', 3), kind('a', 'DOUBLE', 30, true))).toBe('integer DECIMAL(38,0)');
  expect(typeOf(kind('a', 'DOUBLE', 39, true))).toBe('text VARCHAR');
  expect(typeOf(kind('a', 'DOUBLE', 6), kind('a', 'UBIGINT', 20))).toBe('number DOUBLE');
  expect(typeOf(kind('a', 'BOOLEAN'))).toBe('boolean BOOLEAN');
  expect(typeOf(kind('a', 'VARCHAR'), kind('a', 'DOUBLE'))).toBe('json JSON');
  expect(typeOf(kind('a', 'OBJECT'))).toBe('json JSON');
  expect(typeOf(kind('a', 'NULL'))).toBe('json JSON');
  expect(fieldsOf(Array.from({ length: mostFields + 1 }, (_, i) => kind(`k${i}`, 'DOUBLE')))).toBe(null);
  expect(fitStruct(fieldsOf([kind('a', 'DOUBLE'), kind('A', 'DOUBLE')])!)).toBe(false);
});

test('names are each taken once, whatever their case', () => {
  const names = new Names();
  expect(['line', 'x', 'X', 'x', 'x', '', 'a\tb'].map((name) => names.take(name, 'output'))).toEqual([
    'line',
    'x',
    'output.X',
    'output.x_2',
    'output.x_3',
    'unnamed',
    'a b',
  ]);
});

test('filters: names and values in quotes, values bound, nonsense told of with its place', () => {
  const columns = [
    { name: 'logS', type: 'number' as const, role: 'output' as const },
    { name: 'a,b "c"', type: 'text' as const, role: 'input' as const },
  ];
  const [first, second] = parseWhere(` logs >= -2.5e1 , "a,b ""c""" = x|"y,|z"|null`, columns);
  expect(first).toEqual({ column: columns[0], op: '>=', values: ['-2.5e1'] });
  expect(second).toEqual({ column: columns[1], op: '=', values: ['x', 'y,|z', null] });
  expect(whereSql([first!, second!])).toEqual({
    sql: 'where "logS" >= cast(? as double) and ("a,b ""c""" in (?, ?) or "a,b ""c""" is null)',
    values: ['-2.5e1', 'x', 'y,|z'],
  });
  for (const [text, why] of [
    ['logS', 'is missing at character 5'],
    ['logS>', 'value is missing'],
    ['logS>1 2', 'no number'],
    ['logS>1,,', 'name of a column is missing'],
    ['nothing=1', "no column 'nothing'"],
    ['logS>1|2', 'takes one value'],
    ["logS='1'", 'no number'],
  ] as const)
    expect(() => parseWhere(text, columns), text).toThrow(why);
  expect(forSpreadsheets({ name: '=a', type: 'text', role: 'input' })).toContain(`"'=a"`);
});

test('a histogram: each value is in one bin, at an edge in the one above it, the largest in the last', () => {
  const edges = edgesOf(0, 30);
  expect([edges.length, edges[0], edges[7], edges[30]]).toEqual([31, 0, 7, 30]);
  // As DuckDB answers: by the lower edge of a bin with the sign turned, the largest value alone.
  const counts = countsOf(
    [
      { key: -30, value: '1' },
      { key: -29, value: '4' },
      { key: -7, value: '2' },
      { key: -0, value: '3' },
    ],
    edges,
  );
  expect([counts.length, counts[0], counts[7], counts[29]]).toEqual([30, 3, 2, 5]);
  expect(reachOf(edges, counts, 'desc', 5)).toBe(29);
  expect(reachOf(edges, counts, 'desc', 6)).toBe(7);
  expect(reachOf(edges, counts, 'asc', 5)).toBe(8);
  expect(reachOf(edges, counts, 'asc', 11)).toBe(null);
  expect(edgesOf(2, 2)).toEqual([2, 2]);
  expect(edgesOf(-1.7e308, 1.7e308).every((edge, k, all) => Number.isFinite(edge) && (k === 0 || edge > all[k - 1]!))).toBe(true);
});
