import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDuck } from './duck.ts';
import { kindsIn, type Placed } from './kinds.ts';
import { fieldsOf, type Field } from './layout.ts';
import { inOrder, kindsByDuck } from './look.ts';

let folder: string;
let duck: DuckDBConnection;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-kinds-'));
  duck = await (await openDuck({ folder, megabytes: 256 })).connect();
});
afterAll(async () => {
  duck.closeSync();
  await rm(folder, { recursive: true, force: true });
});

const written = async (text: string): Promise<string> => {
  const file = join(folder, 'lines.jsonl');
  await writeFile(file, text);
  return file;
};

const fields = (kinds: readonly Placed[] | null): Field[] | null => kinds && fieldsOf(inOrder(kinds));

const both = async (text: string, path: readonly [string, ...string[]]): Promise<{ walked: Placed[] | null; asked: Placed[] | null }> => {
  const file = await written(text);
  return { walked: await kindsIn(file, path, 64), asked: await kindsByDuck(duck, { file, path, lineBytes: 16 << 20 }) };
};

const number = fc.oneof(
  fc.integer().map(String),
  fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.constantFrom('0', '-0', '-0.0', '1E5', '1e+2', '-1.5e-7', '18446744073709551615', '18446744073709551616', '-9223372036854775809'),
);
const words = fc.oneof(fc.constantFrom('', '}', '"', '\\', '\\"', ',"a":1', '\u0000', 'é🙂'), fc.string({ maxLength: 40 }));
const value = fc.oneof(
  number,
  number,
  words.map((text) => JSON.stringify(text)),
  fc.constantFrom('true', 'false', 'null', '[]', '{}', '[1,"]",{"a":"}"}]', '{"a":[{"b":"\\""}]}'),
);
const blank = fc.constantFrom('', '', '', ' ', ' \t ');
const object = (keys: fc.Arbitrary<string>, values: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(fc.uniqueArray(fc.tuple(keys, values), { selector: ([key]) => key, maxLength: 5 }), blank, blank)
    .map(([pairs, a, b]) => `{${a}${pairs.map(([key, one]) => `${JSON.stringify(key)}${a}:${b}${one}${b}`).join(`,${a}`)}}`);
const keys = fc.constantFrom('a', 'b', 'c', 'long key', 'é', 'A', '', 'inputs', 'body');

test('a walk finds what DuckDB finds: the same fields, of the same types, in the same order', async () => {
  const other = fc.constantFrom('x', 'Body_', 'url');
  const line = fc
    .tuple(object(keys, value), object(other, value), object(other, value), blank, fc.constantFrom('\n', '\r\n', '\n\n'))
    .map(([inputs, before, after, gap, end]) => {
      const parts = [before.slice(1, -1), `"body"${gap}:{${gap}"inputs":${gap}${inputs}${gap}}${gap}`].filter((part) => part.trim() !== '');
      return `${gap}{${parts.join(',')}, "after":${after}}${end}`;
    });
  let sure = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 12 }), async (lines) => {
      const { walked, asked } = await both(lines.join(''), ['body', 'inputs']);
      if (walked === null) return;
      sure++;
      expect(fields(walked)).toEqual(fields(asked));
    }),
    { numRuns: 300 },
  );
  expect(sure).toBe(300);
});

test('a line longer than what is read at once, and a last one without an end', async () => {
  const long = 'x'.repeat(5_000);
  const { walked } = await both(`{"body":{"t":"${long}","n":1}}\n{"body":{"t":"","n":${'9'.repeat(30)}}}`, ['body']);
  expect(fields(walked)).toEqual([
    expect.objectContaining({ key: 't', type: 'text' }),
    expect.objectContaining({ key: 'n', type: 'integer', cast: 'DECIMAL(38,0)' }),
  ]);
});

test.each([
  ['a key twice', '{"body":{"a":1,"a":2}}'],
  ['the place twice', '{"body":{"a":1},"body":{"b":2}}'],
  ['the place in another case', '{"BODY":{"a":1},"body":{"b":2}}'],
  ['an escape in a key', '{"body":{"\\u0061":1}}'],
  ['an escape in a key beside the path', '{"\\u0062ody":{"a":1}}'],
  ['a list', '{"body":[1]}'],
  ['a text', '{"body":"a"}'],
  ['what is no JSON but read as a number', '{"body":{"a":-Infinity}}'],
  ['what is no JSON at all', '{"body":{"a":nan}}'],
  ['a line that is cut off', '{"body":{"a":1,"b":"'],
  ['a line that is no object', '[1]'],
])('%s is left to DuckDB', async (_, line) => {
  expect(await kindsIn(await written(`{"body":{"a":1}}\n${line}\n`), ['body'])).toBe(null);
});

test('nothing at the place is no object without keys', async () => {
  const file = await written('{"body":null}\n{}\n\n{"body":{"inputs":null}}\n{"body":{"inputs":{}}}\n');
  expect(await kindsIn(file, ['body', 'inputs'])).toEqual([]);
});

test('a name with an underscore is found like any other', async () => {
  const file = await written('{"model_answer":{"a":1}}\n');
  expect(await kindsIn(file, ['model_answer'])).toEqual([expect.objectContaining({ key: 'a', type: 'BIGINT' })]);
});
