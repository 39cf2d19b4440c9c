import type { SkipReason } from '@sluice/contract';
import { batchConditions } from '../batches/filter.ts';
import { windowSeconds } from '../batches/windows.ts';
import type { Db } from '../db/db.ts';
import { sql, type Statement } from '../db/sql.ts';
import { batchRefusal, continuedLines, discardedLines, foundLines } from './lines.ts';
import type { Selection } from './selection.ts';

/**
 * Batches `b` that the filter, or the ids, mean: the same as lists of them show for it. Of one of several models, what is
 * run again are lines of its children; everything else is done to it, and comes to them.
 */
const meant = ({ tenant, filter, ids, exclude, asOf, action }: Selection): Statement => {
  const again = action === 'retry' || action === 'redrive';
  if (filter === null)
    return again
      ? sql`b.tenant_id = ${tenant} and b.kind <> 'parent' and (b.id = any(${ids}::text[]) or b.parent_no in (select no from batches where id = any(${ids}::text[])))`
      : sql`b.tenant_id = ${tenant} and b.id = any(${ids}::text[])`;
  const { model, user, ...rest } = filter;
  return sql`${batchConditions(tenant, { ...rest, model: listed(model), user: listed(user) })}
    and b.created_at <= to_timestamp(${asOf}) and not b.id = any(${exclude}::text[]) and ${again ? sql`b.kind <> 'parent'` : sql`b.parent_no is null`}`;
};

const listed = (value: string | readonly string[] | undefined): readonly string[] | undefined =>
  typeof value === 'string' ? [value] : value;

/** What of a batch `b` would be run again. */
const linesLeft = (selection: Selection): Statement => sql`(${foundLines(selection)} - ${discardedLines} - ${continuedLines(selection)})`;

/** Why the action leaves a batch `b` alone; null where it does not. The one place that says so, for previews and runs. */
const refusal = (selection: Selection): Statement => {
  const { action, options } = selection;
  const deadline =
    options.deadline === undefined
      ? sql`b.created_at + make_interval(secs => ${windowSeconds(options.completion_window ?? '1m')})`
      : sql`to_timestamp(${options.deadline}::float8)`;
  const over = sql`
    when b.status in ('cancelling', 'cancelled') then 'already_cancelled'
    when b.status in ('failed', 'completed', 'expired') or b.expiring then 'batch_ended'`;
  switch (action) {
    case 'cancel':
      return sql`case when b.status = 'cancelling' and b.cancel_mode = 'stop' and ${options.mode === 'abort'} then null
        when b.status in ('cancelling', 'cancelled') then 'already_cancelled'
        when b.status in ('failed', 'completed', 'expired') then 'batch_ended' end`;
    case 'priority':
      return sql`case ${over} when b.priority = ${options.priority} then 'unchanged' end`;
    case 'deadline':
      return sql`case ${over} when ${deadline} <= now() then 'deadline_past' when ${deadline} = b.deadline then 'unchanged' end`;
    case 'retry':
    case 'redrive':
      return sql`coalesce(${batchRefusal}, case when isempty(${foundLines(selection)} - ${discardedLines}) then 'nothing_to_retry'
        when isempty(${linesLeft(selection)}) then 'already_retried' end)`;
  }
};

export interface MatchedBatch {
  no: number;
  id: string;
  skip: SkipReason | null;
}

/** The next batches, in the order of their creation. */
export const nextBatches = (db: Db, selection: Selection, after: number, limit: number): Promise<MatchedBatch[]> =>
  db.many<MatchedBatch>(sql`
    select b.no, b.id, ${refusal(selection)} as skip from batches b
    where ${meant(selection)} and b.no > ${after} order by b.no limit ${limit}`);

/** The same for one batch, which is locked until the transaction ends; null where it is gone. */
export const lockBatch = (tx: Db, selection: Selection, no: number): Promise<{ skip: SkipReason | null } | null> =>
  tx.maybe(sql`select ${refusal(selection)} as skip from batches b where b.no = ${no} for update of b`);

export const linesOfBatch = async (db: Db, selection: Selection, no: number): Promise<string> =>
  (await db.maybe<{ lines: string }>(sql`select ${linesLeft(selection)}::text as lines from batches b where b.no = ${no}`))?.lines ?? '{}';

export interface Figure {
  reason: SkipReason | null;
  count: number;
  sample: string[];
}

export const countBatches = (db: Db, selection: Selection): Promise<Figure[]> =>
  db.many<Figure>(sql`
    with matched as (select b.no, b.id, ${refusal(selection)} as skip from batches b where ${meant(selection)})
    select skip as reason, count(*) as count, (array_agg(id order by no))[1:5] as sample
    from matched group by skip order by count(*) desc, skip`);

/** Those of `ids` that are no batch of the tenant's. */
export const unknownBatches = async (db: Db, { tenant, ids }: Selection): Promise<string[]> =>
  (
    await db.many<{ id: string }>(sql`
      select id from unnest(${ids}::text[]) id where not exists (select from batches b where b.id = id.id and b.tenant_id = ${tenant})`)
  ).map(({ id }) => id);
