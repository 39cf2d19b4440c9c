import { type BulkAction, type BulkFilter, type BulkOperation, type BulkOptions, type BulkStatus, type CreateBulk } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import { bodyHash } from '../batches/create.ts';
import type { Db } from '../db/db.ts';
import { none, sql } from '../db/sql.ts';
import { ApiError } from '../lib/errors.ts';
import { newOperationId } from '../lib/ids.ts';
import { announceBatches } from '../requests/queue.ts';
import { recordLeft } from './items.ts';
import { count, timeNow } from './preview.ts';
import { selectionOf, type Selection } from './selection.ts';

export interface OperationRow {
  no: number;
  id: string;
  tenant_id: string;
  created_by: string;
  acts_on: 'batches' | 'requests';
  action: BulkAction;
  filter: BulkFilter | null;
  ids: string[] | null;
  exclude: string[];
  /** Seconds since the epoch, as are all times below. */
  as_of: number;
  options: BulkOptions;
  reason: string | null;
  status: BulkStatus;
  matched: number;
  eligible: number;
  done: number;
  skipped: number;
  failed: number;
  cursor_no: number;
  cursor_line: number;
  tries: number;
  error: string | null;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
}

/** The columns of an `OperationRow`, of `bulk_operations o`. */
export const operationColumns = sql`
  o.no, o.id, o.tenant_id, o.created_by, o.acts_on, o.action, o.filter, o.ids, o.exclude, extract(epoch from o.as_of)::float8 as as_of,
  o.options, o.reason, o.status, o.matched, o.eligible, o.done, o.skipped, o.failed, o.cursor_no, o.cursor_line, o.tries, o.error,
  floor(extract(epoch from o.created_at))::bigint as created_at, floor(extract(epoch from o.started_at))::bigint as started_at,
  floor(extract(epoch from o.ended_at))::bigint as ended_at`;

export const toOperation = (row: OperationRow): BulkOperation => ({
  id: row.id,
  object: 'bulk_operation',
  on: row.acts_on,
  action: row.action,
  status: row.status,
  counts: { matched: row.matched, eligible: row.eligible, done: row.done, skipped: row.skipped, failed: row.failed },
  filter: row.filter,
  ids: row.ids?.length ?? null,
  excluded: row.exclude.length,
  as_of: row.as_of,
  options: row.options,
  reason: row.reason,
  error: row.error,
  created_by: row.created_by,
  created_at: row.created_at,
  started_at: row.started_at,
  ended_at: row.ended_at,
});

export const selectionOfRow = (row: OperationRow): Selection => ({
  tenant: row.tenant_id,
  on: row.acts_on,
  action: row.action,
  filter: row.filter,
  ids: row.ids,
  exclude: row.exclude,
  asOf: row.as_of,
  options: row.options,
});

/** A body's selection, as of the time it names, or now. */
export const settledSelection = async (db: Db, identity: Identity, body: CreateBulk): Promise<Selection> => {
  const selection = selectionOf(identity, body);
  const now = await timeNow(db);
  return { ...selection, asOf: Math.min(selection.asOf ?? now, now) };
};

/**
 * Creates an operation, to be run by a scheduler. The same Idempotency-Key gives the operation it made before.
 */
