import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toFile } from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ModelSpec } from '../../src/models/models.ts';
import { linesIn, untilEnded } from '../support/requests.ts';
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
