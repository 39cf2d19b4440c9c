import type { RequestState } from '@sluice/contract';
import type { Db } from '../db/db.ts';
import { none, sql } from '../db/sql.ts';
import { linesOfId } from '../formats/line-index.ts';
import { hashId } from '../formats/id-table.ts';
import { NotFound, type Storage } from '../storage/storage.ts';
import { customIdsOf, linesInStates, type ViewedBatch } from './view.ts';

/** States that have a row each. */
const rowStates: ReadonlySet<RequestState> = new Set(['failed', 'dead_lettered']);

export interface Wanted {
  states?: readonly RequestState[] | undefined;
  code?: string | undefined;
  cause?: string | undefined;
  from: number;
  limit: number;
}

/** The lines of a batch that are wanted, from one on. What failed is found by its rows, all else by the sets it stands in. */
export const findLines = async (db: Db, batch: ViewedBatch, { states, code, cause, from, limit }: Wanted): Promise<number[]> => {
  if (code !== undefined || cause !== undefined || (states !== undefined && states.every((state) => rowStates.has(state))))
    return (
      await db.many<{ line: number }>(sql`
        select line from requests where batch_no = ${batch.no} and line >= ${from}
          ${states === undefined ? none : states.length === 1 ? sql`and state = ${states[0]}` : sql`and state = any(${states}::text[])`}
          ${code === undefined ? none : sql`and code = ${code}`}
          ${cause === undefined ? none : sql`and cause_of(message) = ${cause}`}
        order by line limit ${limit}`)
    ).map(({ line }) => line);
  if (states !== undefined) return linesInStates(db, batch, states, from, limit);
  return Array.from({ length: Math.max(0, Math.min(limit, batch.total - from + 1)) }, (_, i) => from + i);
};

/** The lines whose custom_id is that: one, or none. The index has its hash, and the input the proof. */
export const findId = async (storage: Storage, batch: ViewedBatch, customId: string): Promise<number[]> => {
  if (batch.index_key === null || batch.input_key === null) return [];
  try {
    const alike = await linesOfId(storage, batch.index_key, hashId(customId));
    const ids = await customIdsOf(storage, batch, alike);
    return alike.filter((line) => ids.get(line) === customId);
  } catch (error) {
    if (error instanceof NotFound) return [];
    throw error;
  }
};
