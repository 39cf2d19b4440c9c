import type { FileObject, FilePurpose, ListFiles } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { none, sql } from '../db/sql.ts';

export interface FileRow {
  id: string;
  tenant_id: string;
  created_by: string;
  purpose: FilePurpose;
  filename: string;
  bytes: number;
  sha256: string;
  storage_key: string;
  /** Seconds since the epoch, as are all times below. */
  created_at: number;
  expires_at: number | null;
}

export const fileColumns = sql`
  f.id, f.tenant_id, f.created_by, f.purpose, f.filename, f.bytes, f.sha256, f.storage_key,
  floor(extract(epoch from f.created_at))::bigint as created_at, floor(extract(epoch from f.expires_at))::bigint as expires_at`;

/** What a client still sees: a file is gone at the second it expires, not when a chore comes by. */
const visible = sql`f.deleted_at is null and (f.expires_at is null or f.expires_at > now())`;

export const toFile = (row: FileRow): FileObject => ({
  id: row.id,
  object: 'file',
  bytes: row.bytes,
  created_at: row.created_at,
  expires_at: row.expires_at,
  filename: row.filename,
  purpose: row.purpose,
  status: 'processed',
  status_details: null,
  sha256: row.sha256,
  created_by: row.created_by,
});

export type NewFile = Omit<FileRow, 'created_at' | 'expires_at'> & { expiresSeconds: number | null };

export const addFile = (db: Db, file: NewFile): Promise<FileRow> =>
  db.one<FileRow>(sql`
    insert into files as f (id, tenant_id, created_by, purpose, filename, bytes, sha256, storage_key, expires_at)
    values (${file.id}, ${file.tenant_id}, ${file.created_by}, ${file.purpose}, ${file.filename}, ${file.bytes}, ${file.sha256},
      ${file.storage_key}, now() + make_interval(secs => ${file.expiresSeconds}))
    returning ${fileColumns}`);

export const findFile = (db: Db, { tenant }: Identity, id: string): Promise<FileRow | null> =>
  db.maybe<FileRow>(sql`select ${fileColumns} from files f where f.id = ${id} and f.tenant_id = ${tenant} and ${visible}`);

/** A page and one more, which says that there are more; null where `after` names no file. */
export const listFiles = async (db: Db, { tenant }: Identity, query: ListFiles): Promise<FileRow[] | null> => {
  const { purpose, user, limit, order, after } = query;
  // Deleted files still mark their place: a client may delete the page it has just read.
  if (after !== undefined && !(await db.maybe(sql`select from files where id = ${after} and tenant_id = ${tenant}`))) return null;
  const place = sql`(select a.created_at, a.id from files a where a.id = ${after} and a.tenant_id = ${tenant})`;
  const beyond = order === 'asc' ? sql`and (f.created_at, f.id) > ${place}` : sql`and (f.created_at, f.id) < ${place}`;
  return db.many<FileRow>(sql`
    select ${fileColumns} from files f
    where f.tenant_id = ${tenant} and ${visible}
      ${purpose === undefined ? none : sql`and f.purpose = ${purpose}`}
      ${user === undefined ? none : sql`and f.created_by = ${user}`}
      ${after === undefined ? none : beyond}
    order by ${order === 'asc' ? sql`f.created_at, f.id` : sql`f.created_at desc, f.id desc`}
    limit ${limit + 1}`);
};

/** Takes the file from sight; its bytes go when no batch reads them any more (see expire.ts). False: there was none. */
export const markDeleted = async (db: Db, { tenant }: Identity, id: string): Promise<boolean> =>
  (await db.run(sql`update files f set deleted_at = now() where f.id = ${id} and f.tenant_id = ${tenant} and ${visible}`)) === 1;

/** Takes what has expired from sight. Says how many. */
export const expireFiles = (db: Db): Promise<number> =>
  db.run(sql`update files set deleted_at = now() where deleted_at is null and expires_at <= now()`);

/**
 * Deleted files whose bytes nobody needs, locked until the transaction ends. A batch that is being created on the file
 * holds a share lock on its row, so it is either seen here or finds the file gone.
 */
export const lockPurgeable = (tx: Db, limit: number): Promise<{ id: string; storage_key: string }[]> =>
  tx.many(sql`
    select f.id, f.storage_key from files f
    where f.deleted_at is not null and f.purged_at is null
      and not exists (
        select from batches b
        where b.input_file_id = f.id and b.status in ('validating', 'in_progress', 'finalizing', 'cancelling'))
    order by f.deleted_at limit ${limit} for update of f skip locked`);

export const markPurged = (tx: Db, ids: string[]): Promise<number> =>
  tx.run(sql`update files set purged_at = now() where id = any(${ids})`);

export const tenantsWithFiles = (db: Db): Promise<{ tenant_id: string }[]> => db.many(sql`select distinct tenant_id from files`);

/** Those of `keys` that no file holds. */
export const unknownKeys = async (db: Db, keys: string[]): Promise<string[]> =>
  (
    await db.many<{ key: string }>(sql`
      select key from unnest(${keys}::text[]) as key
      where not exists (select from files f where f.id = regexp_replace(key, '^.*/', '') and f.storage_key = key)`)
  ).map(({ key }) => key);
