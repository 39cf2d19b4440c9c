import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { troubled, widen, type Widening } from '../policy/widening.ts';
import { width } from '../policy/strategy.ts';
import type { DemandRow } from './reading.ts';

interface Row {
  no: number;
  asked: boolean;
  most: number | null;
  width: number | null;
  adaptive: Widening | null;
  completed: number;
  errors: number;
  running: number;
  queued: number;
  takes: number;
}

/**
 * One round of strategy `adaptive`, for the batches that asked for it, those that have a limit, and those that are in
 * trouble. Of all others nothing is read.
 *
 * @param lagOf seconds until workers have heard of a new width, and a request of this model has ended
 * @returns whether a width has changed, and turns should be planned anew
 */
export const adaptWidths = async (
  tx: Db,
  demand: readonly DemandRow[],
  now: number,
  lagOf: (model: string) => number,
): Promise<boolean> => {
  const waiting = new Map<string, { running: number; waiting: number }>();
  for (const row of demand) {
    const seen = waiting.get(row.batch_id) ?? { running: 0, waiting: 0 };
    waiting.set(row.batch_id, { running: seen.running + row.requests - row.queued, waiting: seen.waiting + row.waiting });
  }
  const trouble = [...waiting].filter(([, seen]) => troubled(seen)).map(([id]) => id);
  const rows = await tx.many<Row & { id: string }>(sql`
    with found as (
      select no, id, options, width, adaptive from batches
      where status = 'in_progress' and not expiring
        and (options ->> 'strategy' = 'adaptive' or adaptive is not null or (id = any(${trouble}::text[]) and options ->> 'strategy' is null)))
    select f.no, f.id, f.options ->> 'strategy' is not null as asked, (f.options ->> 'max_concurrent')::int as most, f.width, f.adaptive,
      c.completed, c.running, c.queued, c.takes, (select count(*)::int from attempts a where a.batch_no = f.no and a.kind = 'retryable') as errors
    from found f cross join lateral (
      select coalesce(sum(completed + failed), 0)::float8 as completed,
        coalesce(sum(least(requests, f.width)) filter (where state = 'leased'), 0)::int as running,
        coalesce(sum(requests) filter (where state = 'queued'), 0)::int as queued,
        coalesce(max(requests) filter (where state in ('queued', 'leased')), 0)::int as takes
      from chunks where batch_no = f.no) c`);
  const next = rows.map((row) => {
    const takes = Math.min(row.takes, row.width ?? Infinity);
    const lag = Math.max(0, ...demand.filter(({ batch_id: id }) => id === row.id).map(({ model }) => lagOf(model)));
    const state = widen(row.adaptive, { ...row, now, takes, waiting: waiting.get(row.id)?.waiting ?? 0 }, row.asked, lag);
    const most = width({ strategy: 'adaptive', maxConcurrent: row.most, request: null, workers: [], adaptive: state?.state ?? null });
    return { ...row, state, next: most };
  });
  if (next.length > 0)
    await tx.run(sql`
      update batches b set width = u.width, adaptive = u.adaptive
      from unnest(${next.map(({ no }) => no)}::bigint[], ${next.map((row) => row.next)}::int[],
        ${next.map(({ state }) => (state === null ? null : JSON.stringify(state)))}::jsonb[]) u (no, width, adaptive)
      where b.no = u.no and b.status = 'in_progress'`);
  return next.some((row) => row.next !== row.width);
};
