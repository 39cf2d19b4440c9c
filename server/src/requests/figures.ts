import type { Db } from '../db/db.ts';
import { sql, unsynced } from '../db/sql.ts';

/** What was settled of a tenant's requests of one model since somebody told last. */
export interface Figures {
  tenant: string;
  model: string;
  completed: number;
  failed: number;
  retried: number;
  copied: number;
  inputTokens: number;
  outputTokens: number;
  /** Milliseconds that those which ran took together, and how that was spread (`policy/spread.ts`). */
  busyMs: number;
  spread: number[];
}

/** Steps in minutes in which they are kept, each with the hours for which. */
export const steps = { 1: 2, 5: 25, 60: 35 * 24 } as const;
export type Step = keyof typeof steps;

const column = <K extends keyof Figures>(rows: readonly Figures[], key: K): Figures[K][] => rows.map((row) => row[key]);

/**
 * Adds to what all workers have told of the minute, the five minutes and the hour that are now, by the database's
 * clock. In one order: of two that tell of the same models one waits for the other.
 */
export const addFigures = (db: Db, rows: readonly Figures[]): Promise<number> =>
  db.run(sql`
    insert into figures as f (tenant_id, minutes, at, model, completed, failed, retried, copied, input_tokens, output_tokens, busy_ms, spread)
    select r.tenant, m.minutes, date_bin(make_interval(mins => m.minutes), now(), 'epoch'), r.model, r.completed, r.failed, r.retried, r.copied,
      r.input_tokens, r.output_tokens, r.busy_ms, r.spread::int[]
    from unnest(${column(rows, 'tenant')}::text[], ${column(rows, 'model')}::text[], ${column(rows, 'completed')}::bigint[],
        ${column(rows, 'failed')}::bigint[], ${column(rows, 'retried')}::bigint[], ${column(rows, 'copied')}::bigint[],
        ${column(rows, 'inputTokens')}::bigint[], ${column(rows, 'outputTokens')}::bigint[], ${column(rows, 'busyMs')}::float8[],
        ${column(rows, 'spread').map((spread) => `{${spread.join(',')}}`)}::text[])
        r (tenant, model, completed, failed, retried, copied, input_tokens, output_tokens, busy_ms, spread),
      unnest(${Object.keys(steps).map(Number)}::int[]) m (minutes), ${unsynced}
    order by 1, 2, 3, 4
    on conflict (tenant_id, minutes, at, model) do update
    set completed = f.completed + excluded.completed, failed = f.failed + excluded.failed, retried = f.retried + excluded.retried,
        copied = f.copied + excluded.copied, input_tokens = f.input_tokens + excluded.input_tokens,
        output_tokens = f.output_tokens + excluded.output_tokens, busy_ms = f.busy_ms + excluded.busy_ms,
        spread = array(select coalesce(u.a, 0) + coalesce(u.b, 0) from unnest(f.spread, excluded.spread) with ordinality u (a, b, place) order by place)`);

export const dropOldFigures = (db: Db): Promise<number> =>
  db.run(sql`
    delete from figures f using unnest(${Object.keys(steps).map(Number)}::int[], ${Object.values(steps)}::int[]) s (minutes, hours)
    where f.minutes = s.minutes and f.at < now() - make_interval(hours => s.hours)`);
