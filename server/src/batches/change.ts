import type { PatchBatch } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { ApiError } from '../lib/errors.ts';
import { announceBatches, announceControl, closeOpen } from '../requests/queue.ts';
import type { Storage } from '../storage/storage.ts';
import { checkWindow, priorityOf } from './create.ts';
import { record } from './events.ts';
import { getBatch } from './read.ts';
import { batchColumns, type BatchRow } from './rows.ts';
import { terminal } from './state.ts';

/**
 * Begins to cancel a batch. `stop`: nothing more starts, what runs may finish; `abort`: that ends too. Cancelling a
 * batch that is being cancelled, or was, changes nothing, except that `abort` hastens a `stop`.
 */
export const cancelBatch = async (db: Db, identity: Identity, id: string, mode: 'stop' | 'abort'): Promise<BatchRow> => {
  const cancelled = await db.transaction(async (tx) => {
    const row = await tx.maybe<BatchRow>(sql`
      update batches b
      set status = 'cancelling', cancelling_at = now(), cancel_mode = ${mode}, expiring = false, token = null, leased_until = null
      where b.id = ${id} and b.tenant_id = ${identity.tenant} and b.status in ('validating', 'in_progress', 'finalizing')
      returning ${batchColumns}`);
    if (row !== null) await record(tx, row, 'batch.cancelling', { mode, by: identity.user });
    return row;
  });
  if (cancelled !== null) {
    await closeOpen(db, cancelled.no, 'cancelled');
    await Promise.all([announceControl(db), announceBatches(db)]);
    return cancelled;
  }
  const row = await getBatch(db, identity, id);
  if (row.status === 'cancelled') return row;
  if (row.status === 'cancelling') {
    if (mode === 'abort' && row.cancel_mode === 'stop') {
      await db.run(sql`update batches set cancel_mode = 'abort' where no = ${row.no} and status = 'cancelling'`);
      await announceControl(db);
    }
    return row;
  }
  // OpenAI gives no code with this one.
  throw new ApiError('conflict', `Cannot cancel a batch with status '${row.status}'.`, { bare: true });
};

/** Changes what may still change: name and metadata always, priority and deadline until the batch has ended. */
export const patchBatch = async (db: Db, identity: Identity, id: string, body: PatchBatch): Promise<BatchRow> => {
  const row = await getBatch(db, identity, id);
  const steers = body.priority !== undefined || body.deadline !== undefined || body.completion_window !== undefined;
  if (steers && (terminal(row.status) || row.expiring))
    throw new ApiError('conflict', `Cannot change the priority or the deadline of a batch with status '${row.status}'.`);
  if (body.deadline !== undefined && body.completion_window !== undefined)
    throw new ApiError('invalid_value', 'Give either deadline or completion_window, not both.', { param: 'deadline' });
  const deadline =
    body.deadline ?? (body.completion_window === undefined ? row.deadline : row.created_at + checkWindow(body.completion_window));
  if (body.deadline !== undefined && body.deadline * 1_000 < Date.now())
    throw new ApiError('invalid_value', 'The deadline lies in the past.', { param: 'deadline' });
  const priority = body.priority === undefined || body.priority === null ? row.priority : priorityOf({ priority: body.priority });
  const metadata = body.metadata === undefined ? row.metadata : body.metadata;
  return db.transaction(async (tx) => {
    const updated = await tx.maybe<BatchRow>(sql`
      update batches b
      set name = ${body.name === undefined ? row.name : body.name},
          metadata = ${metadata ? JSON.stringify(metadata) : null}::jsonb,
          priority = ${priority}, deadline = to_timestamp(${deadline}::float8),
          completion_window = ${body.completion_window ?? row.completion_window}
      where b.no = ${row.no} and (not ${steers} or (b.status in ('validating', 'in_progress', 'finalizing', 'cancelling') and not b.expiring))
      returning ${batchColumns}`);
    if (updated === null) throw new ApiError('conflict', 'The batch ended meanwhile.');
    if (steers)
      await tx.run(
        sql`update chunks set priority = ${priority}, deadline = to_timestamp(${deadline}::float8) where batch_no = ${row.no} and state in ('queued', 'leased')`,
      );
    await record(tx, updated, 'batch.updated', { fields: Object.keys(body), by: identity.user });
    return updated;
  });
};

/** Deletes a batch that has ended, with its result files and all that is stored about its requests. The input stays. */
export const deleteBatch = async (db: Db, storage: Storage, identity: Identity, id: string): Promise<void> => {
  const row = await getBatch(db, identity, id);
  if (!terminal(row.status)) throw new ApiError('conflict', `Cannot delete a batch with status '${row.status}'; cancel it first.`);
  await db.transaction(async (tx) => {
    await tx.run(sql`
      update files set deleted_at = now()
      where id = any(${[row.output_file_id, row.error_file_id, row.errors_file_id].filter((f) => f !== null)}::text[]) and deleted_at is null`);
    await tx.run(sql`delete from batches where no = ${row.no}`);
  });
  for await (const { key } of storage.list(`${row.tenant_id}/${row.id}/`)) await storage.delete(key);
};
