import { createReadStream } from 'node:fs';
import { glob, lstat, realpath, writeFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import type { Kept } from '../../artifacts/artifacts.ts';
import { typeOfName } from '../../artifacts/types.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Task } from '../executor.ts';
import { isArtifactName, patternFor, type OutputPattern } from './options.ts';

/** A file found, still in the working directory. */
export interface Found {
  name: string;
  path: string;
  type: string;
  bytes: number;
}

/** What is wrong with what the program left; the request has failed. */
export class BadOutputs extends Error {}

/**
 * The files of a request that match the patterns, each once, by name. A link out of the folder, a pipe or a device is no file; a
 * required pattern without a file, two files of one name, and more bytes than allowed are `BadOutputs`.
 */
export const findOutputs = async (
  dir: string,
  patterns: readonly OutputPattern[],
  maxBytes: number,
  task: Pick<Task, 'line' | 'customId'>,
): Promise<Found[]> => {
  const found = new Map<string, Found>();
  const seen = new Set<string>();
  let total = 0;
  for (const { pattern, name: given, type, required } of patterns) {
    let matches = 0;
    const own = patternFor(pattern, task);
    for await (const match of own === null ? [] : glob(own, { cwd: dir })) {
      const path = join(dir, match);
      if (seen.has(path)) {
        matches++;
        continue;
      }
      if (relative(dir, await realpath(path).catch(() => '/')).startsWith('..')) continue;
      const stat = await lstat(path);
      if (!stat.isFile()) continue;
      matches++;
      seen.add(path);
      const name = given ?? basename(match);
      if (!isArtifactName(name)) throw new BadOutputs(`The program left a file whose name is not allowed: ${JSON.stringify(name)}.`);
      const other = found.get(name);
      if (other) throw new BadOutputs(`The program left two files for '${name}': ${relative(dir, other.path)} and ${match}.`);
      total += stat.size;
      if (total > maxBytes) throw new BadOutputs(`The program left more than ${maxBytes.toLocaleString('en')} bytes of files.`);
      found.set(name, { name, path, type: type ?? typeOfName(name), bytes: stat.size });
    }
    if (required && matches === 0) throw new BadOutputs(`The program left no file that matches '${pattern}'.`);
  }
  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
};

/** Puts what was found into storage, below `folder`. */
export const keepOutputs = (storage: Pick<Storage, 'put'>, folder: string, found: readonly Found[], signal: AbortSignal): Promise<Kept[]> =>
  Promise.all(
    found.map(async ({ name, path, type }) => {
      const key = `${folder}/${name}`;
      const { bytes, sha256 } = await storage.put(key, createReadStream(path), { digest: true, signal });
      return { name, key, type, bytes, sha256: sha256! };
    }),
  );

/** A text written beside the outputs, to be kept with them: a log, what was asked. */
export const written = async (dir: string, name: string, content: string): Promise<Found> => {
  const path = join(dir, name);
  await writeFile(path, content);
  return { name: name.replace(/^\./, ''), path, type: typeOfName(name), bytes: Buffer.byteLength(content) };
};

export const logName = 'logs.txt';

/** The log as the only file of a request that failed; none where it cannot be kept: the failure is what counts. */
export const keepLog = async (
  storage: Pick<Storage, 'put'> | undefined,
  folder: string | undefined,
  log: string,
): Promise<{ artifacts?: Kept[] }> => {
  if (storage === undefined || folder === undefined || log === '') return {};
  try {
    const key = `${folder}/${logName}`;
    const { bytes, sha256 } = await storage.put(key, [Buffer.from(log)], { digest: true });
    return { artifacts: [{ name: logName, key, type: typeOfName(logName), bytes, sha256: sha256! }] };
  } catch {
    return {};
  }
};
