import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import initRDKit from '@rdkit/rdkit';
import type { ResultColumn, ResultsSummary } from '@sluice/contract';
import { toFile } from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { sweepTables } from '../../src/results/chore.ts';
import { echo } from '../../src/models/models.ts';
import { untilEvent } from '../support/follow.ts';
import { chatLine, createBatch, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

let sluice: Sluice;
let folder: string;
beforeAll(async () => {
  const keys = [
    { key: 'test-key', tenant: 'default', user: 'admin', role: 'admin' as const },
    { key: 'other-key', tenant: 'other', user: 'eve', role: 'admin' as const },
  ];
  sluice = await startSluice({ models: [echo, { ...echo, name: 'echo-b' }], keys });
  folder = await mkdtemp(join(tmpdir(), 'sluice-results-'));
});
afterAll(async () => {
  await sluice[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

type Row = Record<string, unknown>;

const call = (
  path: string,
  {
    key = 'test-key',
    method = 'GET',
    headers = {},
    body,
  }: { key?: string; method?: string; headers?: Record<string, string>; body?: unknown } = {},
) =>
  fetch(`${sluice.url}/v1/batches/${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });

const bytes = async (path: string): Promise<Buffer> => {
  const reply = await call(path);
  const body = Buffer.from(await reply.arrayBuffer());
  if (reply.status !== 200) throw new Error(`${reply.status}: ${body.toString()}`);
  return body;
};

const text = async (path: string): Promise<string> => (await bytes(path)).toString();

const rows = async (path: string): Promise<Row[]> =>
  (await text(path))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Row);

const json = async <T = Record<string, unknown>>(path: string): Promise<T> => JSON.parse(await text(path)) as T;

const query = async (
  id: string,
  statement: string,
  limit?: number,
): Promise<{ status: number; body: Row & { error?: { code: string; message: string } } }> => {
  const reply = await call(`${id}/results/query`, { method: 'POST', body: { sql: statement, ...(limit && { limit }) } });
  return { status: reply.status, body: (await reply.json()) as Row };
};

/** As DuckDB reads a file of these bytes. */
const readBack = async (content: Buffer, name: string, statement: (file: string) => string): Promise<Row[]> => {
  const file = join(folder, name);
  await writeFile(file, content);
  const duck = await (await DuckDBInstance.create(':memory:')).connect();
  return (await duck.runAndReadAll(statement(`'${file}'`))).getRowObjectsJson();
};

/** A line of which the outputs are the inputs; the text of the inputs as it is. */
const line = (id: string, inputs: unknown, more: object = {}) =>
  `{"custom_id":${JSON.stringify(id)},"method":"POST","url":"/v1/predict","body":{"model":"echo",${JSON.stringify(more).slice(1, -1)}${Object.keys(more).length ? ',' : ''}"inputs":${typeof inputs === 'string' ? inputs : JSON.stringify(inputs)}}}\n`;

const run = async (lines: string, options = {}): Promise<string> => {
  const batch = await createBatch(sluice.client, Buffer.from(lines), { endpoint: '/v1/predict', ...options });
  await untilEnded(sluice.client, batch.id);
  return batch.id;
};

test('row i out is row i in, whatever became of it', async () => {
  const id = await run(
    line('a', { x: 1, name: 'é "quoted", with\nlines' }) +
      line('b', { x: 2 }, { sluice_echo: { status: 422 } }) +
      line('c', { x: 1, name: null }) +
      line('d', { x: 3, y: [1, { z: true }] }) +
      line('e', { x: 1 }),
  );
  expect(await rows(`${id}/results`)).toEqual([
    expect.objectContaining({
      line: 1,
      custom_id: 'a',
      status: 'completed',
      x: 1,
      name: 'é "quoted", with\nlines',
      'output.x': 1,
      error_code: null,
    }),
    expect.objectContaining({
      line: 2,
      custom_id: 'b',
      status: 'failed',
      x: 2,
      'output.x': null,
      error_code: expect.any(String),
      error_message: expect.any(String),
    }),
    expect.objectContaining({ line: 3, custom_id: 'c', status: 'completed', x: 1, name: null }),
    expect.objectContaining({ line: 4, custom_id: 'd', status: 'completed', y: [1, { z: true }], 'output.y': [1, { z: true }] }),
    expect.objectContaining({ line: 5, custom_id: 'e', status: 'completed', x: 1, 'output.x': 1 }),
  ]);
});

test('requests that were cancelled have their rows', async () => {
  const batch = await createBatch(
    sluice.client,
    Buffer.from(
      line('1', { x: 1 }) + Array.from({ length: 40 }, (_, i) => line(`w${i}`, { x: i }, { sluice_echo: { delay_ms: 60_000 } })).join(''),
    ),
    { endpoint: '/v1/predict' },
  );
  await untilEvent(sluice.client, batch.id, 'batch.in_progress');
  await call(`${batch.id}/cancel?mode=abort`, { method: 'POST', body: {} });
  await untilEnded(sluice.client, batch.id);
  const all = await rows(`${batch.id}/results`);
  expect(all.map((row) => row['line'])).toEqual(Array.from({ length: 41 }, (_, i) => i + 1));
  expect(all.slice(1).every((row) => row['status'] === 'cancelled' && row['error_code'] === 'batch_cancelled')).toBe(true);
});

test('values come back as they went in, in every format', async () => {
  const id = await run(
    line('=1+1', '{"big":123456789012345678901234567890,"n":0.1,"flag":true,"text":"=cmd|x","mixed":1,"Upper":"a","o":{"k":[1.50]}}') +
      line('ü🧪', '{"big":-1,"n":-2,"flag":false,"text":"plain, \\"quoted\\"","mixed":"x","upper":"b"}') +
      line('3', '{"big":null,"n":null}'),
  );
  const jsonl = await text(`${id}/results?columns=custom_id,big,n,flag,text,mixed,Upper,input.upper,o`);
  const lines = jsonl.trimEnd().split('\n');
  expect(lines[0]).toBe(
    '{"custom_id":"=1+1","big":123456789012345678901234567890,"n":0.1,"flag":true,"text":"=cmd|x","mixed":1,"Upper":"a","input.upper":null,"o":{"k":[1.5]}}',
  );
  expect(JSON.parse(lines[1]!)).toEqual({
    custom_id: 'ü🧪',
    big: -1,
    n: -2,
    flag: false,
    text: 'plain, "quoted"',
    mixed: 'x',
    Upper: null,
    'input.upper': 'b',
    o: null,
  });

  // Formulas are texts in a spreadsheet; numbers stay numbers.
  const csv = await bytes(`${id}/results?format=csv&columns=custom_id,big,n,text`);
  expect(await readBack(csv, 'a.csv', (file) => `select * from read_csv(${file}, header = true, all_varchar = true)`)).toEqual([
    { custom_id: "'=1+1", big: '123456789012345678901234567890', n: '0.1', text: "'=cmd|x" },
    { custom_id: 'ü🧪', big: '-1', n: '-2.0', text: 'plain, "quoted"' },
    { custom_id: '3', big: null, n: null, text: null },
  ]);
  const kept = await text(`${id}/results?format=tsv&columns=custom_id,text&formulas=keep`);
  expect(kept.split('\n').slice(0, 2)).toEqual(['custom_id\ttext', '=1+1\t=cmd|x']);
  const parquet = await readBack(
    await bytes(`${id}/results?format=parquet`),
    'a.parquet',
    (file) => `select custom_id, big, n, flag, o from ${file}`,
  );
  expect(parquet.map((row) => row['big'])).toEqual(['123456789012345678901234567890', '-1', null]);
  const chosen = await readBack(
    await bytes(`${id}/results?format=parquet&columns=n,line&where=flag=false`),
    'b.parquet',
    (file) => `select * from ${file}`,
  );
  expect(chosen).toEqual([{ n: -2, line: 2 }]);
});

test('the stored Parquet is sent in ranges, by its digest', async () => {
  const id = await run(line('1', { x: 1 }) + line('2', { x: 2 }));
  const whole = await call(`${id}/results?format=parquet`);
  const all = Buffer.from(await whole.arrayBuffer());
  expect(whole.headers.get('etag')).toBe(`"${createHash('sha256').update(all).digest('hex')}"`);
  expect(whole.headers.get('content-disposition')).toContain(`${id}_results.parquet`);
  const part = await call(`${id}/results?format=parquet`, { headers: { range: 'bytes=4-9' } });
  expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 4-9/${all.length}`]);
  expect(Buffer.from(await part.arrayBuffer())).toEqual(all.subarray(4, 10));
  // Others have an ETag too.
  const csv = await call(`${id}/results?format=csv`);
  await csv.text();
  expect((await call(`${id}/results?format=csv`, { headers: { 'if-none-match': csv.headers.get('etag')! } })).status).toBe(304);
});

const molecules = ['c1ccccc1CC(=O)O', 'CCO', 'c1ccncc1', 'not a molecule', 'c1ccccc1N', 'O=C1CCCCC1C'];

test('an SDF has a record for each row, which RDKit reads', async () => {
  const id = await run(molecules.map((smiles, i) => line(`m-${i}`, { smiles, logS: i / 2 })).join(''));
  const sdf = await text(`${id}/results?format=sdf&columns=custom_id,smiles,logS`);
  const records = sdf.split('$$$$\n').slice(0, -1);
  expect(records).toHaveLength(molecules.length);
  const rdkit = await initRDKit.default();
  const canonical = (from: string): string | null => {
    const molecule = rdkit.get_mol(from);
    try {
      return molecule?.get_smiles() ?? null;
    } finally {
      molecule?.delete();
    }
  };
  for (const [i, record] of records.entries()) {
    expect(record.split('\n')[0]).toBe(`m-${i}`);
    expect(record).toContain(`>  <logS>\n${i / 2}`);
    if (molecules[i] === 'not a molecule') expect(record).toContain('  0  0  0');
    else expect(canonical(record.slice(0, record.indexOf('M  END') + 7))).toBe(canonical(molecules[i]!));
  }
  // What is drawn need not be among the properties.
  const bare = (await text(`${id}/results?format=sdf&columns=custom_id,logS`)).split('$$$$\n').slice(0, -1);
  expect(bare).toEqual(records.map((record) => record.replace(/>  <smiles>\n.*\n\n/, '')));
});

test('the record of an SD file is a property of an SDF only where it is asked for', async () => {
  const id = await run(line('m', { smiles: 'CCO', molblock: 'ethanol\n\nM  END' }));
  expect(await text(`${id}/results?format=sdf`)).not.toContain('<molblock>');
  expect(await text(`${id}/results?format=sdf&columns=custom_id,molblock`)).toContain('>  <molblock>\nethanol M  END\n');
});

test('pages: sorted, filtered, counted', async () => {
  const id = await run(
    Array.from({ length: 30 }, (_, i) =>
      line(`r${i}`, { x: (i * 7) % 30, g: i % 2 ? 'odd' : 'Even', big: `9007199254740${100 + i}` }),
    ).join('') + line('none', {}),
  );
  const page = await json<{ columns: Row[]; data: Row[]; total: number; has_more: boolean }>(
    `${id}/results/page?sort=-x&limit=3&columns=line,x`,
  );
  expect(page).toMatchObject({
    total: 31,
    has_more: true,
    columns: [
      { name: 'line', role: 'line' },
      { name: 'x', type: 'integer', role: 'input' },
    ],
  });
  expect(page.data).toEqual([29, 28, 27].map((x) => ({ line: Array.from({ length: 30 }, (_, i) => (i * 7) % 30).indexOf(x) + 1, x })));
  const where = async (filter: string): Promise<number> =>
    (await json<{ total: number }>(`${id}/results/page?limit=1&where=${encodeURIComponent(filter)}`)).total;
  expect(await where('x>=10,x<20')).toBe(10);
  expect(await where('g~even')).toBe(15);
  expect(await where('g=odd|Even')).toBe(30);
  expect(await where('x=null')).toBe(1);
  expect(await where('x!=null,"g"="odd",status=completed')).toBe(15);
  expect(await where('g!=odd')).toBe(16);
  const last = await json<{ data: Row[]; has_more: boolean }>(`${id}/results/page?sort=x&offset=30&columns=custom_id`);
  expect([last.data, last.has_more]).toEqual([[{ custom_id: 'none' }], false]);
  const wrong = async (path: string): Promise<string> => {
    const reply = await call(`${id}/results/${path}`);
    expect(reply.status).toBe(400);
    return ((await reply.json()) as { error: { message: string } }).error.message;
  };
  expect(await wrong(`page?sort=logS`)).toContain("no column 'logS'");
  expect(await wrong(`page?where=${encodeURIComponent('x>abc')}`)).toContain('no number');
  expect(await wrong(`page?where=${encodeURIComponent(`x="1') or 1=1 --"`)}`)).toContain('no number');
  expect(await wrong(`page?where=x`)).toContain('is missing');
});

test('a summary: figures, quantiles, bars, ends and causes', async () => {
  const values = Array.from({ length: 101 }, (_, i) => i);
  const id = await run(values.map((x) => line(`r${x}`, { x })).join('') + line('bad', { x: 5 }, { sluice_echo: { status: 422 } }));
  const summary = await json<{ rows: number; counts: Row; properties: Row[]; failures: Row[] }>(`${id}/results/summary`);
  expect(summary).toMatchObject({ rows: 102, counts: { completed: 101, failed: 1, cancelled: 0, expired: 0 } });
  expect(summary.properties).toHaveLength(1);
  expect(summary.properties[0]).toMatchObject({
    name: 'output.x',
    count: 101,
    missing: 1,
    mean: 50,
    min: 0,
    max: 100,
    quantiles: { p5: 5, p25: 25, p50: 50, p75: 75, p95: 95 },
    quantiles_of: 102,
  });
  expect(summary.properties[0]!['sd'] as number).toBeCloseTo(29.3, 1);
  const { edges, counts } = summary.properties[0]!['histogram'] as { edges: number[]; counts: number[] };
  expect([edges.length, edges[0], edges.at(-1), counts.reduce((a, b) => a + b, 0)]).toEqual([31, 0, 100, 101]);
  expect(summary.properties[0]!['highest']).toEqual([100, 99, 98, 97, 96].map((x) => ({ line: x + 1, custom_id: `r${x}`, value: x })));
  expect(summary.failures).toEqual([
    expect.objectContaining({ status: 'failed', count: 1, example: expect.objectContaining({ line: 102 }) }),
  ]);
  const few = await json<{ rows: number; properties: Row[] }>(`${id}/results/summary?properties=x&where=${encodeURIComponent('x<0')}`);
  expect(few).toMatchObject({ rows: 0, properties: [{ name: 'x', count: 0, mean: null, histogram: { edges: [], counts: [] } }] });
});

test('the best rows: by a property, by an objective, one of each scaffold', async () => {
  const inputs = [
    { smiles: 'c1ccccc1CC', a: 1, b: 100 },
    { smiles: 'c1ccccc1CO', a: 2, b: 0 },
    { smiles: 'C1CCCCC1O', a: 3, b: 300 },
    { smiles: 'CCO', a: 0, b: 200 },
  ];
  const id = await run(inputs.map((each, i) => line(`${i}`, each)).join(''));
  const top = async (asked: string): Promise<unknown[]> =>
    (await json<{ data: { row: Row }[] }>(`${id}/results/top?columns=custom_id&${asked}`)).data.map(({ row }) => row['custom_id']);
  expect(await top('property=a&n=2')).toEqual(['2', '1']);
  expect(await top('property=a&order=asc')).toEqual(['3', '0', '1', '2']);
  // By hand: a has mean 1.5, sd 1.291; b has mean 150, sd 129.1: 1.67, 0.04, -0.12, -1.59.
  expect(await top('objective=a:1,b:-1.1')).toEqual(['1', '0', '2', '3']);
  expect(await top('property=a&diverse=scaffold')).toEqual(['2', '1', '3']);
  const reply = await call(`${id}/results/top?objective=a`);
  expect([reply.status, ((await reply.json()) as { error: Row }).error['param']]).toEqual([400, 'objective']);
  const points = await json(`${id}/results/scatter?x=a&y=b&colour=smiles`);
  expect(points).toMatchObject({
    total: 4,
    sampled: false,
    line: [1, 2, 3, 4],
    x: [1, 2, 3, 0],
    y: [100, 0, 300, 200],
    colour: inputs.map(({ smiles }) => smiles),
  });
  const some = await json<{ line: number[] }>(`${id}/results/scatter?x=a&y=b&points=2`);
  expect(some.line.length).toBeLessThanOrEqual(2);
  expect(await json(`${id}/results/scatter?x=a&y=b&points=2`)).toEqual(some);
});

test('SQL over the table, and nothing else', async () => {
  const id = await run(Array.from({ length: 20 }, (_, i) => line(`${i}`, `{"x":${i},"big":1152921504606846976}`)).join(''));
  expect(await query(id, 'select count(*) as n, max(x) as most, list(x order by x)[1:2] as few from results where x > 10;')).toEqual({
    status: 200,
    body: {
      object: 'batch.results.query',
      columns: [
        { name: 'n', type: 'BIGINT' },
        { name: 'most', type: 'BIGINT' },
        { name: 'few', type: 'BIGINT[]' },
      ],
      rows: [[9, 19, [11, 12]]],
      truncated: false,
    },
  });
  expect((await query(id, 'select x from results order by x', 3)).body).toMatchObject({ rows: [[0], [1], [2]], truncated: true });
  expect((await query(id, 'with t as (select x from results) select any_value(big) from results join t using (x)')).body['rows']).toEqual([
    ['1152921504606846976'],
  ]);
  const escapes = [
    "select * from read_csv('/etc/passwd')",
    "select * from read_text('/proc/self/environ')",
    "select * from glob('/*')",
    "select * from '/etc/passwd'",
    "attach '/tmp/x.db' as x",
    "copy results to '/tmp/x.csv'",
    "copy (select 1) to '/dev/stdout'",
    'install httpfs',
    'load httpfs',
    "select * from read_parquet('https://example.com/x.parquet')",
    "select * from read_parquet('s3://bucket/x.parquet')",
    "set memory_limit = '100GB'",
    'set enable_external_access = true',
    "pragma memory_limit = '100GB'",
    'drop view results',
    'create table t as select 1',
    "export database '/tmp/x'",
    'call pragma_database_size()',
    'select 1; select 2',
    "select getenv('PATH')",
    "select * from sqlite_scan('/tmp/x', 'y')",
    'select $1',
    'this is no sql',
    '',
  ];
  // As many at once as there may be.
  for (let at = 0; at < escapes.length; at += 4)
    await Promise.all(
      escapes.slice(at, at + 4).map(async (escape) => {
        const { status, body } = await query(id, escape);
        expect([escape, status]).toEqual([escape, 400]);
        expect(body.error!.message.length).toBeGreaterThan(5);
        expect(body.error!.message).not.toContain('/sluice-test-');
      }),
    );
  // What it may not take: memory, here by a sort that does not fit.
  const large = await query(
    id,
    'select range as r, repeat(cast(range as varchar), 50) as t from range(30000000) order by t limit 10 offset 20000000',
  );
  expect([large.status, large.body.error!.code]).toEqual([400, 'query_failed']);
  // And it is there for the next.
  expect((await query(id, 'select 1')).status).toBe(200);
}, 60_000);

test('a query that does not end is ended', async () => {
  const id = await run(line('1', { x: 1 }));
  const { status, body } = await query(id, 'with recursive t(n) as (select 1 union all select n + 1 from t) select count(*) from t');
  expect([status, body.error!.code]).toEqual([400, 'query_failed']);
  expect(body.error!.message).toMatch(/longer than|memory/i);
}, 60_000);

test('several models: one row a line, a group of columns a model', async () => {
  const plain = (id: string, inputs: object, more = {}) => ({
    custom_id: id,
    method: 'POST',
    url: '/v1/predict',
    body: { ...more, inputs },
  });
  const batch = await createBatch(
    sluice.client,
    [plain('a', { x: 1 }), plain('b', { x: 2 }, { sluice_echo: { status: 422 } }), plain('c', { x: 1 })],
    { endpoint: '/v1/predict', models: ['echo', 'echo-b'] },
  );
  await untilEnded(sluice.client, batch.id);
  const all = await rows(`${batch.id}/results`);
  expect(Object.keys(all[0]!)).toEqual([
    'line',
    'custom_id',
    'x',
    'status',
    'echo.status',
    'echo.x',
    'echo-b.status',
    'echo-b.x',
    'error_code',
    'error_message',
  ]);
  expect(all.map((row) => [row['line'], row['custom_id'], row['status'], row['echo.x'], row['echo-b.x']])).toEqual([
    [1, 'a', 'completed', 1, 1],
    [2, 'b', 'failed', null, null],
    [3, 'c', 'completed', 1, 1],
  ]);
  // Both of them say it.
  expect(all[1]!['error_message']).toBe('Status 422, as sluice_echo asked.');
  expect((await json<{ properties: Row[] }>(`${batch.id}/results/summary`)).properties.map(({ name }) => name)).toEqual([
    'echo.x',
    'echo-b.x',
  ]);
});

test('a table that was sent: its columns are carried, rows that were refused have their row', async () => {
  const file = await sluice.client.files.create({
    file: new File(['id,SMILES,batch no\nm1,CCO,7\nm2,C(C)(C)(C)(C)C,8\nm3,OCC,9\n'], 'molecules.csv'),
    purpose: 'batch',
  });
  const made = await fetch(`${sluice.url}/v1/batches`, {
    method: 'POST',
    headers: { authorization: 'Bearer test-key', 'content-type': 'application/json' },
    body: JSON.stringify({ input_file_id: file.id, model: 'echo', completion_window: '24h' }),
  });
  const { id } = (await made.json()) as { id: string };
  await untilEnded(sluice.client, id);
  const all = await rows(`${id}/results`);
  expect(all.map((row) => [row['line'], row['custom_id'], row['SMILES'], row['batch no'], row['status']])).toEqual([
    [1, 'm1', 'CCO', 7, 'completed'],
    [2, 'm2', 'C(C)(C)(C)(C)C', 8, 'failed'],
    [3, 'm3', 'OCC', 9, 'completed'],
  ]);
  expect(all.map((row) => [row['duplicate_of'], row['smiles_canonical']])).toEqual([
    [null, 'CCO'],
    [null, null],
    [1, 'CCO'],
  ]);
});

test('what is killed in the middle is made again; what a killed process was asked is asked of the next', async () => {
  const { db } = sluice;
  const id = await run(line('1', { x: 1 }) + line('2', { x: 2 }));
  await text(`${id}/results`);
  const first = await json(`${id}/results/page`);
  // The process that answers is gone, and the next question starts another.
  const pid = await sluice.results.pid();
  process.kill(pid!, 'SIGKILL');
  expect(await json(`${id}/results/page`)).toEqual(first);
  expect(await sluice.results.pid()).not.toBe(pid);

  // One that made a table is killed as it begins: it is made again, and is the same.
  const made = Promise.withResolvers<void>();
  const killed = new Set<string>();
  sluice.scheduler.on('table', ({ result }) => {
    if (result === 'again') killed.add(result);
    else if (killed.size > 0) made.resolve();
  });
  sluice.scheduler.once('building', (building) => void process.kill(building, 'SIGKILL'));
  await db.run(sql`
    update result_tables set state = 'queued', storage_key = null, tries = 0, not_before = now()
    where batch_no = (select no from batches where id = ${id})`);
  await db.run(sql`select pg_notify('sluice_batches', '')`);
  await made.promise;
  expect([...killed]).toEqual(['again']);
  expect((await json<{ data: Row[] }>(`${id}/results/page`)).data).toEqual((first as { data: Row[] }).data);
}, 60_000);

test('with the files of a batch goes its table', async () => {
  const { db, storage } = sluice;
  const id = await run(line('1', { x: 1 }));
  await text(`${id}/results`);
  const { output_file_id: output } = await sluice.client.batches.retrieve(id);
  await sluice.client.files.delete(output!);
  expect(await sweepTables(db, storage)).toBe(1);
  const reply = await call(`${id}/results`);
  expect([reply.status, ((await reply.json()) as { error: Row }).error['message']]).toEqual([404, expect.stringContaining('were deleted')]);
  expect(await json(`${id}/results/table`)).toMatchObject({ state: 'expired', bytes: expect.anything() });
});

test('a batch on another endpoint has its table when somebody asks', async () => {
  const batch = await createBatch(sluice.client, [chatLine('a'), chatLine('b', { echo: { status: 422 } })]);
  await untilEnded(sluice.client, batch.id);
  expect(await json(`${batch.id}/results/table`)).toMatchObject({ state: 'none', columns: [] });
  const all = await rows(`${batch.id}/results?columns=line,custom_id,status,messages,choices,object`);
  expect(all).toEqual([
    expect.objectContaining({
      line: 1,
      custom_id: 'a',
      status: 'completed',
      messages: [{ role: 'user', content: 'say a' }],
      object: 'chat.completion',
    }),
    expect.objectContaining({ line: 2, custom_id: 'b', status: 'failed', choices: null }),
  ]);
  expect((all[0]!['choices'] as { message: Row }[])[0]!.message['content']).toBe('say a');
});

test('others see nothing of it; deleted with its batch, gone with its files', async () => {
  const id = await run(line('1', { x: 1 }));
  await text(`${id}/results`);
  for (const path of ['results', 'results/page', 'results/summary', 'results/table', 'results/top?property=x', 'results/scatter?x=x&y=x'])
    expect([path, (await call(`${id}/${path}`, { key: 'other-key' })).status]).toEqual([path, 404]);
  expect((await call(`${id}/results/query`, { key: 'other-key', method: 'POST', body: { sql: 'select 1' } })).status).toBe(404);
  const { key } = await sluice.db.one<{ key: string }>(
    sql`select storage_key as key from result_tables r join batches b on b.no = r.batch_no where b.id = ${id}`,
  );
  expect(await sluice.storage.size(key)).not.toBe(null);
  await call(id, { method: 'DELETE' });
  expect((await call(`${id}/results`)).status).toBe(404);
  expect(await sluice.storage.size(key)).toBe(null);
});

test('a batch that runs, or was refused, has no table yet, and says so', async () => {
  const refused = await createBatch(sluice.client, Buffer.from('{}\n'), { endpoint: '/v1/predict' });
  await untilEnded(sluice.client, refused.id);
  const reply = await call(`${refused.id}/results`);
  expect([reply.status, ((await reply.json()) as { error: Row }).error['message']]).toEqual([
    409,
    expect.stringContaining('has no results'),
  ]);
  const slow = await createBatch(sluice.client, Buffer.from(line('1', { x: 1 }, { sluice_echo: { delay_ms: 60_000 } })), {
    endpoint: '/v1/predict',
  });
  const early = await call(`${slow.id}/results`);
  expect([early.status, ((await early.json()) as { error: Row }).error['message']]).toEqual([409, expect.stringContaining('/output')]);
  await call(`${slow.id}/cancel?mode=abort`, { method: 'POST', body: {} });
});

test('columns have the titles and units that models declare, in a table of several too', async () => {
  const logS = { title: 'Solubility', unit: 'log10(mol/L)' };
  await using own = await startSluice({
    models: [
      { name: 'said', version: '1.0.0', executor: 'echo', options: {}, outputColumns: { logS } },
      { name: 'unsaid', version: '1.0.0', executor: 'echo', options: {} },
    ],
  });
  const ask = async <T>(path: string): Promise<T> =>
    (await (await fetch(`${own.url}/v1${path}`, { headers: { authorization: 'Bearer test-key' } })).json()) as T;
  const file = await own.client.files.create({ file: await toFile(Buffer.from('id,logS\n1,-2.5\n2,-3\n'), 'rows.csv'), purpose: 'batch' });
  const body = { input_file_id: file.id, models: ['said', 'unsaid'], columns: { id: 'id', logS: 'logS' }, completion_window: '1h' };
  const made = await fetch(`${own.url}/v1/batches`, {
    method: 'POST',
    headers: { authorization: 'Bearer test-key', 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const { id } = (await made.json()) as { id: string };
  await untilEnded(own.client, id);
  const { columns } = await ask<{ columns: ResultColumn[] }>(`/batches/${id}/results/page?wait=60`);
  expect(columns.find(({ name }) => name === 'said.logS')).toMatchObject(logS);
  expect(columns.find(({ name }) => name === 'unsaid.logS')).not.toHaveProperty('unit');
  const summary = await ask<ResultsSummary>(`/batches/${id}/results/summary`);
  expect(summary.properties.map(({ name, unit }) => [name, unit])).toContainEqual(['said.logS', 'log10(mol/L)']);
  const table = await ask<{ columns: ResultColumn[] }>(`/batches/${id}/results/table`);
  expect(table.columns).toEqual(columns);
});
