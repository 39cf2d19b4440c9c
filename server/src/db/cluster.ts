import { hash, randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { canWrite, chooseAccount, giveTo, runAs, type Account } from './account.ts';
import { findBinaries, ownFolder, publicFolders, type Binaries } from './binaries.ts';

/** The major version of PostgreSQL that comes along; a cluster of another one cannot be opened by it. */
const major = '18';

export interface Cluster {
  /** PostgreSQL's own data directory, as a real path. */
  folder: string;
  account: Account;
  binaries: Binaries;
  password: string;
}

const read = (file: string): Promise<string | null> =>
  readFile(file, 'utf8').then(
    (text) => text.trim(),
    (error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    },
  );

/** Written under another name first: whole, or not there. */
const writeSecret = async (file: string, text: string): Promise<void> => {
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, `${text}\n`, { mode: 0o600 });
  await chmod(draft, 0o600);
  await rename(draft, file);
};

/** A secret of the data directory, made at the first use. */
export const keepSecret = async (file: string, make: () => string): Promise<{ value: string; made: boolean }> => {
  const kept = await read(file);
  if (kept) return { value: kept, made: false };
  const value = make();
  await writeSecret(file, value);
  return { value, made: true };
};

/**
 * The data directory. As root others may pass through it, since PostgreSQL's user must reach its own folder inside;
 * what else lies in it is closed by itself.
 */
export const makeDataDir = async (dataDir: string): Promise<string> => {
  await mkdir(dataDir, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  return realpath(dataDir);
};

/**
 * Where the cluster is or will be: `postgres` in the data directory, unless PostgreSQL's user cannot reach that (a
 * home directory of mode 700); then a place of its own, which the file `postgres.at` in the data directory names.
 */
const placeOf = async (dataDir: string, account: Account): Promise<string> => {
  const usual = join(dataDir, 'postgres');
  const pointer = join(dataDir, 'postgres.at');
  const elsewhere = await read(pointer);
  if (elsewhere) {
    const owner = await read(join(dirname(elsewhere), 'data-dir'));
    if (owner !== null && owner !== dataDir && (await read(join(owner, 'postgres.at'))) === elsewhere)
      throw new Error(
        `${pointer} names the database of ${owner}: this data directory is a copy. Remove ${pointer} to begin with an empty database.`,
      );
    return elsewhere;
  }
  if (account === null) return usual;
  await mkdir(usual, { mode: 0o700 }).catch(() => {});
  await giveTo(account, usual);
  if (await canWrite(account, usual)) return usual;
  if ((await readdir(usual)).length > 0)
    throw new Error(
      `PostgreSQL runs as user ${account.uid} and cannot reach ${usual}. Let others pass through the folders above it (chmod o+x).`,
    );
  await rm(usual, { recursive: true });
  for (const parent of publicFolders()) {
    const home = join(parent, hash('sha256', dataDir, 'hex').slice(0, 16));
    const folder = join(home, 'postgres');
    try {
      await ownFolder(parent);
      // Of a data directory of this name that somebody has removed: its bodies and its password are gone. Kept once.
      if (await read(join(folder, 'PG_VERSION'))) {
        await rm(`${home}.old`, { recursive: true, force: true });
        await rename(home, `${home}.old`);
      }
      await mkdir(folder, { recursive: true, mode: 0o711 });
      await giveTo(account, folder);
      if (!(await canWrite(account, folder))) continue;
    } catch {
      continue;
    }
    await writeFile(join(home, 'data-dir'), dataDir);
    await writeFile(pointer, folder);
    return folder;
  }
  throw new Error(
    `PostgreSQL runs as user ${account.uid} and cannot reach ${usual}; neither could ${publicFolders().join(' or ')} be used.`,
  );
};

/** The cluster of a data directory; made where there is none. `dataDir` is a real path. */
export const openCluster = async (dataDir: string): Promise<Cluster> => {
  const known = (await read(join(dataDir, 'postgres.at'))) ?? join(dataDir, 'postgres');
  const owner = await stat(known).catch(() => undefined);
  const account = await chooseAccount(owner);
  if (account === null && owner && owner.uid !== process.getuid?.())
    throw new Error(`${known} belongs to user ${owner.uid}. Start Sluice as that user or as root, or give it to yours (chown -R).`);
  const [binaries, folder, { value: password }] = await Promise.all([
    findBinaries(account),
    placeOf(dataDir, account),
    keepSecret(join(dataDir, 'postgres.password'), () => randomBytes(24).toString('hex')),
  ]);
  const version = await read(join(folder, 'PG_VERSION'));
  if (version === null) await create(folder, account, binaries, password);
  else if (version !== major)
    throw new Error(
      `${folder} was made by PostgreSQL ${version}, and this Sluice brings ${major}. Start the Sluice that made it and dump the database.`,
    );
  await chmod(folder, 0o700);
  return { folder: await realpath(folder), account, binaries, password };
};

/** `initdb` into a folder beside, then a rename: a crash in the middle leaves no half of a cluster. */
const create = async (folder: string, account: Account, binaries: Binaries, password: string): Promise<void> => {
  const parent = dirname(folder);
  for (const name of await readdir(parent))
    if (name.startsWith('postgres.new-')) await rm(join(parent, name), { recursive: true, force: true });
  const draft = await mkdtemp(join(parent, 'postgres.new-'));
  try {
    const secret = join(draft, 'password');
    await writeFile(secret, password, { mode: 0o600 });
    if (account) for (const path of [secret, draft]) await chown(path, account.uid, account.gid);
    const { ok, output } = await runAs(account, binaries.initdb, [
      `--pgdata=${join(draft, 'data')}`,
      '--username=sluice',
      `--pwfile=${secret}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // Sorts by bytes and knows Unicode's letters, the same on every machine: no index breaks with a new libc.
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
    ]);
    if (!ok) throw new Error(`initdb failed: ${output}`);
    await rm(folder, { recursive: true, force: true });
    await rename(join(draft, 'data'), folder);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
};
