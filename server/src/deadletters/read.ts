import type { DeadLetter, DeadLetterCause, DeadLetterDetails, DeadLetterQuery } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import { findRequest, requestDetails } from '../batches/request-routes.ts';
import type { Db } from '../db/db.ts';
import { none, sql } from '../db/sql.ts';
import { ApiError } from '../lib/errors.ts';
import { parseRequestId, requestId } from '../lib/ids.ts';
import { shownColumn } from '../models/keys.ts';
import { customIdsOf } from '../requests/view.ts';
import type { Storage } from '../storage/storage.ts';
import { causeOf, deadLetterConditions, runsAgain } from './filter.ts';

export interface DeadLetterRow {
  batch_no: number;
  batch_id: string;
  input_key: string | null;
  index_key: string | null;
  line: number;
  model: string;
  user: string;
  code: string;
  message: string;
  cause: string;
  status_code: number | null;
  attempts: number;
  worker_id: string | null;
  died_at: number;
  /** The newest continuation that runs the line again, and which of its lines that is. */
  continuation: string | null;
  continuation_line: number | null;
  discarded_at: number | null;
  discarded_by: string | null;
  discard_reason: string | null;
}

const columns = sql`
  r.batch_no, b.id as batch_id, b.input_key, b.index_key, r.line, ${shownColumn(sql`r.model`)} as model, b.created_by as user, r.code, r.message,
  ${causeOf(sql`r.message`)} as cause, r.status_code, r.attempts, r.worker_id, extract(epoch from r.settled_at)::float8 as died_at,
  again.id as continuation, again.line as continuation_line,
  floor(extract(epoch from r.discarded_at))::bigint as discarded_at, r.discarded_by, r.discard_reason`;

/** The newest continuation of a line; its line k is the k-th of those it runs again. */
const again = sql`
  left join lateral (
    select c.id, (select sum(least(upper(m), r.line + 1) - lower(m)) from unnest(c.origin_lines) m where lower(m) <= r.line)::int as line
    from batches c where ${runsAgain} and c.origin_lines @> r.line
    order by c.no desc limit 1) again on true`;

/** Dead letters after the given place, newest batch first and by line within. */
export const readDeadLetters = (
  db: Db,
  { tenant }: Pick<Identity, 'tenant'>,
  query: DeadLetterQuery,
  after: { batch_no: number; line: number } | null,
  limit: number,
): Promise<DeadLetterRow[]> =>
  db.many<DeadLetterRow>(sql`
    select ${columns}
    from requests r join batches b on b.no = r.batch_no ${again}
    where b.tenant_id = ${tenant} and ${deadLetterConditions(query)}
      ${after === null ? none : sql`and r.batch_no <= ${after.batch_no} and (r.batch_no < ${after.batch_no} or r.line > ${after.line})`}
    order by r.batch_no desc, r.line limit ${limit}`);

/** With their custom_ids, which stand in the input files only. */
export const presentDeadLetters = async (storage: Storage, rows: readonly DeadLetterRow[]): Promise<DeadLetter[]> => {
  const batches = [...Map.groupBy(rows, (row) => row.batch_no)];
  const ids = new Map(
    await Promise.all(
      batches.map(async ([no, [first, ...more]]) => {
        const lines = [first!, ...more].map((row) => row.line);
        return [no, await customIdsOf(storage, first!, lines)] as const;
      }),
    ),
  );
  return rows.map((row) => toDeadLetter(row, ids.get(row.batch_no)?.get(row.line) ?? null));
};

export const toDeadLetter = (row: DeadLetterRow, customId: string | null): DeadLetter => ({
  id: requestId(row.batch_id, row.line),
  object: 'dead_letter',
  batch_id: row.batch_id,
  line: row.line,
  custom_id: customId,
  model: row.model,
  user: row.user,
  status: row.discarded_at !== null ? 'discarded' : row.continuation !== null ? 'redriven' : 'open',
  code: row.code,
  message: row.message,
  cause: row.cause,
  status_code: row.status_code,
  attempts: row.attempts,
  worker: row.worker_id,
  died_at: row.died_at,
  redriven_as: row.continuation === null ? null : requestId(row.continuation, row.continuation_line!),
  discarded_at: row.discarded_at,
  discarded_by: row.discarded_by,
  discard_reason: row.discard_reason,
});

export const listDeadLetters = async (
  db: Db,
  storage: Storage,
  identity: Identity,
  query: DeadLetterQuery,
  { after, limit }: { after: string | undefined; limit: number },
): Promise<{ data: DeadLetter[]; more: boolean }> => {
  const place = after === undefined ? null : await placeOf(db, identity, after);
  const rows = await readDeadLetters(db, identity, query, place, limit + 1);
  return { data: await presentDeadLetters(storage, rows.slice(0, limit)), more: rows.length > limit };
};

const placeOf = async (db: Db, identity: Identity, after: string): Promise<{ batch_no: number; line: number }> => {
  const { batch, line } = await findRequest(db, identity, after);
  return { batch_no: batch.no, line };
};

interface CauseRow {
  code: string;
  cause: string;
  count: number;
  batches: number;
  first_seen: number;
  last_seen: number;
  batch_id: string;
  line: number;
}

/** Why requests died, the most frequent cause first. */
export const deadLetterCauses = async (
  db: Db,
  { tenant }: Identity,
  query: DeadLetterQuery,
  limit: number,
): Promise<{ data: DeadLetterCause[]; more: boolean }> => {
  const rows = await db.many<CauseRow>(sql`
    with dead as (
      select r.code, ${causeOf(sql`r.message`)} as cause, r.batch_no, b.id as batch_id, r.line, r.settled_at
      from requests r join batches b on b.no = r.batch_no
      where b.tenant_id = ${tenant} and ${deadLetterConditions(query)})
    select code, cause, count(*) as count, count(distinct batch_no) as batches,
      extract(epoch from min(settled_at))::float8 as first_seen, extract(epoch from max(settled_at))::float8 as last_seen,
      (array_agg(batch_id order by settled_at desc, batch_no desc, line))[1] as batch_id,
      (array_agg(line order by settled_at desc, batch_no desc, line))[1] as line
    from dead group by code, cause order by count(*) desc, code, cause limit ${limit + 1}`);
  const data = rows
    .slice(0, limit)
    .map(({ batch_id, line, ...row }): DeadLetterCause => ({ object: 'dead_letter.cause', ...row, sample: requestId(batch_id, line) }));
  return { data, more: rows.length > limit };
};

/** One dead letter, whatever became of it since, with its input and every attempt; else the client's 404. */
export const getDeadLetter = async (db: Db, storage: Storage, identity: Identity, id: string): Promise<DeadLetterDetails> => {
  const parsed = parseRequestId(id);
  const rows =
    parsed === null
      ? []
      : await db.many<DeadLetterRow>(sql`
          select ${columns} from requests r join batches b on b.no = r.batch_no ${again}
          where b.tenant_id = ${identity.tenant} and b.id = ${parsed.batchId} and r.line = ${parsed.line} and r.state = 'dead_lettered'`);
  const row = rows[0];
  if (row === undefined) throw new ApiError('not_found', `No dead letter found with id '${id}'.`, { param: 'id' });
  const { batch, line } = await findRequest(db, identity, id);
  const { custom_id, endpoint, input, output, history, newest } = await requestDetails({ db, storage }, identity, batch, line);
  return { ...toDeadLetter(row, custom_id), endpoint, input, output, history, newest };
};
