import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { bareEnvironment } from '../../server/test/support/environment.ts';
import { call, createBatch, untilEnded } from '../../server/test/support/requests.ts';
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

test('results are a table where the name of their file says so, a row for each of the input', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-cli-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const at = (name: string) => join(folder, name);
  await writeFile(at('in.csv'), 'id,smiles,note\na,CCO,one\nb,C1CC,an open ring\nc,CCN,three\n');
  const { out: understood } = await run('batch', 'validate', at('in.csv'), '--model', 'echo');
  expect(understood).toContain('csv, smiles from smiles, id from id; rows with a problem: 1, that repeat an earlier one: 0');
  const { code, err } = await run('batch', 'run', at('in.csv'), '--model', 'echo', '--out', at('out/of.csv'));
  expect(code, err).toBe(0);
  expect(err).toMatch(/3 rows, as in the input, in .*of\.csv; where there is no result \(1\) the column error_message says why/);
  const [head, ...rows] = cells((await readFile(at('out/of.csv'), 'utf8')).replaceAll(',', '\t'));
  expect(head).toEqual(expect.arrayContaining(['custom_id', 'note', 'inchikey', 'status', 'error_message']));
  expect(rows.map(([line, id]) => [line, id])).toEqual([
    ['1', 'a'],
    ['2', 'b'],
    ['3', 'c'],
  ]);
  expect(await readdir(at('out'))).toEqual(['of.csv']);

  const id = /batch_\w+/.exec(err)![0];
  expect((await run('batch', 'download', id, '--out', at('all.sdf'))).code).toBe(0);
  expect((await readFile(at('all.sdf'), 'utf8')).match(/^\$\$\$\$$/gm)).toHaveLength(3);
  expect((await run('batch', 'watch', id, '--out', at('all.parquet'))).code).toBe(0);
  expect((await readFile(at('all.parquet'))).subarray(0, 4).toString()).toBe('PAR1');
  expect((await run('batch', 'results', id, '--columns', 'custom_id', '--out', at('ids.tsv'))).code).toBe(0);
  expect(await readFile(at('ids.tsv'), 'utf8')).toBe('custom_id\na\nb\nc\n');
  // Without a file it is printed, unless it is no text.
  expect(await run('batch', 'results', id, '--columns', 'custom_id', '--limit', '1')).toMatchObject({ code: 0, out: 'custom_id\na\n' });
  expect(await run('batch', 'results', id, '--format', 'parquet')).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringContaining('--out'),
  });
});

test('a table of a batch that runs is not made of what there is', async () => {
  const slow = { model: 'echo', inputs: 1, sluice_echo: { delay_ms: 60_000 } };
  const { id } = await createBatch(server.client, [{ custom_id: 'a', method: 'POST', url: '/v1/predict', body: slow }], {
    endpoint: '/v1/predict',
  });
  const path = join(tmpdir(), `${id}.csv`);
  const early = await run('batch', 'download', id, '--out', path);
  expect(early).toMatchObject({ code: 1, err: expect.stringContaining('when the batch has ended') });
  expect(existsSync(path)).toBe(false);
  await call(server.client, 'POST', `/v1/batches/${id}/cancel`, { mode: 'abort' });
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
