import type { SkipReason } from '@sluice/contract';
import type { Db } from '../db/db.ts';
import { none, sql, type Statement } from '../db/sql.ts';
import { requestsNamed } from '../deadletters/discard.ts';
import { requestId } from '../lib/ids.ts';
import type { Figure } from './batches.ts';
import { batchRefusal, chunkConditions, continuedLines, discardedLines, empty, foundLines, rowConditions } from './lines.ts';
import type { Selection } from './selection.ts';

const named = (ids: readonly string[]): Statement => sql`(
  select coalesce(range_agg(int4range(n.line, n.line + 1)), ${empty}) from (${requestsNamed(ids)}) n
  where n.batch_id = b.id and n.line <= b.total)`;

/**
 * What is meant, batch by batch: `no`, `id`, and for each reason to leave lines alone (null: none) the lines. A filter
 * means what still is to be run again; what is named by id and is not gets its reason. `offset 0` has each set made once:
 * else every mention of it would be a subquery of its own.
 */
const parts = (selection: Selection, only: Statement): Statement => {
  const { tenant, filter, ids, exclude } = selection;
  if (ids !== null)
    return sql`
      select b.no, b.id, p.reason, p.lines
      from batches b
      cross join lateral (select ${named(ids)} as named, ${foundLines(selection)} as found, ${discardedLines} as discarded,
        ${continuedLines(selection)} as continued, ${batchRefusal} as refusal offset 0) l
      cross join lateral (values
        (${selection.action === 'redrive' ? 'not_dead' : 'not_failed'}::text, l.named - l.found),
        ('discarded', l.named * l.found * l.discarded),
        ('already_retried', l.named * l.found * l.continued - l.discarded),
        (l.refusal, l.named * l.found - l.discarded - l.continued)) p (reason, lines)
      where b.tenant_id = ${tenant} and b.id = any(array(select batch_id from (${requestsNamed(ids)}) n)) and ${only}
        and not isempty(p.lines)`;
  const { batch, user } = filter!;
  return sql`
    select b.no, b.id, ${batchRefusal} as reason, l.lines
    from batches b
    cross join lateral (
      select ${foundLines(selection)} - ${discardedLines} - ${continuedLines(selection)} - ${named(exclude)} as lines offset 0) l
    where b.tenant_id = ${tenant} and ${only} and not isempty(l.lines)
      ${batch === undefined ? none : sql`and (b.id = ${batch} or b.parent_no = (select no from batches where id = ${batch}))`}
      ${user === undefined ? none : sql`and b.created_by = ${user}`}
      and (exists (select from requests r where r.batch_no = b.no and ${rowConditions(selection)})
        or exists (select from chunks c where c.batch_no = b.no and ${chunkConditions(selection)}))`;
};

export interface Part {
  reason: SkipReason | null;
  lines: string;
}

export interface Place {
  no: number;
  line: number;
}

/** Lines after the place, of a batch `b`. */
const beyond = ({ no, line }: Place): Statement =>
  sql`(case when b.no = ${no} then int4multirange(int4range(${line}, null, '()')) else '{(,)}' end)`;

/** The next batch with lines after the place, and those lines by reason; null: there is none. */
export const nextParts = async (db: Db, selection: Selection, after: Place): Promise<{ no: number; id: string; parts: Part[] } | null> => {
  const next = await db.maybe<{ no: number }>(sql`
    select b.no from (${parts(selection, sql`b.no >= ${after.no}`)}) b
    where not isempty(b.lines * ${beyond(after)}) order by b.no limit 1`);
  if (next === null) return null;
  const rows = await partsOf(db, selection, next.no, after);
  return rows.length === 0 ? null : { no: next.no, id: rows[0]!.id, parts: rows };
};

export const partsOf = (db: Db, selection: Selection, no: number, after: Place): Promise<(Part & { id: string })[]> =>
  db.many(sql`
    select b.id, b.reason, (b.lines * ${beyond(after)})::text as lines from (${parts(selection, sql`b.no = ${no}`)}) b
    where not isempty(b.lines * ${beyond(after)}) order by b.reason`);

export const countRequests = async (db: Db, selection: Selection): Promise<Figure[]> => {
  const rows = await db.many<{ reason: SkipReason | null; count: number; ids: string[]; lines: number[] }>(sql`
    with parts as materialized (${parts(selection, sql`true`)}),
    firsts as (
      select p.reason, p.no, p.id, s.line, row_number() over (partition by p.reason order by p.no, s.line) as place
      from parts p cross join lateral (
        select line from unnest(p.lines) m, generate_series(lower(m), least(upper(m) - 1, lower(m) + 4)) line order by line limit 5) s)
    select p.reason, sum((select sum(upper(m) - lower(m)) from unnest(p.lines) m))::bigint as count,
      array(select f.id from firsts f where f.reason is not distinct from p.reason and f.place <= 5 order by f.place) as ids,
      array(select f.line from firsts f where f.reason is not distinct from p.reason and f.place <= 5 order by f.place) as lines
    from parts p group by p.reason order by count desc, p.reason`);
  return rows.map(({ reason, count, ids, lines }) => ({ reason, count, sample: ids.map((id, i) => requestId(id, lines[i]!)) }));
};

/** Those of `ids` that are no request of the tenant's. */
export const unknownRequests = async (db: Db, { tenant, ids }: Selection): Promise<string[]> => {
  const rows = await db.many<{ batch_id: string; line: number }>(sql`
    select n.batch_id, n.line from (${requestsNamed(ids!)}) n join batches b on b.id = n.batch_id
    where b.tenant_id = ${tenant} and n.line <= b.total`);
  const known = new Set(rows.map((row) => requestId(row.batch_id, row.line)));
  return ids!.filter((id) => !known.has(id));
};
