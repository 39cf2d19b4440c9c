import { execFile, spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { chown, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Who PostgreSQL runs as: null where that is whoever runs us. PostgreSQL refuses to run as root. */
export type Account = { uid: number; gid: number } | null;

const find = async (name: string): Promise<Account> => {
  try {
    const [uid, gid] = await Promise.all(['-u', '-g'].map(async (flag) => Number((await run('id', [flag, name])).stdout)));
    return uid && gid !== undefined ? { uid, gid } : null;
  } catch {
    return null;
  }
};

/** `nobody` comes last: other programs run as it, and could then read the database's files. */
export const chooseAccount = async (owner?: { uid: number; gid: number }): Promise<Account> => {
  if (process.getuid?.() !== 0) return null;
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  for (const name of ['sluice', 'postgres']) {
    const account = await find(name);
    if (account) return account;
  }
  // Debian and Red Hat; Alpine.
  for (const [command, ...args] of [
    ['useradd', '--system', '--no-create-home', '--shell', '/usr/sbin/nologin', 'sluice'],
    ['adduser', '-S', '-H', '-D', 'sluice'],
  ])
    if (
      await run(command!, args).then(
        () => true,
        () => false,
      )
    )
      break;
  const account = (await find('sluice')) ?? (await find('nobody'));
  if (!account)
    throw new Error(
      'PostgreSQL refuses to run as root, and there is no user postgres, sluice or nobody it could run as. Add one, or set SLUICE_DATABASE_URL.',
    );
  return account;
};

/** Starts a program as `account`, in a folder that anybody may enter and with none of our environment. */
export const spawnAs = (account: Account, command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess =>
  spawn(command, args, {
    cwd: '/',
    // The C locale: messages are parsed, and no locale need be installed.
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    ...account,
    ...options,
  });

/** Runs a program to its end. */
export const runAs = (account: Account, command: string, args: readonly string[]): Promise<{ ok: boolean; output: string }> =>
  new Promise((resolve) => {
    let child: ChildProcess;
    let output = '';
    try {
      child = spawnAs(account, command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    } catch (error) {
      return resolve({ ok: false, output: String(error) });
    }
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data: Buffer) => (output += data.toString()));
    child.on('error', (error) => resolve({ ok: false, output: error.message }));
    child.on('close', (code) => resolve({ ok: code === 0, output: output.trim() }));
  });

/** Whether `account` can reach a folder and write in it: asked by trying, since modes alone do not tell. */
export const canWrite = async (account: Account, folder: string): Promise<boolean> =>
  (await runAs(account, '/bin/sh', ['-c', 'test -w "$1" && test -x "$1"', 'sh', folder])).ok;

/** Gives a whole tree to `account`; links are not followed. */
export const giveTo = async (account: NonNullable<Account>, path: string): Promise<void> => {
  const found = await lstat(path);
  if (found.isSymbolicLink()) return;
  if (found.isDirectory()) for (const name of await readdir(path)) await giveTo(account, join(path, name));
  if (found.uid !== account.uid) await chown(path, account.uid, account.gid);
};
