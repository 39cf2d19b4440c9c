import { createReadStream, readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { csvRows, delimiterOf } from './csv.ts';
import { compressionOf, formatOf, guessColumns } from './recognise.ts';
import { columnNames, valueOf, type Row } from './rows.ts';
import { sdfRows } from './sdf.ts';
import { smiRows } from './smi.ts';
import { textLines } from './text-lines.ts';
import { Bomb, unpack } from './unpack.ts';

const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => Array.fromAsync(items);
const pieces = async function* (text: string | Buffer, size = 7): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
};
const csv = (text: string, options = {}): Promise<Row[]> => all(csvRows(Readable.from(pieces(text)), text.split(/\r|\n/)[0]!, options));
const values = (rows: Row[]) => rows.map((row) => row.values);

test.each<[string, string, string | null]>([
  ['{"custom_id":"a","method":"POST","url":"/v1/predict","body":{}}\n', 'x', 'requests'],
  ['\uFEFF{"smiles":"CCO"}\n', 'x', 'jsonl'],
  [`{"custom_id":"a","body":{"text":"${'x'.repeat(200)}`, 'x', 'requests'],
  ['smiles,id\nCCO,1\n', 'x', 'csv'],
  ['id;smiles\n1;CCO\n', 'x', 'csv'],
  ['smiles\tname\nCCO\tethanol\n', 'x', 'tsv'],
  ['CCO ethanol\nCCN\n', 'x', 'smi'],
  ['[Na+].[Cl-]\tsalt\n', 'x', 'smi'],
  ['c1ccccc1\n', 'x.txt', 'smi'],
  ['CCO,1\nCCN,2\n', 'mols.csv', 'csv'],
  ['\n  RDKit          2D\n\n  3  2  0  0  0  0  0  0  0  0999 V2000\n', 'x', 'sdf'],
  ['PAR1\x15\x04', 'x', 'parquet'],
  ['', 'x', null],
  ['\x00\x01\x02', 'x', null],
])('%j is told by its content', (text, name, format) => {
  expect(formatOf(Buffer.from(text), name)).toBe(format);
});

test('packed files are told by their first bytes', () => {
  expect(compressionOf(gzipSync('x'))).toBe('gzip');
  expect(compressionOf(zstdCompressSync('x'))).toBe('zstd');
  expect(compressionOf(Buffer.from('smiles'))).toBe(null);
});

test('columns are guessed where their names say enough', () => {
  expect(guessColumns(['Compound_ID', 'SMILES', 'logS'])).toEqual({ smiles: 'SMILES', id: 'Compound_ID' });
  expect(guessColumns(['a', 'b'])).toEqual({});
});

test('values keep what they are', () => {
  expect(['7', '-0.5', '1e5', '007', '+1', '1.', '', ' 1', 'NaN', '12345678901234567890', '1e999', 'CCO'].map(valueOf)).toEqual([
    7,
    -0.5,
    100_000,
    '007',
    '+1',
    '1.',
    null,
    ' 1',
    'NaN',
    '12345678901234567890',
    '1e999',
    'CCO',
  ]);
  expect(columnNames(['a', '', 'a', ' a_1 '])).toEqual(['a', 'column_2', 'a_1', 'a_1_1']);
});

test('quotes, line ends of all kinds, line breaks in quotes, unicode, no last line end', async () => {
  const rows = await csv('\uFEFFsmiles,name,x\r\nCCO,"a, ""b""\nc",1\nCCN,ü😀,\rCCC,,3');
  expect(values(rows)).toEqual([
    { smiles: 'CCO', name: 'a, "b"\nc', x: '1' },
    { smiles: 'CCN', name: 'ü😀', x: null },
    { smiles: 'CCC', name: null, x: '3' },
  ]);
  expect(delimiterOf('a;b;"c,d,e,f"')).toBe(';');
  expect(values(await csv('1\tCCO\n2\tCCN', { header: false }))).toEqual([
    { column_1: '1', column_2: 'CCO' },
    { column_1: '2', column_2: 'CCN' },
  ]);
});

test('a row of the wrong length is a row with a problem, and the others keep their places', async () => {
  const rows = await csv('a,b\n1,2\n3\n4,5,6\n7,8\n');
  expect(rows.map((row) => ('problem' in row ? row.problem : row.values))).toEqual([
    { a: '1', b: '2' },
    'Line 3 has 1 value, and the table 2 columns.',
    'Line 4 has 3 values, and the table 2 columns.',
    { a: '7', b: '8' },
  ]);
});

test('a quote that never closes is one row with a problem, which says behind which line it is', async () => {
  const rows = await csv('a,b\n"1\n",2\n\n"3,4\n5,6\n');
  expect(rows.map((row) => ('problem' in row ? row.problem : row.values))).toEqual([
    { a: '1\n', b: '2' },
    'A quote is never closed in the row that begins behind line 3: all that follows in the file was read as part of it.',
  ]);
});

