import type { Db } from '../db/db.ts';
import type { Storage } from '../storage/storage.ts';
import { childLines, segmentsOf } from './content.ts';
import { merge } from './merge.ts';
import { mergeChildren } from './merge-children.ts';
import type { BatchRow } from './rows.ts';

/**
 * The result lines a batch has so far, in the order of its input: what settled before the call. `output`: successes;
 * `errors`: failures a worker wrote (those that were never run get their line when the batch ends). Of a parent, lines that have ended in
 * every model.
 */
export const partialResults = async (
  db: Db,
  storage: Storage,
  batch: BatchRow,
  kind: 'output' | 'errors',
): Promise<AsyncGenerator<Buffer>> => {
  const wanted = kind === 'output' ? 'completed' : 'failed';
  if (batch.kind === 'parent') {
    const tally = { completed: 0, failed: 0, cancelled: 0, expired: 0 };
    return mergeChildren(batch.id, await childLines({ db, storage }, batch), wanted, tally, { partial: true });
  }
  const segments = await segmentsOf(db, batch.no);
  const input = { batchId: batch.id, storage, inputKey: batch.input_key ?? '', indexKey: batch.index_key ?? '', segments, unwritten: [] };
  return merge(input, wanted, { completed: 0, failed: 0, unwritten: 0 });
};
