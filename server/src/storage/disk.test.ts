import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { conformance } from './conformance.ts';
import { openDisk } from './disk.ts';
import { BadKey, NotFound, StorageFull } from './storage.ts';

const run = promisify(execFile);
const made: string[] = [];
const folder = async () => {
  const path = await mkdtemp(join(tmpdir(), 'sluice-disk-'));
  made.push(path);
  return path;
};
afterEach(async () => {
  await Promise.all(made.splice(0).map((path) => rm(path, { recursive: true, force: true })));
});

conformance('disk', async () => await openDisk(await folder()));

/** Every name below `path`. */
const names = async (path: string) => (await readdir(path, { recursive: true })).sort();

test('symlinks lead nowhere, wherever they stand and whenever they were put there', async () => {
  const [outside, root] = [await folder(), await folder()];
  await writeFile(join(outside, 'secret'), 'secret');
  const disk = await openDisk(root);
  await disk.put('t/files/own', [Buffer.from('own')]);
  await symlink(outside, join(root, 'out'));
  await symlink(join(root, 't'), join(root, 'other'));
  await symlink(join(outside, 'secret'), join(root, 't/files/link'));
  await symlink(join(root, 't/files/own'), join(root, 't/files/inner'));
  await symlink('loop', join(root, 'loop'));
  await symlink('nowhere', join(root, 'dangling'));
  const refused = ['out/secret', 'other/files/own', 'loop/x'];
  for (const key of ['out/deep/down', 'other/new/x', 'dangling/x', ...refused]) {
    await expect(disk.put(key, [Buffer.from('x')])).rejects.toThrow(BadKey);
    await expect(disk.copy('t/files/own', key)).rejects.toThrow(BadKey);
  }
  for (const key of refused) await expect(disk.delete(key)).rejects.toThrow(BadKey);
  for (const key of [...refused, 't/files/link', 't/files/inner']) {
    await expect(disk.read(key)).rejects.toThrow(BadKey);
    await expect(disk.stream(key)).rejects.toThrow(BadKey);
    await expect(disk.size(key)).rejects.toThrow(BadKey);
    await expect(disk.copy(key, 't/files/copy')).rejects.toThrow(BadKey);
  }
  const listed: string[] = [];
  for await (const { key } of disk.list('')) listed.push(key);
  expect(listed).toEqual(['t/files/own']);
  // A link in the place of the object is replaced or removed, never followed.
  await disk.put('t/files/link', [Buffer.from('mine')]);
  await disk.delete('t/files/inner');
  expect((await disk.read('t/files/own')).toString()).toBe('own');

  // A folder that was verified before becomes a link.
  await rm(join(root, 't/files'), { recursive: true });
  await symlink(outside, join(root, 't/files'));
  await expect(disk.put('t/files/own', [Buffer.from('x')])).rejects.toThrow(BadKey);
  await expect(disk.read('t/files/secret')).rejects.toThrow(BadKey);
  expect(await names(outside)).toEqual(['secret']);
});

test('the root itself may be reached through a symlink', async () => {
  const [real, around] = [await folder(), await folder()];
  await symlink(real, join(around, 'data'));
  const disk = await openDisk(join(around, 'data'));
  await disk.put('t/x', [Buffer.from('x')]);
  expect((await disk.read('t/x')).toString()).toBe('x');
  expect(await names(real)).toContain('t/x');
});

test('a put that fails leaves no temporary file', async () => {
  const root = await folder();
  const disk = await openDisk(root);
  async function* broken() {
    yield Buffer.alloc(500_000);
    throw new Error('cut off');
  }
  await expect(disk.put('t/x', broken())).rejects.toThrow('cut off');
  await expect(disk.put('t/x', [Buffer.alloc(2)], { limit: 1 })).rejects.toThrow('more than 1 bytes');
  await disk.put('t/y', [Buffer.from('y')]);
  await expect(disk.put('t/y/z', [Buffer.from('z')])).rejects.toThrow(BadKey);
  await expect(disk.put('t', [Buffer.from('z')])).rejects.toThrow(BadKey);
  await expect(disk.read('t')).rejects.toThrow(NotFound);
  expect(await names(root)).toEqual(['t', 't/y', '~writing']);
});

test('what a killed process was writing is swept once it is old, and was never seen', async () => {
  const root = await folder();
  const script = `
    import { openDisk } from ${JSON.stringify(join(import.meta.dirname, 'disk.ts'))};
    const disk = await openDisk(${JSON.stringify(root)});
    await disk.put('t/done', [Buffer.from('done')]);
    async function* half() { yield Buffer.alloc(1_000_000); yield Buffer.alloc(1_000_000); process.kill(process.pid, 'SIGKILL'); yield Buffer.alloc(1); }
    await disk.put('t/half', half());`;
  await expect(run(process.execPath, ['--input-type=module', '-e', script])).rejects.toMatchObject({ signal: 'SIGKILL' });
  const disk = await openDisk(root);
  expect(await names(root)).toEqual(['t', 't/done', '~writing', expect.stringMatching(/^~writing\/\d+-/)]);
  expect(await disk.size('t/half')).toBe(null);
  const [left] = await readdir(join(root, '~writing'));
  await utimes(join(root, '~writing', left!), new Date(0), new Date(1_000_000));
  await writeFile(join(root, '~writing/fresh'), 'being written');
  expect(await disk.sweepTemporary(new Date(2_000_000))).toBe(1);
  expect(await readdir(join(root, '~writing'))).toEqual(['fresh']);
});

const canMount = await (async () => {
  const path = await mkdtemp(join(tmpdir(), 'sluice-mount-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', path]);
    await run('umount', [path]);
    return true;
  } catch {
    return false;
  } finally {
    await rm(path, { recursive: true, force: true });
  }
})();

test.skipIf(!canMount)('a full disk says so, and what did not fit is not there', async () => {
  const root = await folder();
  await run('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', root]);
  try {
    const disk = await openDisk(root);
    await disk.put('t/small', [Buffer.alloc(500_000)]);
    async function* much() {
      for (let i = 0; i < 40; i++) yield Buffer.alloc(100_000);
    }
    await expect(disk.put('t/much', much())).rejects.toThrow(StorageFull);
    await expect(disk.put('t/much', [Buffer.alloc(3_000_000)])).rejects.toThrow(StorageFull);
    await expect(disk.check()).rejects.toThrow(StorageFull);
    expect(await names(root)).toEqual(['t', 't/small', '~writing']);
    expect(await disk.size('t/much')).toBe(null);
    await disk.put('t/fits', [Buffer.alloc(500_000)]);
  } finally {
    await run('umount', [root]);
  }
});

test('folders are made on the way, and those of others at the same time', async () => {
  const root = await folder();
  const [a, b] = [await openDisk(root), await openDisk(root)];
  await Promise.all([a, b].map((disk, i) => disk.put(`deep/er/and/deeper/${i}`, [Buffer.from('x')])));
  await mkdir(join(root, 'by-hand'));
  await a.put('by-hand/x', [Buffer.from('x')]);
  // One process empties the folder that the other has verified.
  for (let round = 0; round < 20; round++) {
    await a.put('shared/x', [Buffer.from('x')]);
    await b.delete('shared/x');
  }
  expect(await a.size('shared/x')).toBe(null);
});
