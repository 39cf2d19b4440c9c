import type { BatchStatus } from '@sluice/contract';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { batchConditions, poolOf, slaOf, type BatchFilter, type SlaState } from './filter.ts';

/** Changes added to the counts at once. */
const page = 10_000;

/**
 * Adds what has ended or was deleted since to the counts of batches; any number may do it side by side. Says how many
 * changes that were.
 */
export const foldCounts = async (db: Db): Promise<number> =>
  (
    await db.one<{ folded: number }>(sql`
      with taken as (
        delete from batch_count_changes
        where id in (select id from batch_count_changes order by id limit ${page} for update skip locked)
        returning *),
      counted as (
        insert into batch_counts as c (tenant_id, status, models, owner, pool, priority, sla, count)
        select tenant_id, status, models, owner, pool, priority, sla, sum(count) from taken group by 1, 2, 3, 4, 5, 6, 7 order by 1, 2, 3, 4, 5, 6, 7
        on conflict (tenant_id, status, models, owner, pool, priority, sla) do update set count = c.count + excluded.count),
      ended as (
        insert into batch_ends as e (tenant_id, hour, met, breached, other)
        select tenant_id, date_trunc('hour', at), count(*) filter (where sla = 'met'), count(*) filter (where sla = 'breached'), count(*) filter (where sla = '')
        from taken where count = 1 group by 1, 2 order by 1, 2
        on conflict (tenant_id, hour) do update
        set met = e.met + excluded.met, breached = e.breached + excluded.breached, other = e.other + excluded.other)
      select count(*) as folded from taken`)
  ).folded;

export const dropOldEnds = (db: Db): Promise<number> => db.run(sql`delete from batch_ends where hour < now() - interval '35 days'`);

/** Batches that are the same in all that is counted. */
export interface CountRow {
  status: BatchStatus;
  /** Keys of its models. */
  models: string;
  owner: string;
  pool: string;
  priority: number;
  sla: SlaState | '';
  count: number;
}

const fields = sql`b.status, coalesce(case when b.model is not null then b.model
    when b.total > 0 then (select string_agg(m.model, ',' order by m.model) from batch_models m where m.batch_no = b.no) end, '') as models,
  b.created_by as owner, ${poolOf} as pool, b.priority, coalesce(${slaOf}, '') as sla`;

/** All of a tenant's batches: those that have ended as they were counted, the open ones as they stand. */
export const countAll = (db: Db, tenant: string): Promise<CountRow[]> =>
  db.many<CountRow>(sql`
    select status, models, owner, pool, priority, sla, sum(count)::bigint as count
    from (
      select status, models, owner, pool, priority, sla, count from batch_counts where tenant_id = ${tenant}
      union all
      select status, models, owner, pool, priority, sla, count from batch_count_changes where tenant_id = ${tenant}
      union all
      select ${fields}, 1 from batches b where b.tenant_id = ${tenant} and b.parent_no is null and b.status in ('validating', 'in_progress', 'finalizing', 'cancelling')) c
    group by 1, 2, 3, 4, 5, 6 having sum(count) > 0`);

/** Batches looked at where what is asked for was not counted beforehand. */
const looked = 10_000;

/** The newest of those that a filter means, counted; and how many there are in all, as the database estimates, where these are too many. */
export const countSome = async (db: Db, tenant: string, filter: BatchFilter): Promise<{ rows: CountRow[]; estimate: number | null }> => {
  const conditions = sql`${batchConditions(tenant, filter)} and b.parent_no is null`;
  const rows = await db.many<CountRow>(sql`
    select status, models, owner, pool, priority, sla, count(*)::bigint as count
    from (select ${fields} from batches b where ${conditions} order by b.created_at desc, b.no desc limit ${looked + 1}) b
    group by 1, 2, 3, 4, 5, 6`);
  if (rows.reduce((sum, { count }) => sum + count, 0) <= looked) return { rows, estimate: null };
  const { 'QUERY PLAN': plan } = await db.one<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>(
    sql`explain (format json) select from batches b where ${conditions}`,
  );
  return { rows, estimate: Math.max(looked + 1, plan[0].Plan['Plan Rows']) };
};
