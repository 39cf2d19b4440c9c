import { chmod, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { test } from '../../test/support/database.ts';
import { loadConfig } from '../config.ts';
import { lockDataDir } from '../lib/lock.ts';
import { checkInstallation } from './doctor.ts';

const folder = (): Promise<string> => mkdtemp(join(tmpdir(), 'sluice-doctor-'));
const wrong = async (cwd: string, env: Record<string, string> = {}): Promise<string[]> =>
  (await checkInstallation(() => loadConfig({ cwd, env: { SLUICE_PORT: '0', ...env } })))
    .filter(({ ok }) => !ok)
    .map(({ name, found }) => `${name}: ${found}`);

test('nothing is wrong with a fresh one, nor with one on a migrated database', async ({ db }) => {
  const cwd = await folder();
  expect(await wrong(cwd)).toEqual([]);
  expect(await wrong(cwd, { SLUICE_DATABASE_URL: db.url })).toEqual([]);
});

test('each fault is named, with what to do', async ({ db }) => {
  const cwd = await folder();
  const url = new URL(db.url);
  url.pathname = '/postgres';
  expect(await wrong(cwd, { SLUICE_DATABASE_URL: url.href })).toEqual([expect.stringMatching(/^database: .*migrations have not been run/)]);
  expect(await wrong(cwd, { SLUICE_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/x' })).toEqual([expect.stringContaining('ECONNREFUSED')]);
  expect(await wrong(cwd, { SLUICE_PRT: '1' })).toEqual([expect.stringContaining('Did you mean SLUICE_PORT?')]);

  const squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  const { port } = squatter.address() as { port: number };
  expect(await wrong(cwd, { SLUICE_PORT: String(port) })).toEqual([expect.stringContaining('EADDRINUSE')]);
  squatter.close();

  await writeFile(join(cwd, 'file'), '');
  expect(await wrong(cwd, { SLUICE_DATA_DIR: join(cwd, 'file/x') })).toEqual([expect.stringMatching(/^data directory: /)]);

  await writeFile(join(cwd, 'sluice.yaml'), 'models: [{name: m, version: 1.0.0, executor: onnx, options: {path: absent.onnx}}]');
  expect(await wrong(cwd)).toEqual([`model m@1.0.0: there is no file ${join(cwd, 'absent.onnx')}`]);

  await mkdir(join(cwd, 'weights'));
  const boltz = (cache: string) =>
    writeFile(join(cwd, 'sluice.yaml'), `models: [{name: m, version: 1.0.0, executor: boltz, options: {cache: ${cache}}}]`);
  await boltz('weights');
  expect(await wrong(cwd)).toEqual([]);
  await boltz('file');
  expect(await wrong(cwd)).toEqual([`model m@1.0.0: there is no folder ${join(cwd, 'file')}`]);
});

test('one that runs is named', async () => {
  const cwd = await folder();
  await chmod(cwd, 0o711);
  const config = loadConfig({ cwd, env: { SLUICE_DATA_DIR: cwd } });
  await using lock = await lockDataDir(cwd);
  await lock.announce('http://127.0.0.1:1');
  const checks = await checkInstallation(() => config);
  expect(checks.find(({ name }) => name === 'running')?.found).toContain(`process ${process.pid}`);
});
