import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@sluice/contract/client';
import { Exit, exitCodes } from './exit.ts';
import { keptKey, keysFile } from './keys.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export const serverUrl = (given: string | undefined, env: Environment = process.env): string => {
  const url = given ?? env['SLUICE_URL'] ?? 'http://127.0.0.1:8080';
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new Exit(exitCodes.error, `'${url}' is not the address of a server.`, 'Set SLUICE_URL to something like http://127.0.0.1:8080.');
  return url;
};

const fileOf = (env: Environment): string => env['SLUICE_API_KEY_FILE'] ?? join(env['SLUICE_DATA_DIR'] ?? '.sluice', 'api-key');

/** A key and where it comes from, the first of these that has one. */
const found = (url: string, env: Environment): { key: string; from: string } | null => {
  if (env['SLUICE_API_KEY']) return { key: env['SLUICE_API_KEY'], from: 'SLUICE_API_KEY' };
  if (env['SLUICE_API_KEY_FILE'] === undefined) {
    const kept = keptKey(url, env);
    if (kept !== null) return { key: kept, from: keysFile(env) };
  }
  const file = fileOf(env);
  try {
    const key = readFileSync(file, 'utf8').trim();
    return key === '' ? null : { key, from: file };
  } catch (error) {
    if (env['SLUICE_API_KEY_FILE'] === undefined) return null;
    throw new Exit(exitCodes.error, `SLUICE_API_KEY_FILE cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
};

/**
 * The key for a server: `SLUICE_API_KEY`, the file that `SLUICE_API_KEY_FILE` names, the one that `auth login` keeps for it,
 * or the one a local installation keeps in its data directory; null where there is none.
 */
export const apiKey = (url: string, env: Environment = process.env): string | null => found(url, env)?.key ?? null;

export const keySource = (url: string, env: Environment = process.env): string | null => found(url, env)?.from ?? null;

export const connect = (given?: string, env: Environment = process.env): Client => {
  const url = serverUrl(given, env);
  return new Client({ url, key: apiKey(url, env), fetch });
};
