import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bareEnvironment } from '../../server/test/support/environment.ts';
import { call, untilEnded } from '../../server/test/support/requests.ts';
import { startSluice, type Sluice } from '../../server/test/support/sluice.ts';

const program = fileURLToPath(new URL('../bin/sluice', import.meta.url));

let server: Sluice;
beforeAll(async () => {
  server = await startSluice();
});
afterAll(() => server[Symbol.asyncDispose]());

const run = async (...args: string[]): Promise<{ code: number | null; out: string; err: string }> => {
  const env = { ...bareEnvironment(), SLUICE_URL: server.url, SLUICE_API_KEY: 'test-key' };
  const child = spawn(program, args, { env });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
};

const sluice = (...args: string[]) => run('molecule', ...args);

/** What it prints where no person reads: a line a molecule, its cells between tabs. */
const cells = (out: string): string[][] =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));

test('molecules are checked, each in its place, with what is wrong with it', async () => {
  const { code, out, err } = await sluice('check', 'OCC', 'C1CC', '[Na+].[Cl-]');
  expect(code, err).toBe(0);
  const [ethanol, ring, salt] = cells(out);
  expect(ethanol).toEqual(['OCC', 'CCO', 'LFQSCWFLJHTTHZ-UHFFFAOYSA-N', '', '']);
  expect(ring).toEqual(['C1CC', '', '', '', expect.stringMatching(/ring/)]);
  expect(salt!.slice(0, 4)).toEqual(['[Na+].[Cl-]', '[Cl-].[Na+]', 'FAPWRFPIFSIZLT-UHFFFAOYSA-M', expect.stringContaining('salt')]);
  const fields = await sluice('check', 'OCC', 'C1CC', '--json=index,valid,smiles');
  expect(JSON.parse(fields.out)).toEqual([
    { index: 0, valid: true, smiles: 'CCO' },
    { index: 1, valid: false, smiles: null },
  ]);
});

test('molecules are matched by a substructure and by likeness', async () => {
  const acids = await sluice('match', 'CC(=O)O', 'CCO', 'C1CC', '--smarts', 'C(=O)[OH]');
  expect(acids.code, acids.err).toBe(0);
  expect(cells(acids.out).map(([given, matches]) => [given, matches])).toEqual([
    ['CC(=O)O', 'yes'],
    ['CCO', 'no'],
    ['C1CC', 'no molecule'],
  ]);
  const alike = await sluice('match', 'OCC', 'c1ccccc1CC', '--like', 'CCO', '--threshold', '0.9', '--scaffolds');
  expect(cells(alike.out)).toEqual([
    ['OCC', 'yes', '1.000', ''],
    ['c1ccccc1CC', 'no', expect.stringMatching(/^0\.\d{3}$/), 'c1ccccc1'],
  ]);
});

test('a SMARTS that is none ends it with what is wrong', async () => {
  const { code, out, err } = await sluice('match', 'CCO', '--smarts', '[C');
  expect([code, out]).toEqual([1, '']);
  expect(err).toContain('SMARTS');
});

test('the results of molecules that hold a substructure', async () => {
  const rows = ['CCO', 'Oc1ccccc1', 'CC(', 'c1ccccc1C'].map((smiles, i) => ({ id: `mol-${i + 1}`, smiles }));
  const body = { rows, models: ['echo'], completion_window: '1h' };
  const id = (await call(server.client, 'POST', '/v1/batches', body)).body['id'] as string;
  await untilEnded(server.client, id);
  const asked = ['batch', 'results', id, '--format', 'tsv', '--columns', 'custom_id,smiles', '--out', '-'];
  const { code, out, err } = await run(...asked, '--smarts', 'c1ccccc1', '--sort=-line');
  expect(code, err).toBe(0);
  expect(cells(out)).toEqual([
    ['custom_id', 'smiles'],
    ['mol-4', 'c1ccccc1C'],
    ['mol-2', 'Oc1ccccc1'],
  ]);
  const wrong = await run(...asked, '--smarts', 'c1cc(');
  expect(wrong).toMatchObject({ code: 1, out: '' });
  expect(wrong.err).toContain('SMARTS');
});
