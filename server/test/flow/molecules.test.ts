import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { batchText, parseCsv } from '../../../examples/make-batches.ts';
import type { ModelSpec } from '../../src/models/models.ts';
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

let sluice: Sluice;
beforeAll(async () => {
  sluice = await startSluice({ models });
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
