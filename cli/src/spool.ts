import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/**
 * Standard input can be read once and has no size; an upload needs the size before and may need the bytes again. So
 * it is written to a temporary file first, which goes when `work` is done.
 */
export const spooled = async <T>(input: Readable, work: (path: string) => Promise<T>): Promise<T> => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-'));
  try {
    const path = join(folder, 'stdin.jsonl');
    await pipeline(input, createWriteStream(path, { mode: 0o600 }));
    return await work(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** The file at `path`, or standard input where `path` is `-`. */
export const fileOrStdin = <T>(path: string, work: (path: string) => Promise<T>): Promise<T> =>
  path === '-' ? spooled(process.stdin, work) : work(path);

/** A reply's body into a file. */
export const toFile = async (body: AsyncIterable<Uint8Array> | null, path: string): Promise<void> => {
  await pipeline(body ?? [], createWriteStream(path));
};
