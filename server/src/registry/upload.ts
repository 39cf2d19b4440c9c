import type { IncomingMessage } from 'node:http';
import type { FastifyBaseLogger } from 'fastify';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { cleanName, getFile } from '../files/files.ts';
import { receive } from '../files/receive.ts';
import { getUpload } from '../files/uploads.ts';
import { ApiError, messageOf } from '../lib/errors.ts';
import type { Models } from '../models/models.ts';
import type { Reference } from '../models/names.ts';
import { NotFound, TooLarge, type Storage } from '../storage/storage.ts';
import { dropFile, keepFile, newFileKey, type StoredModel } from './files.ts';
import { noModel, registeredOf } from './read.ts';
import type { VersionRow } from './rows.ts';
import { takesFile } from './rules.ts';
import { movesTo } from './state.ts';
import { wake } from './register.ts';

export interface UploadDeps {
  db: Db;
  models: Models;
  storage: Storage;
  /** Bytes a model's file may have. */
  maxBytes: number;
  log: Pick<FastifyBaseLogger, 'warn'>;
}

/** A file that came before, by Files or Uploads, in place of one in the request's body. */
export interface Earlier {
  upload_id?: string | undefined;
  file_id?: string | undefined;
}

/** Before vetting has begun a file may still be replaced by another. */
const open = [...movesTo('uploaded').filter((status) => status !== 'validating'), 'uploaded'];

const closed = (row: VersionRow): ApiError =>
  new ApiError(
    'conflict',
    row.status === 'validating'
      ? `'${row.name}@${row.version}' is being vetted just now; it takes no other file.`
      : `'${row.name}@${row.version}' is '${row.status}', and its file never changes again; register a new version.`,
  );

/** The version that takes a file: the one that is named, else the newest that still takes one. */
const targetOf = async (deps: UploadDeps, identity: Identity, reference: Reference): Promise<VersionRow> => {
  const { row, siblings } = await registeredOf(deps, identity, reference);
  const named = reference.version !== undefined || reference.alias !== undefined;
  const waiting = siblings.find(({ status }) => status === 'pending') ?? siblings.find(({ status }) => open.includes(status));
  const target = named ? row : (waiting ?? row);
  if (!takesFile(target.executor))
    throw new ApiError('conflict', `'${target.name}@${target.version}' is served by an upstream, and has no file.`);
  if (!open.includes(target.status)) throw closed(target);
  return target;
};

const tooLarge = (limit: number): ApiError =>
  new ApiError('file_too_large', `The file is too large. A model's file has at most ${limit} bytes on this server (registry.max_bytes).`, {
    param: 'file',
  });

const empty = (): ApiError => new ApiError('invalid_value', 'The file is empty.', { param: 'file' });

/** Takes back what was stored in vain; where that fails, the sweep for orphans does it. */
const takeBack = async ({ storage, log }: UploadDeps, key: string): Promise<void> => {
  await storage.delete(key).catch((error: unknown) => log.warn({ key, reason: messageOf(error) }, 'bytes of a refused model are left'));
};

const fromForm = async (deps: UploadDeps, request: IncomingMessage): Promise<StoredModel & { filename: string }> => {
  const key = newFileKey();
  // What is around the file in the body is not much: a body that cannot fit is refused before it is read.
  const announced = Number(request.headers['content-length'] ?? 0);
  try {
    const { made, filename } = await receive(request, {
      file: 'file',
      onField: (name) => {
        throw new ApiError('unknown_parameter', `Unknown parameter: '${name.slice(0, 100)}'.`, { param: name.slice(0, 100) });
      },
      onFile: (bytes, _filename, signal) => {
        if (announced > deps.maxBytes + 1024 * 1024) return Promise.reject(tooLarge(deps.maxBytes));
        return deps.storage.put(key, bytes, { digest: true, limit: deps.maxBytes, signal });
      },
      discard: () => takeBack(deps, key),
    });
    return { key, bytes: made.bytes, sha256: made.sha256!, filename };
  } catch (error) {
    if (error instanceof TooLarge) throw tooLarge(error.limit);
    throw error;
  }
};

