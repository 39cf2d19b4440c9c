import { channels } from '../db/listen.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import type { Column } from './layout.ts';

/** The table of a batch, as the database holds it. */
export interface TableRow {
  batch_no: number;
  state: 'queued' | 'building' | 'ready' | 'failed' | 'expired';
  reason: string | null;
  storage_key: string | null;
  bytes: number | null;
  rows: number | null;
  sha256: string | null;
  columns: Column[] | null;
  built_at: number | null;
}

const columns = sql`r.batch_no, r.state, r.reason, r.storage_key, r.bytes, r.rows, r.sha256, r.columns, extract(epoch from r.built_at)::float8 as built_at`;

export const getTable = (db: Db, batchNo: number): Promise<TableRow | null> =>
  db.maybe<TableRow>(sql`select ${columns} from result_tables r where r.batch_no = ${batchNo}`);

/** Has a table made, unless it is there, or was tried in vain less than a minute ago. */
export const requestTable = async (db: Db, batchNo: number): Promise<void> => {
  await db.run(sql`
    with asked as (
      insert into result_tables as r (batch_no) values (${batchNo})
      on conflict (batch_no) do update set state = 'queued', reason = null, tries = 0, not_before = now()
      where r.state = 'failed' and r.not_before < now() - interval '1 minute'
      returning batch_no)
    select pg_notify(${channels.batches}, '') from asked`);
};

export interface Building {
  batch_no: number;
  token: number;
  tries: number;
}

/** Leases the next table that is to be made; null where none is. */
export const takeTable = (db: Db, leaseSeconds: number): Promise<Building | null> =>
  db.maybe<Building>(sql`
    update result_tables r
    set state = 'building', token = nextval('lease_token'), leased_until = now() + make_interval(secs => ${leaseSeconds}), tries = tries + 1
    where batch_no = (
      select batch_no from result_tables
      where state in ('queued', 'building') and not_before <= now() and (leased_until is null or leased_until < now())
      order by tries, not_before limit 1 for update skip locked)
    returning r.batch_no, r.token, r.tries`);

export const extendTable = (db: Db, { batch_no: no, token }: Building, seconds: number): Promise<number> =>
  db.run(
    sql`update result_tables set leased_until = now() + make_interval(secs => ${seconds}) where batch_no = ${no} and token = ${token}`,
  );

/** Gives the lease back; what was `tried` in vain is tried again later. */
export const releaseTable = (db: Db, { batch_no: no, token, tries }: Building, { tried }: { tried: boolean }): Promise<number> =>
  db.run(sql`
    update result_tables
    set state = 'queued', token = null, leased_until = null, tries = ${tried ? tries : tries - 1},
        not_before = now() + make_interval(secs => ${tried ? 2 ** tries : 0})
    where batch_no = ${no} and token = ${token}`);

export interface Made {
  key: string;
  bytes: number;
  rows: number;
  sha256: string;
  columns: readonly Column[];
}

/** Publishes what was made, under the lease's token. */
export const finishTable = (db: Db, { batch_no: no, token }: Building, made: Made): Promise<'ready' | 'lost'> =>
  say(
    db,
    db.run(sql`
      update result_tables
      set state = 'ready', token = null, leased_until = null, storage_key = ${made.key}, bytes = ${made.bytes}, rows = ${made.rows},
          sha256 = ${made.sha256}, columns = ${JSON.stringify(made.columns)}::jsonb, built_at = now(), reason = null
      where batch_no = ${no} and token = ${token}`),
    no,
    'ready',
  );

export const failTable = (
  db: Db,
  { batch_no: no, token }: Building,
  state: 'failed' | 'expired',
  reason: string,
): Promise<'failed' | 'lost'> =>
  say(
    db,
    db.run(sql`
      update result_tables set state = ${state}, token = null, leased_until = null, reason = ${reason}, not_before = now()
      where batch_no = ${no} and token = ${token}`),
    no,
    'failed',
  );

/** Those who wait for the table are told. */
const say = async <State>(db: Db, moved: Promise<number>, no: number, state: State): Promise<State | 'lost'> => {
  if ((await moved) === 0) return 'lost';
  await db.run(sql`select pg_notify(${channels.results}, ${String(no)})`);
  return state;
};

/** Tables whose batch lost its files: they held the same. */
export const expireTables = (db: Db): Promise<{ batch_no: number; key: string }[]> =>
  db.many(sql`
    with gone as (
      select r.batch_no, r.storage_key as key from result_tables r join batches b on b.no = r.batch_no
      where r.state = 'ready' and exists (
        select from files f where f.id in (b.output_file_id, b.error_file_id) and f.deleted_at is not null)
      limit 200 for update of r skip locked)
    update result_tables r
    set state = 'expired', storage_key = null, reason = 'The files of the batch have expired or were deleted, and its table with them.'
    from gone where r.batch_no = gone.batch_no
    returning r.batch_no, gone.key`);
