import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Storage } from '../storage/storage.ts';
import type { ModelSpec } from './models.ts';

/** A model whose file is on this machine, at `options.path`, until it is disposed of. */
export interface Placed extends AsyncDisposable {
  model: ModelSpec;
}

/**
 * Puts a model's file on this machine, alone in a new directory and read-only: what a runtime would load beside it by
 * name does not exist. Its bytes are held against its digest on the way. A model without a file is as it is.
 *
 * @param scratch a folder of this process's own
 */
export const materialize = async (storage: Pick<Storage, 'stream'>, model: ModelSpec, scratch: string): Promise<Placed> => {
  const { file } = model;
  if (!file) return { model, [Symbol.asyncDispose]: async () => {} };
  const folder = await mkdtemp(join(scratch, 'model-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  const path = join(folder, 'model.onnx');
  try {
    const sum = createHash('sha256');
    await pipeline(
      await storage.stream(file.key),
      async function* (pieces: AsyncIterable<Buffer>) {
        for await (const piece of pieces) {
          sum.update(piece);
          yield piece;
        }
      },
      createWriteStream(path, { flags: 'wx', mode: 0o400 }),
    );
    const digest = sum.digest('hex');
    if (digest !== file.sha256)
      throw new Error(`The file of ${model.name}@${model.version} is damaged: its SHA-256 is ${digest}, not ${file.sha256}.`);
  } catch (error) {
    await remove();
    throw error;
  }
  return { model: { ...model, options: { ...model.options, path } }, [Symbol.asyncDispose]: remove };
};
