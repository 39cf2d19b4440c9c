import { createHash } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FileObject } from '@sluice/contract';
import { type Client, Refused, Unreachable } from '@sluice/contract/client';
import { Exit, exitCodes } from './exit.ts';

/** The content from byte `at` on; where the connection breaks it goes on from there, a few times. */
async function* content(client: Client, id: string, bytes: number): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let broken = 0; at < bytes;) {
    try {
      const headers = { accept: 'application/octet-stream', ...(at > 0 ? { range: `bytes=${at}-` } : {}) };
      const reply = await client.call('GET', `/v1/files/${id}/content`, { headers });
      for await (const chunk of reply.body ?? []) {
        yield chunk;
        at += chunk.length;
        broken = 0;
      }
      if (at < bytes && ++broken > 5) throw new Unreachable(client.url, new Error('the reply ended early'));
    } catch (error) {
      if (error instanceof Refused || ++broken > 5) throw error;
    }
  }
}

/**
 * Writes a file's content to `path`, under another name until it is whole and its SHA-256 is the server's; `-` is
 * standard output.
 */
export const download = async (
  client: Client,
  id: string,
  path: string,
  out: NodeJS.WritableStream = process.stdout,
): Promise<FileObject> => {
  const file = await client.get<FileObject>(`/v1/files/${id}`);
  const hash = createHash('sha256');
  const copy = async (write: (chunk: Uint8Array) => Promise<unknown>) => {
    for await (const chunk of content(client, id, file.bytes)) {
      hash.update(chunk);
      await write(chunk);
    }
    if (hash.digest('hex') !== file.sha256)
      throw new Exit(exitCodes.error, `What arrived of ${id} is not what the server has.`, 'Try again.');
  };
  if (path === '-') {
    await copy((chunk) => new Promise<void>((resolve, reject) => out.write(chunk, (error) => (error ? reject(error) : resolve()))));
    return file;
  }
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.part`;
  try {
    await using handle = await open(partial, 'w');
    await copy((chunk) => handle.writeFile(chunk));
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  await rename(partial, path);
  return file;
};
