import { sql } from '../db/sql.ts';
import type { Db } from '../db/db.ts';
import { newBatchId } from '../lib/ids.ts';
import { modelKey, type ModelSpec } from '../models/models.ts';
import { record } from './events.ts';
import { batchColumns, type BatchRow } from './rows.ts';

/**
 * Several models over one input.
 *
 * Promise: the input is read, checked and indexed once, for the parent; its children are made in the transaction that
 * moves the parent to `in_progress`, all of them or none, and are ordinary batches from then on: claimed, retried,
 * cancelled and finalized like any other. Nothing tells the parent of their ends: whether it is due, what it counts and
 * how it ends is asked of their rows each time, so that it does not matter who died when.
 */
export interface Child {
  model: ModelSpec;
  /** Lines that it is to run: rows that were refused are not among them. */
  count: number;
  /** Requests of it that run at once at most; null: any number. */
  maxConcurrent: number | null;
  width: number | null;
  cap: number | null;
}

/**
 * Makes the child of one model, which begins at once: its input and index are the parent's. Where the parent runs lines
 * of another one again, so does the child those of the other's child. To be called in the parent's transaction, when it
 * has moved.
 */
export const insertChild = async (
  tx: Db,
  parent: Pick<BatchRow, 'no' | 'id' | 'tenant_id'>,
  { model, count, maxConcurrent, width, cap }: Child,
): Promise<{ no: number; deadline: Date; priority: number; total: number }> => {
  const own = { model: `${model.name}@${model.version}`, ...(maxConcurrent !== null && { max_concurrent: maxConcurrent }) };
  const child = await tx.one<{ no: number; tenant_id: string; deadline: Date; priority: number; total: number }>(sql`
    insert into batches (id, tenant_id, created_by, name, endpoint, input_file_id, input_key, input_bytes, completion_window, deadline, priority,
      metadata, options, output_seconds, lane, parent_no, status, in_progress_at, sealed, total, index_key, width, cap, admitted, model,
      pool_history, source, rows_key, refused, continues_no, origin_lines)
    select ${newBatchId()}, p.tenant_id, p.created_by, p.name, p.endpoint, p.input_file_id, p.input_key, p.input_bytes, p.completion_window, p.deadline,
      p.priority, p.metadata, (p.options - 'models' - 'route') || ${JSON.stringify(own)}::jsonb, p.output_seconds, p.lane, p.no, 'in_progress', now(), true,
      p.total, p.index_key, ${width}, ${cap}, p.admitted, ${modelKey(model)}, p.pool_history, p.source, p.rows_key, p.refused,
      (select k.no from batches k where k.parent_no = p.continues_no and k.model = ${modelKey(model)} order by k.no limit 1), p.origin_lines
    from batches p where p.no = ${parent.no}
    returning no, tenant_id, deadline, priority, total`);
  await tx.run(sql`
    insert into batch_models (batch_no, model, total, failed)
    select no, ${modelKey(model)}, ${count} + refused, refused from batches where no = ${child.no}`);
  await record(tx, child, 'batch.created', { parent: parent.id });
  await record(tx, child, 'batch.in_progress', { total: child.total });
  return child;
};

/** A parent's share of `max_concurrent` for each of its models: together they never have more in flight. */
export const shareOf = (most: number | undefined, models: number, place: number): number | null =>
  most === undefined ? null : Math.floor(most / models) + (place < most % models ? 1 : 0);

/** The children of some parents, in the order of their models. */
export const childrenOf = (db: Db, parents: readonly number[]): Promise<BatchRow[]> =>
  parents.length === 0
    ? Promise.resolve([])
    : db.many<BatchRow>(sql`select ${batchColumns} from batches b where b.parent_no = any(${parents}::bigint[]) order by b.no`);
