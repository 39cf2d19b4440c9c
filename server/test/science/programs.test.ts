import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ModelSpec } from '../../src/models/models.ts';
import { call, createBatch, linesIn, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

const at = (path: string) => fileURLToPath(new URL(`../../../examples/${path}`, import.meta.url));
const stage = (name: string) => [process.execPath, at('rfantibody-sample/rfantibody-sample.mjs'), name];

const chai: ModelSpec = {
  name: 'chai-1',
  version: '0.6.1',
  executor: 'chai',
  options: {
    program: process.execPath,
    args: [at('chai-sample/chai-sample.mjs')],
    env: { CHAI_SAMPLE: JSON.stringify({ oom: ['BrCCBr'] }) },
    max_attempts: 1,
    max_concurrency: 2,
  },
};
const rfantibody: ModelSpec = {
  name: 'rfantibody',
  version: '1.0.0',
  executor: 'rfantibody',
  options: { rfdiffusion: stage('rfdiffusion'), proteinmpnn: stage('proteinmpnn'), rf2: stage('rf2') },
};

let sluice: Sluice;
beforeAll(async () => {
  sluice = await startSluice({ models: [chai, rfantibody] });
});
afterAll(() => sluice[Symbol.asyncDispose]());

const filesOf = async (path: string): Promise<string[]> =>
  ((await call(sluice.client, 'GET', path)).body['data'] as { name: string }[]).map(({ name }) => name);

const line = (id: string, smiles: string) => ({
  custom_id: id,
  method: 'POST',
  url: '/v1/predict',
  body: {
    model: 'chai-1',
    inputs: {
      entities: [
        { type: 'protein', sequence: 'MTEYKLVVVG' },
        { type: 'ligand', smiles },
      ],
    },
    parameters: { num_diffn_samples: 2, seed: 1 },
  },
});

test('a batch of complexes through Chai-1: results, files of each, and of the one that failed', async () => {
  const created = await createBatch(sluice.client, [line('a', 'CCO'), line('b', 'BrCCBr'), line('c', 'CCN')], { endpoint: '/v1/predict' });
  const batch = await untilEnded(sluice.client, created.id);
  expect(batch.request_counts).toMatchObject({ total: 3, completed: 2, failed: 1 });
  const [first, third] = await linesIn(sluice.client, batch.output_file_id);
  expect([first!['custom_id'], third!['custom_id']]).toEqual(['a', 'c']);
  const { outputs } = (first!['response'] as { body: { outputs: { models: object[]; ptm: number } } }).body;
  expect(outputs.models).toHaveLength(2);
  expect(JSON.stringify(await linesIn(sluice.client, batch.error_file_id))).toContain('out_of_memory');
  const base = `/v1/batches/${batch.id}/requests`;
  expect(await filesOf(`${base}/1/artifacts`)).toEqual([
    'input.fasta',
    'logs.txt',
    'metadata.json',
    'model_1.cif',
    'parameters.json',
    'results.json',
    'structure.cif',
  ]);
  expect(await filesOf(`${base}/2/artifacts`)).toEqual(['input.fasta', 'logs.txt', 'metadata.json', 'parameters.json']);
});

test('a design through RFantibody, as a job', async () => {
  const atom = (chain: string, residue: number): string =>
    `ATOM  ${String(residue).padStart(5)}  CA  ALA ${chain}${String(residue).padStart(4)}       1.000   2.000   3.000  1.00 50.00           C`;
  const inputs = {
    target: [1, 2, 3].map((residue) => atom('B', residue)).join('\n'),
    framework: `${atom('H', 1)}\nREMARK PDBinfo-LABEL:    1 H3`,
    hotspots: ['B2'],
  };
  const parameters = { designs: 2, sequences_per_design: 2 };
  const { body: job } = await call(sluice.client, 'POST', '/v1/jobs', { model: 'rfantibody', inputs, parameters }, { prefer: 'wait=60' });
  expect(job).toMatchObject({ status: 'completed', result: { outputs: { counts: { backbones: 2, sequences: 4, predicted: 4 } } } });
  expect(await filesOf(`/v1/jobs/${job['id'] as string}/artifacts`)).toEqual(
    expect.arrayContaining(['design_1.pdb', 'design_4.pdb', 'designs.qv', 'scores.csv', 'logs.txt']),
  );
});
