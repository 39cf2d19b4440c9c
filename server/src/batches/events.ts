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
 *
 * A transaction that began before that of the event before, and waited for it, stands after it all the same: it takes the
 * other's number, unless that is from a database which this one was restored from.
 */
export const record = async (
  tx: Db,
  batch: { no: number; tenant_id: string },
  type: EventType,
  data: Record<string, unknown> = {},
): Promise<void> => {
  await tx.run(sql`
    with written as (
      insert into events (tenant_id, batch_no, number, type, data, xid)
      select ${batch.tenant_id}, ${batch.no}, coalesce(max(number), 0) + 1, ${type}, ${JSON.stringify(data)}::jsonb,
        greatest(pg_current_xact_id(), max(xid) filter (where xid < pg_snapshot_xmax(pg_current_snapshot())))
      from events where batch_no = ${batch.no}
      returning batch_no)
    select pg_notify(${channels.events}, batch_no::text) from written`);
};

export interface EventRow {
  id: number;
  xid: number;
  number: number;
  batch_id: string;
  type: EventType;
  data: Record<string, unknown>;
  created_at: number;
}

const columns = sql`e.id, e.xid::text::int8 as xid, e.number, b.id as batch_id, e.type, e.data, extract(epoch from e.created_at)::float8 as created_at`;

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
 * A place among the events of a tenant: after the event of this id and transaction. Ids are given out before they are
 * committed, so that one may appear below others that were read; transactions below the oldest open one have all ended.
 */
export interface Place {
  xid: number;
  id: number;
}

export const writePlace = ({ xid, id }: Place): string => `${xid}-${id}`;

/** Events of a tenant after a place, in order, up to the oldest transaction that is still open. */
export const tenantEvents = (db: Db, tenant: string, { xid, id }: Place, limit = 500): Promise<EventRow[]> =>
  db.many<EventRow>(sql`
    select ${columns} from events e join batches b on b.no = e.batch_no
    where e.tenant_id = ${tenant} and (e.xid, e.id) > (${String(xid)}::xid8, ${id}::int8)
      and e.xid < pg_snapshot_xmin(pg_current_snapshot())
    order by e.xid, e.id limit ${limit}`);

/**
 * The place up to which a stream would have sent a tenant's events by now: whatever is read from the database after this
 * was asked holds all of them, and a stream from it on has all others.
 */
export const currentPlace = (db: Db): Promise<Place> =>
  db.one<Place>(sql`select pg_snapshot_xmin(pg_current_snapshot())::text::int8 as xid, 0 as id`);

/**
 * The place that a reader names: as it was written, or by the number of an event alone, as streams once did. Then it is the
 * last from which nothing of a higher number can be missed; some of lower numbers, which may have been, are sent again. So
 * it is for a place of another database, which this one was restored from.
 */
export const readPlace = async (db: Db, tenant: string, written: string): Promise<Place> => {
  const [first, second] = written.split('-').map(Number) as [number, number | undefined];
  const now = await currentPlace(db);
  if (second !== undefined && first <= now.xid) return { xid: first, id: second };
  const id = second ?? first;
  if (id === 0) return { xid: 0, id: 0 };
  return db.one<Place>(sql`
    select xid::text::int8 as xid, id from (
      select xid, id from events where tenant_id = ${tenant} and id = ${id}
      union all
      (select xid, id - 1 from events where tenant_id = ${tenant} and id > ${id} order by xid, id limit 1)
      union all
      select ${String(now.xid)}::xid8, 0) places
    order by places.xid, places.id limit 1`);
};
