import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { makeScratch } from './scratch.ts';

test('what a killed process left goes when the next one starts; what a living one has stays', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'sluice-scratch-'));
  const module = JSON.stringify(new URL('scratch.ts', import.meta.url).href);
  const child = spawn(process.execPath, [
    '-e',
    `import(${module}).then(async (m) => { console.log(await m.makeScratch('worker', ${JSON.stringify(parent)})); setInterval(() => {}, 1e6) })`,
  ]);
  const theirs = basename(String((await once(child.stdout, 'data'))[0]).trim());
  const mine = [await makeScratch('worker', parent), await makeScratch('api', parent)].map((path) => basename(path));
  expect((await readdir(parent)).toSorted()).toEqual([theirs, ...mine].toSorted());
  child.kill('SIGKILL');
  await once(child, 'exit');
  const next = basename(await makeScratch('worker', parent));
  expect((await readdir(parent)).toSorted()).toEqual([...mine, next].toSorted());
  await rm(parent, { recursive: true });
});
