import { Buffer } from 'node:buffer';
import { maxExpirySeconds, type FileObject, type FilePage, type FilePurpose, type ListFiles } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Limits } from '../config.ts';
import { isUnreachable, type Db } from '../db/db.ts';
import { ApiError } from '../lib/errors.ts';
import { newFileId } from '../lib/ids.ts';
import type { Bytes, PutOptions, Storage } from '../storage/storage.ts';
import { addFile, findFile, listFiles, markDeleted, toFile, type FileRow } from './queries.ts';

export interface FileDeps {
  db: Db;
  storage: Storage;
}

/** A file whose bytes are in storage and whose row is not written yet: nobody sees it. */
export interface StoredFile {
  id: string;
  key: string;
  filename: string;
  purpose: FilePurpose;
  bytes: number;
  sha256: string;
}

export interface NewStored extends Pick<PutOptions, 'limit' | 'signal'> {
  tenant: string;
  filename: string;
  purpose: FilePurpose;
  bytes: Bytes;
  /** What it is to be called, where that was said before there was one. */
  id?: string;
}

export const fileKey = (tenant: string, id: string): string => `${tenant}/files/${id}`;

/** Writes the bytes of a new file. Until `insertFile` the caller owns them, and deletes them where it does not come to that. */
export const createStored = async (
  storage: Storage,
  { tenant, filename, purpose, bytes, limit, signal, id = newFileId() }: NewStored,
): Promise<StoredFile> => {
  const key = fileKey(tenant, id);
  const stored = await storage.put(key, bytes, {
    digest: true,
    ...(limit !== undefined && { limit }),
    ...(signal !== undefined && { signal }),
  });
  return { id, key, filename, purpose, bytes: stored.bytes, sha256: stored.sha256! };
};

/** OpenAI keeps batch inputs for 30 days, and everything else until it is deleted. */
const defaultSeconds = (purpose: FilePurpose): number | null => (purpose === 'batch' ? maxExpirySeconds : null);

/** Makes a stored file one that clients see. `expiresSeconds` null: never; absent: as its purpose has it. */
export const insertFile = (
  db: Db,
  { tenant, user }: Identity,
  stored: StoredFile,
  { expiresSeconds = defaultSeconds(stored.purpose) }: { expiresSeconds?: number | null | undefined } = {},
): Promise<FileRow> =>
  addFile(db, {
    id: stored.id,
    tenant_id: tenant,
    created_by: user,
    purpose: stored.purpose,
    filename: cleanName(stored.filename),
    bytes: stored.bytes,
    sha256: stored.sha256,
    storage_key: stored.key,
    expiresSeconds,
  });

/** Makes a file of bytes; where its row cannot be written, nothing is left in storage either. */
export const createFile = async (
  { db, storage }: FileDeps,
  identity: Identity,
  file: Omit<NewStored, 'tenant'> & { expiresSeconds?: number | null | undefined },
): Promise<FileRow> => {
  const stored = await createStored(storage, { ...file, tenant: identity.tenant });
  return keepStored({ db, storage }, identity, stored, file.expiresSeconds);
};

/** `insertFile`, or the bytes go too, where it is sure that no row will ever speak of them. */
export const keepStored = async (
  { db, storage }: FileDeps,
  identity: Identity,
  stored: StoredFile,
  expiresSeconds?: number | null,
): Promise<FileRow> => {
  try {
    return await insertFile(db, identity, stored, { expiresSeconds });
  } catch (error) {
    // The row may have been written and only its reply lost, or be written yet, by a server whose connection is gone:
    // bytes deleted under it would be worse than an orphan, which the sweep finds.
    if (!isUnreachable(error) && (await gone(db, identity, stored.id))) await storage.delete(stored.key).catch(() => {});
    throw error;
  }
};

const gone = async (db: Db, identity: Identity, id: string): Promise<boolean> => {
  try {
    return (await findFile(db, identity, id)) === null;
  } catch {
    return false;
  }
};

export const noSuchFile = (id: string): ApiError => new ApiError('not_found', `No such File object: ${id}`, { param: 'id', bare: true });

export const getFile = async (db: Db, identity: Identity, id: string): Promise<FileRow> => {
  const file = await findFile(db, identity, id);
  if (!file) throw noSuchFile(id);
  return file;
};

export const deleteFile = async (db: Db, identity: Identity, id: string): Promise<void> => {
  if (!(await markDeleted(db, identity, id))) throw noSuchFile(id);
};

export const pageOfFiles = async (db: Db, identity: Identity, query: ListFiles): Promise<FilePage> => {
  const rows = await listFiles(db, identity, query);
  if (!rows) throw new ApiError('invalid_value', `Invalid 'after': there is no file '${query.after}'.`, { param: 'after' });
  const data: FileObject[] = rows.slice(0, query.limit).map(toFile);
  return { object: 'list', data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, has_more: rows.length > query.limit };
};

/** A name as it is shown: without controls, half characters and folders; never empty, at most 255 bytes. */
export const cleanName = (name: string): string => {
  const base = name
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cs}]/gu, '')
    .split(/[/\\]/)
    .at(-1)!
    .trim();
  let short = base;
  while (Buffer.byteLength(short) > 255) short = Array.from(short).slice(0, -1).join('');
  return short === '' || short === '.' || short === '..' ? 'upload' : short;
};

const MB = 1024 * 1024;

/** Bytes a file of this purpose may have; OpenAI's are 200 MB for a batch and 512 MB for anything else. */
export const maxBytes = (limits: Pick<Limits, 'maxFileBytes' | 'openai'>, purpose: FilePurpose | null): number =>
  limits.openai ? Math.min(limits.maxFileBytes, (purpose === 'batch' ? 200 : 512) * MB) : limits.maxFileBytes;

export const fileTooLarge = (limit: number, param: string): ApiError =>
  new ApiError('file_too_large', `File is too large. This server accepts at most ${limit} bytes.`, { param });