export const createOperation = async (
  db: Db,
  identity: Identity,
  body: CreateBulk,
  idempotencyKey: string | undefined,
): Promise<{ operation: OperationRow; created: boolean }> => {
  const selection = await settledSelection(db, identity, body);
  const earlier = idempotencyKey === undefined ? null : await repeated(db, identity, body, idempotencyKey);
  if (earlier !== null) return { operation: earlier, created: false };
  const figures = await count(db, selection);
  const { filter, ids, exclude, asOf, options, on, action } = selection;
  const made = await db.transaction(async (tx) => {
    const operation = await tx.maybe<OperationRow>(sql`
      insert into bulk_operations as o (id, tenant_id, created_by, acts_on, action, filter, ids, exclude, as_of, options, reason, matched,
        eligible, skipped, idempotency_key, idempotency_hash)
      values (${newOperationId()}, ${identity.tenant}, ${identity.user}, ${on}, ${action}, ${filter === null ? null : JSON.stringify(filter)}::jsonb,
        ${ids}::text[], ${exclude}::text[], to_timestamp(${asOf}::float8), ${JSON.stringify(options)}::jsonb, ${body.reason ?? null},
        ${figures.matched}, ${figures.eligible}, ${figures.unknown.length}, ${idempotencyKey ?? null},
        ${idempotencyKey === undefined ? null : bodyHash(body)})
      on conflict (tenant_id, idempotency_key) where idempotency_key is not null do nothing
      returning ${operationColumns}`);
    if (operation === null) return null;
    await recordLeft(
      tx,
      operation.no,
      figures.unknown.map((id) => ({ id, reason: 'not_found' })),
    );
    await announceBatches(tx);
    return operation;
  });
  if (made !== null) return { operation: made, created: true };
  return { operation: (await repeated(db, identity, body, idempotencyKey!))!, created: false };
};

const repeated = async (db: Db, { tenant }: Identity, body: CreateBulk, key: string): Promise<OperationRow | null> => {
  const row = await db.maybe<OperationRow & { idempotency_hash: string }>(sql`
    select ${operationColumns}, o.idempotency_hash from bulk_operations o where o.tenant_id = ${tenant} and o.idempotency_key = ${key}`);
  if (row !== null && row.idempotency_hash !== bodyHash(body))
    throw new ApiError('idempotency_mismatch', `The Idempotency-Key '${key}' was used before for ${row.id}, with another body.`);
  return row;
};

const missing = (id: string): ApiError => new ApiError('not_found', `No bulk operation found with id '${id}'.`, { param: 'id' });

export const getOperation = async (db: Db, { tenant }: Identity, id: string): Promise<OperationRow> => {
  const row = await db.maybe<OperationRow>(sql`
    select ${operationColumns} from bulk_operations o where o.id = ${id} and o.tenant_id = ${tenant}`);
  if (row === null) throw missing(id);
  return row;
};

/** A page of the tenant's operations, newest first. */
export const listOperations = async (
  db: Db,
  identity: Identity,
  { after, limit, status }: { after?: string; limit: number; status?: readonly BulkStatus[] },
): Promise<{ rows: OperationRow[]; more: boolean }> => {
  const place = after === undefined ? null : await getOperation(db, identity, after);
  const rows = await db.many<OperationRow>(sql`
    select ${operationColumns} from bulk_operations o
    where o.tenant_id = ${identity.tenant}
      ${place === null ? none : sql`and o.no < ${place.no}`}
      ${status === undefined ? none : sql`and o.status = any(${status}::text[])`}
    order by o.no desc limit ${limit + 1}`);
  return { rows: rows.slice(0, limit), more: rows.length > limit };
};

/** Stops an operation before its next item: at once where nobody works on it. What it has done stays done. */
export const stopOperation = async (db: Db, identity: Identity, id: string): Promise<OperationRow> => {
  const idle = sql`(o.token is null or o.leased_until < now())`;
  const stopped = await db.maybe<OperationRow>(sql`
    update bulk_operations o
    set status = case when ${idle} then 'stopped' else 'stopping' end, ended_at = case when ${idle} then now() end,
        token = case when not ${idle} then o.token end, leased_until = case when not ${idle} then o.leased_until end
    where o.id = ${id} and o.tenant_id = ${identity.tenant} and o.status in ('queued', 'running')
    returning ${operationColumns}`);
  if (stopped !== null) return stopped;
  const row = await getOperation(db, identity, id);
  if (row.status === 'stopping' || row.status === 'stopped') return row;
  throw new ApiError('conflict', `Cannot stop a bulk operation with status '${row.status}'.`);
};
