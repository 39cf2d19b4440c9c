import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import type { BatchRow, HitCounts, Progress, TokenCounts } from './rows.ts';

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

/** So many running batches a page shows at once; the sum walks over all chunks of each. */
const shown = 20;

/** How far the tenant's newest running batches have come, as events say it. */
export const newestProgress = async (db: Db, tenant: string) => {
  const running = await db.many<{ no: number; id: string; total: number }>(sql`
    select no, id, total from batches
    where tenant_id = ${tenant} and status in ('in_progress', 'finalizing', 'cancelling') order by no desc limit ${shown}`);
  const found = await progressOf(
    db,
    running.map(({ no }) => no),
  );
  return running.flatMap(({ no, id, total }) => {
    const progress = found.get(no);
    return progress === undefined ? [] : [{ id, total, ...progress }];
  });
};

/** How old a running batch's progress may be, in milliseconds: the sum walks over all of its chunks. */
const maxAge = 250;

/** Progress for many readers: one sum a batch at a time, shared by whoever asks while it runs and shortly after. */
export class ProgressCache {
  readonly #db: Db;
  readonly #cached = new Map<number, { at: number; progress: Promise<Progress | null> }>();

  constructor(db: Db) {
    this.#db = db;
  }

  /** Null where the row itself says it: before intake, and once the batch has ended. */
  async of(batch: Pick<BatchRow, 'no' | 'status'>): Promise<Progress | null> {
    if (batch.status !== 'in_progress' && batch.status !== 'finalizing' && batch.status !== 'cancelling') return null;
    const now = performance.now();
    const found = this.#cached.get(batch.no);
    if (found && now - found.at < maxAge) return found.progress;
    const progress = progressOf(this.#db, [batch.no]).then((map) => map.get(batch.no) ?? null);
    if (this.#cached.size > 1_000) this.#cached.clear();
    this.#cached.set(batch.no, { at: now, progress });
    progress.catch(() => this.#cached.delete(batch.no));
    return progress;
  }
}
