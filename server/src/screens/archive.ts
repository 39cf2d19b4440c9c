import type { Archived, ArchivedFile } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { none, sql } from '../db/sql.ts';
import { ApiError } from '../lib/errors.ts';
import type { Storage } from '../storage/storage.ts';

/** What stays of a batch when the batch is gone. */
export const archiveFolder = (tenant: string, batchId: string): string => `${tenant}/archive/${batchId}`;

/** Copies the files of a batch, each to its path in the archive. Copying again changes nothing. */
export const archive = async (
  storage: Storage,
  batch: { tenant_id: string; id: string },
  folder: string,
  files: readonly ArchivedFile[],
  signal: AbortSignal,
): Promise<void> => {
  for (const { path } of files) {
    signal.throwIfAborted();
    await storage.copy(`${folder}/${path}`, `${archiveFolder(batch.tenant_id, batch.id)}/${path}`);
  }
};

export const dropFolder = async (storage: Storage, folder: string): Promise<void> => {
  for await (const { key } of storage.list(`${folder}/`)) await storage.delete(key);
};

const missing = (id: string): ApiError => new ApiError('not_found', `Nothing of a batch '${id}' is in the archive.`, { param: 'id' });

const columns = sql`
  a.batch_id as id, 'archive' as object, a.kind, a.name, a.created_by, floor(extract(epoch from a.archived_at))::bigint as archived_at, a.bytes,
  jsonb_array_length(a.files) as files`;

export interface ArchiveFilter {
  after?: string | undefined;
  limit: number;
  user?: string | undefined;
}

/** What the tenant has in the archive, newest first. */
export const listArchives = async (
  db: Db,
  { tenant }: Identity,
  { after, limit, user }: ArchiveFilter,
): Promise<{ rows: Archived[]; more: boolean }> => {
  const rows = await db.many<Archived>(sql`
    select ${columns} from archives a
    where a.tenant_id = ${tenant} ${user === undefined ? none : sql`and a.created_by = ${user}`}
      ${after === undefined ? none : sql`and (a.archived_at, a.batch_id) < (select o.archived_at, o.batch_id from archives o where o.batch_id = ${after} and o.tenant_id = ${tenant})`}
    order by a.archived_at desc, a.batch_id desc limit ${limit + 1}`);
  return { rows: rows.slice(0, limit), more: rows.length > limit };
};

export const archivedFiles = async (db: Db, { tenant }: Identity, id: string): Promise<ArchivedFile[]> => {
  const row = await db.maybe<{ files: ArchivedFile[] }>(sql`select files from archives where batch_id = ${id} and tenant_id = ${tenant}`);
  if (row === null) throw missing(id);
  return row.files;
};

/** One of them, by its path. */
export const archivedFile = async (db: Db, identity: Identity, id: string, path: string): Promise<ArchivedFile> => {
  const file = (await archivedFiles(db, identity, id)).find((each) => each.path === path);
  if (file === undefined) throw new ApiError('not_found', `The archive of '${id}' has no file '${path.slice(0, 200)}'.`, { param: 'path' });
  return file;
};

/** Removes what is archived of a batch; the row first, so that nothing is shown that is half gone. */
export const deleteArchive = async (db: Db, storage: Storage, { tenant }: Identity, id: string): Promise<void> => {
  const count = await db.run(sql`delete from archives where batch_id = ${id} and tenant_id = ${tenant}`);
  if (count === 0) throw missing(id);
  await dropFolder(storage, archiveFolder(tenant, id));
};
