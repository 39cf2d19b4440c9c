import type { PortalBatchDetails } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import { progressOf } from '../batches/progress.ts';
import { getBatch } from '../batches/read.ts';
import type { BatchRow } from '../batches/rows.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { shownKey } from '../models/keys.ts';
import { timeNow } from './batches.ts';

type Details = PortalBatchDetails;

const endOf = (row: BatchRow): number | null => row.completed_at ?? row.failed_at ?? row.expired_at ?? row.cancelled_at;

/** Where it was from when to when, as its own times say. */
export const stagesOf = (row: BatchRow, now: number): Details['stages'] => {
  const end = endOf(row);
  const began = {
    validating: row.created_at,
    running: row.in_progress_at,
    finalizing: row.finalizing_at,
    cancelling: row.cancelling_at,
  };
  const entered = Object.entries(began)
    .flatMap(([stage, from]) => (from === null ? [] : [{ stage: stage as keyof typeof began, from }]))
    .sort((a, b) => a.from - b.from);
  return entered.map(({ stage, from }, i) => {
    const to = entered[i + 1]?.from ?? end;
    return { stage, from, to, seconds: Math.max(0, (to ?? now) - from) };
  });
};

interface Counts {
  queued: number;
  running: number;
  waiting: number;
  dead: number;
}

const readCounts = (db: Db, no: number): Promise<Counts> =>
  db.one<Counts>(sql`
    select coalesce(sum(requests) filter (where state = 'queued'), 0)::bigint as queued, coalesce(sum(requests) filter (where state = 'leased'), 0)::bigint as running,
      (select count(*) from waiting where batch_no = ${no}) as waiting,
      (select coalesce(sum(dead), 0)::bigint from failure_causes where batch_no = ${no}) as dead
    from chunks where batch_no = ${no} and state in ('queued', 'leased')`);

const readModels = async (db: Db, no: number): Promise<Details['models']> => {
  const rows = await db.many<Details['models'][number]>(sql`
    select m.model, m.total, (m.completed + coalesce(c.completed, 0))::bigint as completed, (m.failed + coalesce(c.failed, 0))::bigint as failed,
      coalesce(c.running, 0)::bigint as running, coalesce(c.queued, 0)::bigint as queued
    from batch_models m left join (
      select c.model, sum(c.requests) filter (where c.state = 'queued') as queued, sum(c.requests) filter (where c.state = 'leased') as running,
        -- once it has ended its models have them
        sum(c.completed) filter (where b.status in ('in_progress', 'finalizing', 'cancelling')) as completed,
        sum(c.failed) filter (where b.status in ('in_progress', 'finalizing', 'cancelling')) as failed
      from chunks c join batches b on b.no = c.batch_no where c.batch_no = ${no} group by 1) c on c.model = m.model
    where m.batch_no = ${no} order by m.total desc, m.model`);
  return rows.map((row) => ({ ...row, model: shownKey(row.model) }));
};

/** Workers that most was done by: what each has answered of the batch, and holds now. */
const readLanes = (db: Db, no: number): Promise<Details['lanes']> =>
  db.many<Details['lanes'][number]>(sql`
    select worker, max(pool) as pool, extract(epoch from min(began))::float8 as from, extract(epoch from max(ended))::float8 as to,
      sum(completed)::bigint as completed, sum(failed)::bigint as failed, sum(running)::bigint as running
    from (
      select worker_id as worker, pool, min(settled_at) as began, max(settled_at) as ended, sum(completed) as completed, sum(failed) as failed, 0 as running
      from segments where batch_no = ${no} group by 1, 2
      union all
      select c.worker_id, w.pool, min(c.leased_at), now(), 0, 0, sum(c.requests)
      from chunks c left join workers w on w.id = c.worker_id where c.batch_no = ${no} and c.state = 'leased' group by 1, 2) l
    group by 1 order by sum(completed + failed + running) desc, 1 limit 200`);

const steps = 60;

