import { jobsWithFiles } from '../artifacts/artifacts.ts';
import { jobFolder } from '../artifacts/keys.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import type { Storage } from '../storage/storage.ts';
import type { Announcer } from './announce.ts';
import type { JobError } from './rows.ts';
import { cancelled } from './settle.ts';
import { jobLosses } from './state.ts';

const expired: JobError = { code: 'job_expired', message: 'The job had not ended at its deadline.', traceback: null };

/** Rows that are moved in one statement: no claim waits long for one of them. */
const swept = 1_000;

/** Page after page, until one is not full. Says how many in all. */
const allOf = async (page: () => Promise<number>): Promise<number> => {
  let all = 0;
  for (let moved = swept; moved === swept;) {
    moved = await page();
    all += moved;
  }
  return all;
};

/**
 * Takes jobs back whose leases have run out; a job that so many workers died of is a dead letter. Says how many leases
 * had run out.
 */
export const rescueJobs = (db: Db, announcer: Announcer): Promise<number> => allOf(() => rescuePage(db, announcer));

const rescuePage = async (db: Db, announcer: Announcer): Promise<number> => {
  const rows = await db.many<{ id: string; state: string }>(sql`
    update jobs j
    set state = case when cancel_requested_at is not null then 'cancelled' when deadline <= now() then 'expired'
                     when losses + 1 >= ${jobLosses} then 'dead_lettered' else 'queued' end,
        error = case when cancel_requested_at is not null then ${JSON.stringify(cancelled)}::jsonb
                     when deadline <= now() then ${JSON.stringify(expired)}::jsonb
                     when losses + 1 >= ${jobLosses} then jsonb_build_object('code', 'worker_lost', 'traceback', null,
                       'message', 'The worker died each of the ' || losses + 1 || ' times this job ran; it will not be tried again.') end,
        ended_at = case when cancel_requested_at is not null or deadline <= now() or losses + 1 >= ${jobLosses} then now() end,
        history = history || jsonb_build_object('number', attempts + 1, 'kind', 'worker_lost', 'code', 'worker_lost',
          'message', 'The worker was lost.', 'status_code', null, 'worker', worker_id,
          'started_at', extract(epoch from started_at), 'duration_ms', 0),
        losses = losses + 1, token = null, leased_until = null
    where id = any(array(
      select id from jobs where state = 'running' and leased_until < now() order by id limit ${swept} for update skip locked))
    returning id, state`);
  if (rows.some(({ state }) => state === 'queued')) announcer.queued();
  announcer.ended(rows.filter(({ state }) => state !== 'queued').map(({ id }) => id));
  return rows.length;
};

/** Ends what had not begun at its deadline; what runs is ended by its worker, or by the rescue. Says how many. */
export const expireJobs = (db: Db, announcer: Announcer): Promise<number> => allOf(() => expirePage(db, announcer));

const expirePage = async (db: Db, announcer: Announcer): Promise<number> => {
  const rows = await db.many<{ id: string }>(sql`
    update jobs set state = 'expired', ended_at = now(), error = ${JSON.stringify(expired)}::jsonb
    where id = any(array(
      select id from jobs where state in ('queued', 'waiting') and deadline <= now() order by deadline limit ${swept} for update skip locked))
    returning id`);
  announcer.ended(rows.map(({ id }) => id));
  return rows.length;
};

/** Jobs deleted in one statement. */
const page = 500;

export const dropObjects = async (storage: Storage, keys: readonly (string | null)[]): Promise<void> => {
  for (const key of keys) if (key !== null) await storage.delete(key);
};

/** Removes all files of a job, also those that nobody sees. */
export const dropFiles = async (storage: Storage, tenant: string, id: string): Promise<void> => {
  for await (const { key } of storage.list(`${jobFolder(tenant, id)}/`)) await storage.delete(key);
};

/** Deletes jobs that ended more than `days` days ago, and their bodies, page after page. Says how many. */
export const dropOldJobs = async (db: Db, storage: Storage, days: number): Promise<number> => {
  let dropped = 0;
  let after = '';
  for (;;) {
    // By id: that of a job that ended long ago was made before, so ids are all that has to be looked through.
    const found = await db.many<{ id: string; tenant_id: string; body_key: string | null; result_key: string | null }>(sql`
      select id, tenant_id, body_key, result_key from jobs
      where id > ${after} and id < 'job_' || lpad(to_hex((extract(epoch from now() - make_interval(days => ${days})) * 1000)::bigint + 1), 12, '0') || 'g'
        and ended_at < now() - make_interval(days => ${days})
      order by id limit ${page}`);
    if (found.length === 0) return dropped;
    // Bytes first: a crash between the two leaves a row whose bytes are deleted again, which is nothing.
    for (const { body_key, result_key } of found) await dropObjects(storage, [body_key, result_key]);
    const kept = new Set(
      await jobsWithFiles(
        db,
        found.map(({ id }) => id),
      ),
    );
    for (const { id, tenant_id } of found) if (kept.has(id)) await dropFiles(storage, tenant_id, id);
    dropped += await db.run(sql`delete from jobs where id = any(${found.map(({ id }) => id)}::text[]) and ended_at is not null`);
    after = found.at(-1)!.id;
  }
};

/** Removes bodies and files in storage that no row names, left by processes that died. Says how many. */
export const sweepJobObjects = async (db: Db, storage: Storage, before: Date): Promise<number> => {
  let removed = 0;
  const remove = async (keys: readonly string[]): Promise<void> => {
    const known = await db.many<{ key: string }>(sql`
      select k.key from unnest(${keys}::text[], ${keys.map((key) => key.split('/')[2]!.split('.')[0]!)}::text[]) k (key, id)
      join jobs j on j.id = k.id
      where k.key in (j.body_key, j.result_key) or exists (select from artifacts a where a.job_id = k.id and a.storage_key = k.key)`);
    const kept = new Set(known.map(({ key }) => key));
    for (const key of keys)
      if (!kept.has(key)) {
        await storage.delete(key);
        removed++;
      }
  };
  // A tenant without a job left has none of these since its last round.
  for (const { tenant_id } of await db.many<{ tenant_id: string }>(sql`select distinct tenant_id from jobs`)) {
    let keys: string[] = [];
    for await (const { key, modified } of storage.list(`${tenant_id}/jobs/`)) {
      if (modified < before) keys.push(key);
      if (keys.length === 1_000) await remove(keys.splice(0));
    }
    if (keys.length > 0) await remove(keys);
  }
  return removed;
};
