import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { silent } from '../lib/log.ts';
import { modelKey, type ModelSpec } from '../models/models.ts';
import { LoadedModels } from './loaded.ts';

const file = fileURLToPath(new URL('../../../examples/models/aqsol_logs.onnx', import.meta.url));

const folderOf = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-loaded-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};
const loadedIn = (folder: string, limit = 2 ** 32): LoadedModels => {
  const loaded = new LoadedModels({ log: silent, scratch: join(folder, 'scratch'), crash: () => {} }, limit);
  onTestFinished(() => loaded[Symbol.asyncDispose]());
  return loaded;
};
const named = (name: string, path: string): ModelSpec => ({
  name,
  version: '1.0.0',
  executor: 'onnx',
  options: { path, outputs: ['logS'], processes: 1 },
});
const keys = (loaded: LoadedModels): string[] => loaded.roster().map(({ model }) => model);

test('a model that could not be loaded ahead is tried again when it is used', async () => {
  const folder = folderOf();
  const loaded = loadedIn(folder);
  const model = named('late', join(folder, 'late.onnx'));
  await loaded.prepare(model);
  expect(keys(loaded)).toEqual([]);
  copyFileSync(file, join(folder, 'late.onnx'));
  expect(await loaded.use(model, async (executor) => modelKey(executor.model))).toBe('late@1.0.0');
});

test('nothing is loaded ahead while something else is, or where it could make others go', async () => {
  const folder = folderOf();
  const loaded = loadedIn(folder);
  const [first, second] = [named('first', file), named('second', file)];
  await Promise.all([loaded.prepare(first), loaded.prepare(second)]);
  expect(keys(loaded)).toEqual(['first@1.0.0']);
  await loaded.prepare(second);
  expect(keys(loaded)).toEqual(['first@1.0.0', 'second@1.0.0']);
  const small = loadedIn(folder, 2_000_000);
  await small.prepare(first);
  await small.prepare(second);
  expect(keys(small)).toEqual(['first@1.0.0']);
});
