import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { ApiError } from '../lib/errors.ts';
import { announceControl } from '../requests/queue.ts';
import type { Storage } from '../storage/storage.ts';
import type { Announcer } from './announce.ts';
import { getJob } from './read.ts';
import { jobColumns, type JobRow } from './rows.ts';
import { cancelled } from './settle.ts';
import { dropFiles, dropObjects } from './sweep.ts';

/**
 * Cancels a job: at once where it does not run; where it does, its worker is told, and ends the call or the process.
 * A job that was cancelled before stays as it is; one that has ended otherwise is the client's 409.
 */
export const cancelJob = async (db: Db, announcer: Announcer, identity: Identity, id: string): Promise<JobRow> => {
  const row = await db.maybe<JobRow>(sql`
    update jobs j
    set state = case when state = 'running' then 'running' else 'cancelled' end,
        cancel_requested_at = coalesce(cancel_requested_at, now()),
        ended_at = case when state <> 'running' then now() end,
        error = case when state <> 'running' then ${JSON.stringify(cancelled)}::jsonb end
    where id = ${id} and tenant_id = ${identity.tenant} and state in ('queued', 'waiting', 'running')
    returning ${jobColumns}`);
  if (row !== null) {
    if (row.state === 'running') await announceControl(db);
    else announcer.ended([id]);
    return row;
  }
  const found = await getJob(db, identity, id);
  if (found.state === 'cancelled') return found;
  throw new ApiError('conflict', `The job '${id}' is ${found.state}; only a job that has not ended can be cancelled.`);
};

/** Deletes a job that has ended, with its bodies and files. */
export const deleteJob = async (db: Db, storage: Storage, identity: Identity, id: string): Promise<void> => {
  const row = await db.maybe<{ body_key: string | null; result_key: string | null }>(sql`
    delete from jobs where id = ${id} and tenant_id = ${identity.tenant} and ended_at is not null returning body_key, result_key`);
  if (row !== null) {
    await dropObjects(storage, [row.body_key, row.result_key]);
    return dropFiles(storage, identity.tenant, id);
  }
  const found = await getJob(db, identity, id);
  throw new ApiError('conflict', `The job '${id}' is ${found.state}; only a job that has ended can be deleted. Cancel it first.`);
};
