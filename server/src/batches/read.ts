import type { Batch, BatchStatus } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { none, sql } from '../db/sql.ts';
import { ApiError } from '../lib/errors.ts';
import { childrenOf } from './children.ts';
import { labelsOf } from './pinned.ts';
import { progressOfEach, type ProgressCache } from './progress-cache.ts';
import { batchColumns, toBatch, type BatchRow, type Progress } from './rows.ts';

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
  /** The batches of this parent; absent: those that are part of none. */
  parent?: string;
}

/** A page of the tenant's batches, newest first. */
export const listBatches = async (
  db: Db,
  { tenant }: Identity,
  { after, limit, status, user, parent }: ListOptions,
): Promise<{ rows: BatchRow[]; more: boolean }> => {
  const cursor =
    after === undefined ? null : await db.maybe<{ no: number }>(sql`select no from batches where id = ${after} and tenant_id = ${tenant}`);
  if (after !== undefined && cursor === null) throw missing(after);
  const of = parent === undefined ? null : await getBatch(db, { tenant }, parent);
  const rows = await db.many<BatchRow>(sql`
    select ${batchColumns} from batches b
    where b.tenant_id = ${tenant} and ${of === null ? sql`b.parent_no is null` : sql`b.parent_no = ${of.no}`}
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
  parent: string | null;
}

const linksOf = async (db: Db, nos: number[]): Promise<Map<number, Links>> => {
  const rows = await db.many<Links>(sql`
    select b.no,
      array(select model from batch_models m where m.batch_no = b.no order by model) as models,
      (select id from batches o where o.no = b.continues_no) as continues, (select id from batches p where p.no = b.parent_no) as parent,
      array(select id from batches c where c.continues_no = b.no order by c.no) as continued_by
    from unnest(${nos}::bigint[]) n (no) join batches b on b.no = n.no`);
  return new Map(rows.map((row) => [row.no, row]));
};

/** The same row, with what stands on its children: what is to become of a parent is asked of them. */
const asParent = (row: BatchRow, children: readonly BatchRow[]): BatchRow => {
  const running = children.filter(({ status }) => status === 'in_progress');
  const latest = (field: 'forecast_p50' | 'forecast_p90'): number | null =>
    running.length === 0 || running.some((child) => child[field] === null) ? null : Math.max(...running.map((child) => child[field]!));
  const escalated = children.flatMap(({ escalated_at: at }) => (at === null ? [] : [at]));
  return {
    ...row,
    at_risk: children.some(({ at_risk, status }) => at_risk && status === 'in_progress'),
    escalated_at: escalated.length === 0 ? null : Math.min(...escalated),
    forecast_p50: latest('forecast_p50'),
    forecast_p90: latest('forecast_p90'),
  };
};

/** Batches as clients see them. */
export const present = async (db: Db, found: readonly BatchRow[], cache?: ProgressCache): Promise<Batch[]> => {
  let rows = found;
  const parents = rows.filter(({ kind }) => kind === 'parent').map(({ no }) => no);
  const children = await childrenOf(db, parents);
  const running = [...rows, ...children].filter((row) => ['in_progress', 'finalizing', 'cancelling'].includes(row.status));
  const one = cache !== undefined && rows.length === 1 && children.length === 0 ? rows[0]! : null;
  const [links, progress] = await Promise.all([
    linksOf(
      db,
      rows.map((row) => row.no),
    ),
    one === null ? progressOfEach(db, running) : cache!.of(one).then((p) => new Map(p === null ? [] : [[one.no, p]])),
  ]);
  // What ended between the two reads would be shown running with nothing done.
  const ended = running.filter((row) => row.sealed && row.kind !== 'parent' && !progress.has(row.no)).map((row) => row.no);
  let members: readonly BatchRow[] = children;
  if (ended.length > 0) {
    const fresh = await db.many<BatchRow>(sql`select ${batchColumns} from batches b where b.no = any(${ended}::bigint[])`);
    const renewed = (row: BatchRow): BatchRow => fresh.find((each) => each.no === row.no) ?? row;
    [rows, members] = [rows.map(renewed), members.map(renewed)];
  }
  return rows.map((row) => {
    const { models = [], continues = null, continued_by = [], parent = null } = links.get(row.no) ?? {};
    const own = members.filter(({ parent_no }) => parent_no === row.no);
    return toBatch(row.kind === 'parent' ? asParent(row, own) : row, {
      progress: progress.get(row.no) ?? null,
      models,
      continues,
      continued_by,
      parent,
      children: childrenIn(row, own, progress),
    });
  });
};

const childrenIn = (parent: BatchRow, children: readonly BatchRow[], progress: ReadonlyMap<number, Progress>): Batch['children'] => {
  const pinned = parent.options.models ?? [];
  const labels = labelsOf(pinned.map(({ model }) => model));
  return children.map((child) => {
    const model = child.options.model!;
    const { completed, failed, cancelled, expired } = progress.get(child.no) ?? child;
    return {
      id: child.id,
      model,
      label: labels.get(model) ?? model,
      weight: pinned.find((each) => each.model === model)?.weight ?? 1,
      status: child.status,
      request_counts: { total: child.total, completed, failed, cancelled, expired },
    };
  });
};
