import type { Batch, BatchStatus } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { none, sql } from '../db/sql.ts';
import { ApiError } from '../lib/errors.ts';
import { progressOf, type ProgressCache } from './progress.ts';
import { batchColumns, toBatch, type BatchRow } from './rows.ts';

const missing = (id: string): ApiError => new ApiError('not_found', `No batch found with id '${id}'.`, { param: 'id' });

/** The batch of that id, if it is the tenant's; else the client's 404. */
export const getBatch = async (db: Db, { tenant }: Pick<Identity, 'tenant'>, id: string): Promise<BatchRow> => {
  const row = await db.maybe<BatchRow>(sql`select ${batchColumns} from batches b where b.id = ${id} and b.tenant_id = ${tenant}`);
  if (row === null) throw missing(id);
  return row;
};

export interface ListOptions {
  after?: string;
  limit: number;
  status?: BatchStatus[];
  user?: string;
}

/** A page of the tenant's batches, newest first. */
export const listBatches = async (
  db: Db,
  { tenant }: Identity,
  { after, limit, status, user }: ListOptions,
): Promise<{ rows: BatchRow[]; more: boolean }> => {
  const cursor =
    after === undefined ? null : await db.maybe<{ no: number }>(sql`select no from batches where id = ${after} and tenant_id = ${tenant}`);
  if (after !== undefined && cursor === null) throw missing(after);
  const rows = await db.many<BatchRow>(sql`
    select ${batchColumns} from batches b
    where b.tenant_id = ${tenant}
      ${cursor === null ? none : sql`and b.no < ${cursor.no}`}
      ${status === undefined ? none : sql`and b.status = any(${status}::text[])`}
      ${user === undefined ? none : sql`and b.created_by = ${user}`}
    order by b.no desc limit ${limit + 1}`);
  return { rows: rows.slice(0, limit), more: rows.length > limit };
};

interface Links {
  no: number;
  models: string[];
  continues: string | null;
  continued_by: string[];
}

const linksOf = async (db: Db, nos: number[]): Promise<Map<number, Links>> => {
  const rows = await db.many<Links>(sql`
    select b.no,
      array(select model from batch_models m where m.batch_no = b.no order by model) as models,
      (select id from batches o where o.no = b.continues_no) as continues,
      array(select id from batches c where c.continues_no = b.no order by c.no) as continued_by
    from unnest(${nos}::bigint[]) n (no) join batches b on b.no = n.no`);
  return new Map(rows.map((row) => [row.no, row]));
};

/** Batches as clients see them. */
export const present = async (db: Db, found: readonly BatchRow[], cache?: ProgressCache): Promise<Batch[]> => {
  let rows = found;
  const running = rows.filter((row) => ['in_progress', 'finalizing', 'cancelling'].includes(row.status));
  const one = cache !== undefined && rows.length === 1 ? rows[0]! : null;
  const [links, progress] = await Promise.all([
    linksOf(
      db,
      rows.map((row) => row.no),
    ),
    one === null
      ? progressOf(
          db,
          running.map((row) => row.no),
        )
      : cache!.of(one).then((p) => new Map(p === null ? [] : [[one.no, p]])),
  ]);
  // What ended between the two reads would be shown running with nothing done.
  const ended = running.filter((row) => row.sealed && !progress.has(row.no)).map((row) => row.no);
  if (ended.length > 0) {
    const fresh = await db.many<BatchRow>(sql`select ${batchColumns} from batches b where b.no = any(${ended}::bigint[])`);
    rows = rows.map((row) => fresh.find((each) => each.no === row.no) ?? row);
  }
  return rows.map((row) => {
    const { models = [], continues = null, continued_by = [] } = links.get(row.no) ?? {};
    return toBatch(row, { progress: progress.get(row.no) ?? null, models, continues, continued_by });
  });
};
