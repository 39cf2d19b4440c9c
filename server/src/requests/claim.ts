import type { DedupOptions } from '../policy/dedup.ts';
import type { Lane } from '../policy/turns.ts';
import type { Db } from '../db/db.ts';
import { none, prepared, sql, unsynced } from '../db/sql.ts';
import { formatLines, parseLines, type Lines } from '../formats/lines.ts';

/** A worker's right to run a chunk, until it settles, releases or loses it. */
export interface Lease {
  chunkId: number;
  /** Fences every write: a later lease of the same chunk has another. */
  token: number;
  model: string;
  lines: Lines;
  /** Parts settled by earlier leases and this one. */
  parts: number;
  /** The lines have failed attempts behind them. */
  retry: boolean;
  /** Workers that died while they held it. */
  losses: number;
  /** Requests its batch may have in flight; null: any number. As last heard of: a heartbeat brings what it is now. */
  width: number | null;
  /** How the batch asked to be run; null: it did not. */
  strategy: string | null;
  /** Where the batch waits. */
  lane: Lane;
  /** Attempts that the batch gives each request; null: as its model or the server says. */
  maxAttempts: number | null;
  batchNo: number;
  batchId: string;
  tenant: string;
  inputKey: string;
  indexKey: string;
  /** Seconds since its batch was ready to run. */
  waited: number;
  /** Who created the batch. */
  user: string;
  /** What the batch asked for; undefined: it did not say. */
  dedup: DedupOptions;
  /** Requests a second that one worker does of the model, as last measured; null: it was not. */
  rate: number | null;
}

/** A lease as a statement gives it. */
export interface LeaseRow {
  id: number;
  token: number;
  model: string;
  lines: string;
  parts: number;
  retry: boolean;
  losses: number;
  width: number | null;
  strategy: string | null;
  lane: Lane;
  max_attempts: number | null;
  batch_no: number;
  batch_id: string;
  tenant_id: string;
  input_key: string;
  index_key: string;
  waited: number;
  created_by: string;
  dedup: DedupOptions;
  rate: number | null;
}

/** Requests in flight that are limited are counted by whoever plans: without a plan nothing of such a batch is taken. */
const uncapped = sql`not exists (select from batches b where b.no = chunks.batch_no and (b.cap is not null or b.width is not null))`;

/**
 * Leases the next chunk to a worker: highest priority, then earliest deadline, then oldest, among the models it asks
 * for. A chunk that another worker is taking just now is skipped, so null may also mean "ask again soon".
 */
export const claim = async (
  db: Db,
  worker: { id: string; models: readonly string[]; pool?: string },
  seconds: number,
): Promise<Lease | null> => {
  const open = sql`${uncapped} and (chunks.pool is null or chunks.pool = ${worker.pool ?? null})`;
  const row = await db.maybe<LeaseRow>(sql`
    with claimed as (
      update chunks
      set state = 'leased', worker_id = ${worker.id}, token = nextval('lease_token'),
          leased_at = now(), leased_until = now() + make_interval(secs => ${seconds})
      where ctid = any(array(
        select ctid from chunks
        where state = 'queued' and model = (
          select head.model
          from unnest(${worker.models}::text[]) wanted (model), lateral (
            select model, priority, deadline, id from chunks
            where state = 'queued' and model = wanted.model and ${open}
            order by priority desc, deadline, id limit 1) head
          order by head.priority desc, head.deadline, head.id limit 1)
          and ${open}
        order by priority desc, deadline, id limit 1 for update skip locked))
      returning *)
    select ${leaseColumns} from claimed c join batches b on b.no = c.batch_no`);
  return row && toLease(row);
};

/** The columns of a `LeaseRow`, of `chunks c` and `batches b`. */
export const leaseColumns = sql`
  c.id, c.token, c.model, c.lines::text as lines, c.parts, c.retry, c.losses, least(b.width, b.cap) as width, b.options ->> 'strategy' as strategy, b.lane,
  (b.options ->> 'max_attempts')::int as max_attempts, c.batch_no, b.id as batch_id, b.tenant_id, b.input_key, b.index_key, b.created_by,
  jsonb_strip_nulls(jsonb_build_object('dedup', b.options -> 'dedup', 'dedup_sampled', b.options -> 'dedup_sampled')) as dedup,
  (select m.rate from model_rates m where m.model = c.model) as rate,
  extract(epoch from greatest(interval '0', now() - coalesce(b.in_progress_at, b.created_at)))::float8 as waited`;

export const toLease = (row: LeaseRow): Lease => ({
  chunkId: row.id,
  token: row.token,
  model: row.model,
  lines: parseLines(row.lines),
  parts: row.parts,
  retry: row.retry,
  losses: row.losses,
  width: row.width,
  strategy: row.strategy,
  lane: row.lane,
  maxAttempts: row.max_attempts,
  batchNo: row.batch_no,
  batchId: row.batch_id,
  tenant: row.tenant_id,
  inputKey: row.input_key,
  indexKey: row.index_key,
  waited: row.waited,
  user: row.created_by,
  dedup: row.dedup,
  rate: row.rate,
});

