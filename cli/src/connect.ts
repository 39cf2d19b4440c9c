import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@sluice/contract/client';
import { Exit, exitCodes } from './exit.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export const serverUrl = (given: string | undefined, env: Environment = process.env): string => {
  const url = given ?? env['SLUICE_URL'] ?? 'http://127.0.0.1:8080';
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new Exit(exitCodes.error, `'${url}' is not the address of a server.`, 'Set SLUICE_URL to something like http://127.0.0.1:8080.');
  return url;
};

/**
 * The key: `SLUICE_API_KEY`, the file that `SLUICE_API_KEY_FILE` names, or the one a local installation keeps in its
 * data directory; null where there is none.
 */
export const apiKey = (env: Environment = process.env): string | null => {
  if (env['SLUICE_API_KEY']) return env['SLUICE_API_KEY'];
  const file = env['SLUICE_API_KEY_FILE'] ?? join(env['SLUICE_DATA_DIR'] ?? '.sluice', 'api-key');
  try {
    return readFileSync(file, 'utf8').trim() || null;
  } catch (error) {
    if (env['SLUICE_API_KEY_FILE'] === undefined) return null;
    throw new Exit(exitCodes.error, `SLUICE_API_KEY_FILE cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
};

export const connect = (url?: string, env: Environment = process.env): Client =>
  new Client({ url: serverUrl(url, env), key: apiKey(env), fetch });
