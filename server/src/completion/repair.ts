import type { BatchRepair } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import { expireDue } from '../batches/finalize.ts';
import { sweepMilestones } from '../batches/milestones.ts';
import { getBatch } from '../batches/read.ts';
import { terminal } from '../batches/state.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { announceBatches, announceControl, announceTurns, closeOpen, gatherDue, rescue } from '../requests/queue.ts';
import { lostLease } from './standing.ts';

type Done = BatchRepair['done'];

/**
 * Puts right whatever keeps a batch from going on, judged from its rows alone: what died, was lost or was never told.
 * Every step is a guarded statement that the schedulers make too, so it may be repeated, and made beside them; a batch
 * that is well is left as it is. Files are written by a scheduler, which is woken.
 */
export const repair = async (db: Db, identity: Pick<Identity, 'tenant'>, id: string, leaseSeconds: number): Promise<BatchRepair> => {
  const { no, status } = await getBatch(db, identity, id);
  const done: Done = [];
  const did = (code: Done[number]['code'], count: number, text: string): void => {
    if (count > 0) done.push({ code, text, count });
  };
  if (terminal(status))
    did('leftovers_removed', await removeLeftovers(db, no), 'Removed what was still queued or leased of a batch that has ended.');
  else {
    did('lease_ended', await endLease(db, no, leaseSeconds), 'Ended the lease of a scheduler that is gone; another begins at once.');
    did('expired', await expireDue(db, no), 'Its deadline has passed: nothing more of it starts.');
    did(
      'chunks_taken_back',
      await rescue(
        db,
        sql`batch_no = ${no} and id in (select c.id from chunks c where c.batch_no = ${no} and c.state = 'leased' and ${lostLease(leaseSeconds)})`,
      ),
      'Took back chunks from workers that are gone.',
    );
    did('closed', await closeStopped(db, no), 'Closed what had not started of a batch that is stopping.');
    did('retries_gathered', (await gatherDue(db, { batchNo: no })).chunks, 'Queued retries that were due.');
    did('milestones_told', await sweepMilestones(db, no), 'Told of milestones that had been passed.');
  }
  await Promise.all([announceBatches(db), announceTurns(db), announceControl(db)]);
  return { object: 'batch.repair', id, status: (await getBatch(db, identity, id)).status, done };
};

/** The same for all open batches of a tenant; what was done for each for which something was. */
export const repairAll = async (
  db: Db,
  { tenant }: Pick<Identity, 'tenant'>,
  leaseSeconds: number,
): Promise<{ looked: number; data: BatchRepair[] }> => {
  const open = await db.many<{ id: string }>(sql`
    select id from batches
    where tenant_id = ${tenant} and (status in ('validating', 'in_progress', 'finalizing', 'cancelling')
      or no in (select batch_no from chunks where state in ('queued', 'leased') union select batch_no from waiting))
    order by no`);
  const data: BatchRepair[] = [];
  for (const { id } of open) {
    const repaired = await repair(db, { tenant }, id, leaseSeconds);
    if (repaired.done.length > 0) data.push(repaired);
  }
  return { looked: open.length, data };
};

/** A lease that has run out, or that lasts longer than any is given: a clock was put back. */
const endLease = (db: Db, no: number, leaseSeconds: number): Promise<number> =>
  db.run(sql`
    update batches set token = null, leased_until = null
    where no = ${no} and status in ('validating', 'in_progress', 'finalizing', 'cancelling')
      and (leased_until < now() or leased_until > now() + make_interval(secs => ${Math.max(60, 3 * leaseSeconds)}))`);

const closeStopped = (db: Db, no: number): Promise<number> =>
  db.transaction(async (tx) => {
    const stopped = await tx.maybe<{ state: 'cancelled' | 'expired'; open: number }>(sql`
      select case when b.status = 'cancelling' then 'cancelled' else 'expired' end as state,
        (select count(*) from chunks c where c.batch_no = b.no and c.state = 'queued')
          + (select count(*) from waiting w where w.batch_no = b.no) as open
      from batches b where b.no = ${no} and (b.status = 'cancelling' or (b.status = 'in_progress' and b.expiring))`);
    if (stopped === null || stopped.open === 0) return 0;
    await closeOpen(tx, no, stopped.state);
    return stopped.open;
  });

/** Its files and counts are written, and hold every line: what is still open of it would run for nothing. */
const removeLeftovers = async (db: Db, no: number): Promise<number> =>
  db.transaction(async (tx) => {
    const held = await tx.maybe(
      sql`select from batches where no = ${no} and status in ('completed', 'expired', 'cancelled', 'failed') for update`,
    );
    if (held === null) return 0;
    return (
      (await tx.run(sql`delete from chunks where batch_no = ${no} and state in ('queued', 'leased')`)) +
      (await tx.run(sql`delete from waiting where batch_no = ${no}`))
    );
  });
