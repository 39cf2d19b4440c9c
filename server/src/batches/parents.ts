import type { RequestState } from '@sluice/contract';
import type { Db } from '../db/db.ts';
import { sql, type Statement } from '../db/sql.ts';
import { parseLines, type Lines } from '../formats/lines.ts';
import { progressOf } from './progress.ts';
import type { BatchRow, HitCounts, Progress, TokenCounts } from './rows.ts';

/**
 * A parent's lines, by how they stand in all of its children. A line that is open in one is open; else one that failed
 * in one has failed, and so on: completed is what every model has answered.
 */
export const rowOrder = [
  'running',
  'waiting',
  'queued',
  'failed',
  'dead_lettered',
  'expired',
  'cancelled',
  'completed',
] as const satisfies readonly RequestState[];

/** The state of a line that stands so in the children. */
export const rowState = (states: readonly RequestState[]): RequestState => rowOrder.find((state) => states.includes(state)) ?? 'queued';

const kids = (parentNo: number): Statement => sql`(select no from batches where parent_no = ${parentNo})`;

/** Sets of lines that stand in a way in some child: `state`, `lines`. What completed is what no set holds. */
const marks = (parentNo: number): Statement => sql`
  select state, range_agg(r) as lines from (
    select state, int4range(line, line + 1) as r from requests where batch_no in ${kids(parentNo)}
    union all
    select case c.state when 'leased' then 'running' else c.state end, unnest(c.lines) from chunks c
    where c.batch_no in ${kids(parentNo)} and c.state <> 'done'
    union all
    select 'waiting', int4range(line, line + 1) from waiting where batch_no in ${kids(parentNo)}) m
  group by state`;

const empty = sql`'{}'::int4multirange`;

export interface RowCounts {
  completed: number;
  failed: number;
  cancelled: number;
  expired: number;
}

/** How many lines of a parent stand how; of one that runs, those that are open are in none. */
export const rowCounts = async (db: Db, { no, total }: Pick<BatchRow, 'no' | 'total'>): Promise<RowCounts> => {
  const set = (...states: RequestState[]): Statement =>
    sql`(select coalesce(range_agg(l), ${empty}) from marks, unnest(lines) l where state = any(${states}::text[]))`;
  const row = await db.one<{ failed: number; expired: number; cancelled: number; left: number }>(sql`
    with marks as materialized (${marks(no)}),
    sets as (
      select ${set('queued', 'running', 'waiting')} as open, ${set('failed', 'dead_lettered')} as failed,
        ${set('expired')} as expired, ${set('cancelled')} as cancelled)
    select line_count(failed - open) as failed, line_count(expired - failed - open) as expired,
      line_count(cancelled - expired - failed - open) as cancelled, line_count(open + failed + expired + cancelled) as left
    from sets`);
  const { left, ...counts } = row;
  return { completed: total - left, ...counts };
};

/** The lines of a parent in the given states, from line `from` on, at most `limit`. */
export const rowsInStates = async (
  db: Db,
  { no, total }: Pick<BatchRow, 'no' | 'total'>,
  states: readonly RequestState[],
  from: number,
  limit: number,
): Promise<number[]> => {
  const rows = await db.many<{ state: RequestState; lines: string }>(sql`select state, lines::text from (${marks(no)}) m`);
  const of = new Map(rows.map(({ state, lines }) => [state, parseLines(lines)]));
  // Each state walks along its ranges, as the lines go up.
  const place = new Map<RequestState, number>();
  const has = (state: RequestState, line: number): boolean => {
    const lines: Lines = of.get(state) ?? [];
    let i = place.get(state) ?? 0;
    while (i < lines.length && lines[i + 1]! <= line) i += 2;
    place.set(state, i);
    return i < lines.length && lines[i]! <= line;
  };
  const found: number[] = [];
  const marked = rowOrder.slice(0, -1);
  for (let line = from; line <= total && found.length < limit; line++) {
    const state = marked.find((each) => has(each, line)) ?? 'completed';
    if (states.includes(state)) found.push(line);
  }
  return found;
};

const noTokens: TokenCounts = { input: 0, cached: 0, output: 0, reasoning: 0 };
const noHits: HitCounts = { batch: 0, cache: 0, semantic: 0 };

const add = <T extends TokenCounts | HitCounts>(a: T, b: T | null): T =>
  b === null
    ? a
    : (Object.fromEntries(
        Object.entries(a).map(([key, value]) => [key, value + ((b as unknown as Record<string, number>)[key] ?? 0)]),
      ) as T);

/** What the children have used together, as far as they have come. */
export const usedBy = async (
  db: Db,
  children: readonly Pick<BatchRow, 'no' | 'usage' | 'hits'>[],
): Promise<Pick<Progress, 'usage' | 'hits'>> => {
  const running = await progressOf(
    db,
    children.filter(({ usage }) => usage === null).map(({ no }) => no),
  );
  let [usage, hits] = [noTokens, noHits];
  for (const child of children) {
    usage = add(usage, child.usage ?? running.get(child.no)?.usage ?? null);
    hits = add(hits, child.hits ?? running.get(child.no)?.hits ?? null);
  }
  return { usage, hits };
};

/** How far a parent that runs has come. */
export const parentProgress = async (
  db: Db,
  parent: Pick<BatchRow, 'no' | 'total'>,
  children: readonly Pick<BatchRow, 'no' | 'usage' | 'hits'>[],
): Promise<Progress> => {
  const [counts, used] = await Promise.all([rowCounts(db, parent), usedBy(db, children)]);
  return { ...counts, ...used };
};
