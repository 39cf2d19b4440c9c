import type { BatchStatus } from '@sluice/contract';
import type { Db } from '../db/db.ts';
import { channels } from '../db/listen.ts';
import { sql } from '../db/sql.ts';

export const eventTypes = [
  'batch.created',
  'batch.in_progress',
  'batch.updated',
  'batch.escalated',
  'batch.milestone',
  'batch.finalizing',
  'batch.completed',
  'batch.failed',
  'batch.cancelling',
  'batch.cancelled',
  'batch.expired',
] as const;
export type EventType = (typeof eventTypes)[number];

/**
 * Writes what happened to a batch, in the transaction in which it did. Two writers of one batch cannot take the same
 * number: each of them holds the batch's row, by the move it makes.
 */
export const record = async (
  tx: Db,
  batch: { no: number; tenant_id: string },
  type: EventType,
  data: Record<string, unknown> = {},
): Promise<void> => {
  await tx.run(sql`
    with written as (
      insert into events (tenant_id, batch_no, number, type, data)
      select ${batch.tenant_id}, ${batch.no}, coalesce(max(number), 0) + 1, ${type}, ${JSON.stringify(data)}::jsonb
      from events where batch_no = ${batch.no}
      returning batch_no)
    select pg_notify(${channels.events}, batch_no::text) from written`);
};

export interface EventRow {
  id: number;
  number: number;
  batch_id: string;
  type: EventType;
  data: Record<string, unknown>;
  created_at: number;
}

const columns = sql`e.id, e.number, b.id as batch_id, e.type, e.data, extract(epoch from e.created_at)::float8 as created_at`;

/** How a batch stands and how many events it has had, at one moment: a batch that has ended has its last event too. */
export const standingOf = (db: Db, batchNo: number): Promise<{ status: BatchStatus; events: number } | null> =>
  db.maybe(sql`
    select b.status, (select coalesce(max(number), 0) from events e where e.batch_no = b.no) as events from batches b where b.no = ${batchNo}`);

/** Events of one batch after its `number`-th, in order. */
export const batchEvents = (db: Db, batchNo: number, after: number, limit = 500): Promise<EventRow[]> =>
  db.many<EventRow>(sql`
    select ${columns} from events e join batches b on b.no = e.batch_no
    where e.batch_no = ${batchNo} and e.number > ${after} order by e.number limit ${limit}`);

/**
 * Events of a tenant after id `after`, in order. It stops before any transaction still open: ids are given out before
 * they are committed, and a reader that went past one would never come back for it.
 */
export const tenantEvents = (db: Db, tenant: string, after: number, limit = 500): Promise<EventRow[]> =>
  db.many<EventRow>(sql`
    select ${columns} from events e join batches b on b.no = e.batch_no
    where e.tenant_id = ${tenant} and e.id > ${after} and e.xid < pg_snapshot_xmin(pg_current_snapshot())
    order by e.id limit ${limit}`);

/**
 * The number of the last of a tenant's events that a stream would have sent by now: whatever is read from the database after
 * this was asked holds all events up to it, and a stream from it on has all others.
 */
export const lastEvent = async (db: Db, tenant: string): Promise<number> =>
  (
    await db.one<{ last: number }>(sql`
      select coalesce(max(id), 0)::int8 as last from events
      where tenant_id = ${tenant} and xid < pg_snapshot_xmin(pg_current_snapshot())`)
  ).last;
