import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import type { Storage } from '../storage/storage.ts';
import { merge, type SegmentRow } from './merge.ts';
import type { BatchRow } from './rows.ts';

/**
 * The result lines a batch has so far, in the order of its input: what settled before the call. `output`: successes;
 * `errors`: failures a worker wrote (those that were never run get their line when the batch ends).
 */
export const partialResults = async (
  db: Db,
  storage: Storage,
  batch: BatchRow,
  kind: 'output' | 'errors',
): Promise<AsyncGenerator<Buffer>> => {
  const segments = await db.many<SegmentRow>(sql`
    select storage_key, data_bytes, manifest_bytes, first_line, last_line, completed, failed
    from segments where batch_no = ${batch.no} order by first_line`);
  const input = { batchId: batch.id, storage, inputKey: batch.input_key ?? '', indexKey: batch.index_key ?? '', segments, unwritten: [] };
  return merge(input, kind === 'output' ? 'completed' : 'failed', { completed: 0, failed: 0, unwritten: 0 });
};
