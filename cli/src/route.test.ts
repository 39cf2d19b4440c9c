import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSluice, type Sluice } from '../../server/test/support/sluice.ts';

const program = fileURLToPath(new URL('../bin/sluice', import.meta.url));

const model = (name: string) => ({ name, version: '1.0.0', executor: 'echo' as const, options: {} });

let server: Sluice;
let folder: string;
beforeAll(async () => {
  server = await startSluice({ models: [model('logs-a'), model('logs-b')] });
  folder = await mkdtemp(join(tmpdir(), 'sluice-cli-'));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const sluice = async (...args: string[]): Promise<{ code: unknown; out: string; err: string }> => {
  const env = { PATH: process.env['PATH'], SLUICE_URL: server.url, SLUICE_API_KEY: 'test-key' };
  const child = spawn(program, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, out, err };
};

test('route: set, get, list, history, remove', async () => {
  const set = await sluice('route', 'set', 'solubility', 'logs-a', 'logs-b=2', '--note', 'both');
  expect(set).toMatchObject({ code: 0, out: expect.stringMatching(/model 2\s+logs-b ×2, now logs-b@1\.0\.0/) });
  await writeFile(join(folder, 'models.json'), JSON.stringify([{ model: 'logs-a@1.0.0', valid_until: 1 }]));
  expect(await sluice('route', 'set', 'solubility/amides', '--file', 'models.json')).toMatchObject({ code: 0 });
  expect((await sluice('route', 'get', 'solubility/amides')).out).toMatch(/logs-a@1\.0\.0 until 1970-01-01T00:00:01\.000Z, not now/);
  expect((await sluice('route', 'list', '--json=target,series')).out).toBe(
    '[{"target":"solubility","series":null},{"target":"solubility","series":"amides"}]\n',
  );
  expect(await sluice('route', 'set', 'solubility', 'none')).toMatchObject({
    code: 1,
    err: expect.stringContaining("'none' does not exist"),
  });
  expect(await sluice('route', 'remove', 'solubility', '--yes')).toMatchObject({ code: 0 });
  const history = (await sluice('route', 'history', 'solubility')).out.trimEnd().split('\n');
  expect(history.map((line) => line.split('\t').slice(1))).toEqual([
    ['admin', 'logs-a, logs-b ×2', '', ''],
    ['admin', '', 'logs-a, logs-b ×2', 'both'],
  ]);
  expect(await sluice('route', 'get', 'solubility')).toMatchObject({ code: 1, err: expect.stringContaining('There is no route') });
});

test('batch: by several models, by a route; previewed, and its batches listed', async () => {
  const lines = ['{"inputs":{"x":1}}', '{"inputs":{"x":2}}'].join('\n');
  await writeFile(join(folder, 'bare.jsonl'), `${lines}\n`);
  await sluice('route', 'set', 'logs', 'logs-a', 'logs-b');
  const preview = await sluice('batch', 'preview', 'bare.jsonl', '--route', 'logs');
  expect(preview).toMatchObject({ code: 0, out: expect.stringContaining('4: logs-a@1.0.0 2, logs-b@1.0.0 2') });
  const run = await sluice('batch', 'run', 'bare.jsonl', '--models', 'logs-a,logs-b', '--out', 'out.jsonl', '--json=id,kind');
  expect(run).toMatchObject({ code: 0, out: expect.stringContaining('"kind":"parent"') });
  const { id } = JSON.parse(run.out) as { id: string };
  const children = (await sluice('batch', 'children', id, '--json=model,status')).out;
  expect(JSON.parse(children)).toEqual([
    { model: 'logs-a', status: 'completed' },
    { model: 'logs-b', status: 'completed' },
  ]);
  expect((await readFile(join(folder, 'out.jsonl'), 'utf8')).trimEnd().split('\n')).toHaveLength(2);
  expect(await sluice('batch', 'create', 'bare.jsonl', '--route', 'logs/amides', '--json=route')).toMatchObject({
    code: 0,
    out: expect.stringContaining('"series":"amides"'),
  });
  expect(await sluice('batch', 'create', 'bare.jsonl', '--route', 'none')).toMatchObject({
    code: 1,
    err: expect.stringContaining('no route'),
  });
});