/**
 * How many attempts each of the chunk's lines has behind it; lines without any are left out. Range by range, through the
 * index: held against all lines at once, every attempt of the batch was read for each chunk of retries.
 */
export const attemptsOf = async (db: Db, lease: Pick<Lease, 'chunkId' | 'batchNo'>): Promise<Map<number, number>> => {
  const rows = await db.many<{ line: number; count: number }>(sql`
    select x.line, x.count
    from chunks c cross join unnest(c.lines) r cross join lateral (
      select a.line, count(*) as count from attempts a
      where a.batch_no = ${lease.batchNo} and a.line >= lower(r) and a.line < upper(r) group by a.line) x
    where c.id = ${lease.chunkId}`);
  return new Map(rows.map((row) => [row.line, row.count]));
};

/** What a heartbeat finds out about one lease: it still holds, and whether its work should end. */
export interface Held {
  chunkId: number;
  token: number;
  /** `stop`: start nothing more, let what runs finish. `abort`: end that too. */
  order: 'go' | 'stop' | 'abort';
  /** Requests its batch may have in flight now; null: any number. */
  width: number | null;
}

/**
 * Renews the leases a worker knows of in one statement; one that is not among the answers is lost. A lease it does not
 * know of, because the reply to its claim was lost, must run out: renewed with the others it would never be worked on.
 */
export const renew = async (db: Db, workerId: string, tokens: readonly number[], seconds: number): Promise<Held[]> => {
  const rows = await db.many<{ id: number; token: number; order: Held['order']; width: number | null }>(
    prepared(sql`
    with renewed as (
      update chunks set leased_until = now() + make_interval(secs => ${seconds})
      where worker_id = ${workerId} and state = 'leased' and token = any(${tokens}::bigint[])
      returning id, token, batch_no)
    select r.id, r.token, case
        when b.status = 'cancelling' and b.cancel_mode = 'abort' then 'abort'
        when b.status = 'cancelling' or b.expiring then 'stop'
        else 'go' end as order, least(b.width, b.cap) as width
    from renewed r join batches b on b.no = r.batch_no cross join ${unsynced}`),
  );
  return rows.map(({ id, ...held }) => ({ chunkId: id, ...held }));
};

/**
 * Gives a chunk back with the lines it still has. `lost` where the lease was lost before.
 * Where its batch is being cancelled or has expired, the chunk ends with it.
 *
 * @param note why, where its requests are to tell: their worker was drained
 */
export const release = async (
  db: Db,
  lease: Pick<Lease, 'chunkId' | 'token'>,
  note: 'drained' | null = null,
): Promise<'released' | 'lost'> => {
  const update = sql`
    update chunks c
    set state = (select case when b.status = 'cancelling' then 'cancelled' when b.expiring then 'expired' else 'queued' end
                 from batches b where b.no = c.batch_no),
        token = null, worker_id = null, leased_until = null
    ${note === null ? none : sql`from (select id, worker_id from chunks where id = ${lease.chunkId}) old`}
    where c.id = ${lease.chunkId} and token = ${lease.token}`;
  const count = await db.run(
    note === null ? update : sql`with given as (${update} returning c.batch_no, c.lines, old.worker_id) ${noted(note)}`,
  );
  return count === 1 ? 'released' : 'lost';
};

/** Writes down that the lines of `given` were interrupted, and by what. */
export const noted = (kind: 'drained' | 'lost') => sql`
  insert into interruptions (batch_no, lines, kind, worker_id, pool)
  select g.batch_no, g.lines, ${kind}, g.worker_id, w.pool from given g left join workers w on w.id = g.worker_id`;

/**
 * Gives back some lines of a leased chunk while the worker still works on the others: they become a chunk of their own,
 * queued, with everything the old one was. `kept` where there is nothing to divide, or the lease was lost.
 *
 * @param lines lines nobody has started; they are all still in the chunk
 */
export const giveBackLines = async (
  db: Db,
  lease: Pick<Lease, 'chunkId' | 'token'>,
  lines: Lines,
  note: 'drained' | null = null,
): Promise<'given' | 'kept'> => {
  const count = await db.run(sql`
    with rest as (select ${formatLines(lines)}::int4multirange as lines),
    kept as (
      update chunks c set lines = c.lines - r.lines
      from rest r
      where c.id = ${lease.chunkId} and c.token = ${lease.token} and c.lines @> r.lines and not isempty(r.lines) and c.lines <> r.lines
      returning c.batch_no, c.model, r.lines, c.retry, c.losses, c.priority, c.deadline, c.pool, c.pool_since, c.worker_id)
    ${note === null ? none : sql`, given as (select batch_no, lines, worker_id from kept), notes as (${noted(note)})`}
    insert into chunks (batch_no, model, lines, state, retry, losses, priority, deadline, pool, pool_since)
    select k.batch_no, k.model, k.lines, case when b.status = 'cancelling' then 'cancelled' when b.expiring then 'expired' else 'queued' end,
      k.retry, k.losses, k.priority, k.deadline, k.pool, k.pool_since
    from kept k join batches b on b.no = k.batch_no`);
  return count === 1 ? 'given' : 'kept';
};
