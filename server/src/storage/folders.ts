import { lstat, mkdir, open, readdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BadKey, isKey, StorageFull } from './storage.ts';

export const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');

/** There is no such object: no such name, a folder, or an object where a folder should be. */
export const isAbsent = (error: unknown): boolean => /^(ENOENT|ENOTDIR|EISDIR)$/.test(codeOf(error));

/** The device's, or the user's quota's, end is a failure of its own; anything else stays what it is. */
export const asFull = (error: unknown): unknown => (/^(ENOSPC|EDQUOT)$/.test(codeOf(error)) ? new StorageFull(error) : error);

/** What was renamed, made or removed in a directory survives a crash once the directory itself is synced. */
export const syncFolder = async (path: string): Promise<void> => {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** Directories below `root` that objects are put into. */
export interface Folders {
  /**
   * The directory of `key`, or null where there is none. Throws `BadKey` where a symlink stands on the way, even one
   * that stays inside the root: it may lead from one tenant to another. Asked of the system every time (7 µs, against
   * hundreds for a put), so that a directory replaced by a link later is noticed too.
   */
  find(key: string): Promise<string | null>;
  /** The same; makes what is missing, so that it survives a crash. */
  make(key: string): Promise<string>;
  /** Says that the directory was missing after all. */
  forget(path: string): void;
}

/** How often a directory may be taken away from under a put, by deletes that emptied it, before the put gives up. */
export const patience = 50;

export const openFolders = (root: string): Folders => {
  /** Directories whose own entries, and those of all above them, this process knows to be synced. */
  const durable = new Set<string>([root]);

  const verified = async (path: string, key: string): Promise<string | null> => {
    let real: string;
    try {
      real = await realpath(path);
    } catch (error) {
      if (/^(ENOENT|ENOTDIR)$/.test(codeOf(error))) return null;
      if (codeOf(error) === 'ELOOP') throw new BadKey(key);
      throw error;
    }
    if (real !== path) throw new BadKey(key);
    return path;
  };

  const make = async (path: string, key: string): Promise<void> => {
    if (durable.has(path)) return;
    const parent = dirname(path);
    await make(parent, key);
    try {
      await mkdir(path, { mode: 0o700 });
    } catch (error) {
      if (codeOf(error) === 'ENOENT') durable.delete(parent);
      if (codeOf(error) === 'ENOTDIR') throw new BadKey(key);
      if (codeOf(error) !== 'EEXIST') throw asFull(error);
      if (!(await verified(path, key))) {
        // Gone again, unless it is a link that leads nowhere.
        if ((await lstat(path).catch(() => null))?.isSymbolicLink()) throw new BadKey(key);
        throw Object.assign(new Error(`${path} was removed`), { code: 'ENOENT' });
      }
    }
    // Also where it stood already: another process may have made it a moment ago and not have synced it yet.
    await syncFolder(parent);
    if (durable.size > 10_000) durable.clear();
    durable.add(root).add(path);
  };

  return {
    find: (key) => verified(dirname(join(root, key)), key),
    make: async (key) => {
      const path = dirname(join(root, key));
      for (let attempt = 1; ; attempt++) {
        if (durable.has(path) && (await verified(path, key))) return path;
        for (let above = path; above !== root; above = dirname(above)) durable.delete(above);
        try {
          await make(path, key);
        } catch (error) {
          // A delete took an empty directory away between two of our steps.
          if (codeOf(error) !== 'ENOENT' || attempt === patience) throw error;
        }
      }
    },
    forget: (path) => void durable.delete(path),
  };
};

/** The objects below `folder`, whose key so far is `prefix`, in the order of their keys. */
export async function* walk(folder: string, prefix: string): AsyncGenerator<{ key: string; bytes: number; modified: Date }> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (isAbsent(error)) return [];
    throw error;
  });
  // A directory sorts as its name and the slash, so that the keys come in order over all levels.
  const names = entries
    .filter((entry) => isKey(entry.name) && (entry.isFile() || entry.isDirectory()))
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .sort((a, b) => (a < b ? -1 : 1));
  for (const name of names) {
    const key = prefix + name;
    if (name.endsWith('/')) yield* walk(join(folder, name), key);
    else {
      const stat = await lstat(join(folder, name)).catch(() => null);
      if (stat?.isFile()) yield { key, bytes: stat.size, modified: stat.mtime };
    }
  }
}
