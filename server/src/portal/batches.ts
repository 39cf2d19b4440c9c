import type { BatchSort, ListPortalBatches, PortalBatch, PortalBatchPage } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import { modelsOf, pageOfBatches, standingsOf, type ListedBatch, type Place } from '../batches/page.ts';
import { terminal } from '../batches/state.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { ApiError } from '../lib/errors.ts';
import { shownKey } from '../models/keys.ts';
import { filterOf } from './filter.ts';

type Sort = NonNullable<ListPortalBatches['sort']>;

/** Where a page ended, by what it was sorted: batches that come and go meanwhile move nobody's place. */
const cursorOf = (sort: Sort, { key, no }: Place): string => Buffer.from(JSON.stringify([sort, key, no])).toString('base64url');

const placeOf = (cursor: string, sort: Sort): Place => {
  const refuse = (): ApiError =>
    new ApiError('invalid_value', 'The cursor is none of this list, or of another sort. Begin again without it.', { param: 'cursor' });
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw refuse();
  }
  if (!Array.isArray(parsed) || parsed.length !== 3) throw refuse();
  const [of, key, no] = parsed as unknown[];
  if (of !== sort || typeof key !== 'string' || !Number.isSafeInteger(no)) throw refuse();
  const fits: Record<BatchSort, RegExp> = {
    created_at: /^\d{4,6}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?[+-]\d\d(:\d\d){0,2}$/,
    deadline: /^\d{4,6}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?[+-]\d\d(:\d\d){0,2}$/,
    name: /^[^\0]*$/,
    total: /^\d{1,18}$/,
    failed: /^\d+(\.\d+)?(e[+-]?\d{1,3})?$/,
    duration: /^-?\d+(\.\d+)?(e[+-]?\d{1,3})?$|^Infinity$/,
  };
  if (!fits[sort.replace(/^-/, '') as BatchSort].test(key)) throw refuse();
  return { key, no: no as number };
};

const seconds = (time: number | null): number | null => (time === null ? null : Math.floor(time));

const present = async (db: Db, rows: readonly ListedBatch[]): Promise<PortalBatch[]> => {
  const nos = (which: (row: ListedBatch) => boolean): number[] => rows.filter(which).map(({ no }) => no);
  const [standings, models] = await Promise.all([
    standingsOf(
      db,
      nos(({ status }) => !terminal(status) && status !== 'validating'),
    ),
    modelsOf(
      db,
      nos(({ model, total }) => model === null && total > 0),
    ),
  ]);
  const standing = new Map(standings.map((each) => [each.no, each]));
  const several = new Map(models.map((each) => [each.no, each]));
  return rows.map(({ no, key: _, ...row }) => {
    const { completed, failed, running } = standing.get(no) ?? { ...row, running: 0 };
    const model = row.model ?? several.get(no)?.first ?? null;
    return {
      id: row.id,
      name: row.name,
      status: row.status,
      model: model === null ? null : shownKey(model),
      models: several.get(no)?.count ?? (model === null ? 0 : 1),
      total: row.total,
      completed,
      failed,
      running,
      sla: row.sla,
      deadline: Math.floor(row.deadline),
      eta: seconds(row.eta),
      created_at: Math.floor(row.created_at),
      started_at: seconds(row.started_at),
      ended_at: seconds(row.ended_at),
      owner: row.owner,
      priority: row.priority,
      pool: row.pool || null,
    };
  });
};

export const timeNow = async (db: Db): Promise<number> =>
  (await db.one<{ now: number }>(sql`select extract(epoch from now())::float8 as now`)).now;

/** A page of the list. */
export const listPage = async (db: Db, { tenant }: Identity, query: ListPortalBatches): Promise<PortalBatchPage> => {
  const { sort = '-created_at', cursor, limit = 50, ...filter } = query;
  const now = await timeNow(db);
  const after = cursor === undefined ? null : placeOf(cursor, sort);
  const [descending, by] = [sort.startsWith('-'), sort.replace(/^-/, '') as BatchSort];
  const rows = await pageOfBatches(db, tenant, filterOf(filter, now), { sort: by, descending, after, limit: limit + 1 });
  const shown = rows.slice(0, limit);
  return { object: 'list', now, data: await present(db, shown), next: rows.length > limit ? cursorOf(sort, shown.at(-1)!) : null };
};
