import { randomBytes } from 'node:crypto';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import type { Storage } from '../storage/storage.ts';

export interface FileDeps {
  db: Db;
  storage: Storage;
}

/** No tenant has a folder in it: those of one named `models` are `files`, `uploads`, and its batches. */
const prefix = 'models/registry/';

export const newFileKey = (): string => `${prefix}${randomBytes(16).toString('hex')}`;

/** Bytes of a model's file that are in storage, and that no row names yet. */
export interface StoredModel {
  key: string;
  bytes: number;
  sha256: string;
}

/** Makes the bytes known under their digest; says which bytes of that digest are kept, these or earlier ones. */
export const keepFile = (tx: Db, { key, bytes, sha256 }: StoredModel): Promise<{ storage_key: string }> =>
  tx.one<{ storage_key: string }>(sql`
    insert into model_files as f (sha256, bytes, storage_key) values (${sha256}, ${bytes}, ${key})
    on conflict (sha256) do update set sha256 = excluded.sha256 returning f.storage_key`);

/** A version began to use it meanwhile: the reference is checked after the subquery was. */
const isUsed = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === '23503';

/** Removes a file that no version uses any more. */
export const dropFile = async ({ db, storage }: FileDeps, sha256: string): Promise<void> => {
  try {
    const gone = await db.maybe<{ storage_key: string }>(sql`
      delete from model_files where sha256 = ${sha256} and not exists (select from model_versions where file_sha256 = ${sha256})
      returning storage_key`);
    if (gone) await storage.delete(gone.storage_key);
  } catch (error) {
    if (!isUsed(error)) throw error;
  }
};

/** Removes what processes left that died between two steps: bytes without a row, rows without a version. Says how many. */
export const sweepModelFiles = async ({ db, storage }: FileDeps, before: Date): Promise<number> => {
  let removed = 0;
  const unused = await db.many<{ sha256: string }>(sql`
    select sha256 from model_files f
    where created_at < ${before} and not exists (select from model_versions v where v.file_sha256 = f.sha256)`);
  for (const { sha256 } of unused) {
    await dropFile({ db, storage }, sha256);
    removed++;
  }
  for await (const { key, modified } of storage.list(prefix)) {
    if (modified >= before || (await db.maybe(sql`select from model_files where storage_key = ${key}`)) !== null) continue;
    await storage.delete(key);
    removed++;
  }
  return removed;
};
