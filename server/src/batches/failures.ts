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
  first_seen: number;
  last_seen: number;
  line: number;
  message: string;
  all: number;
}

/** Why requests of a batch failed, the most frequent cause first. Counted as they failed: it costs the same for ten or a million. */
export const failuresOf = async (db: Db, identity: Identity, id: string, limit: number): Promise<BatchFailures> => {
  const { no } = await getBatch(db, identity, id);
  const rows = await db.many<CauseRow>(sql`
    select c.*, coalesce(r.message, c.cause) as message
    from (
      select code, cause, sum(count)::bigint as count, sum(dead)::bigint as dead, array_agg(distinct model) as models,
        extract(epoch from min(first_seen))::float8 as first_seen, extract(epoch from max(last_seen))::float8 as last_seen, min(line) as line,
        (sum(sum(count)) over ())::bigint as all
      from failure_causes where batch_no = ${no} group by code, cause order by 3 desc, 1, 2 limit ${limit + 1}) c
    left join requests r on r.batch_no = ${no} and r.line = c.line
    order by c.count desc, c.code, c.cause`);
  return {
    object: 'list',
    data: rows.slice(0, limit).map(({ code, cause, count, dead, models, first_seen, last_seen, line, message }) => ({
      object: 'batch.failure' as const,
      code,
      cause,
      count,
      dead_lettered: dead,
      models: models.map(shownKey),
      first_seen,
      last_seen,
      example: { id: requestId(id, line), line, message },
    })),
    has_more: rows.length > limit,
    failed: rows[0]?.all ?? 0,
  };
};
