import type { Db } from '../db/db.ts';
import { none, sql } from '../db/sql.ts';
import { record } from './events.ts';
import { rowCounts } from './parents.ts';

/** Per cent of a batch's requests that have completed or failed, at which an event says so. */
export const milestones = [10, 25, 50, 75, 90, 100] as const;

/**
 * Tells of the milestones a batch has come to, once each and in order; `batches.milestone` remembers the last. What
 * was cancelled or has expired is not done: such a batch ends short of 100. Safe to repeat, by any number of schedulers:
 * the batch's row is held while it is compared.
 *
 * @param settled requests that have completed or failed
 * @returns how many were told of
 */
export const passMilestones = async (tx: Db, batch: { no: number; tenant_id: string; total: number }, settled: number): Promise<number> => {
  if (batch.total === 0) return 0;
  const reached = milestones.filter((percent) => settled * 100 >= percent * batch.total);
  const row = await tx.maybe<{ before: number }>(sql`
    update batches b set milestone = ${reached.at(-1) ?? 0}
    from (select no, milestone from batches where no = ${batch.no} for update) old
    where b.no = old.no and old.milestone < ${reached.at(-1) ?? 0}
    returning old.milestone as before`);
  const passed = row === null ? [] : reached.filter((percent) => percent > row.before);
  for (const percent of passed) await record(tx, batch, 'batch.milestone', { percent });
  return passed.length;
};

/** Parents that have come to a milestone they have not told of, by their lines. */
const parentsPassed = async (db: Db, batchNo?: number): Promise<{ no: number; tenant_id: string; total: number; settled: number }[]> => {
  const open = await db.many<{ no: number; tenant_id: string; total: number; milestone: number }>(sql`
    select no, tenant_id, total, milestone from batches b
    where kind = 'parent' and status in ('in_progress', 'finalizing') and milestone < 100 ${batchNo === undefined ? none : sql`and b.no = ${batchNo}`}`);
  const passed = [];
  for (const { milestone, ...parent } of open) {
    const { completed, failed } = await rowCounts(db, parent);
    const next = milestones.find((percent) => percent > milestone)!;
    if ((completed + failed) * 100 >= next * parent.total) passed.push({ ...parent, settled: completed + failed });
  }
  return passed;
};

/** The same for all that run, or one of them, as their chunks say: nothing needs to have been told. */
export const sweepMilestones = async (db: Db, batchNo?: number): Promise<number> => {
  const rows = await db.many<{ no: number; tenant_id: string; total: number; settled: number }>(sql`
    select b.no, b.tenant_id, b.total, sum(c.completed + c.failed)::bigint as settled
    from batches b join chunks c on c.batch_no = b.no
    where b.status in ('in_progress', 'finalizing') and b.milestone < 100 ${batchNo === undefined ? none : sql`and b.no = ${batchNo}`}
    group by b.no having sum(c.completed + c.failed) * 100 >= b.total * (
      select min(m) from unnest(${[...milestones]}::int[]) m where m > b.milestone)`);
  let told = 0;
  rows.push(...(await parentsPassed(db, batchNo)));
  // One after the other: who holds several batches at once may stand in another's way.
  for (const { settled, ...batch } of rows)
    told += await db.transaction(async (tx) => {
      // What has ended since has told of all it came to.
      const open = await tx.maybe(sql`select from batches where no = ${batch.no} and status in ('in_progress', 'finalizing') for update`);
      return open === null ? 0 : passMilestones(tx, batch, settled);
    });
  return told;
};