const readSeries = async (db: Db, row: BatchRow, now: number): Promise<Details['series']> => {
  if (row.in_progress_at === null) return { step_seconds: 0, at: [], completed: [], failed: [] };
  const [from, to] = [row.in_progress_at, Math.max(row.finalizing_at ?? endOf(row) ?? now, row.in_progress_at + 1)];
  const step = (to - from) / steps;
  const found = await db.many<{ step: number; completed: number; failed: number }>(sql`
    select least(${steps - 1}, greatest(0, floor((extract(epoch from settled_at)::float8 - ${from}::float8) / ${step}::float8)))::int as step,
      sum(completed)::bigint as completed, sum(failed)::bigint as failed
    from segments where batch_no = ${row.no} group by 1`);
  const column = (field: 'completed' | 'failed'): number[] =>
    Array.from({ length: steps }, (_, i) => found.find((each) => each.step === i)?.[field] ?? 0);
  return {
    step_seconds: step,
    at: Array.from({ length: steps }, (_, i) => from + i * step),
    completed: column('completed'),
    failed: column('failed'),
  };
};

const interruptionWords = { lost: 'A worker was lost', drained: 'A worker was told to end' };

const readMarks = async (db: Db, row: BatchRow): Promise<Details['marks']> => {
  const answers = await db.one<{ first: number | null; last: number | null }>(sql`
    select extract(epoch from min(settled_at))::float8 as first, extract(epoch from max(settled_at))::float8 as last from segments where batch_no = ${row.no}`);
  const interruptions = await db.many<{ at: number; kind: 'lost' | 'drained'; worker_id: string | null; pool: string | null }>(sql`
    select extract(epoch from at)::float8 as at, kind, worker_id, pool from interruptions
    where batch_no = ${row.no} and kind <> 'larger' order by id desc limit 50`);
  const milestones = await db.many<{ at: number; percent: number }>(sql`
    select extract(epoch from created_at)::float8 as at, (data ->> 'percent')::int as percent from events where batch_no = ${row.no} and type = 'batch.milestone'`);
  const marks: Details['marks'] = [
    ...(answers.first === null ? [] : [{ at: answers.first, kind: 'first_answer' as const, text: 'First answers' }]),
    ...(answers.last === null ? [] : [{ at: answers.last, kind: 'last_answer' as const, text: 'Latest answers' }]),
    ...row.pool_history.map((move, i) => ({
      at: move.at,
      kind: i === 0 ? ('given' as const) : move.pool === 'dedicated' ? ('escalated' as const) : ('returned' as const),
      text: `Given to ${move.pool}: ${move.reason}`,
    })),
    ...row.outgrown.map(({ at, pool, requests, reason }) => ({
      at,
      kind: 'escalated' as const,
      text: `${requests} moved to ${pool}: ${reason}`,
    })),
    ...interruptions.map(({ at, kind, worker_id, pool }) => ({
      at,
      kind: 'interrupted' as const,
      text: `${interruptionWords[kind]}${worker_id === null ? '' : `: ${worker_id}`}${pool === null ? '' : ` of ${pool}`}`,
    })),
    ...milestones.map(({ at, percent }) => ({ at, kind: 'milestone' as const, text: `${percent} %` })),
    { at: row.deadline, kind: 'deadline', text: 'Deadline' },
  ];
  return marks.sort((a, b) => a.at - b.at);
};

/** What a page about one batch shows besides the batch itself: a few sums over its chunks and segments. */
export const detailsOf = async (db: Db, identity: Identity, id: string): Promise<Details> => {
  const [row, now] = [await getBatch(db, identity, id), await timeNow(db)];
  const [counts, progress, models, lanes, series, marks] = await Promise.all([
    readCounts(db, row.no),
    progressOf(db, [row.no]).then((found) => found.get(row.no) ?? row),
    readModels(db, row.no),
    readLanes(db, row.no),
    readSeries(db, row, now),
    readMarks(db, row),
  ]);
  const { completed, failed, cancelled, expired } = progress;
  const { dead, ...open } = counts;
  return {
    object: 'portal.batch_details',
    now,
    id,
    states: { ...open, completed, failed: Math.max(0, failed - dead), dead_lettered: dead, cancelled, expired },
    stages: stagesOf(row, now),
    marks,
    models,
    lanes,
    series,
  };
};
