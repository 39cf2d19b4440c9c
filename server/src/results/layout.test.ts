import { expect, test } from 'vitest';
import { fieldsOf, fitStruct, mostFields, Names, type Kind } from './layout.ts';
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
