import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { PortalSession } from '@sluice/contract';
import { Client } from '@sluice/contract/client';
import type { Context } from '../context.ts';
import { keySource, serverUrl } from '../connect.ts';
import { Exit, exitCodes } from '../exit.ts';
import { keepKey, keysFile } from '../keys.ts';
import { printFields, printJson, say } from '../output.ts';

/** Typed without being shown; or what standard input holds. */
const askForKey = async (url: string): Promise<string> => {
  if (!process.stdin.isTTY) return (await text(process.stdin)).trim();
  process.stderr.write(`Key of ${url}: `);
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: unseen, terminal: true });
  const key = await lines.question('');
  lines.close();
  process.stderr.write('\n');
  return key.trim();
};

/** Keeps a key for this server, once the server has taken it. */
export const login = async ({ terminal, address, quiet }: Context): Promise<void> => {
  const url = serverUrl(address ?? undefined);
  const key = await askForKey(url);
  if (key === '') throw new Exit(exitCodes.error, 'No key was given.', 'Type it, or send it by standard input.');
  const session = await new Client({ url, key, fetch }).get<PortalSession>('/v1/portal/session');
  keepKey(url, key, process.env);
  if (!quiet) say(terminal, `Signed in to ${url} as ${session.user} of ${session.tenant}; the key is kept in ${keysFile(process.env)}.`);
};

/** Who the server takes us for, and where the key comes from. */
export const status = async ({ client, terminal, fields }: Context): Promise<void> => {
  const { tenant, user, role, server } = await client.get<PortalSession>('/v1/portal/session');
  const found = { server: client.url, version: server.version, tenant, user, role, key: keySource(client.url) };
  if (fields) return printJson(terminal, found, fields);
  printFields(terminal, found);
};

export const logout = ({ terminal, address, quiet }: Context): Promise<void> => {
  const url = serverUrl(address ?? undefined);
  const had = keepKey(url, null, process.env);
  if (!quiet) say(terminal, had ? `The key of ${url} is forgotten.` : `No key of ${url} was kept.`);
  return Promise.resolve();
};
