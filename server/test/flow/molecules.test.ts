import { closeSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Batch } from '@sluice/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { batchText, parseCsv, readCompounds } from '../../../examples/make-batches.ts';
import { openFeatureFile } from '../../src/chemistry/feature-cache.ts';
import { featureCount } from '../../src/chemistry/feature-layout.ts';
import { Featuriser } from '../../src/chemistry/features.ts';
import { sql } from '../../src/db/sql.ts';
import { silent } from '../../src/lib/log.ts';
import type { ModelSpec } from '../../src/models/models.ts';
import { until } from '../crash/until.ts';
import { createBatch, linesIn, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

const at = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

const model = (name: string, file: string, output: string): ModelSpec => ({
  name,
  version: '1.0.0',
  executor: 'onnx',
  options: { path: at(`examples/models/${file}.onnx`), preprocess: 'smiles-morgan2048-desc16', outputs: [output], processes: 1 },
});

const models = [model('aqsol-logs', 'aqsol_logs', 'logS'), model('bbb-b3db', 'bbb_b3db', 'p_bbb')];

/** id, smiles and prediction of the test molecules, computed by the library the models were trained with. */
const expected = (file: string): { id: string; smiles: string; predicted: number }[] => {
  const [head, ...rows] = parseCsv(readFileSync(at(`server/test/expected/${file}.csv`), 'utf8'));
  const column = (name: string) => head!.indexOf(name);
  return rows.map((row) => ({ id: row[column('id')]!, smiles: row[column('smiles')]!, predicted: Number(row[column('predicted')]) }));
};

const bytes = 4_000_000;
let sluice: Sluice;
beforeAll(async () => {
  sluice = await startSluice({ models, featuresBytes: bytes });
});
afterAll(() => sluice[Symbol.asyncDispose]());

test.for([
  ['aqsol-logs', 'aqsol_logs', 'logS'],
  ['bbb-b3db', 'bbb_b3db', 'p_bbb'],
] as const)('%s predicts in a batch what it was shown to predict', async ([name, file, output]) => {
  const rows = expected(file);
  const batch = await createBatch(sluice.client, Buffer.from(batchText(rows, name)), { endpoint: '/v1/predict' });
  const ended = await untilEnded(sluice.client, batch.id);
  expect(ended).toMatchObject({
    status: 'completed',
    model: name,
    request_counts: { total: rows.length, completed: rows.length, failed: 0 },
    error_file_id: null,
  });
  const lines = await linesIn(sluice.client, ended.output_file_id);
  expect(lines.map((line) => line['custom_id'])).toEqual(rows.map((row) => row.id));
  lines.forEach((line, i) => {
    const { body } = line['response'] as { body: { object: string; model: string; version: string; outputs: Record<string, number> } };
    expect(body).toMatchObject({ object: 'prediction', model: name, version: '1.0.0' });
    expect(Math.abs(body.outputs[output]! - rows[i]!.predicted)).toBeLessThan(1e-4);
  });
});

test('two models in one file; hostile molecules fail alone, with the reason', async () => {
  const good = expected('aqsol_logs').slice(0, 20);
  const hostile = [
    { id: 'chain', smiles: 'C'.repeat(700) },
    { id: 'empty', smiles: '' },
    { id: 'valence', smiles: 'C(C)(C)(C)(C)C' },
    { id: 'nested', smiles: 'C('.repeat(400) + ')'.repeat(400) },
  ];
  const text =
    batchText([...good, ...hostile], 'aqsol-logs') + batchText(good, 'bbb-b3db').replaceAll('"custom_id":"', '"custom_id":"bbb-');
  const batch = await createBatch(sluice.client, Buffer.from(text), { endpoint: '/v1/predict' });
  const ended = await untilEnded(sluice.client, batch.id);
  expect(ended).toMatchObject({ status: 'completed', model: null, request_counts: { total: 44, completed: 40, failed: 4 } });
  expect(ended['models']).toEqual(['aqsol-logs@1.0.0', 'bbb-b3db@1.0.0']);
  const errors = await linesIn(sluice.client, ended.error_file_id);
  expect(errors.map((line) => line['custom_id'])).toEqual(hostile.map(({ id }) => id));
  for (const line of errors) expect(JSON.stringify(line)).toContain('invalid_input');
});

const tableOf = (rows: readonly { id: string; smiles: string }[]) =>
  Buffer.from(`id,smiles\n${rows.map(({ id, smiles }) => `${id},"${smiles}"\n`).join('')}`);
const options = { endpoint: '/v1/predict', model: 'aqsol-logs' };

test('a table is checked, its molecules featurised with it, and predicted alike', async () => {
  const rows = expected('aqsol_logs').slice(0, 100);
  const batch = await createBatch(sluice.client, tableOf(rows), options);
  const ended = await untilEnded(sluice.client, batch.id);
  expect(ended.request_counts).toMatchObject({ total: 100, completed: 100 });
  for (const [i, line] of (await linesIn(sluice.client, ended.output_file_id)).entries()) {
    const { body } = line['response'] as { body: { outputs: Record<string, number> } };
    expect(Math.abs(body.outputs['logS']! - rows[i]!.predicted)).toBeLessThan(1e-4);
  }
});

test.for([
  { workers: [hostname()], kept: 100 },
  { workers: [hostname(), 'elsewhere'], kept: 0 },
  { workers: [], kept: 0 },
])('with workers on $workers, features of $kept of 100 molecules are there once a table is checked', async ({ workers, kept }) => {
  await using still = await startSluice({ models, featuresBytes: bytes, workers: 0 });
  for (const [i, host] of workers.entries())
    await still.db.run(
      sql`insert into workers (id, pool, kind, host, pid, models) values (${`w${i}`}, 'dedicated', 'dedicated', ${host}, 1, '{}')`,
    );
  const rows = expected('aqsol_logs').slice(0, 100);
  const { id } = await createBatch(still.client, tableOf(rows), options);
  await until('it is checked', async () => (await still.client.batches.retrieve(id)).status === 'in_progress');
  const folder = join(still.folder, 'features');
  const file = openFeatureFile({ folder, bytes }, silent)!;
  const featuriser = await Featuriser.create(file);
  for (const { smiles } of rows) featuriser.fill(smiles.trim(), new Float32Array(featureCount), 0);
  expect(featuriser.cache!.hits).toBe(kept);
  closeSync(file);
});

test('a worker loads the model of a table while it is checked, whatever comes of that', async () => {
  await using idle = await startSluice({ models });
  const batch = await createBatch(idle.client, Buffer.from('name\nethanol\n'), options);
  expect((await untilEnded(idle.client, batch.id)).status).toBe('failed');
  await until('the model is loaded', async () => {
    const { loaded } = await idle.db.one<{ loaded: { model: string }[] }>(sql`select loaded from workers`);
    return loaded.some(({ model }) => model === 'aqsol-logs@1.0.0');
  });
});

test('a batch says how many rows are checked while they are, and nothing of it once it has begun', async () => {
  await using still = await startSluice({ models, workers: 0 });
  const real = ['aqsoldb', 'b3db'].flatMap((name) => readCompounds(at(`examples/data/${name}.csv`)));
  const rows = [...real, ...real, ...real];
  const { id } = await createBatch(still.client, tableOf(rows), options);
  const shown = async () => ((await still.client.batches.retrieve(id)) as unknown as Batch).validation;
  const first = await until('some are checked', shown);
  expect(first.total).toBe(rows.length);
  expect(first.checked).toBeGreaterThan(0);
  expect(first.checked).toBeLessThan(rows.length);
  const second = await until('more are checked', async () => {
    const now = await shown();
    return now !== null && now.checked > first.checked ? now : null;
  });
  expect(second.total).toBe(rows.length);
  await still.client.batches.cancel(id);
  expect((await untilEnded(still.client, id)) as unknown as Batch).toMatchObject({ status: 'cancelled', validation: null });
});
