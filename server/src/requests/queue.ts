import { channels } from '../db/listen.ts';
import type { Db } from '../db/db.ts';
import { none, sql, type Statement } from '../db/sql.ts';
import { formatLines, type Lines } from '../formats/lines.ts';
import type { Way } from '../policy/larger.ts';
import { noted } from './claim.ts';

/** What is announced can also be found by polling: a failure to say it is no failure of what was done. Not for transactions, which it would spoil. */
const tell = async (db: Db, statement: Statement): Promise<void> => {
  await db.run(statement).catch(() => {});
};

/** Wakes the workers that sleep; with `interactive` also those that have enough to do. */
export const announceChunks = (db: Db, interactive = false): Promise<void> =>
  tell(db, sql`select pg_notify(${channels.chunks}, ${interactive ? 'interactive' : ''})`);

/** Tells workers of models that a batch will ask for once its input is checked. */
export const announceComing = (db: Db, models: readonly string[]): Promise<void> =>
  tell(db, sql`select pg_notify(${channels.coming}, ${models.join(' ')}) where ${models.length} between 1 and 20`);

/** Asks the schedulers for a new plan of turns. */
export const announceTurns = (db: Db): Promise<void> => tell(db, sql`select pg_notify(${channels.turns}, '')`);

/** Wakes the schedulers: a batch may have something to do. */
export const announceBatches = (db: Db): Promise<void> => tell(db, sql`select pg_notify(${channels.batches}, '')`);

/** The same, when a chunk has ended: only where it was the last one open of its batch. */
export const announceEnd = (db: Db, batchNo: number): Promise<void> =>
  tell(
    db,
    sql`
    select pg_notify(${channels.batches}, '')
    where not exists (select from chunks where batch_no = ${batchNo} and state in ('queued', 'leased'))`,
  );

/** Wakes the workers' heartbeats: some lease should stop. */
export const announceControl = (db: Db): Promise<void> => tell(db, sql`select pg_notify(${channels.control}, '')`);

export interface NewChunk {
  model: string;
  lines: Lines;
}

/** Numbers of lines whose text goes to the server at once; a chunk may have thousands of ranges. */
const pageBorders = 200_000;

const pageOf = (chunks: readonly NewChunk[], from: number): readonly NewChunk[] => {
  let borders = 0;
  let to = from;
  while (to < chunks.length && to - from < 5_000 && borders < pageBorders) borders += chunks[to++]!.lines.length;
  return chunks.slice(from, to);
};

/** Queues the chunks of a batch, in order. To be called in the transaction that seals the batch. */
export const enqueue = async (
  tx: Db,
  batch: { no: number; priority: number; deadline: Date },
  chunks: readonly NewChunk[],
): Promise<void> => {
  for (let i = 0; i < chunks.length;) {
    const page = pageOf(chunks, i);
    i += page.length;
    await tx.run(sql`
      insert into chunks (batch_no, model, lines, priority, deadline)
      select ${batch.no}, c.model, c.lines::int4multirange, ${batch.priority}, ${batch.deadline}
      from unnest(${page.map((c) => c.model)}::text[], ${page.map((c) => formatLines(c.lines))}::text[]) with ordinality c (model, lines, place)
      order by place`);
  }
};

/** Rows written by one statement. */
const pageRefused = 10_000;

/** Writes down lines that are not run because they cannot be: why, by line. In the transaction that seals the batch. */
export const refuse = async (
  tx: Db,
  batchNo: number,
  model: string,
  refused: ReadonlyMap<number, { code: string; message: string }>,
): Promise<void> => {
  const entries = [...refused];
  for (let at = 0; at < entries.length; at += pageRefused) {
    const page = entries.slice(at, at + pageRefused);
    await tx.run(sql`
      insert into requests (batch_no, line, state, model, code, message, attempts)
      select ${batchNo}, r.line, 'failed', ${model}, r.code, r.message, 0
      from unnest(${page.map(([line]) => line)}::int[], ${page.map(([, { code }]) => code)}::text[], ${page.map(([, { message }]) => message)}::text[]) r (line, code, message)`);
  }
};

/** Lines that die with their worker are tried this often in company; after that alone, and then no more. */
export const lossLimit = 3;

/** Leases that one statement takes back at most. */
export const rescuePage = 1_000;

