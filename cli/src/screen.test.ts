import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bareEnvironment } from '../../server/test/support/environment.ts';
import { call, untilEnded } from '../../server/test/support/requests.ts';
import { startSluice, type Sluice } from '../../server/test/support/sluice.ts';

const program = fileURLToPath(new URL('../bin/sluice', import.meta.url));
const sample = fileURLToPath(new URL('../../examples/boltz-sample/boltz-sample.mjs', import.meta.url));

let server: Sluice;
let folder: string;
beforeAll(async () => {
  const options = { program: process.execPath, args: [sample] };
  server = await startSluice({ models: [{ name: 'boltz-2', version: '2.2.0', executor: 'boltz', options }] });
  folder = await mkdtemp(join(tmpdir(), 'sluice-cli-screen-'));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const sluice = async (...args: string[]): Promise<{ code: number | null; out: string; err: string }> => {
  const env = { ...bareEnvironment(), SLUICE_URL: server.url, SLUICE_API_KEY: 'test-key' };
  const child = spawn(program, args, { cwd: folder, env });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
};

test('a screen is created of two files, its best shown, its files fetched', async () => {
  await writeFile(join(folder, 'kras.fasta'), '>KRAS\nMTEYKLVVVGAGG\nVGKSALTIQ\n');
  await writeFile(join(folder, 'ligands.csv'), 'name,smiles\nethanol,CCO\nodd,NOT_PARSABLE\nmethylamine,CN\n');
  const gathered = new Promise<void>((resolve) => server.scheduler.once('gathered', () => resolve()));
  const made = await sluice(
    'screen',
    'create',
    '--protein',
    'kras.fasta',
    '--ligands',
    'ligands.csv',
    '--name',
    'first',
    '--parameters',
    '{"seed": 1}',
    '--json=id',
  );
  expect(made.code, made.err).toBe(0);
  const { id } = JSON.parse(made.out) as { id: string };
  await untilEnded(server.client, id);
  await gathered;
  const shown = await sluice('screen', 'get', id);
  expect(shown.out).toMatch(/residues\s+22/);
  expect(shown.out).toMatch(/results\s+ready/);
  const results = await sluice('screen', 'results', id, '--top', '1');
  expect(results.out).toContain('3 ligands: 2 ok, 1 invalid');
  expect(results.out).toMatch(/1 × invalid_smiles, such as ligand-2: SMILES Parse Error/);
  await call(server.client, 'DELETE', `/v1/batches/${id}`);
  const fetched = await sluice('screen', 'download', id, '--out', 'kept');
  expect(fetched.code, fetched.err).toBe(0);
  expect(await readFile(join(folder, 'kept/results/batch_results.csv'), 'utf8')).toContain('ethanol');
  const { jobs } = JSON.parse(await readFile(join(folder, 'kept/job_index.json'), 'utf8')) as { jobs: { request: string }[] };
  expect(await readFile(join(folder, `kept/jobs/${jobs[0]!.request}/structure.cif`), 'utf8')).toContain('SAMPLE_NOT_A_PREDICTION');
});

test('a prediction of one pair becomes a job, with its files', async () => {
  const body = { inputs: { protein: 'MTEYKLVVVG', smiles: 'CCO' } };
  const { status, body: job } = await call(server.client, 'POST', '/v1/jobs', { model: 'boltz-2', ...body }, { prefer: 'wait=30' });
  expect([status, job['status']]).toEqual([200, 'completed']);
  const files = (await call(server.client, 'GET', `/v1/jobs/${job['id'] as string}/artifacts`)).body['data'] as { name: string }[];
  expect(files.map(({ name }) => name)).toContain('structure.cif');
});
