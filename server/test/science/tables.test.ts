import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { toFile } from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ModelSpec } from '../../src/models/models.ts';
import { until } from '../crash/until.ts';
import { call, linesIn, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

const at = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

const models: ModelSpec[] = [
  {
    name: 'aqsol-logs',
    version: '1.0.0',
    executor: 'onnx',
    options: { path: at('examples/models/aqsol_logs.onnx'), preprocess: 'smiles-morgan2048-desc16', outputs: ['logS'], processes: 1 },
  },
];

/** What a test looks at in a batch, a dry run or an error. */
interface Reply {
  id: string;
  output_file_id: string | null;
  error_file_id: string | null;
  [field: string]: unknown;
}

let sluice: Sluice;
beforeAll(async () => {
  sluice = await startSluice({ models });
});
afterAll(() => sluice[Symbol.asyncDispose]());

const upload = async (content: string | Buffer, name: string): Promise<string> =>
  (await sluice.client.files.create({ file: await toFile(Buffer.from(content), name), purpose: 'batch' })).id;

const post = async (path: string, body: unknown): Promise<Reply> => {
  const reply = await fetch(`${sluice.url}/v1${path}`, {
    method: 'POST',
    headers: { authorization: 'Bearer test-key', 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await reply.json()) as Reply;
};

const run = async (body: object): Promise<Reply> => {
  const batch = await post('/batches', { completion_window: '1h', ...body });
  expect(batch.id, JSON.stringify(batch)).toBeDefined();
  return (await untilEnded(sluice.client, batch.id)) as unknown as Reply;
};

test('a CSV file of molecules and a model: predictions as they were shown, each row in its place', async () => {
  const csv = readFileSync(at('server/test/expected/aqsol_logs.csv'), 'utf8');
  const file = await upload(csv, 'molecules.csv');
  const ended = await run({ input_file_id: file, model: 'aqsol-logs' });
  expect(ended).toMatchObject({
    status: 'completed',
    endpoint: '/v1/predict',
    model: 'aqsol-logs',
    input_file_id: file,
    request_counts: { total: 400, completed: 400, failed: 0 },
    source: { kind: 'file', format: 'csv', columns: { smiles: 'smiles', id: 'id' }, rows: 400, refused: 0 },
  });
  const [head, ...rows] = csv
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  const column = (name: string) => head!.indexOf(name);
  const lines = await linesIn(sluice.client, ended.output_file_id);
  expect(lines.map((line) => line['custom_id'])).toEqual(rows.map((row) => row[column('id')]));
  lines.forEach((line, i) => {
    const { body } = line['response'] as { body: { outputs: { logS: number } } };
    expect(Math.abs(body.outputs.logS - Number(rows[i]![column('predicted')]))).toBeLessThan(1e-4);
  });
});

const molecules = 'compound_id,SMILES,note\nA,CCO,x\nB,CC(,y\nC,OCC,z\nD,[Na+].[Cl-],"q, ""r"""\n';
const outcome = { total: 4, completed: 3, failed: 1 };
const predictions = async (ended: Reply): Promise<unknown[]> =>
  (await linesIn(sluice.client, ended.output_file_id)).map(({ custom_id: id, response }) => [
    id,
    (response as { body: { outputs: unknown } }).body.outputs,
  ]);

test('the same table in every format, packed or not, in a file or in the request: the same predictions', async () => {
  const duck = await (await DuckDBInstance.create(':memory:')).connect();
  const folder = mkdtempSync(join(tmpdir(), 'sluice-formats-'));
  writeFileSync(join(folder, 'in.csv'), molecules);
  await duck.run(`copy (from read_csv('${folder}/in.csv')) to '${folder}/in.parquet' (format parquet)`);
  const parquet = readFileSync(join(folder, 'in.parquet'));
  rmSync(folder, { recursive: true });
  const rows = [
    { compound_id: 'A', SMILES: 'CCO', note: 'x' },
    { compound_id: 'B', SMILES: 'CC(', note: 'y' },
    { compound_id: 'C', SMILES: 'OCC', note: 'z' },
    { compound_id: 'D', SMILES: '[Na+].[Cl-]', note: 'q, "r"' },
  ];
  const request = (row: (typeof rows)[number]) =>
    JSON.stringify({ custom_id: row.compound_id, method: 'POST', url: '/v1/predict', body: { inputs: { smiles: row.SMILES } } });
  const inputs: [string, object][] = [
    ['csv', { input_file_id: await upload(molecules, 'upload') }],
    ['csv', { input_file_id: await upload(gzipSync(molecules), 'upload') }],
    ['csv', { input_file_id: await upload(zstdCompressSync(molecules), 'upload') }],
    ['tsv', { input_file_id: await upload('compound_id\tSMILES\nA\tCCO\nB\tCC(\nC\tOCC\nD\t[Na+].[Cl-]\n', 'upload') }],
    ['parquet', { input_file_id: await upload(parquet, 'upload') }],
    ['smi', { input_file_id: await upload('CCO A\nCC( B\nOCC C\n[Na+].[Cl-] D\n', 'upload') }],
    ['jsonl', { input_file_id: await upload(rows.map((row) => JSON.stringify(row)).join('\r\n'), 'upload') }],
    ['jsonl', { rows }],
    ['requests', { input_file_id: await upload(rows.map(request).join('\n'), 'upload') }],
    ['requests', { input_file_id: await upload(gzipSync(rows.map(request).join('\n')), 'upload') }],
  ];
  const ended = await Promise.all(inputs.map(([, input]) => run({ ...input, model: 'aqsol-logs' })));
  const [first] = await Promise.all(ended.map(predictions));
  expect(first).toHaveLength(3);
  for (const [i, batch] of ended.entries()) {
    expect(batch, inputs[i]![0]).toMatchObject({ status: 'completed', request_counts: outcome });
    expect(await predictions(batch)).toEqual(first);
    const [wrong] = await linesIn(sluice.client, batch.error_file_id);
    expect(wrong).toMatchObject({ custom_id: 'B', error: { code: 'invalid_input' } });
    if (inputs[i]![0] === 'requests') expect(batch['source']).toBe(null);
    else expect(batch['source']).toMatchObject({ format: inputs[i]![0], rows: 4, refused: 1, duplicates: 1, flags: { salt: 1 } });
  }
});

test('rows that are refused are requests of their model that failed, before it ends and after, also where there are no others', async () => {
  const modelsOf = async (id: string): Promise<unknown> => (await call(sluice.client, 'GET', `/v1/portal/batches/${id}`)).body['models'];
  const none = { model: 'aqsol-logs@1.0.0', running: 0, queued: 0 };
  const some = await run({ rows: ['CCO', 'CC(', 'OCC'].map((SMILES) => ({ SMILES })), model: 'aqsol-logs' });
  expect(await modelsOf(some.id)).toEqual([{ ...none, total: 3, completed: 2, failed: 1 }]);
  const all = await run({ rows: ['CC(', '(('].map((SMILES) => ({ SMILES })), model: 'aqsol-logs' });
  expect(all).toMatchObject({ status: 'completed', model: 'aqsol-logs', request_counts: { total: 2, failed: 2 } });
  expect(await modelsOf(all.id)).toEqual([{ ...none, total: 2, completed: 0, failed: 2 }]);

  await using still = await startSluice({ models, workers: 0 });
  const rows = ['CCO', 'CC('].map((SMILES) => ({ SMILES }));
  const { body } = await call(still.client, 'POST', '/v1/batches', { rows, model: 'aqsol-logs', completion_window: '1h' });
  const path = `/v1/portal/batches/${body['id'] as string}`;
  const begun = await until('it has begun', async () => {
    const seen = (await call(still.client, 'GET', path)).body['models'] as unknown[];
    return seen.length > 0 ? seen : null;
  });
  expect(begun).toEqual([{ ...none, total: 2, completed: 0, failed: 1, queued: 1 }]);
});

test('a table may refuse to run in part; all of its problems are told', async () => {
  const file = await upload(molecules, 'm.csv');
  const failed = await run({ input_file_id: file, model: 'aqsol-logs', invalid: 'refuse' });
  expect(failed).toMatchObject({
    status: 'failed',
    errors: { data: [{ code: 'invalid_input', line: 2, message: expect.stringContaining('SMILES Parse Error') as string }] },
  });
  expect(await objectsOf(failed.id)).toEqual([]);
});

const objectsOf = async (batch: string): Promise<string[]> =>
  (await Array.fromAsync(sluice.storage.list(`default/${batch}/`))).map(({ key }) => key.split('/')[2]!.split('.')[0]!).sort();

test('a dry run shows how a table is understood, and stores nothing', async () => {
  const file = await upload(molecules, 'm.csv');
  const seen = { format: 'csv', columns: { smiles: 'SMILES', id: 'compound_id' }, rows: 4, refused: 1, duplicates: 1, flags: { salt: 1 } };
  const dry = await post('/batches?dry_run=true', { input_file_id: file, model: 'aqsol-logs', completion_window: '1h' });
  expect(dry).toMatchObject({
    valid: true,
    lines: 4,
    errors: { data: [{ line: 2, code: 'invalid_input' }], total: 1 },
    models: [{ model: 'aqsol-logs@1.0.0', lines: 3 }],
    table: {
      ...seen,
      types: { compound_id: 'VARCHAR', SMILES: 'VARCHAR', note: 'VARCHAR' },
      first: [{ compound_id: 'A', SMILES: 'CCO', note: 'x' }, {}, {}, { note: 'q, "r"' }],
    },
  });
  const refused = { input_file_id: file, model: 'aqsol-logs', completion_window: '1h', invalid: 'refuse' };
  expect(await post('/batches?dry_run=true', refused)).toMatchObject({ valid: false });
  const inline = { rows: [{ smiles: 'CCO' }], model: 'aqsol-logs', completion_window: '1h' };
  expect(await post('/batches?dry_run=true', inline)).toMatchObject({ valid: true, lines: 1, table: { columns: { smiles: 'smiles' } } });
  const wrong = { input_file_id: file, model: 'aqsol-logs', completion_window: '1h', columns: { smiles: 'mol' } };
  expect(await post('/batches?dry_run=true', wrong)).toMatchObject({
    valid: false,
    errors: { data: [{ code: 'invalid_table', message: expect.stringContaining("it has 'compound_id', 'SMILES', 'note'") as string }] },
  });
});

test('a table without molecules is refused as a whole where a model needs them, in a dry run and when it is created', async () => {
  const rows = [{ compound: 'A', weight: 1 }];
  const expected = { code: 'invalid_table', message: expect.stringContaining("needs 'smiles'") as string, line: null };
  const body = { rows, model: 'aqsol-logs', completion_window: '1h' };
  expect(await post('/batches?dry_run=true', body)).toMatchObject({ valid: false, errors: { data: [expected] } });
  // Perhaps that is no line of names.
  const bare = { input_file_id: await upload('CCO\nCCN\n', 'molecules.csv'), model: 'aqsol-logs', completion_window: '1h' };
  const { errors } = await post('/batches?dry_run=true', bare);
  expect(JSON.stringify(errors)).toContain("The table has 'CCO'. Where that is its first row and no line of names, put one above it.");
  const several = { rows, models: ['aqsol-logs', 'echo'], completion_window: '1h' };
  expect(await post('/batches?dry_run=true', several)).toMatchObject({ valid: false, errors: { data: [expected] } });
  expect(await run({ rows, model: 'aqsol-logs' })).toMatchObject({ status: 'failed', errors: { data: [expected] } });
});

test('clones convert again, retries run the rows that failed, and what was made goes with its batch', async () => {
  const first = await run({ rows: [{ smiles: 'CCO' }, { smiles: 'CC(' }], model: 'aqsol-logs' });
  expect(first).toMatchObject({ status: 'completed', source: { kind: 'rows' } });
  expect(await objectsOf(first.id)).toEqual(expect.arrayContaining(['index', 'requests', 'rows']));
  const clone = await untilEnded(sluice.client, (await post(`/batches/${first.id}/clone`, {})).id);
  expect(clone).toMatchObject({ input_file_id: first['input_file_id'], request_counts: { total: 2, completed: 1, failed: 1 } });
  const again = await untilEnded(sluice.client, (await post(`/batches/${first.id}/retry`, {})).id);
  expect(again).toMatchObject({ continues: first.id, request_counts: { total: 1, completed: 0, failed: 1 } });
  const details = await fetch(`${sluice.url}/v1/batches/${first.id}/requests?state=failed`, {
    headers: { authorization: 'Bearer test-key' },
  });
  expect(await details.json()).toMatchObject({
    data: [{ line: 2, custom_id: 'row-2', state: 'failed', error: { code: 'invalid_input' } }],
  });
  await fetch(`${sluice.url}/v1/batches/${first.id}`, { method: 'DELETE', headers: { authorization: 'Bearer test-key' } });
  expect(await objectsOf(first.id)).toEqual([]);
});

test('what a create says of its input is one thing, and makes sense', async () => {
  const create = (body: object) => post('/batches', { completion_window: '1h', ...body });
  expect(await create({ model: 'aqsol-logs' })).toMatchObject({ error: { code: 'missing_required_parameter', param: 'input_file_id' } });
  expect(await create({ rows: [{}], input_file_id: 'file-1', model: 'echo' })).toMatchObject({
    error: { code: 'invalid_value', param: 'rows' },
  });
  expect(await create({ rows: [{ smiles: 'CCO' }] })).toMatchObject({ error: { code: 'missing_required_parameter', param: 'endpoint' } });
  expect(await create({ rows: [{ smiles: 'CCO' }], model: 'nobody' })).toMatchObject({
    error: { code: 'model_not_found', param: 'model' },
  });
  const nameless = await run({ input_file_id: await upload(molecules, 'm.csv'), endpoint: '/v1/predict' });
  expect(nameless).toMatchObject({ status: 'failed', errors: { data: [{ code: 'invalid_table', param: 'model' }] } });
});

test("within OpenAI's limits there are no tables", async () => {
  await using strict = await startSluice({ limits: { openai: true } });
  const file = await toFile(Buffer.from(molecules), 'm.csv');
  await expect(strict.client.files.create({ file, purpose: 'batch' })).rejects.toThrow('Must be .jsonl');
  const reply = await fetch(`${strict.url}/v1/batches`, {
    method: 'POST',
    headers: { authorization: 'Bearer test-key', 'content-type': 'application/json' },
    body: JSON.stringify({ rows: [{ smiles: 'CCO' }], model: 'echo', completion_window: '24h' }),
  });
  expect(await reply.json()).toMatchObject({ error: { code: 'invalid_value', param: 'rows' } });
});
