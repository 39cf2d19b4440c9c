import { keysOfBatch } from '../artifacts/artifacts.ts';
import { batchFolder } from '../artifacts/keys.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import type { Storage } from '../storage/storage.ts';
import type { BatchRow } from './rows.ts';

type Swept = Pick<BatchRow, 'no' | 'id' | 'tenant_id' | 'index_key' | 'input_key' | 'rows_key'>;

/** Younger objects are left alone: a worker that was thought dead may just be writing one, and be fenced after. */
const graceMs = 15 * 60_000;

/**
 * Removes the objects of an ended batch that nothing refers to: segments whose settling was refused, indexes of tries
 * that died, files of attempts that were not settled. Segments that count are kept, for whoever looks at single requests. Says how many went.
 */
const sweepBatch = async (db: Db, storage: Storage, batch: Swept): Promise<number> => {
  const known = new Set(
    (await db.many<{ storage_key: string }>(sql`select storage_key from segments where batch_no = ${batch.no}`)).map(
      (row) => row.storage_key,
    ),
  );
  for (const key of [batch.index_key, batch.input_key, batch.rows_key]) if (key !== null) known.add(key);
  const table = await db.maybe<{ key: string }>(
    sql`select storage_key as key from result_tables where batch_no = ${batch.no} and state = 'ready'`,
  );
  if (table !== null) known.add(table.key);
  const files = await keysOfBatch(db, batch.no);
  const remove = async (prefix: string, kept: ReadonlySet<string>): Promise<number> => {
    let removed = 0;
    for await (const { key, modified } of storage.list(prefix)) {
      if (kept.has(key) || Date.now() - modified.getTime() < graceMs) continue;
      await storage.delete(key);
      removed++;
    }
    return removed;
  };
  return (await remove(`${batch.tenant_id}/${batch.id}/`, known)) + (await remove(`${batchFolder(batch.tenant_id, batch.id)}/`, files));
};

/** The same for all batches that ended between an hour and two days ago: a daily round looks at each at least once. */
export const sweepSegments = async (db: Db, storage: Storage): Promise<number> => {
  const batches = await db.many<Swept>(sql`
    select no, id, tenant_id, index_key, input_key, rows_key from batches b
    where coalesce(completed_at, failed_at, expired_at, cancelled_at) between now() - interval '2 days' and now() - interval '1 hour'`);
  let removed = 0;
  for (const batch of batches) removed += await sweepBatch(db, storage, batch);
  return removed;
};