/** A copy of a tenant's file: that one may be deleted, or expire. */
const fromEarlier = async (
  deps: UploadDeps,
  identity: Identity,
  { upload_id, file_id }: Earlier,
): Promise<StoredModel & { filename: string }> => {
  if ((upload_id === undefined) === (file_id === undefined))
    throw new ApiError('invalid_request', "Send the file as the field 'file' of a form, or JSON with either 'upload_id' or 'file_id'.", {
      param: 'file',
    });
  let id = file_id;
  if (upload_id !== undefined) {
    const upload = await getUpload(deps.db, identity, upload_id);
    if (upload.status !== 'completed' || upload.file === null)
      throw new ApiError(
        'conflict',
        `The upload ${upload_id} is ${upload.status}${upload.status === 'completed' ? ', and its file is gone' : '; complete it first'}.`,
      );
    id = upload.file.id;
  }
  const file = await getFile(deps.db, identity, id!);
  if (file.bytes > deps.maxBytes) throw tooLarge(deps.maxBytes);
  const key = newFileKey();
  await deps.storage.copy(file.storage_key, key).catch((error: unknown) => {
    if (error instanceof NotFound) throw new ApiError('not_found', `The content of ${file.id} is no longer there.`, { param: 'file_id' });
    throw error;
  });
  return { key, bytes: file.bytes, sha256: file.sha256, filename: file.filename };
};

/** Makes stored bytes the file of a version that still takes one, and says which bytes are kept. */
const settle = (db: Db, target: VersionRow, stored: StoredModel & { filename: string }): Promise<string> =>
  db.transaction(async (tx) => {
    const { storage_key } = await keepFile(tx, stored);
    const moved = await tx.run(sql`
      update model_versions
      set status = 'uploaded', reason = null, status_at = now(), losses = 0, report = null, inputs = null, outputs = null, metadata = null,
          file_sha256 = ${stored.sha256}, file_name = ${cleanName(stored.filename)}
      where no = ${target.no} and status = any(${open}::text[])`);
    if (moved === 0) {
      const now = await tx.maybe<{ status: VersionRow['status'] }>(sql`select status from model_versions where no = ${target.no}`);
      throw now ? closed({ ...target, ...now }) : noModel(`${target.name}@${target.version}`);
    }
    await wake(tx);
    return storage_key;
  });

/** Whether a row names the bytes after all: its commit may have gone through and only the reply been lost. */
const isKept = async (db: Db, key: string): Promise<boolean> => {
  try {
    return (await db.maybe(sql`select from model_files where storage_key = ${key}`)) !== null;
  } catch {
    return true;
  }
};

/**
 * Takes a model's file: streamed to storage, its SHA-256 on the way, stored once per content. Where the record cannot
 * be written the bytes go too.
 */
export const uploadModel = async (
  deps: UploadDeps,
  identity: Identity,
  reference: Reference,
  source: { request: IncomingMessage } | { earlier: Earlier },
): Promise<Reference> => {
  const target = await targetOf(deps, identity, reference);
  const stored = 'request' in source ? await fromForm(deps, source.request) : await fromEarlier(deps, identity, source.earlier);
  try {
    if (stored.bytes === 0) throw empty();
    const kept = await settle(deps.db, target, stored);
    if (kept !== stored.key) await takeBack(deps, stored.key);
  } catch (error) {
    if (!(await isKept(deps.db, stored.key))) await takeBack(deps, stored.key);
    throw error;
  }
  // What it had before, where nothing else has it.
  if (target.file_sha256 !== null && target.file_sha256 !== stored.sha256) await dropFile(deps, target.file_sha256);
  return { name: target.name, version: target.version };
};
