import type { Db } from '../db/db.ts';
import type { Lane } from '../policy/turns.ts';
import { none, prepared, sql, type Statement } from '../db/sql.ts';
import { claim, leaseColumns, toLease, type Lease, type LeaseRow } from './claim.ts';

/** What a worker is: it decides which turns are for it. */
export interface Claimant {
  id: string;
  kind: 'spot' | 'dedicated';
  pool: string;
  models: readonly string[];
  /** It takes turns of interactive batches only, or of all others only; absent: any. */
  only?: 'interactive' | 'others' | undefined;
}

/** `again`: there was a turn, but it was just taken, or nothing is left behind it. `idle`: nothing this worker may run is waiting. */
export type Claimed = Lease | 'again' | 'idle';

/** Seconds after which a plan counts as abandoned: workers then claim by themselves. */
const planSeconds = 15;

/**
 * Takes the next turn for this worker and leases the chunk behind it, in one statement: the turn is gone, the chunk is
 * leased, the tenant is charged, or nothing of it. Turns another worker is taking are skipped.
 *
 * Every step goes straight to its row: the first turn of each model, and the first chunk of the turn's batch. An equal sign
 * would let the planner read the table in the order of its primary key, past everything that is done, if its statistics
 * are old: then a claim costs more with each chunk. What lies between two equal ends, and is to come in an index's own
 * order, only that index has. A turn may be for one chunk, which only its pool runs: that is found by its id, and passed over by others.
 *
 * Where no scheduler has planned for a while, workers go on in the plain order of priority, deadline and age: a dead
 * scheduler costs fairness, and never stands work still.
 */
export const claimTurn = async (db: Db, worker: Claimant, seconds: number): Promise<Claimed> => {
  const interactive = sql`exists (select from batches b where b.no = turns.batch_no and b.lane = 'interactive')`;
  const own = worker.only === undefined ? none : worker.only === 'interactive' ? sql`and ${interactive}` : sql`and not ${interactive}`;
  const first = (model: Statement) => sql`
    from turns where (kind, model, plan) >= (${worker.kind}, ${model}, (select current from plan))
      and (kind, model, plan) <= (${worker.kind}, ${model}, (select current from plan)) and (pool is null or pool = ${worker.pool}) ${own}
    order by kind, model, plan, no limit 1`;
  const row = await db.one<Partial<LeaseRow> & { turn: boolean; planned: boolean }>(
    prepared(sql`
    with head as (
      select f.model
      from unnest(${worker.models}::text[]) wanted (model), lateral (select no, model ${first(sql`wanted.model`)}) f
      order by f.no limit 1),
    turn as (
      delete from turns where ctid = any(array(
        select ctid ${first(sql`(select model from head)`)} for update skip locked))
      returning batch_no, model, tenant_id, work, chunk_id),
    claimed as (
      update chunks
      set state = 'leased', worker_id = ${worker.id}, token = nextval('lease_token'), kind = ${worker.kind},
          leased_at = now(), leased_until = now() + make_interval(secs => ${seconds})
      where ctid = any(array(
        select ctid from chunks
        where (batch_no, model) >= (select batch_no, model from turn) and (batch_no, model) <= (select batch_no, model from turn)
          and state = 'queued' and pool is null and (select chunk_id from turn) is null
        order by batch_no, model, id limit 1 for update skip locked)
        || array(select ctid from chunks where id = (select chunk_id from turn) and state = 'queued' for update skip locked))
      returning *),
    charged as (
      update accounts a set counter = a.counter + t.work / a.weight from turn t
      where a.tenant_id = t.tenant_id and exists (select from claimed))
    select exists (select from head) as turn, planned_at > now() - make_interval(secs => ${planSeconds}) as planned, l.*
    from plan left join (select ${leaseColumns} from claimed c join batches b on b.no = c.batch_no) l on true`),
  );
  if (row.id !== undefined && row.id !== null) return toLease(row as LeaseRow);
  if (row.turn) return 'again';
  if (!row.planned && worker.only === undefined) return (await claim(db, worker, seconds)) ?? 'idle';
  return 'idle';
};

