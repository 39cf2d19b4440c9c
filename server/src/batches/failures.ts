import type { BatchFailures } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { requestId } from '../lib/ids.ts';
import { shownKey } from '../models/keys.ts';
import { getBatch } from './read.ts';

interface CauseRow {
  code: string;
  cause: string;
  count: number;
  dead: number;
  models: string[];
  batches: { id: string; count: number }[];
  first_seen: number;
  last_seen: number;
  line: number;
  message: string;
  all: number;
}

/**
 * Why requests of a batch failed, the most frequent cause first; of one of several models, why those of its batches did.
 * Counted as they failed: it costs the same for ten or a million.
 */
export const failuresOf = async (db: Db, identity: Identity, id: string, limit: number): Promise<BatchFailures> => {
  const { no } = await getBatch(db, identity, id);
  const rows = await db.many<CauseRow>(sql`
    with own as materialized (select no, id from batches where no = ${no} or parent_no = ${no}),
    each as (
      select f.batch_no, f.code, f.cause, sum(f.count)::bigint as count, sum(f.dead) as dead, array_agg(distinct f.model) as models,
        min(f.first_seen) as first_seen, max(f.last_seen) as last_seen, min(f.line) as line
      from failure_causes f where f.batch_no = any(array(select no from own)) group by 1, 2, 3),
    causes as (
      select code, cause, sum(count)::bigint as count, sum(dead)::bigint as dead, min(first_seen) as first_seen, max(last_seen) as last_seen,
        jsonb_agg(jsonb_build_object('id', o.id, 'count', count) order by count desc, no) as batches,
        (array_agg(no order by count desc, no))[1] as most, (array_agg(line order by count desc, no))[1] as line, (sum(sum(count)) over ())::bigint as all
      from each join own o on o.no = each.batch_no group by 1, 2 order by 3 desc, 1, 2 limit ${limit + 1})
    select c.code, c.cause, c.count, c.dead, c.batches, c.line, c.all, coalesce(r.message, c.cause) as message,
      array(select distinct m from each e, unnest(e.models) m where e.code = c.code and e.cause = c.cause order by m) as models,
      extract(epoch from c.first_seen)::float8 as first_seen, extract(epoch from c.last_seen)::float8 as last_seen
    from causes c left join requests r on r.batch_no = c.most and r.line = c.line
    order by c.count desc, c.code, c.cause`);
  return {
    object: 'list',
    data: rows.slice(0, limit).map(({ code, cause, count, dead, models, batches, first_seen, last_seen, line, message }) => ({
      object: 'batch.failure' as const,
      code,
      cause,
      count,
      dead_lettered: dead,
      models: models.map(shownKey),
      batches,
      first_seen,
      last_seen,
      example: { id: requestId(batches[0]!.id, line), line, message },
    })),
    has_more: rows.length > limit,
    failed: rows[0]?.all ?? 0,
  };
};