test('what is written as CSV is read again, whatever is in it', async () => {
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const field = fc.string({ unit: fc.constantFrom('a', '1', ',', '"', '\n', '\r', ' ', 'é', '😀') });
  const table = fc.array(fc.tuple(field, field), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(table, fc.constantFrom('\n', '\r\n'), async (records, end) => {
      const text = ['x,y', ...records.map((record) => record.map(quoted).join())].join(end);
      const rows = await csv(text);
      expect(values(rows)).toEqual(records.map(([x, y]) => ({ x: x || null, y: y || null })));
    }),
    { numRuns: 200 },
  );
});

test('lines are the same wherever the text is cut', async () => {
  const piece = fc.constantFrom('a', 'é', '😀', '\n', '\r\n', '\r', '');
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), fc.integer({ min: 1, max: 5 }), async (parts, size) => {
      // A return that meets the newline of another is one end with it, as everywhere.
      const text = parts.join('');
      const wanted = text.split(/\r\n|\n|\r/);
      if (wanted.at(-1) === '') wanted.pop();
      expect(await all(textLines(pieces(text, size)))).toEqual(wanted);
    }),
    { numRuns: 300 },
  );
});

test('a list of SMILES', async () => {
  const rows = await all(smiRows(textLines(pieces('SMILES name\nCCO  ethanol 95 %\n\n  CCN\n[Na+].[Cl-]\tsalt\n'))));
  expect(values(rows)).toEqual([{ smiles: 'CCO', name: 'ethanol 95 %' }, { smiles: 'CCN' }, { smiles: '[Na+].[Cl-]', name: 'salt' }]);
});

const record = (name: string, fields: string, end = '$$$$\n') =>
  `${name}\n  test\n\n  1  0  0  0  0  0  0  0  0  0999 V2000\n    0.0000    0.0000    0.0000 C   0  0\nM  END\n${fields}${end}`;

test('records of an SD file, with fields of every habit; a broken one is a row with a problem', async () => {
  const text = [
    record('one', '>  <SOL>  (1) \n-1.5\n\n> <NOTE>\ntwo\nlines\n\n'),
    'broken\n\n\nno end\n$$$$\n',
    record('', '> <A>\n1\n> <B>\n2\n\n'),
    record('last', '', ''),
  ].join('');
  for (const given of [text, text.replaceAll('\n', '\r\n')]) {
    const rows = await all(sdfRows(textLines(pieces(given, 11))));
    expect(rows.map((row) => ('problem' in row ? row.problem : { ...row.values, molblock: undefined }))).toEqual([
      { name: 'one', SOL: '-1.5', NOTE: 'two\nlines', molblock: undefined },
      "The record has no 'M  END'.",
      { A: '1', B: '2', molblock: undefined },
      { name: 'last', molblock: undefined },
    ]);
  }
});

test('an SD file of one endless record is one row with a problem', async () => {
  const endless = async function* () {
    yield Buffer.from(record('x', '', ''));
    for (let i = 0; i < 100; i++) yield Buffer.alloc(100_000, 'C\n');
  };
  const rows = await all(sdfRows(textLines(endless())));
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({ problem: expect.stringContaining('longer than') });
});

test('packed files are unpacked, and bombs are not', async () => {
  const text = 'smiles\n'.repeat(1_000);
  for (const [kind, packed] of [
    ['gzip', gzipSync(text)],
    ['zstd', zstdCompressSync(text)],
  ] as const)
    expect(Buffer.concat(await all(unpack(Readable.from([packed]), kind))).toString()).toBe(text);
  const bomb = gzipSync(Buffer.alloc(100 << 20));
  await expect(all(unpack(Readable.from([bomb]), 'gzip'))).rejects.toBeInstanceOf(Bomb);
  await expect(all(unpack(Readable.from([gzipSync(text)]), 'gzip', { maxBytes: 100, maxRatio: 10 }))).rejects.toBeInstanceOf(Bomb);
  await expect(all(unpack(Readable.from([gzipSync(text).subarray(0, 40)]), 'gzip'))).rejects.toThrow('cannot be unpacked');
});

const example = (name: string) => fileURLToPath(new URL(`../../../examples/data/${name}`, import.meta.url));

test('real data: names that hold line breaks are one value', async () => {
  const file = example('b3db.csv');
  const head = readFileSync(file).subarray(0, 65_536);
  expect(formatOf(head, 'x')).toBe('csv');
  const rows = await all(csvRows(createReadStream(file), head.toString().split('\n')[0]!));
  expect(rows.every((row) => !('problem' in row))).toBe(true);
  expect(rows.filter(({ values: row }) => String(row['name']).includes('\n'))).toHaveLength(2);
});
