import type { DiscardDeadLetters } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { none, sql, type Statement } from '../db/sql.ts';
import { ApiError } from '../lib/errors.ts';
import { parseRequestId } from '../lib/ids.ts';
import { deadLetterConditions } from './filter.ts';

/** Throws unless exactly one way of choosing is there. */
export const checkSelection = ({
  filter,
  ids,
  exclude,
}: {
  filter?: object;
  ids?: readonly string[];
  exclude?: readonly string[];
}): void => {
  if (filter === undefined && ids === undefined)
    throw new ApiError('missing_required_parameter', "Missing required parameter: 'filter' or 'ids'.", { param: 'filter' });
  if (filter !== undefined && ids !== undefined)
    throw new ApiError('invalid_value', 'Give either filter or ids, not both.', { param: 'ids' });
  if (ids !== undefined && exclude !== undefined)
    throw new ApiError('invalid_value', 'Ids are left out of a filter; simply do not name them among ids.', { param: 'exclude' });
};

/** The rows of `ids`, as a table of `batch_id` and `line`; what is no id of a request is not among them. */
export const requestsNamed = (ids: readonly string[]): Statement => {
  const parsed = ids.map(parseRequestId).filter((each) => each !== null && each.line < 2 ** 31 - 1);
  return sql`select * from unnest(${parsed.map((each) => each!.batchId)}::text[], ${parsed.map((each) => each!.line)}::int[]) named (batch_id, line)`;
};

/**
 * Gives dead letters up: marks them, with who and why, and takes them out of the lists. Batches, counts and files stay
 * as they are. Says how many were marked now; repeats mark nothing.
 */
export const discardDeadLetters = async (
  db: Db,
  { tenant, user }: Identity,
  body: DiscardDeadLetters,
): Promise<{ discarded: number; skipped: number }> => {
  checkSelection(body);
  const { filter, ids, exclude = [], as_of, reason } = body;
  const meant =
    ids === undefined
      ? sql`${deadLetterConditions(filter!)} and not exists (select from (${requestsNamed(exclude)}) n where n.batch_id = b.id and n.line = r.line)`
      : sql`r.state = 'dead_lettered' and r.discarded_at is null
          and exists (select from (${requestsNamed(ids)}) n where n.batch_id = b.id and n.line = r.line)`;
  const discarded = await db.run(sql`
    update requests r set discarded_at = now(), discarded_by = ${user}, discard_reason = ${reason}
    from batches b
    where b.no = r.batch_no and b.tenant_id = ${tenant} and ${meant}
      ${as_of === undefined ? none : sql`and r.settled_at <= to_timestamp(${as_of})`}`);
  return { discarded, skipped: ids === undefined ? 0 : new Set(ids).size - discarded };
};
