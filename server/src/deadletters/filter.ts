import type { DeadLetterFilter, DeadLetterQuery } from '@sluice/contract';
import { none, sql, type Statement } from '../db/sql.ts';
import { ofModel } from '../models/keys.ts';

/**
 * Why a request died, without what differs from one request to the next: quoted texts, and words with digits in them
 * (ids, times, addresses). HTTP's error statuses stay: 429 and 503 are different troubles.
 */
export const causeOf = (message: Statement): Statement => sql`cause_of(${message})`;

/** The batch, of those that continue `b`, counts as having run lines again: not one that was refused or ended before it began. */
export const runsAgain = sql`c.continues_no = b.no and (c.sealed or c.status = 'validating')`;

const redriven = sql`exists (select from batches c where ${runsAgain} and c.origin_lines @> r.line)`;

/** What holds of rows `requests r` of `batches b` that a filter means, whatever their state. */
export const requestConditions = (filter: DeadLetterFilter): Statement => {
  const { batch, model, code, cause, user, q, since, until } = filter;
  return sql`
    ${batch === undefined ? none : sql`and b.id = ${batch}`}
    ${user === undefined ? none : sql`and b.created_by = ${user}`}
    ${model === undefined ? none : sql`and ${ofModel(sql`r.model`, model)}`}
    ${code === undefined ? none : sql`and r.code = ${code}`}
    ${cause === undefined ? none : sql`and ${causeOf(sql`r.message`)} = ${cause}`}
    ${q === undefined ? none : sql`and position(lower(${q}) in lower(r.message)) > 0`}
    ${since === undefined ? none : sql`and r.settled_at >= to_timestamp(${since})`}
    ${until === undefined ? none : sql`and r.settled_at < to_timestamp(${until})`}`;
};

/** The same for dead letters: those of the state and, where none is asked for, the open ones. */
export const deadLetterConditions = ({ status = 'open', ...filter }: DeadLetterQuery): Statement => {
  const standing = {
    open: sql`and r.discarded_at is null and not ${redriven}`,
    redriven: sql`and r.discarded_at is null and ${redriven}`,
    discarded: sql`and r.discarded_at is not null`,
    all: none,
  }[status];
  return sql`r.state = 'dead_lettered' ${standing} ${requestConditions(filter)}`;
};
