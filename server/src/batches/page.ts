import type { BatchSort, BatchStatus } from '@sluice/contract';
import type { Db } from '../db/db.ts';
import { none, sql, type Statement } from '../db/sql.ts';
import { keysOf } from './keys.ts';
import { batchConditions, poolOf, slaOf, type BatchFilter, type SlaState } from './filter.ts';

/** A batch as a list shows it; times are seconds since the epoch. */
export interface ListedBatch {
  no: number;
  id: string;
  name: string | null;
  status: BatchStatus;
  model: string | null;
  total: number;
  completed: number;
  failed: number;
  sla: SlaState | null;
  deadline: number;
  eta: number | null;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  owner: string;
  priority: number;
  pool: string;
  /** What it is sorted by, as text that reads back as the same. */
  key: string;
}

const ended = sql`coalesce(b.completed_at, b.failed_at, b.expired_at, b.cancelled_at)`;

/** Each as its index has it (migration 0032), and what its keys are read as. */
const sorts: Record<BatchSort, { by: Statement; type: Statement }> = {
  created_at: { by: sql`b.created_at`, type: sql`timestamptz` },
  name: { by: sql`(lower(coalesce(b.name, '')) collate "C")`, type: sql`text` },
  total: { by: sql`b.total`, type: sql`bigint` },
  failed: { by: sql`(b.failed::float8 / greatest(b.total, 1))`, type: sql`float8` },
  deadline: { by: sql`b.deadline`, type: sql`timestamptz` },
  duration: { by: sql`batch_seconds(b.created_at, ${ended})`, type: sql`float8` },
};

export interface Place {
  key: string;
  no: number;
}

/**
 * Rows up to which those that match are found first, and sorted then. Walking the sort's own index instead looks at every
 * batch where few match, which the planner takes for likely: it believes that fields have nothing to do with one another.
 */
const fewRows = 30_000;

/**
 * Batches in the order of a list that are looked at for words before their index is asked. A page of a frequent word is full
 * by then; of a rarer one the index finds few enough to sort. The planner cannot tell the two apart: where fewer than a
 * hundred words are frequent it takes the beginning of any for one in fifty.
 */
export const lookedRows = 5_000;

const estimate = async (db: Db, rows: Statement): Promise<number> => {
  const { 'QUERY PLAN': plan } = await db.one<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>(sql`explain (format json) ${rows}`);
  return plan[0].Plan['Plan Rows'];
};

/** Batches `b` that match, found before they are sorted. */
export const foundFirst = (meant: Statement): Statement => sql`(select * from batches b where ${meant} offset 0) b where true`;

/** A page of the tenant's batches, after the place that the page before ended at. */
export const pageOfBatches = async (
  db: Db,
  tenant: string,
  filter: BatchFilter,
  { sort, descending, after, limit }: { sort: BatchSort; descending: boolean; after: Place | null; limit: number },
): Promise<ListedBatch[]> => {
  const { by, type } = sorts[sort];
  const beyond = descending ? sql`<` : sql`>`;
  const order = descending ? sql`desc` : sql`asc`;
  const keys = filter.model && (await keysOf(db, tenant, filter.model));
  if (keys?.length === 0) return [];
  const meant = sql`${batchConditions(tenant, { ...filter, model: undefined, keys })} and b.parent_no is null`;
  const later = after === null ? none : sql`and (${by}, b.no) ${beyond} (${after.key}::${type}, ${after.no}::bigint)`;
  const inOrder = sql`order by ${by} ${order}, b.no ${order}`;
  const read = (from: Statement) =>
    db.many<ListedBatch>(sql`
      select b.no, b.id, left(b.name, 100) as name, b.status, b.model, b.total, b.completed, b.failed, ${slaOf} as sla,
        extract(epoch from b.deadline)::float8 as deadline,
        case when b.status = 'in_progress' then extract(epoch from b.forecast_p50)::float8 end as eta,
        extract(epoch from b.created_at)::float8 as created_at, extract(epoch from b.in_progress_at)::float8 as started_at,
        extract(epoch from ${ended})::float8 as ended_at, b.created_by as owner, b.priority, ${poolOf} as pool, ${by}::text as key
      from ${from} ${later} ${inOrder} limit ${limit}`);
  if (filter.q !== undefined) {
    const rows = await read(
      sql`(select * from batches b where b.tenant_id = ${tenant} ${later} ${inOrder} limit ${lookedRows}) b where ${meant}`,
    );
    return rows.length === limit ? rows : read(foundFirst(meant));
  }
  const filtered = Object.values(filter).some((value) => value !== undefined);
  const few = filtered && (await estimate(db, sql`select from batches b where ${meant}`)) <= fewRows;
  return read(few ? foundFirst(meant) : sql`batches b where ${meant}`);
};

export interface Standing {
  no: number;
  completed: number;
  failed: number;
  running: number;
}

/** How far those have come that are under way; those of several models by what their children have done. */
export const standingsOf = (db: Db, nos: readonly number[]): Promise<Standing[]> =>
  nos.length === 0
    ? Promise.resolve([])
    : db.many<Standing>(sql`
        select m.top as no, sum(c.completed)::bigint as completed, (sum(c.failed) + max(m.refused))::bigint as failed,
          coalesce(sum(c.requests) filter (where c.state = 'leased'), 0)::bigint as running
        from (
          select no, no as top, refused from batches where no = any(${nos}::bigint[])
          union all
          select no, parent_no, 0 from batches where parent_no = any(${nos}::bigint[])) m
        join chunks c on c.batch_no = m.no group by 1`);

/** The first model of each, and how many there are. */
export const modelsOf = (db: Db, nos: readonly number[]): Promise<{ no: number; first: string; count: number }[]> =>
  nos.length === 0
    ? Promise.resolve([])
    : db.many(sql`
        select batch_no as no, min(model) as first, count(*)::int as count from batch_models where batch_no = any(${nos}::bigint[]) group by 1`);