/** Work of one batch and model that waits: a row of the desk that turns are planned on. */
export interface Waiting {
  batch_no: number;
  batch_id: string;
  tenant_id: string;
  user: string;
  model: string;
  lane: Lane;
  priority: number;
  created_at: number;
  deadline: number;
  width: number | null;
  /** The same, by quotas, as it was last written down. */
  cap: number | null;
  /** The pool it asked for; null: any. */
  pool: string | null;
  /** Chunks that may be leased now, counted up to what a plan can use. */
  chunks: number;
  /** Requests in its next chunk. */
  takes: number;
  /** Requests in the largest chunk that may be the next one by the time it is taken. */
  largest: number;
  /** The one chunk that it is about, which only `pool` may run; null: all those that any worker may run. */
  chunk_id: number | null;
  /** Requests of the batch in flight, of all of its models. */
  running: number;
}

/**
 * All that waits, at most `turns` chunks of it counted in all; times in seconds since the epoch. Of a batch that is to go
 * in order nothing may start while a request of it waits for its next attempt.
 */
export const readWaiting = (tx: Db, turns: number): Promise<Waiting[]> =>
  tx.many<Waiting>(sql`
    with open as (
      select b.no, m.model from batches b join batch_models m on m.batch_no = b.no
      where b.status = 'in_progress' and not b.expiring
        and (b.options ->> 'strategy' is distinct from 'sequential' or not exists (select from waiting w where w.batch_no = b.no))),
    share as (select greatest(4, ceil(${turns}::float8 / greatest(1, count(*))))::int as most from open),
    running as (
      select c.batch_no, sum(least(c.requests, b.width, b.cap))::int as requests, max(c.requests) as largest
      from chunks c join batches b on b.no = c.batch_no where c.state = 'leased' group by 1)
    select b.no as batch_no, b.id as batch_id, b.tenant_id, b.created_by as user, o.model, b.lane, b.priority,
      extract(epoch from b.created_at)::float8 as created_at, extract(epoch from b.deadline)::float8 as deadline,
      b.width, b.cap, b.options ->> 'pool' as pool, q.chunks::int as chunks, q.takes::int as takes, greatest(q.largest, r.largest)::int as largest,
      null::bigint as chunk_id, coalesce(r.requests, 0) as running
    from open o join batches b on b.no = o.no cross join share
      cross join lateral (
        select count(*) as chunks, (array_agg(n order by id))[1] as takes, max(n) as largest
        from (select c.id, c.requests as n from chunks c
              where c.batch_no = o.no and c.model = o.model and c.state = 'queued' and c.pool is null order by c.id limit share.most) head) q
      left join running r on r.batch_no = o.no
    where q.chunks > 0`);

/**
 * Chunks that wait for a pool of their own, each by itself: the oldest few of each pool, so that those of one without
 * workers leave room in the plan for everything else.
 */
export const readPooled = (tx: Db, each: number): Promise<Waiting[]> =>
  tx.many<Waiting>(sql`
    select b.no as batch_no, b.id as batch_id, b.tenant_id, b.created_by as user, c.model, b.lane, b.priority,
      extract(epoch from b.created_at)::float8 as created_at, extract(epoch from b.deadline)::float8 as deadline,
      b.width, b.cap, c.pool, 1 as chunks, c.requests as takes, c.requests as largest, c.id as chunk_id,
      (select coalesce(sum(least(r.requests, b.width, b.cap)), 0)::int from chunks r where r.batch_no = b.no and r.state = 'leased') as running
    from (
        select id, batch_no, model, pool, requests, row_number() over (partition by pool order by id) as place
        from chunks where pool is not null and state = 'queued') c
      join batches b on b.no = c.batch_no
    where c.place <= ${each} and b.status = 'in_progress' and not b.expiring
    order by c.id`);

/** Requests that are given to one pool, by its name: queued, leased or waiting for a retry. */
export const readGiven = async (tx: Db): Promise<Map<string, number>> => {
  const rows = await tx.many<{ pool: string; requests: number }>(sql`
    select pool, sum(requests)::int as requests from (
      select pool, requests from chunks where pool is not null and state in ('queued', 'leased')
      union all select pool, 1 from waiting where pool is not null) given
    group by 1`);
  return new Map(rows.map(({ pool, requests }) => [pool, requests]));
};

