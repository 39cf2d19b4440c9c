/** Keys that `sluice auth login` keeps for servers, in a file that nobody else may read. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

export const keysFile = (env: Environment): string =>
  join(env['XDG_CONFIG_HOME'] || join(env['HOME'] || homedir(), '.config'), 'sluice', 'keys.json');

const read = (env: Environment): Record<string, string> => {
  try {
    return JSON.parse(readFileSync(keysFile(env), 'utf8')) as Record<string, string>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new Error(`${keysFile(env)} cannot be read.`, { cause: error });
  }
};

export const keptKey = (url: string, env: Environment): string | null => read(env)[new URL(url).origin] ?? null;

/** Keeps a key for a server; null forgets it. Whether there was one before. */
export const keepKey = (url: string, key: string | null, env: Environment): boolean => {
  const keys = read(env);
  const { origin } = new URL(url);
  const had = Object.hasOwn(keys, origin);
  const file = keysFile(env);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const { [origin]: _, ...others } = keys;
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, `${JSON.stringify(key === null ? others : { ...others, [origin]: key }, null, 2)}\n`, { mode: 0o600 });
  renameSync(fresh, file);
  return had;
};
