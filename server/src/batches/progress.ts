import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import type { HitCounts, Progress, TokenCounts } from './rows.ts';

interface Sum {
  batch_no: number;
  completed: number;
  failed: number;
  cancelled: number;
  expired: number;
  input: number;
  cached: number;
  output: number;
  reasoning: number;
  batch: number;
  cache: number;
  semantic: number;
}

/** How far batches that are running have come: what their chunks have settled. Of those that have ended, nothing: their chunks go. */
export const progressOf = async (db: Db, batchNos: readonly number[]): Promise<Map<number, Progress>> => {
  if (batchNos.length === 0) return new Map();
  const rows = await db.many<Sum>(sql`
    select c.batch_no, sum(c.completed)::bigint as completed, (sum(c.failed) + b.refused)::bigint as failed,
      sum(case when c.state = 'cancelled' then (select coalesce(sum(upper(r) - lower(r)), 0) from unnest(c.lines) r) else 0 end)::bigint as cancelled,
      sum(case when c.state = 'expired' then (select coalesce(sum(upper(r) - lower(r)), 0) from unnest(c.lines) r) else 0 end)::bigint as expired,
      sum(c.input_tokens)::bigint as input, sum(c.cached_tokens)::bigint as cached,
      sum(c.output_tokens)::bigint as output, sum(c.reasoning_tokens)::bigint as reasoning,
      sum(c.hits_batch)::bigint as batch, sum(c.hits_cache)::bigint as cache, sum(c.hits_semantic)::bigint as semantic
    from chunks c join batches b on b.no = c.batch_no
    where c.batch_no = any(${batchNos}::bigint[]) and b.status in ('in_progress', 'finalizing', 'cancelling') group by c.batch_no, b.refused`);
  return new Map(
    rows.map(({ batch_no, completed, failed, cancelled, expired, batch, cache, semantic, ...usage }) => [
      batch_no,
      {
        completed,
        failed,
        cancelled,
        expired,
        usage: usage satisfies TokenCounts,
        hits: { batch, cache, semantic } satisfies HitCounts,
      },
    ]),
  );
};
