import type { RunningWork } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { shownKey } from '../models/keys.ts';

type Work = RunningWork['data'][number];

/** What runs where: leases by worker and batch, and jobs. Of another tenant's it is told that there are some. */
export const readRunning = async (db: Db, { tenant }: Identity, leaseSeconds: number): Promise<Work[]> => {
  const rows = await db.many<Omit<Work, 'object'> & { own: boolean }>(sql`
    select l.worker, coalesce(w.pool, '') as pool, l.kind, l.id, l.name, l.model, l.requests::int as requests, l.leases::int as leases, l.own,
      extract(epoch from l.since)::float8 as since, extract(epoch from l.until)::float8 as until,
      w.id is null or w.state = 'stopped' or w.seen_at < now() - make_interval(secs => ${leaseSeconds}) as lost
    from (
      select c.worker_id as worker, 'batch' as kind, b.id, left(b.name, 100) as name, c.model, sum(c.requests) as requests, count(*) as leases,
        min(c.leased_at) as since, min(c.leased_until) as until, b.tenant_id = ${tenant} as own
      from chunks c join batches b on b.no = c.batch_no where c.state = 'leased' group by c.worker_id, b.no, c.model
      union all
      select worker_id, 'job', id, null, model, 1, 1, started_at, leased_until, tenant_id = ${tenant} from jobs where state = 'running') l
    left join workers w on w.id = l.worker
    order by l.worker, l.since, l.id limit 1000`);
  return rows.map(({ own, ...row }) => ({
    object: 'worker.work' as const,
    ...row,
    ...(own ? { model: row.model === null ? null : shownKey(row.model) } : { id: null, name: null, model: null }),
  }));
};
