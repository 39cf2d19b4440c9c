import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openChemistry, type Chemistry } from '../chemistry/chemistry.ts';
import { silent } from '../lib/log.ts';
import { openMemory } from '../storage/memory.ts';
import { convert, type Converted } from './convert.ts';
import { BadTable, tableLimits, type RowFormat } from './facts.ts';
import type { AskedColumns } from './mapping.ts';

let chemistry: Chemistry;
let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'sluice-tables-'));
  chemistry = openChemistry({ log: silent, scratch });
});
afterAll(async () => {
  await chemistry[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true, force: true });
});

interface Result extends Omit<Converted, 'requests' | 'rows' | 'refusedRows'> {
  requests: { custom_id: string; body: { inputs: Record<string, unknown> } }[];
  rows: Record<string, unknown>[];
  problems: { line: number; message: string }[];
}

const converted = async (content: string | Buffer, format: RowFormat, columns?: AskedColumns): Promise<Result> => {
  const storage = openMemory();
  const { bytes } = await storage.put('t/in', [Buffer.from(content)]);
  const duck = await (await DuckDBInstance.create(':memory:')).connect();
  return convert(
    { storage, limits: tableLimits, chemistry },
    { key: 't/in', bytes, format, compression: null },
    { columns, url: '/v1/predict' },
    AbortSignal.timeout(60_000),
    async ({ requests, rows, refusedRows, ...rest }) => ({
      ...rest,
      requests: readFileSync(requests.path, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
      rows: (await duck.runAndReadAll(`select * from read_parquet('${rows.path}')`)).getRowObjectsJson() as Record<string, unknown>[],
      problems: await Array.fromAsync(refusedRows()),
    }),
  );
};

test('a CSV file: a request for each row, its other columns carried', async () => {
  const { look, mapping, requests, rows } = await converted('compound_id,SMILES,ic50\nA-1,CCO,1.5\nA-2,"c1ccccc1",\n', 'csv');
  expect(look).toMatchObject({
    rows: 2,
    columns: [{ name: 'compound_id', type: 'VARCHAR' }, { name: 'SMILES' }, { name: 'ic50', type: 'DOUBLE' }],
  });
  expect(mapping).toMatchObject({ id: 'compound_id', inputs: { smiles: 'SMILES' } });
  expect(requests).toEqual([
    { custom_id: 'A-1', method: 'POST', url: '/v1/predict', body: { inputs: { smiles: 'CCO' } } },
    { custom_id: 'A-2', method: 'POST', url: '/v1/predict', body: { inputs: { smiles: 'c1ccccc1' } } },
  ]);
  expect(rows).toMatchObject([
    { line: 1, custom_id: 'A-1', compound_id: 'A-1', SMILES: 'CCO', ic50: 1.5, problem: null },
    { line: 2, custom_id: 'A-2', ic50: null },
  ]);
});

test('molecules are checked: what is wrong is refused, what is there twice or is a salt is said', async () => {
  const { requests, rows, problems, refused, duplicates, flags } = await converted(
    'smiles\tname\nCCO\tethanol\nOCC\tethanol\nCC(\tbroken\n\tnothing\n[Na+].[Cl-]\tsalt\nC(C)(C)(C)(C)C\tvalence\n',
    'tsv',
  );
  expect(requests.map(({ custom_id }) => custom_id)).toEqual(['ethanol', 'ethanol#2', 'broken', 'nothing', 'salt', 'valence']);
  expect({ refused, duplicates, flags }).toMatchObject({ refused: 3, duplicates: 1, flags: { salt: 1 } });
  expect(problems).toEqual([
    { line: 3, code: 'invalid_input', message: expect.stringContaining('SMILES Parse Error') as string },
    { line: 4, code: 'invalid_input', message: 'The SMILES is empty.' },
    { line: 6, code: 'invalid_input', message: expect.stringContaining('valence') as string },
  ]);
  expect(rows).toMatchObject([
    { line: 1, smiles_canonical: 'CCO', inchikey: 'LFQSCWFLJHTTHZ-UHFFFAOYSA-N', duplicate_of: null, problem: null },
    { line: 2, smiles_canonical: 'CCO', duplicate_of: 1 },
    { line: 3, smiles_canonical: null, problem: expect.stringContaining('Parse Error') as string },
    { line: 4 },
    { line: 5, flags: expect.arrayContaining(['salt']) as string[] },
    { line: 6 },
  ]);
});

test('rows that cannot be read keep their places, and the others their lines', async () => {
  const { requests, problems, look } = await converted('id,a,b\nx,1,2\ny,3\nz,5,6,7\n"w,8,9\n', 'csv');
  expect(look.rows).toBe(4);
  expect(requests.map(({ custom_id }) => custom_id)).toEqual(['x', 'y', 'z', expect.any(String)]);
  expect(requests[0]!.body.inputs).toEqual({ a: 1, b: 2 });
  expect(problems).toMatchObject([
    { line: 2, code: 'invalid_row', message: 'Line 3 has 2 values, and the table 3 columns.' },
    { line: 3, code: 'invalid_row', message: 'Line 4 has 4 values, and the table 3 columns.' },
    { line: 4, code: 'invalid_row' },
  ]);
});

test('columns are what all of their values are; names are unique whatever their case', async () => {
  const header = 'Id,n,x,miss,zip,flag,big,mixed,n,N,line';
  const { look, requests, rows } = await converted(
    `${header}\n1,1,0.5,NaN,007,true,12345678901234567890,7,a,b,c\n1,2,1e-3,2.5,123,False,1,word,a,b,c\n`,
    'csv',
    { n: 'n', x: 'x', miss: 'miss', zip: 'zip', flag: 'flag', big: 'big', mixed: 'mixed', pair: ['n', 'x'] },
  );
  expect(Object.fromEntries(look.columns.map(({ name, type }) => [name, type]))).toEqual({
    Id: 'BIGINT',
    n: 'BIGINT',
    x: 'DOUBLE',
    miss: 'DOUBLE',
    zip: 'VARCHAR',
    flag: 'BOOLEAN',
    big: 'VARCHAR',
    mixed: 'VARCHAR',
    n_1: 'VARCHAR',
    N_2: 'VARCHAR',
    line: 'VARCHAR',
  });
  expect(requests[1]).toMatchObject({
    custom_id: '1#2',
    body: { inputs: { n: 2, x: 0.001, miss: 2.5, zip: '123', flag: false, big: '1', mixed: 'word', pair: [2, 0.001] } },
  });
  // An input that is missing is a problem of the row.
  expect(rows[0]).toMatchObject({ line: 1, line_1: 'c', problem: expect.stringContaining("'miss'") as string, miss: null });
});

test('JSON rows keep their types, what is nested and numbers of any length', async () => {
  const { requests, look } = await converted(
    '{"id":"a","v":[1,2.5],"n":9007199254740993,"s":"é\\n\\u0001😀","b":true}\n{"v":[],"extra":{"k":null},"id":"b","n":2,"s":"","b":false}\n\n[1]\n{broken\n',
    'jsonl',
  );
  expect(look.rows).toBe(4);
  expect(requests[0]).toMatchObject({ custom_id: 'a', body: { inputs: { v: [1, 2.5], s: 'é\n\u0001😀', b: true } } });
  expect(requests[1]!.body.inputs).toMatchObject({ v: [], extra: { k: null }, n: 2, s: '' });
});

test('SD files: the molecule is the input, data fields are columns, broken records are refused', async () => {
  const ethanol =
    'ethanol\n  test\n\n  3  2  0  0  0  0  0  0  0  0999 V2000\n    0.0000    0.0000    0.0000 C   0  0\n    1.5000    0.0000    0.0000 C   0  0\n    2.2500    1.3000    0.0000 O   0  0\n  1  2  1  0\n  2  3  1  0\nM  END\n';
  const { requests, rows, problems } = await converted(`${ethanol}>  <SOL>\n-0.3\n\n$$$$\nbroken\n\n\n$$$$\n${ethanol}$$$$\n`, 'sdf');
  expect(requests[0]).toMatchObject({ custom_id: 'ethanol', body: { inputs: { smiles: 'CCO' } } });
  expect(rows).toMatchObject([{ SOL: -0.3, smiles_canonical: 'CCO' }, { problem: expect.any(String) as string }, { duplicate_of: 1 }]);
  expect(problems).toMatchObject([{ line: 2, code: 'invalid_row', message: "The record has no 'M  END'." }]);
});

test('lists of SMILES, and protein sequences', async () => {
  const smi = await converted('CCO\tethanol\nc1ccccc1 benzene\n', 'smi');
  expect(smi.requests.map(({ custom_id, body }) => [custom_id, body.inputs['smiles']])).toEqual([
    ['ethanol', 'CCO'],
    ['benzene', 'c1ccccc1'],
  ]);
  const proteins = await converted('name,sequence\na,MKTAYIAKQRQISFVKSHFSRQ\nb,MKT\nc,MKTAYIAKQR1ISFVKSHFSRQ\n', 'csv');
  expect(proteins.problems).toMatchObject([
    { line: 2, message: 'The sequence has 3 residues; at least 10 are needed.' },
    { line: 3, message: expect.stringContaining("Residue 11 is '1'") as string },
  ]);
});

test('a name behind a SMILES is one in a list of them, and in a column of SMILES a mistake that says where names go', async () => {
  const list = await converted('CCI ethyl iodide\nCCO\n', 'smi');
  expect(list.requests.map(({ custom_id, body }) => [custom_id, body.inputs])).toEqual([
    ['ethyl iodide', { smiles: 'CCI' }],
    ['row-2', { smiles: 'CCO' }],
  ]);
  const { problems } = await converted('smiles,x\nCCI ethyl iodide,1\n CCO ,2\n', 'csv');
  expect(problems).toEqual([
    {
      line: 1,
      code: 'invalid_input',
      message: 'The SMILES holds white space; give the SMILES alone, and a name in a field or column of its own.',
    },
  ]);
});

test('a table without what is asked of it, or without rows, is refused with what it has', async () => {
  await expect(converted('a,b\n1,2\n', 'csv', { smiles: 'SMILES' })).rejects.toThrow("no column 'SMILES'; it has 'a', 'b'");
  await expect(converted('a,b\n', 'csv')).rejects.toThrow('no row');
  await expect(converted(Buffer.from('PAR1 this is none'), 'parquet')).rejects.toBeInstanceOf(BadTable);
});

test('a file of everything that happens to molecules: the right rows are refused, the others are their molecules', async () => {
  const expected = (name: string) => readFileSync(new URL(`../../test/expected/${name}`, import.meta.url));
  const { rows, requests } = await converted(expected('messy.csv'), 'csv');
  const wanted = parse<Record<string, string>>(expected('messy.expected.csv'), { columns: true });
  expect(requests.map(({ custom_id }) => custom_id)).toEqual(wanted.map((row) => row['id']));
  expect(
    rows.map(({ problem, smiles_canonical: smiles, inchikey }) => (problem === null ? [smiles ?? '', inchikey ?? ''] : 'refused')),
  ).toEqual(
    // RDKit reads a name behind a SMILES as its name; here it is a mistake (docs/chemistry.md).
    wanted.map((row) => (row['status'] === 'ok' && row['id'] !== 'ok-name' ? [row['canonical_smiles'], row['inchikey']] : 'refused')),
  );
});

const parquetOf = async (select: string): Promise<Buffer> => {
  const duck = await (await DuckDBInstance.create(':memory:')).connect();
  const path = join(scratch, 'made.parquet');
  await duck.run(`copy (${select}) to '${path}' (format parquet)`);
  return readFileSync(path);
};

// Several row groups and both threads of DuckDB: smaller tables keep their order whatever is done to them.
const many = 400_000;

test.each<[string, RowFormat, (i: number) => string, string[]]>([
  [
    'numbers',
    'csv',
    (i) => `${i},${i / 4},${i % 3 === 0 ? 'true' : 'False'},${i % 5 === 0 ? 'NA' : i}`,
    ['BIGINT', 'DOUBLE', 'BOOLEAN', 'BIGINT'],
  ],
  ['numbers until the last row', 'csv', (i) => `${i},${i === many - 1 ? 'x' : i / 4},${i},0.5`, ['BIGINT', 'VARCHAR', 'BIGINT', 'DOUBLE']],
  ['names that are there twice', 'csv', (i) => `n${i >> 1},${i},${i},${i}`, ['VARCHAR', 'BIGINT', 'BIGINT', 'BIGINT']],
])('row i is line i in a large table of %s', { timeout: 60_000 }, async (_, format, row, types) => {
  const lines = Array.from({ length: many }, (_row, i) => row(i));
  const { look, requests, rows } = await converted(`id,a,b,c\n${lines.join('\n')}\n`, format, { a: 'a', id: 'id' });
  expect(look.columns.map(({ type }) => type)).toEqual(types);
  expect(rows.findIndex(({ line }, i) => line !== i + 1)).toBe(-1);
  const wrong = requests.findIndex(({ custom_id, body }, i) => {
    const [id, a] = lines[i]!.split(',');
    return custom_id.replace(/#.*/, '') !== id || String(body.inputs['a']) !== a;
  });
  expect(wrong).toBe(-1);
});

test('what the first rows promise and a later one does not keep is found, whatever it is', async () => {
  const first = (value: string) => `${value}\n`.repeat(120_000);
  const typeOf = async (before: string, later: string): Promise<[string, unknown]> => {
    const { look, rows } = await converted(`k,v\n${first(`1,${before}`)}1,${later}\n`, 'csv', { k: 'k' });
    return [look.columns[1]!.type, rows.at(-1)!['v']];
  };
  expect(await typeOf('7', '7')).toEqual(['BIGINT', '7']);
  expect(await typeOf('7', '1.5')).toEqual(['DOUBLE', 1.5]);
  expect(await typeOf('7', '007')).toEqual(['VARCHAR', '007']);
  expect(await typeOf('7', '1234567890123456789')).toEqual(['VARCHAR', '1234567890123456789']);
  expect(await typeOf('1.5', '+1')).toEqual(['VARCHAR', '+1']);
  expect(await typeOf('1.5', '1e999')).toEqual(['VARCHAR', '1e999']);
  expect(await typeOf('1.5', 'nan')).toEqual(['DOUBLE', null]);
  expect(await typeOf('true', 'NaN')).toEqual(['VARCHAR', 'NaN']);
  expect(await typeOf('', '12')).toEqual(['BIGINT', '12']);
  expect(await typeOf('NA', 'None')).toEqual(['VARCHAR', 'None']);
}, 60_000);

test('numbers that JSON has not are problems of their rows, wherever they are; the same words in texts are none', async () => {
  const holding = (n: string) =>
    `${n}::double as plain, [1.5, ${n}]::float[] as list, {name: 'nan "inf" \\', deep: [{x: ${n}}]} as nested, map {'infinity': ${n}} as map, cast(to_json([${n}]) as json) as json`;
  const columns = ['plain', 'list', 'nested', 'map', 'json'];
  const bad = ["'nan'::double", "'inf'::double", "'-inf'::double"];
  const table = await parquetOf(['2.5::double', ...bad].map((n) => `select ${holding(n)}`).join(' union all '));
  for (const column of columns) {
    const { requests, problems } = await converted(table, 'parquet', { x: column });
    expect(problems).toEqual(
      [2, 3, 4].map((line) => ({
        line,
        code: 'invalid_row',
        message: `The column '${column}' holds NaN or an infinity, which JSON has not: put a number in its place, or leave the row out.`,
      })),
    );
    expect(requests.map(({ body }) => body.inputs['x'] === null)).toEqual([false, true, true, true]);
  }
  const { requests } = await converted(table, 'parquet', { x: 'nested', y: 'map' });
  expect(requests[0]!.body.inputs).toEqual({ x: { name: 'nan "inf" \\', deep: [{ x: 2.5 }] }, y: { infinity: 2.5 } });
});

test('the names of rows are texts of JSON, whatever they hold and whichever type they have', async () => {
  const named = async (id: string) => {
    const { requests } = await converted(await parquetOf(`select ${id} as id, i as x from range(3) t(i)`), 'parquet');
    return requests.map(({ custom_id }) => custom_id);
  };
  expect(await named('i * 9007199254740993')).toEqual(['0', '9007199254740993', '18014398509481986']);
  expect(await named('case when i <> 1 then i end')).toEqual(['0', 'row-2', '2']);
  expect(await named('(i // 2)::utinyint')).toEqual(['0', '0#2', '1']);
  expect(await named("{a: i, b: '\"'}")).toEqual([0, 1, 2].map((i) => `{'a': ${i}, 'b': '"'}`));
  expect(await named("'é\"\\' || i || chr(10)")).toEqual(['é"\\0\n', 'é"\\1\n', 'é"\\2\n']);
});
