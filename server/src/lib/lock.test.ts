import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { holderOf, lockDataDir } from './lock.ts';
import { here, startOf } from './processes.ts';

const folder = (): Promise<string> => mkdtemp(join(tmpdir(), 'sluice-lock-'));

test('a second one is told who holds it, since when and where it answers', async () => {
  const dir = await folder();
  const lock = await lockDataDir(dir);
  await expect(lockDataDir(dir)).rejects.toThrow(new RegExp(`in use by process ${process.pid}, since 20\\d\\d-`));
  await lock.announce('http://127.0.0.1:8080');
  await expect(lockDataDir(dir)).rejects.toThrow('answers at http://127.0.0.1:8080');
  expect(await holderOf(dir)).toMatchObject({ pid: process.pid });
  await lock.release();
  await lock.release();
  expect(await readdir(dir)).toEqual([]);
  await (await lockDataDir(dir)).release();
});

test('what a killed process held is free, also when its number is in use again', async () => {
  const dir = await folder();
  const module = JSON.stringify(new URL('lock.ts', import.meta.url).href);
  const child = spawn(process.execPath, [
    '-e',
    `import(${module}).then(async (m) => { await m.lockDataDir(${JSON.stringify(dir)}); console.log('held'); setInterval(() => {}, 1e6) })`,
  ]);
  await once(child.stdout, 'data');
  await expect(lockDataDir(dir)).rejects.toThrow(`process ${child.pid}`);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await (await lockDataDir(dir)).release();

  const reused = { pid: process.pid, began: 'another', place: here(), host: 'h', since: 'then' };
  await writeFile(join(dir, 'lock'), JSON.stringify(reused));
  expect(await holderOf(dir)).toBeNull();
  await (await lockDataDir(dir)).release();
});

test('a holder on another machine is believed while it gives signs of life', async () => {
  const dir = await folder();
  const file = join(dir, 'lock');
  await writeFile(file, JSON.stringify({ pid: 1, began: startOf(1), place: 'elsewhere', host: 'other', since: 'then' }));
  await expect(lockDataDir(dir)).rejects.toThrow('process 1 on other');
  const old = new Date(Date.now() - 31_000);
  await utimes(file, old, old);
  await (await lockDataDir(dir)).release();
});

test('one of many takes over what is stale, or cut off', async () => {
  for (const left of ['', '{"pid": 12', JSON.stringify({ pid: 0, began: 'x', place: here(), host: '', since: '' })]) {
    const dir = await folder();
    await writeFile(join(dir, 'lock'), left);
    const module = JSON.stringify(new URL('lock.ts', import.meta.url).href);
    const code = `import(${module}).then((m) => m.lockDataDir(${JSON.stringify(dir)})).then(() => { console.log('held'); process.stdin.resume() }, () => console.log('refused'))`;
    const children = [1, 2, 3, 4].map(() => spawn(process.execPath, ['-e', code]));
    const said = await Promise.all(children.map(async (child) => String((await once(child.stdout, 'data'))[0]).trim()));
    for (const child of children) child.kill('SIGKILL');
    expect(said.toSorted()).toEqual(['held', 'refused', 'refused', 'refused']);
    expect((await stat(join(dir, 'lock'))).size).toBe((await readFile(join(dir, 'lock'), 'utf8')).length);
  }
});
