import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bareEnvironment } from '../../server/test/support/environment.ts';
import { neverFinite, smallMlp } from '../../server/test/support/onnx-models.ts';

const program = fileURLToPath(new URL('../bin/sluice', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-cli-vet-'));
  await writeFile(join(folder, 'good.onnx'), smallMlp());
  await writeFile(join(folder, 'bad.onnx'), neverFinite());
});
afterAll(() => rm(folder, { recursive: true }));

const vet = async (...args: string[]) => {
  const child = spawn(program, ['model', 'vet', ...args], { cwd: folder, env: { ...bareEnvironment(), TMPDIR: folder } });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
};

test('a model file is vetted without a server; nothing is left of it', async () => {
  const { code, out } = await vet('good.onnx');
  expect(code).toBe(0);
  expect(out).toContain('walk\tpassed');
  expect(out).toContain('x float32[N, 64], rows along 0');
  expect(out).toMatch(/shared runs\tof \d+ rows/);
  expect((await readdir(folder)).toSorted()).toEqual(['bad.onnx', 'good.onnx']);
});

test('one that is refused ends the program with 1, and the reason', async () => {
  const { code, out, err } = await vet('--json', 'bad.onnx');
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({ verdict: 'failed', step: 'outputs', facts: null });
  expect(err).toContain('bad.onnx was refused at outputs');
});
