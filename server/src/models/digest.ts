import { createHash, hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { ModelSpec } from './models.ts';

/** Options that say how a model is run, and not what it answers. */
const operational =
  /^(max_attempts|prior_rate|request_memory_mb|request_gpus|max_concurrency|processes|slice|replicas|batching|pinned|breaker_.*|.*_timeout_ms|timeout_ms|.*memory_limit_mb)$/;
/** What opens a door changes nothing behind it; and a digest is shown, so that it may not depend on it. */
const secret = /(^|[-_])(key|token|secret|password|authorization|cookie)(_file)?$/i;

/**
 * What the answers of a model version depend on, as text: two versions of one digest give the same answers. A registered
 * version brings its own; else it is made of the name, the version, the executor, the options that matter and, where one
 * of them names a file, that file's bytes.
 */
export const digestOf = async (model: ModelSpec, sha256 = fileDigest): Promise<string> => {
  if (model.digest !== undefined) return model.digest;
  const { name, version, executor, options, file } = model;
  const own: [string, unknown][] = [];
  for (const key of Object.keys(options).sort()) {
    const value = options[key];
    if (operational.test(key) || secret.test(key) || value === undefined || value === null) continue;
    if (key === 'path' && typeof value === 'string') own.push(['path', await sha256(value)]);
    else own.push([key, key === 'headers' ? harmless(value) : value]);
  }
  return hash('sha256', JSON.stringify([name, version, executor, file?.sha256 ?? null, own]), 'hex');
};

const harmless = (headers: unknown): [string, unknown][] =>
  Object.entries(headers as Record<string, unknown>)
    .map(([name, value]): [string, unknown] => [name.toLowerCase(), value])
    .filter(([name]) => !secret.test(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));

const fileDigest = async (path: string): Promise<string> => {
  const sum = createHash('sha256');
  await pipeline(createReadStream(path), sum);
  return sum.digest('hex');
};

/** Digests by model, made once: a file is read again only where it has changed. */
export class Digests {
  readonly #known = new Map<ModelSpec, Promise<string>>();
  readonly #files = new Map<string, { mark: string; sha256: Promise<string> }>();

  async of(model: ModelSpec): Promise<string> {
    const path = model.options['path'];
    if (model.digest !== undefined) return model.digest;
    if (typeof path === 'string') return digestOf(model, (file) => this.#file(file));
    let digest = this.#known.get(model);
    if (digest === undefined) this.#known.set(model, (digest = digestOf(model)));
    return digest;
  }

  async #file(path: string): Promise<string> {
    const { size, mtimeMs, ino } = await stat(path);
    const mark = `${size} ${mtimeMs} ${ino}`;
    const found = this.#files.get(path);
    if (found?.mark === mark) return found.sha256;
    const sha256 = fileDigest(path);
    this.#files.set(path, { mark, sha256 });
    return sha256;
  }
}