/**
 * Takes chunks back whose lease has run out. After `lossLimit` losses a chunk runs one line at a time, each settled
 * before the next begins; if it is lost even so, its first line is what kills its workers, and is dead-lettered.
 *
 * @param which of the leased chunks
 * @returns how many leases had run out; `rescuePage` where there may be more
 */
export const rescue = async (db: Db, which = sql`leased_until < now()`): Promise<number> => {
  const rows = await db.many<{ id: number; poison: boolean }>(sql`
    with held as materialized (
      select id, worker_id from chunks where state = 'leased' and ${which} order by id limit ${rescuePage} for update skip locked),
    taken as (
      update chunks c
      set state = (select case when b.status = 'cancelling' then 'cancelled' when b.expiring then 'expired' else 'queued' end
                   from batches b where b.no = c.batch_no),
          token = null, worker_id = null, leased_until = null, losses = losses + 1
      where id = any(array(select id from held))
      returning c.id, c.batch_no, c.lines, c.losses, c.state),
    given as (select t.batch_no, t.lines, h.worker_id from taken t join held h on h.id = t.id),
    notes as (${noted('lost')})
    select id, losses > ${lossLimit} and state = 'queued' as poison from taken`);
  for (const { id } of rows.filter((row) => row.poison)) await db.transaction((tx) => deadLetterFirst(tx, id));
  return rows.length;
};

const deadLetterFirst = (tx: Db, chunkId: number): Promise<number> =>
  tx.run(sql`
    with taken as (
      update chunks c
      set lines = c.lines - int4multirange(int4range(lower(c.lines), lower(c.lines) + 1)), losses = 0, failed = c.failed + 1,
          state = case when isempty(c.lines - int4multirange(int4range(lower(c.lines), lower(c.lines) + 1))) then 'done' else 'queued' end
      from (select id, lower(lines) as line, losses from chunks where id = ${chunkId} and state = 'queued' for update) before
      where c.id = before.id
      returning c.batch_no, c.model, before.line, before.losses)
    insert into requests (batch_no, line, state, model, code, message, attempts)
    select batch_no, line, 'dead_lettered', model, 'worker_lost',
      'The worker died each of the ' || losses || ' times this request ran; it will not be tried again.', losses
    from taken`);

/**
 * Gathers requests whose wait is over into chunks, one for each batch and model; of all batches, or of one. In a batch
 * that goes in order they join the next chunk, of which their lines are the first, even if it is just being given back:
 * its worker knows nothing of them, and they stay when it lets go.
 *
 * Those that ran out of memory go to a larger pool, where there is a way to one, and stay there; not out of a pool that
 * their batch asked for, and not past the lines before them where it goes in order.
 *
 * @returns how many chunks have them now, and milliseconds until the next request is due (null: none waits)
 */
