import type { PatchBatch } from '@sluice/contract';
import { batchFolder } from '../artifacts/keys.ts';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { ApiError } from '../lib/errors.ts';
import { announceBatches, announceControl, closeOpen } from '../requests/queue.ts';
import type { Storage } from '../storage/storage.ts';
import { askedPriority, checkWindow, metadataJson } from './create.ts';
import { childrenOf } from './children.ts';
import { record } from './events.ts';
import { getBatch } from './read.ts';
import { batchColumns, type BatchRow } from './rows.ts';
import { terminal } from './state.ts';

/**
 * Begins to cancel a batch, and with a parent all that go on of it. `stop`: nothing more starts, what runs may finish; `abort`: that ends too. Cancelling a
 * batch that is being cancelled, or was, changes nothing, except that `abort` hastens a `stop`.
 */
export const cancelBatch = async (db: Db, identity: Identity, id: string, mode: 'stop' | 'abort'): Promise<BatchRow> => {
  const cancelled = await db.transaction(async (tx) => {
    const row = await tx.maybe<BatchRow>(sql`
      update batches b
      set status = 'cancelling', cancelling_at = now(), cancel_mode = ${mode}, expiring = false, token = null, leased_until = null
      where b.id = ${id} and b.tenant_id = ${identity.tenant} and b.status in ('validating', 'in_progress', 'finalizing')
      returning ${batchColumns}`);
    if (row === null) return null;
    await record(tx, row, 'batch.cancelling', { mode, by: identity.user });
    const children =
      row.kind !== 'parent'
        ? []
        : await tx.many<BatchRow>(sql`
            update batches b
            set status = 'cancelling', cancelling_at = now(), cancel_mode = ${mode}, expiring = false, token = null, leased_until = null
            where b.parent_no = ${row.no} and b.status in ('in_progress', 'finalizing')
            returning ${batchColumns}`);
    for (const child of children) await record(tx, child, 'batch.cancelling', { mode, by: identity.user });
    return { row, stopped: [row, ...children] };
  });
  if (cancelled !== null) {
    for (const { no } of cancelled.stopped) await closeOpen(db, no, 'cancelled');
    await Promise.all([announceControl(db), announceBatches(db)]);
    return cancelled.row;
  }
  const row = await getBatch(db, identity, id);
  if (row.status === 'cancelled') return row;
  if (row.status === 'cancelling') {
    if (mode === 'abort' && row.cancel_mode === 'stop') {
      await db.run(sql`update batches set cancel_mode = 'abort' where (no = ${row.no} or parent_no = ${row.no}) and status = 'cancelling'`);
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
  const open = !terminal(row.status) && !row.expiring;
  // Once the batch has ended, a priority among its metadata is only a note.
  const priority = open || body.priority !== undefined ? askedPriority(body) : null;
  const steers = body.priority !== undefined || priority !== null || body.deadline !== undefined || body.completion_window !== undefined;
  if (steers && !open) throw new ApiError('conflict', `Cannot change the priority or the deadline of a batch with status '${row.status}'.`);
  if (row.parent_no !== null && (body.deadline !== undefined || body.completion_window !== undefined))
    throw new ApiError('conflict', 'This batch is part of one of several models, whose deadline it has: change that of the parent.');
  if (body.deadline !== undefined && body.completion_window !== undefined)
    throw new ApiError('invalid_value', 'Give either deadline or completion_window, not both.', { param: 'deadline' });
  const seconds = body.completion_window === undefined ? null : checkWindow(body.completion_window);
  if (body.deadline !== undefined && body.deadline * 1_000 < Date.now())
    throw new ApiError('invalid_value', 'The deadline lies in the past.', { param: 'deadline' });
  // Only what was asked for is written: another may be changing the rest just now.
  const deadline =
    body.deadline !== undefined
      ? sql`to_timestamp(${body.deadline}::float8)`
      : seconds === null
        ? sql`b.deadline`
        : sql`b.created_at + make_interval(secs => ${seconds})`;
  return db.transaction(async (tx) => {
    const updated = await tx.maybe<BatchRow>(sql`
      update batches b
      set name = ${body.name === undefined ? sql`b.name` : sql`${body.name}`},
          metadata = ${body.metadata === undefined ? sql`b.metadata` : sql`${metadataJson(body.metadata)}::jsonb`},
          priority = coalesce(${priority}, b.priority), deadline = ${deadline},
          completion_window = coalesce(${body.completion_window ?? null}, b.completion_window)
      where b.no = ${row.no} and (not ${steers} or (b.status in ('validating', 'in_progress', 'finalizing', 'cancelling') and not b.expiring))
      returning ${batchColumns}`);
    if (updated === null) throw new ApiError('conflict', 'The batch ended meanwhile.');
    if (steers && row.kind === 'parent')
      await tx.run(sql`
        update batches b set deadline = p.deadline, completion_window = p.completion_window, priority = coalesce(${priority}, b.priority)
        from batches p where p.no = ${row.no} and b.parent_no = p.no and b.status in ('in_progress', 'finalizing', 'cancelling') and not b.expiring`);
    if (steers)
      await tx.run(
        sql`update chunks c set priority = b.priority, deadline = b.deadline from batches b
          where (b.no = ${row.no} or b.parent_no = ${row.no}) and c.batch_no = b.no and c.state in ('queued', 'leased')`,
      );
    await record(tx, updated, 'batch.updated', { fields: Object.keys(body), by: identity.user });
    return updated;
  });
};

/** Deletes a batch that has ended, with its result files, the files of its requests and all that is stored about them. The input stays. */
export const deleteBatch = async (db: Db, storage: Storage, identity: Identity, id: string): Promise<void> => {
  const row = await getBatch(db, identity, id);
  if (!terminal(row.status)) throw new ApiError('conflict', `Cannot delete a batch with status '${row.status}'; cancel it first.`);
  if (row.parent_no !== null)
    throw new ApiError('conflict', 'This batch is part of one of several models, and its results of theirs: delete the parent.');
  const all = [row, ...(row.kind === 'parent' ? await childrenOf(db, [row.no]) : [])];
  const files = all.flatMap((each) => [each.output_file_id, each.error_file_id, each.errors_file_id]).filter((f) => f !== null);
  await db.transaction(async (tx) => {
    await tx.run(sql`update files set deleted_at = now() where id = any(${files}::text[]) and deleted_at is null`);
    // Its children go with it.
    await tx.run(sql`delete from batches where no = ${row.no}`);
  });
  for (const { id: each } of all)
    for (const folder of [`${row.tenant_id}/${each}`, batchFolder(row.tenant_id, each)])
      for await (const { key } of storage.list(`${folder}/`)) await storage.delete(key);
};
