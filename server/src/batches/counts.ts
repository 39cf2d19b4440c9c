import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';

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
