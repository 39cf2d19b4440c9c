import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import type { Client } from '@sluice/contract/client';
import { toFile } from './spool.ts';

type Query = Record<string, string | number | undefined>;

const formats = new Set(['csv', 'tsv', 'parquet', 'sdf']);

/** The format of a table that the name of a file asks for; null: its name says nothing of a table. */
export const formatOf = (path: string): string | null => {
  const format = extname(path).slice(1).toLowerCase();
  return formats.has(format) ? format : null;
};

/** Asks again while the table is being made: the server waits for it, and says so where that was not enough. */
export const tableReply = async (client: Client, path: string, query: Query): Promise<Response> => {
  for (;;) {
    const answer = await client.call('GET', path, { query: { wait: 30, ...query } });
    if (answer.status !== 202) return answer;
    await answer.body?.cancel();
  }
};

/** Writes a batch's table of results to `path`, under another name until it is whole; `-` is standard output. */
export const downloadTable = async (client: Client, id: string, path: string, query: Query, out: NodeJS.WritableStream): Promise<void> => {
  const { body } = await tableReply(client, `/v1/batches/${id}/results`, query);
  if (path === '-') {
    for await (const chunk of body ?? []) out.write(chunk);
    return;
  }
  await mkdir(dirname(path), { recursive: true });
  try {
    await toFile(body, `${path}.part`);
  } catch (error) {
    await rm(`${path}.part`, { force: true });
    throw error;
  }
  await rename(`${path}.part`, path);
};
