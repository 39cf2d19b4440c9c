import { readdirSync } from 'node:fs';
import { matchesGlob } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { suites } from '../../vitest.config.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const matches = (file: string, globs: readonly string[]): boolean => globs.some((glob) => matchesGlob(file, glob));

/** Every test of the workspaces, wherever it lies. */
const files = ['contract', 'server', 'cli', 'portal', 'scripts', 'examples'].flatMap((workspace) => {
  try {
    return readdirSync(`${root}${workspace}`, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.test\.tsx?$/.test(file) && !file.includes('node_modules'))
      .map((file) => `${workspace}/${file}`);
  } catch {
    return [];
  }
});

test('each test is in one suite', () => {
  const found = files.map((file) => [
    file,
    suites.filter(({ include, exclude }) => matches(file, include) && !matches(file, exclude)).map(({ name }) => name),
  ]);
  expect(found.filter(([, names]) => names?.length !== 1)).toEqual([]);
  expect(files.length).toBeGreaterThan(70);
});
