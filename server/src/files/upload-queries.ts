import type { Upload, UploadPart, UploadPurpose, UploadStatus } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import type { FileRow } from './queries.ts';
import { toFile } from './queries.ts';

export interface UploadRow {
  id: string;
  filename: string;
  purpose: UploadPurpose;
  bytes: number;
  status: UploadStatus;
  file_id: string | null;
  file_seconds: number | null;
  /** Seconds since the epoch. */
  created_at: number;
  expires_at: number;
}

export interface PartRow {
  id: string;
  bytes: number;
  storage_key: string;
}

// An upload is over at the second it expires, not when a chore comes by.
const columns = sql`
  u.id, u.filename, u.purpose, u.bytes, u.file_id, u.file_seconds,
  case when u.status = 'pending' and u.expires_at <= now() then 'expired' else u.status end as status,
  floor(extract(epoch from u.created_at))::bigint as created_at, floor(extract(epoch from u.expires_at))::bigint as expires_at`;

const open = sql`u.status = 'pending' and u.expires_at > now()`;

export const toUpload = (row: UploadRow, file: FileRow | null): Upload => ({
  id: row.id,
  object: 'upload',
  bytes: row.bytes,
  created_at: row.created_at,
  expires_at: row.expires_at,
  filename: row.filename,
  purpose: row.purpose,
  status: row.status,
  file: file && toFile(file),
});

export type NewUpload = Pick<UploadRow, 'id' | 'filename' | 'purpose' | 'bytes' | 'file_seconds'> & { mime_type: string; seconds: number };

export const addUpload = (db: Db, { tenant, user }: Identity, upload: NewUpload): Promise<UploadRow> =>
  db.one<UploadRow>(sql`
    insert into uploads as u (id, tenant_id, created_by, filename, purpose, bytes, mime_type, file_seconds, expires_at)
    values (${upload.id}, ${tenant}, ${user}, ${upload.filename}, ${upload.purpose}, ${upload.bytes}, ${upload.mime_type},
      ${upload.file_seconds}, now() + make_interval(secs => ${upload.seconds}))
    returning ${columns}`);

export const findUpload = (db: Db, { tenant }: Identity, id: string): Promise<UploadRow | null> =>
  db.maybe<UploadRow>(sql`select ${columns} from uploads u where u.id = ${id} and u.tenant_id = ${tenant}`);

/** Null where the upload is not open any more. */
export const addPart = (db: Db, { tenant }: Identity, upload: string, part: PartRow): Promise<UploadPart | null> =>
  db.maybe<UploadPart>(sql`
    insert into upload_parts as p (id, upload_id, bytes, storage_key)
    select ${part.id}, u.id, ${part.bytes}::bigint, ${part.storage_key} from uploads u
    where u.id = ${upload} and u.tenant_id = ${tenant} and ${open}
    returning p.id, 'upload.part' as object, floor(extract(epoch from p.created_at))::bigint as created_at, p.upload_id`);

export const findParts = (db: Db, upload: string, ids: readonly string[]): Promise<PartRow[]> =>
  db.many<PartRow>(sql`select id, bytes, storage_key from upload_parts where upload_id = ${upload} and id = any(${ids})`);

/** The upload, locked until the transaction ends; null where it is not pending any more. */
export const lockPending = (tx: Db, { tenant }: Identity, id: string): Promise<{ id: string } | null> =>
  tx.maybe(sql`select id from uploads where id = ${id} and tenant_id = ${tenant} and status = 'pending' for update`);

/** False where the upload is not pending any more: another completed or cancelled it, or it expired. */
export const markCompleted = async (tx: Db, { tenant }: Identity, id: string, file: string): Promise<boolean> =>
  (await tx.run(sql`
    update uploads set status = 'completed', file_id = ${file}
    where id = ${id} and tenant_id = ${tenant} and status = 'pending'`)) === 1;

export const markCancelled = (db: Db, { tenant }: Identity, id: string): Promise<UploadRow | null> =>
  db.maybe<UploadRow>(sql`
    update uploads u set status = 'cancelled' where u.id = ${id} and u.tenant_id = ${tenant} and ${open} returning ${columns}`);

export const expireUploads = (db: Db): Promise<number> =>
  db.run(sql`update uploads set status = 'expired' where status = 'pending' and expires_at <= now()`);

/** Uploads that have ended but whose parts are still there. */
export const endedUploads = (db: Db, limit: number): Promise<{ id: string; tenant_id: string }[]> =>
  db.many(sql`
    select u.id, u.tenant_id from uploads u
    where u.status <> 'pending' and exists (select from upload_parts p where p.upload_id = u.id)
    limit ${limit}`);

export const dropParts = (db: Db, upload: string): Promise<number> => db.run(sql`delete from upload_parts where upload_id = ${upload}`);
