import type { Db } from '../../src/db/db.ts';
import { sql } from '../../src/db/sql.ts';

/**
 * Many batches as they lie in the database, without files: ended ones of all sorts, made over the days before now, one of a
 * hundred of them open. Deterministic but for their ids' randomness: the n-th is always the same.
 */
export const insertMany = async (
  db: Db,
  { count, tenant = 'lab', days = 90 }: { count: number; tenant?: string; days?: number },
): Promise<void> => {
  await db.run(sql`
    insert into batches (id, tenant_id, created_by, name, endpoint, input_file_id, completion_window, created_at, deadline, priority, metadata, options, status, sealed,
      total, completed, failed, expired, cancelled, model, in_progress_at, finalizing_at, completed_at, failed_at, expired_at, cancelling_at, cancelled_at, at_risk, pool_history)
    select 'batch_' || lpad(to_hex((extract(epoch from made) * 1000)::bigint), 12, '0') || lpad(to_hex(n), 12, '0') || 'ffffffff', ${tenant},
      (array['ada', 'bob', 'cyd', 'dee', 'eli'])[1 + n % 5], case when n % 7 = 0 then null else (array['kinase', 'Solubility', 'toxicity', 'docking', 'embed'])[1 + n % 5] || ' panel ' || n end,
      '/v1/chat/completions', 'file-none', '24h', made, made + interval '24 hours', (array[1, 1, 1, 5, 10])[1 + n % 11 % 5],
      case when n % 3 = 0 then jsonb_build_object('project', 'p' || n % 40, 'wave', (n % 9)::text) end,
      case when n % 13 = 0 then '{"pool": "gpu"}'::jsonb else '{}' end, s.status, s.status <> 'failed',
      t.total, case when s.status = 'failed' then 0 when s.status in ('completed', 'expired') then t.total - f.failed when s.status = 'cancelled' then 0 else 0 end,
      case when s.status in ('completed', 'expired') then f.failed - case when s.status = 'expired' then 1 else 0 end else 0 end,
      case when s.status = 'expired' then 1 else 0 end, case when s.status = 'cancelled' then t.total else 0 end,
      case when s.status = 'failed' or n % 10 = 0 then null else (array['echo@1.0.0', 'boltz-2@2.0.0', 'lab/solubility@1.2.0'])[1 + n % 3] end,
      made + interval '10 seconds', case when s.status = 'completed' then made + interval '1 hour' end,
      case when s.status = 'completed' then made + make_interval(secs => 60 + n % 100000) end, case when s.status = 'failed' then made + interval '5 seconds' end,
      case when s.status = 'expired' then made + interval '24 hours' end, case when s.status = 'cancelled' then made + interval '2 minutes' end,
      case when s.status = 'cancelled' then made + interval '3 minutes' end, n % 300 = 0, '[{"at": 1, "pool": "dedicated", "reason": "x"}]'
    from generate_series(1, ${count}) n
      cross join lateral (select now() - make_interval(secs => (${count} - n) * ${(days * 86_400) / count}::float8) as made) m
      cross join lateral (select case when n % 100 = 0 then 'in_progress' when n % 50 = 1 then 'failed' when n % 20 = 2 then 'cancelled' when n % 25 = 3 then 'expired' else 'completed' end as status) s
      cross join lateral (select case when s.status = 'failed' then 0 else 10 + n::bigint * 7919 % 1000 end as total) t
      cross join lateral (select 1 + case when n % 4 = 0 then n % 10 else 0 end as failed) f
    order by n`);
  await db.run(sql`
    insert into batch_models (batch_no, model, total)
    select b.no, m.model, b.total from batches b cross join lateral (
      select b.model as model where b.model is not null
      union all select unnest(array['boltz-2@2.0.0', 'echo@1.0.0']) where b.model is null and b.total > 0) m
    where b.tenant_id = ${tenant} and b.input_file_id = 'file-none'`);
  // Else the planner believes that there is next to nothing to join, and compares each with each.
  await db.run(sql`analyze batches, batch_models`);
  // As triggers would have counted them one by one.
  await db.run(sql`
    insert into batch_counts (tenant_id, status, models, owner, pool, priority, sla, count)
    select b.tenant_id, b.status, coalesce(m.models, ''), b.created_by, batch_pool(b.options, b.pool_history), b.priority, batch_sla(b.status, b.completed_at, b.deadline), count(*)
    from batches b left join (select batch_no, string_agg(model, ',' order by model) as models from batch_models group by 1) m on m.batch_no = b.no
    where b.tenant_id = ${tenant} and b.input_file_id = 'file-none' and b.status in ('completed', 'failed', 'expired', 'cancelled') group by 1, 2, 3, 4, 5, 6, 7`);
};
