import type { DeadLetterFilter } from '@sluice/contract';
import { none, sql, type Statement } from '../db/sql.ts';
import { endedStates, plainStates } from '../batches/retry.ts';
import { requestConditions, runsAgain } from '../deadletters/filter.ts';
import { ofModel } from '../models/keys.ts';
import type { Selection } from './selection.ts';

/**
 * Sets of lines of a batch `b`, as int4multiranges: matching, skipping and running all count in them, so that a preview
 * over millions of requests costs no row for each.
 */
export const empty = sql`'{}'::int4multirange`;

/** What chooses requests; of an operation on batches, nothing does. */
const requestFilter = ({ on, filter }: Selection): DeadLetterFilter => {
  if (on !== 'requests' || filter === null) return {};
  const { batch, code, cause, q, since, until } = filter;
  // `selectionOf` lets one of each through.
  const model = [filter.model ?? []].flat()[0];
  const given = { batch, model, code, cause, q, since, until };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
};

/** The states an action takes, where the filter does not say. */
export const statesOf = ({ action, filter, ids, on }: Selection): readonly string[] => {
  if (action === 'redrive') return ['dead_lettered'];
  return filter?.state ?? (ids !== null && on === 'requests' ? endedStates : plainStates);
};

/** Of rows `requests r`. A literal where it is one state: only then is its index seen to fit. */
export const inStates = (selection: Selection): Statement =>
  selection.action === 'redrive' ? sql`r.state = 'dead_lettered'` : sql`r.state = any(${statesOf(selection)}::text[])`;

/** What of chunks `c`, which hold the lines that never ran, the filter means: they have a model and an end, but no message. */
export const chunkConditions = (selection: Selection): Statement => {
  const { model, code, cause, q, since, until } = requestFilter(selection);
  const ended = sql`coalesce(b.cancelled_at, b.expired_at, b.created_at)`;
  return sql`c.state = any(${statesOf(selection)}::text[]) and c.state in ('cancelled', 'expired')
    ${cause === undefined && q === undefined ? none : sql`and false`}
    ${model === undefined ? none : sql`and ${ofModel(sql`c.model`, model)}`}
    ${code === undefined ? none : sql`and 'batch_' || c.state = ${code}`}
    ${since === undefined ? none : sql`and ${ended} >= to_timestamp(${since})`}
    ${until === undefined ? none : sql`and ${ended} < to_timestamp(${until})`}
    ${selection.ids === null ? sql`and ${ended} <= to_timestamp(${selection.asOf})` : none}`;
};

/** What of `requests r` the filter means, whatever became of it since. */
export const rowConditions = (selection: Selection): Statement => {
  const { batch: _, user: __, ...filter } = requestFilter(selection);
  return sql`${inStates(selection)} ${requestConditions(filter)}
    ${selection.ids === null ? sql`and r.settled_at <= to_timestamp(${selection.asOf})` : none}`;
};

/** Lines that ended in a way the action takes. */
export const foundLines = (selection: Selection): Statement => sql`(
  select coalesce(range_agg(f.lines), ${empty}) from (
    select int4range(r.line, r.line + 1) as lines from requests r where r.batch_no = b.no and ${rowConditions(selection)}
    union all
    select unnest(c.lines) from chunks c where c.batch_no = b.no and ${chunkConditions(selection)}) f)`;

export const discardedLines = sql`(
  select coalesce(range_agg(int4range(r.line, r.line + 1)), ${empty}) from requests r
  where r.batch_no = b.no and r.state = 'dead_lettered' and r.discarded_at is not null)`;

/** Lines that a continuation runs again, or ran. */
export const continuedLines = ({ options }: Selection): Statement =>
  options.again === true
    ? empty
    : sql`(select coalesce(range_agg(m), ${empty}) from batches c, unnest(c.origin_lines) m where ${runsAgain})`;

/** Why nothing of the batch can be run again, whichever lines; null where it can. */
export const batchRefusal = sql`
  case when b.status not in ('failed', 'completed', 'expired', 'cancelled') then 'batch_not_ended'
    when b.input_key is null or exists (select from files f where f.id = b.input_file_id and f.purged_at is not null) then 'input_gone' end`;
