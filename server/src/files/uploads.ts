import { createHash } from 'node:crypto';
import type { CompleteUpload, CreateUpload, Upload, UploadPart } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Limits } from '../config.ts';
import type { Db } from '../db/db.ts';
import { ApiError } from '../lib/errors.ts';
import { newPartId, newUploadId } from '../lib/ids.ts';
import { NotFound, type Bytes, type Storage } from '../storage/storage.ts';
import { cleanName, createStored, fileTooLarge, insertFile, maxBytes, type FileDeps, type StoredFile } from './files.ts';
import { findFile } from './queries.ts';
import { sniffed, sniffFor, type IsTable, type Sniff } from './sniff.ts';
import * as queries from './upload-queries.ts';
import { toUpload, type PartRow, type UploadRow } from './upload-queries.ts';

/** Seconds an upload may take, as OpenAI's. */
const uploadSeconds = 3600;

export const partsPrefix = (tenant: string, upload: string): string => `${tenant}/uploads/${upload}/`;

export const createUpload = async (
  db: Db,
  identity: Identity,
  body: CreateUpload,
  limits: Pick<Limits, 'maxFileBytes' | 'openai'>,
): Promise<Upload> => {
  const limit = maxBytes(limits, body.purpose);
  if (body.bytes > limit) throw fileTooLarge(limit, 'bytes');
  const row = await queries.addUpload(db, identity, {
    id: newUploadId(),
    filename: cleanName(body.filename),
    purpose: body.purpose,
    bytes: body.bytes,
    mime_type: body.mime_type,
    file_seconds: body.expires_after?.seconds ?? null,
    seconds: uploadSeconds,
  });
  return toUpload(row, null);
};

const noSuchUpload = (id: string): ApiError => new ApiError('not_found', `No such Upload object: ${id}`, { param: 'id', bare: true });

const getRow = async (db: Db, identity: Identity, id: string): Promise<UploadRow> => {
  const row = await queries.findUpload(db, identity, id);
  if (!row) throw noSuchUpload(id);
  return row;
};

const ended = (row: UploadRow): ApiError => new ApiError('conflict', `The upload ${row.id} is ${row.status}, and takes no more changes.`);

/** Throws unless parts may be added. */
export const assertPending = async (db: Db, identity: Identity, id: string): Promise<void> => {
  const row = await getRow(db, identity, id);
  if (row.status !== 'pending') throw ended(row);
};

export const getUpload = async (db: Db, identity: Identity, id: string): Promise<Upload> => {
  const row = await getRow(db, identity, id);
  return toUpload(row, row.file_id === null ? null : await findFile(db, identity, row.file_id));
};

/** Writes the bytes of a part that no row names yet. */
export const storePart = async (
  storage: Storage,
  { tenant }: Identity,
  upload: string,
  bytes: Bytes,
  options: { limit: number; signal: AbortSignal },
): Promise<PartRow> => {
  const id = newPartId();
  const key = `${partsPrefix(tenant, upload)}${id}`;
  const stored = await storage.put(key, bytes, options);
  return { id, bytes: stored.bytes, storage_key: key };
};

/** Makes a stored part one of the upload. Where the upload ended meanwhile, the bytes go. */
export const keepPart = async ({ db, storage }: FileDeps, identity: Identity, upload: string, part: PartRow): Promise<UploadPart> => {
  const added = await queries.addPart(db, identity, upload, part);
  if (added) return added;
  await storage.delete(part.storage_key);
  throw ended(await getRow(db, identity, upload));
};

/** The parts in the order of `ids`; throws where one is unknown or named twice, or they are not the promised bytes. */
const orderedParts = async (db: Db, upload: UploadRow, ids: readonly string[]): Promise<PartRow[]> => {
  const found = new Map((await queries.findParts(db, upload.id, ids)).map((part) => [part.id, part]));
  const wrong = (message: string) => new ApiError('invalid_value', message, { param: 'part_ids' });
  if (new Set(ids).size !== ids.length) throw wrong("Invalid 'part_ids': a part is named twice.");
  const parts = ids.map((id) => {
    const part = found.get(id);
    if (!part) throw wrong(`Invalid 'part_ids': the upload ${upload.id} has no part '${id}'.`);
    return part;
  });
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  if (bytes !== upload.bytes)
    throw new ApiError('invalid_request', `The parts have ${bytes} bytes, but the upload was created for ${upload.bytes}.`, {
      param: 'part_ids',
    });
  return parts;
};

const joined = async function* (storage: Storage, parts: readonly PartRow[], md5: string | null): AsyncGenerator<Uint8Array> {
  const sum = md5 === null ? null : createHash('md5');
  for (const part of parts) {
    for await (const piece of await storage.stream(part.storage_key)) {
      sum?.update(piece as Buffer);
      yield piece as Buffer;
    }
  }
  const actual = sum?.digest('hex');
  // Thrown before the put has ended, so that nothing of the file is ever kept.
  if (actual !== undefined && actual !== md5)
    throw new ApiError('invalid_value', `Invalid 'md5': the bytes have the MD5 ${actual}.`, { param: 'md5' });
};

const checked = async function* (bytes: Bytes, sniff: Sniff): AsyncGenerator<Uint8Array> {
  yield* sniffed(bytes, sniff);
  sniff.assertBatchInput();
};

type CompleteDeps = FileDeps & { limits: { openai: boolean }; isTable?: IsTable | undefined };

/**
 * Joins the parts into a file. Completing again gives the same answer, so a client whose reply was lost may repeat it;
 * of two at once one makes the file, and the other finds it made.
 */
export const completeUpload = async (deps: CompleteDeps, identity: Identity, id: string, body: CompleteUpload): Promise<Upload> => {
  const { db, storage } = deps;
  const upload = await getRow(db, identity, id);
  if (upload.status === 'completed') return getUpload(db, identity, id);
  if (upload.status !== 'pending') throw ended(upload);
  const parts = await orderedParts(db, upload, body.part_ids);
  const whole = joined(storage, parts, body.md5?.toLowerCase() ?? null);
  let stored: StoredFile;
  try {
    stored = await createStored(storage, {
      tenant: identity.tenant,
      filename: upload.filename,
      purpose: upload.purpose,
      bytes: upload.purpose === 'batch' ? checked(whole, sniffFor(deps, upload.filename)) : whole,
    });
  } catch (error) {
    // Cancelled or expired while we read, and the parts swept.
    const now = error instanceof NotFound ? await getRow(db, identity, id) : upload;
    if (now.status === 'completed') return getUpload(db, identity, id);
    throw now.status === 'pending' ? error : ended(now);
  }
  const won = await db.transaction(async (tx) => {
    // The lock comes first: a file's row must not be there for a moment and vanish again.
    if ((await queries.lockPending(tx, identity, id)) === null) return false;
    await insertFile(tx, identity, stored, upload.file_seconds === null ? {} : { expiresSeconds: upload.file_seconds });
    return queries.markCompleted(tx, identity, id, stored.id);
  });
  if (!won) await storage.delete(stored.key);
  const result = await getUpload(db, identity, id);
  if (result.status !== 'completed') throw ended(await getRow(db, identity, id));
  return result;
};

/** Cancelling again gives the same answer. The parts go with the next sweep. */
export const cancelUpload = async (db: Db, identity: Identity, id: string): Promise<Upload> => {
  const cancelled = await queries.markCancelled(db, identity, id);
  if (cancelled) return toUpload(cancelled, null);
  const row = await getRow(db, identity, id);
  if (row.status !== 'cancelled') throw ended(row);
  return toUpload(row, null);
};