export const gatherDue = async (
  db: Db,
  { ways = [], batchNo }: { ways?: readonly Way[]; batchNo?: number } = {},
): Promise<{ chunks: number; nextMs: number | null }> => {
  const { chunks } = await db.one<{ chunks: number }>(sql`
    with due as (
      delete from waiting where ctid = any(array(
        select ctid from waiting where not_before <= now() ${batchNo === undefined ? none : sql`and batch_no = ${batchNo}`} order by not_before limit 10000 for update skip locked))
      returning batch_no, line, model, needs, ran_in, pool),
    placed as (
      select d.batch_no, d.line, d.model, d.ran_in, coalesce(w.given_to, d.pool) as pool, w.reason
      from due d join batches b on b.no = d.batch_no
        left join unnest(${ways.map(({ ran }) => ran)}::text[], ${ways.map(({ memory }) => memory)}::text[],
          ${ways.map(({ to }) => to)}::text[], ${ways.map(({ reason }) => reason)}::text[]) w (ran_in, needs, given_to, reason)
          on w.ran_in = d.ran_in and w.needs = d.needs and b.options ->> 'pool' is null and b.options ->> 'strategy' is distinct from 'sequential'),
    sets as (
      select d.batch_no, d.model, d.pool, range_agg(int4range(d.line, d.line + 1)) as lines, b.priority, b.deadline,
        case when b.options ->> 'strategy' = 'sequential' then (
          select c.id from chunks c where c.batch_no = d.batch_no and c.model = d.model and c.state in ('queued', 'leased') order by c.id limit 1) end as next
      from placed d join batches b on b.no = d.batch_no
      group by d.batch_no, d.model, d.pool, b.no),
    moved as (
      select batch_no, ran_in, pool, reason, range_agg(int4range(line, line + 1)) as lines, count(*) as requests
      from placed where reason is not null group by batch_no, ran_in, pool, reason),
    notes as (
      insert into interruptions (batch_no, lines, kind, pool, given_to, reason)
      select batch_no, lines, 'larger', ran_in, pool, reason from moved),
    told as (
      update batches b set outgrown = (
        select jsonb_agg(jsonb_build_object('at', at, 'from', "from", 'pool', pool, 'requests', requests, 'reason', reason) order by at)
        from (
          select min(at) as at, "from", pool, sum(requests) as requests, reason
          from jsonb_to_recordset(b.outgrown || n.moves) e (at float8, "from" text, pool text, requests int, reason text)
          group by "from", pool, reason) each)
      from (
        select batch_no, jsonb_agg(jsonb_build_object('at', extract(epoch from now()), 'from', ran_in, 'pool', pool, 'requests', requests, 'reason', reason)) as moves
        from moved group by batch_no) n
      where b.no = n.batch_no),
    joined as (
      update chunks c set lines = c.lines + s.lines, retry = true from sets s
      where c.id = s.next and c.state in ('queued', 'leased') returning c.id),
    made as (
      insert into chunks (batch_no, model, lines, retry, priority, deadline, pool, pool_since)
      select s.batch_no, s.model, s.lines, true, s.priority, s.deadline, s.pool, case when s.pool is not null then now() end
      from sets s where s.next is null or s.next not in (select id from joined)
      returning id)
    select ((select count(*) from joined) + (select count(*) from made))::int as chunks`);
  // `greatest(0, null)` is 0 to PostgreSQL, and would have us ask again at once, for ever.
  const { ms } = await db.one<{ ms: number | null }>(sql`
    select (extract(epoch from min(not_before) - now()) * 1000)::float8 as ms from waiting`);
  return { chunks, nextMs: ms === null ? null : Math.max(0, ms) };
};

/**
 * Lets chunks go that wait for a pool of their own without a worker there, for as long as one takes to start and a lease
 * to run out; or for a pool that is not there any more. Any worker may run them then.
 *
 * @returns how many
 */
export const letGo = (db: Db, pools: readonly { name: string; startupSeconds: number }[], leaseSeconds: number): Promise<number> =>
  db.run(sql`
    update chunks set pool = null, pool_since = null
    where id = any(array(
      select c.id
      from chunks c
        left join unnest(${pools.map(({ name }) => name)}::text[], ${pools.map((pool) => pool.startupSeconds + leaseSeconds)}::float8[]) p (name, seconds)
          on p.name = c.pool
      where c.pool is not null and c.state = 'queued' and (p.name is null or (
        c.pool_since < now() - make_interval(secs => p.seconds) and not exists (
          select from workers w
          where w.pool = c.pool and c.model = any(w.models) and w.state = 'ready' and w.drain_requested_at is null
            and w.seen_at > now() - make_interval(secs => p.seconds))))
      for update of c skip locked))`);

/**
 * Ends what has not started of a batch that is being cancelled or has expired; what is leased ends when its worker
 * lets go. Safe to repeat, and repeated until nothing is open.
 */
export const closeOpen = async (db: Db, batchNo: number, state: 'cancelled' | 'expired'): Promise<void> => {
  await db.transaction(async (tx) => {
    await tx.run(sql`update chunks set state = ${state} where batch_no = ${batchNo} and state = 'queued'`);
    await tx.run(sql`
      with ended as (delete from waiting where batch_no = ${batchNo} returning line, model)
      insert into chunks (batch_no, model, lines, retry, state, priority, deadline)
      select b.no, e.model, range_agg(int4range(e.line, e.line + 1)), true, ${state}, b.priority, b.deadline
      from ended e join batches b on b.no = ${batchNo}
      group by b.no, e.model`);
  });
};

/** Nothing of the batch is queued, leased or waiting, and no batch of it goes on. Judged from the rows, never from a counter. */
export const nothingOpen = sql`
  not exists (select from chunks c where c.batch_no = b.no and c.state in ('queued', 'leased'))
  and not exists (select from waiting w where w.batch_no = b.no)
  and not exists (select from batches k where k.parent_no = b.no and k.status in ('validating', 'in_progress', 'finalizing', 'cancelling'))`;
