import { expect, test } from 'vitest';
import { silent } from '../lib/log.ts';
import { LoadError } from './executor.ts';
import { checkOptions, openExecutor, pathOptions } from './registry.ts';

test('options that are right have no problems', () => {
  expect(checkOptions({ executor: 'echo', options: {} })).toEqual([]);
  expect(checkOptions({ executor: 'openai', options: { base_url: 'http://127.0.0.1:1/v1', headers: { 'x-a': 'b' } } })).toEqual([]);
  const options = { path: '/m.onnx', preprocess: 'smiles-morgan2048-desc16', outputs: ['logS'], processes: 2 };
  expect(checkOptions({ executor: 'onnx', options })).toEqual([]);
});

test('each problem names its option', () => {
  expect(checkOptions({ executor: 'openai', options: { base_ulr: 'http://x', max_concurrency: 0 } })).toEqual([
    "unknown option 'base_ulr'. Did you mean base_url?",
    "option 'base_url' is missing; it must be an http or https URL without credentials, such as http://localhost:8000/v1.",
    "option 'max_concurrency' must be a whole number from 1 to 10000.",
  ]);
  expect(checkOptions({ executor: 'openai', options: { base_url: 'ftp://x' } })[0]).toContain("'base_url' must be");
  expect(checkOptions({ executor: 'onnx', options: { path: 5, outputs: ['a', 'a'], preprocess: 'smiles' } })).toHaveLength(3);
  const [unknown, ...others] = checkOptions({ executor: 'echo', options: { speed: 1 } });
  expect(others).toEqual([]);
  expect(unknown).toMatch(/^unknown option 'speed'\. Known are max_attempts, .*max_concurrency\.$/);
});

test('a model with wrong options does not load', async () => {
  const context = { log: silent, scratch: '/nonexistent', crash: () => {} };
  const opening = openExecutor({ name: 'm', version: '1.0.0', executor: 'onnx', options: {} }, context);
  await expect(opening).rejects.toThrow(LoadError);
  await expect(opening).rejects.toThrow("option 'path' is missing");
});

test('the options that are paths are known', () => {
  expect(pathOptions('onnx')).toEqual({ path: 'file' });
  expect(pathOptions('openai')).toEqual({ api_key_file: 'file' });
  expect(pathOptions('boltz')).toEqual({ cache: 'folder' });
});
