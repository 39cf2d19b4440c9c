import type { IncomingMessage } from 'node:http';
import { maxPartBytes, type UploadPart } from '@sluice/contract';
import type { FastifyBaseLogger } from 'fastify';
import type { Identity } from '../auth/identity.ts';
import type { Limits } from '../config.ts';
import { ApiError, messageOf } from '../lib/errors.ts';
import { TooLarge } from '../storage/storage.ts';
import { createStored, fileTooLarge, keepStored, maxBytes, type FileDeps } from './files.ts';
import { takeField, wholeFields, type FileFields } from './form.ts';
import type { FileRow } from './queries.ts';
import { receive } from './receive.ts';
import { Sniff, sniffed, sniffFor, type IsTable } from './sniff.ts';
import { assertPending, keepPart, storePart } from './uploads.ts';

export interface ReceiveDeps extends FileDeps {
  limits: Pick<Limits, 'maxFileBytes' | 'openai'>;
  /** What is a table; absent: nothing is. */
  isTable?: IsTable | undefined;
  log: Pick<FastifyBaseLogger, 'warn'>;
}

/** Takes back what was stored of a form that was refused; where that fails, the sweep for orphans does it. */
const takeBack = async ({ storage, log }: ReceiveDeps, key: string): Promise<void> => {
  await storage.delete(key).catch((error: unknown) => log.warn({ key, reason: messageOf(error) }, 'bytes of a refused upload are left'));
};

/** A file out of a multipart body, its purpose before or after its bytes. */
export const receiveFile = async (deps: ReceiveDeps, identity: Identity, request: IncomingMessage): Promise<FileRow> => {
  const { storage, limits } = deps;
  const fields: FileFields = { purpose: null, anchor: null, seconds: null };
  let sniff = new Sniff();
  const assertFits = (bytes: number) => {
    const limit = maxBytes(limits, fields.purpose);
    if (bytes > limit) throw fileTooLarge(limit, 'file');
  };
  // What is around the file in the body is not much: a body that cannot fit is refused before it is read.
  const announced = Number(request.headers['content-length'] ?? 0);
  const most = maxBytes(limits, null);

  async function* shown(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of sniffed(bytes, sniff)) {
      if (fields.purpose === 'batch' && sniff.verdict === false) throw sniff.refusal();
      yield piece;
    }
  }
  try {
    const { made: stored } = await receive(request, {
      file: 'file',
      onField: (name, value) => takeField(fields, name, value),
      onFile: (bytes, filename, signal) => {
        sniff = sniffFor(deps, filename);
        if (announced > most + 1024 * 1024) return Promise.reject(fileTooLarge(most, 'file'));
        return createStored(storage, {
          tenant: identity.tenant,
          filename,
          purpose: 'user_data',
          bytes: shown(bytes),
          limit: maxBytes(limits, fields.purpose),
          signal,
        });
      },
      discard: ({ key }) => takeBack(deps, key),
    });
    try {
      const { purpose, expiresSeconds } = wholeFields(fields);
      assertFits(stored.bytes);
      if (purpose === 'batch') sniff.assertBatchInput();
      return await keepStored(deps, identity, { ...stored, purpose }, expiresSeconds);
    } catch (error) {
      if (error instanceof ApiError) await takeBack(deps, stored.key);
      throw error;
    }
  } catch (error) {
    if (error instanceof TooLarge) throw fileTooLarge(error.limit, 'file');
    throw error;
  }
};

/** A part of an upload out of a multipart body. */
export const receivePart = async (deps: ReceiveDeps, identity: Identity, upload: string, request: IncomingMessage): Promise<UploadPart> => {
  const { storage } = deps;
  await assertPending(deps.db, identity, upload);
  try {
    const { made: part } = await receive(request, {
      file: 'data',
      onField: (name) => {
        throw new ApiError('unknown_parameter', `Unknown parameter: '${name.slice(0, 100)}'.`, { param: name.slice(0, 100) });
      },
      onFile: (bytes, _filename, signal) => storePart(storage, identity, upload, bytes, { limit: maxPartBytes, signal }),
      discard: ({ storage_key }) => takeBack(deps, storage_key),
    });
    return await keepPart(deps, identity, upload, part);
  } catch (error) {
    if (error instanceof TooLarge)
      throw new ApiError('file_too_large', `The part is too large. A part has at most ${error.limit} bytes.`, { param: 'data' });
    throw error;
  }
};
