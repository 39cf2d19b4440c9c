import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, lstat, mkdir, open, readdir, realpath, rename, rmdir, statfs, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { asFull, codeOf, isAbsent, openFolders, patience, syncFolder, walk } from './folders.ts';
import { pour, type Write } from './pour.ts';
import { BadKey, checkKey, NotFound, StorageFull, type Storage } from './storage.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;

/** No key can name it: `~` is not in a key's alphabet. In the root, so that a rename out of it is one step. */
const temporary = '~writing';

/** A disk with less than this left counts as full for health checks. */
const leastFree = 16 * 1024 * 1024;

/** Ranges up to this are read at once into a buffer of their size; longer ones are measured against the object first. */
const trusted = 4 * 1024 * 1024;

export interface Disk extends Storage {
  readonly root: string;
}

const writer = (handle: FileHandle): Write => {
  return async (bytes) => {
    for (let done = 0; done < bytes.length;) done += (await handle.write(bytes, done, bytes.length - done)).bytesWritten;
  };
};

/**
 * Storage in a directory. A put writes to a temporary name, syncs it, renames it to the key and syncs the key's
 * directory: whenever power fails, the object is there whole or not at all, and once the put has resolved it is there.
 */
export const openDisk = async (path: string): Promise<Disk> => {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const root = await realpath(resolve(path));
  const folders = openFolders(root);
  const writing = join(root, temporary);
  await mkdir(writing, { mode: 0o700 }).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
  if ((await realpath(writing)) !== writing) throw new Error(`${writing} leads out of the storage`);
  await syncFolder(root);

  const temporaryName = () => join(writing, `${process.pid}-${randomBytes(9).toString('hex')}`);

  /** Runs `fill` on a new temporary file, then makes the file the object `key`; where that fails nothing is left. */
  const place = async <T>(key: string, fill: (file: string) => Promise<T>): Promise<T> => {
    const file = temporaryName();
    try {
      let folder = await folders.make(key);
      const result = await fill(file);
      for (let attempt = 1; ; attempt++) {
        try {
          await rename(file, join(folder, basename(key)));
          await syncFolder(folder);
          return result;
        } catch (error) {
          if (/^(EISDIR|ENOTDIR)$/.test(codeOf(error))) throw new BadKey(key);
          // The last object of the directory was deleted meanwhile, and the directory with it.
          if (codeOf(error) !== 'ENOENT' || attempt === patience) throw error;
          folders.forget(folder);
          folder = await folders.make(key);
        }
      }
    } catch (error) {
      await unlink(file).catch(() => {});
      throw asFull(error);
    }
  };

  /** The object's path; `NotFound` where its directory is not there. */
  const locate = async (key: string): Promise<string> => {
    const folder = await folders.find(checkKey(key));
    if (!folder) throw new NotFound(key);
    return join(folder, basename(key));
  };

  const openObject = async (key: string): Promise<FileHandle> => {
    try {
      return await open(await locate(key), O_RDONLY | O_NOFOLLOW);
    } catch (error) {
      if (codeOf(error) === 'ELOOP') throw new BadKey(key);
      throw isAbsent(error) ? new NotFound(key) : error;
    }
  };

  const sizeOf = async (handle: FileHandle, key: string): Promise<number> => {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new NotFound(key);
    return stat.size;
  };

  return {
    root,

    async put(key, bytes, options) {
      return await place(checkKey(key), async (file) => {
        const handle = await open(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
        try {
          const stored = await pour(bytes, writer(handle), options);
          await handle.datasync();
          return stored;
        } finally {
          await handle.close();
        }
      });
    },

    async read(key, { start = 0, end = Infinity, into } = {}) {
      const handle = await openObject(key);
      try {
        const until = end - start <= trusted ? end : Math.min(end, await sizeOf(handle, key));
        const wanted = Math.max(0, until - start);
        const buffer = into !== undefined && into.length >= wanted ? into : Buffer.allocUnsafe(wanted);
        let done = 0;
        while (done < wanted) {
          const { bytesRead } = await handle.read(buffer, done, wanted - done, start + done);
          if (bytesRead === 0) break;
          done += bytesRead;
        }
        return buffer.subarray(0, done);
      } catch (error) {
        throw isAbsent(error) ? new NotFound(key) : error;
      } finally {
        await handle.close();
      }
    },

    async stream(key, { start = 0, end = Infinity } = {}) {
      const handle = await openObject(key);
      let until: number;
      try {
        until = Math.min(end, await sizeOf(handle, key));
      } catch (error) {
        await handle.close();
        throw error;
      }
      if (until > start) return handle.createReadStream({ start, end: until - 1, highWaterMark: 256 * 1024 });
      await handle.close();
      return Readable.from([], { objectMode: false });
    },

    async file(key) {
      const handle = await openObject(key);
      try {
        await sizeOf(handle, key);
        return await locate(key);
      } finally {
        await handle.close();
      }
    },

    async take(key, path) {
      return await place(checkKey(key), async (file) => {
        await rename(path, file).catch(async (error: unknown) => {
          if (codeOf(error) !== 'EXDEV') throw error;
          await copyFile(path, file, constants.COPYFILE_EXCL);
          await unlink(path);
        });
        const handle = await open(file, constants.O_RDWR | O_NOFOLLOW);
        try {
          await handle.chmod(0o600);
          await handle.datasync();
          return { bytes: await sizeOf(handle, key), sha256: null };
        } finally {
          await handle.close();
        }
      });
    },

    async size(key) {
      try {
        const stat = await lstat(await locate(key));
        if (stat.isSymbolicLink()) throw new BadKey(key);
        return stat.isFile() ? stat.size : null;
      } catch (error) {
        if (error instanceof NotFound || isAbsent(error)) return null;
        throw error;
      }
    },

    async *list(prefix) {
      if (prefix !== '' && !prefix.endsWith('/')) throw new BadKey(prefix);
      if (prefix !== '') checkKey(prefix.slice(0, -1));
      const folder = prefix === '' ? root : await folders.find(`${prefix}any`);
      if (folder) yield* walk(folder, prefix);
    },

    async delete(key) {
      try {
        const file = await locate(key);
        await unlink(file);
        // Directories that are left empty go too. Not synced: what a crash brings back is garbage, not damage.
        for (let folder = dirname(file); folder !== root; folder = dirname(folder)) {
          await rmdir(folder);
          folders.forget(folder);
        }
      } catch (error) {
        if (error instanceof NotFound || isAbsent(error) || /^(ENOTEMPTY|EEXIST|EPERM)$/.test(codeOf(error))) return;
        throw error;
      }
    },

    async copy(from, to) {
      const source = await openObject(from);
      try {
        await sizeOf(source, from);
        const path = await locate(from);
        await place(checkKey(to), async (file) => {
          // A clone where the file system has them, else a copy within the kernel. Not a hard link: it would share
          // the old object's time, and look like old garbage to a sweep.
          await copyFile(path, file, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
          const handle = await open(file, 'r+');
          try {
            await handle.datasync();
          } finally {
            await handle.close();
          }
        });
      } catch (error) {
        throw isAbsent(error) ? new NotFound(from) : error;
      } finally {
        await source.close();
      }
    },

    async check() {
      const { bavail, bsize } = await statfs(root);
      if (bavail * bsize < leastFree) throw new StorageFull(new Error(`${bavail * bsize} bytes left`));
      const file = temporaryName();
      await (await open(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)).close();
      await unlink(file);
    },

    async sweepTemporary(before) {
      let removed = 0;
      for (const name of await readdir(writing)) {
        const file = join(writing, name);
        const stat = await lstat(file).catch(() => null);
        if (!stat || stat.mtime >= before) continue;
        await unlink(file).then(
          () => removed++,
          () => {},
        );
      }
      return removed;
    },
  };
};