/** Requests in flight, by lane, of the workers of each kind. */
export const readLanes = (tx: Db): Promise<{ model: string; kind: 'spot' | 'dedicated'; lane: Waiting['lane']; running: number }[]> =>
  tx.many(sql`
    select c.model, coalesce(c.kind, 'dedicated') as kind, b.lane, sum(least(c.requests, b.width, b.cap))::int as running
    from chunks c join batches b on b.no = c.batch_no where c.state = 'leased' group by 1, 2, 3`);

/** Forgets the plan: whoever was taking a turn has taken it, and nobody takes another until the transaction ends. */
export const dropTurns = (tx: Db): Promise<number> => tx.run(sql`delete from turns`);

/**
 * Forgets the turns of batches that may have only so much in flight, so that claims of them under way are waited for and
 * counted, and none comes in between. Where no batch is limited it costs one look.
 */
export const dropLimitedTurns = (tx: Db): Promise<number> =>
  tx.run(sql`delete from turns where batch_no in (select no from batches where status = 'in_progress' and width is not null)`);

/** Requests in flight, by whose they are; a worker runs no more of a chunk at once than its batch may have. */
export const readFlight = (tx: Db): Promise<{ tenant_id: string; user: string; running: number }[]> =>
  tx.many(sql`
    select b.tenant_id, b.created_by as user, sum(least(c.requests, b.width, b.cap))::int as running
    from chunks c join batches b on b.no = c.batch_no where c.state = 'leased' group by 1, 2`);

/** Writes down what quotas allow each batch, for whoever leases its chunks. */
export const writeCaps = async (tx: Db, caps: readonly { batchNo: number; cap: number | null }[]): Promise<void> => {
  if (caps.length > 0)
    await tx.run(sql`
      update batches b set cap = u.cap
      from unnest(${caps.map(({ batchNo }) => batchNo)}::bigint[], ${caps.map(({ cap }) => cap)}::int[]) u (no, cap) where b.no = u.no`);
};

export interface PlannedTurn {
  kind: 'spot' | 'dedicated';
  model: string;
  batchNo: number;
  lane: Waiting['lane'];
  tenant: string;
  work: number;
  why: string;
  /** Only a worker of this pool may take it; null: any. */
  pool: string | null;
  /** The chunk it is for; null: the next one of the batch. */
  chunkId: number | null;
}

/**
 * Puts a new plan beside the last one and makes it the one that counts: claims under way keep what they have, and no
 * claim waits. What is left of older plans goes by `dropOldTurns`, after the commit.
 */
export const replaceTurns = async (tx: Db, turns: readonly PlannedTurn[]): Promise<void> => {
  const { current } = await tx.one<{ current: number }>(sql`update plan set current = current + 1, planned_at = now() returning current`);
  await tx.run(sql`
    insert into turns (plan, kind, model, batch_no, tenant_id, work, why, pool, chunk_id)
    select ${current}, t.kind, t.model, t.batch_no, t.tenant_id, t.work, t.why, t.pool, t.chunk_id
    from unnest(${turns.map((t) => t.kind)}::text[], ${turns.map((t) => t.model)}::text[], ${turns.map((t) => t.batchNo)}::bigint[],
      ${turns.map((t) => t.tenant)}::text[], ${turns.map((t) => t.work)}::float8[], ${turns.map((t) => t.why)}::text[],
      ${turns.map((t) => t.pool)}::text[], ${turns.map((t) => t.chunkId)}::bigint[]) with ordinality
      t (kind, model, batch_no, tenant_id, work, why, pool, chunk_id, place)
    order by t.place`);
};

export const dropOldTurns = (db: Db): Promise<number> =>
  db.run(sql`
    delete from turns where ctid = any(array(
      select ctid from turns where plan < (select current from plan) for update skip locked))`);

/** The database's clock, in seconds since the epoch. */
export const readClock = async (tx: Db): Promise<number> =>
  (await tx.one<{ now: number }>(sql`select extract(epoch from now())::float8 as now`)).now;

/** Batches that dedicated workers serve first, in order, by model: as the controller decided last. */
export const readRisk = async (tx: Db): Promise<Map<string, string[]>> => {
  const rows = await tx.many<{ model: string; risk: string[] }>(sql`select model, decided -> 'atRisk' as risk from targets`);
  return new Map(rows.map(({ model, risk }) => [model, risk]));
};
