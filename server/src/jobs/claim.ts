import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { jobLosses } from './state.ts';

/** A worker's right to run a job, until it settles, releases or loses it. */
export interface JobLease {
  id: string;
  tenant_id: string;
  model: string;
  endpoint: string;
  body: string | null;
  body_key: string | null;
  /** Fences every write: a later lease of the same job has another. */
  token: number;
  /** Attempts that are behind it. */
  attempts: number;
  max_attempts: number | null;
  losses: number;
  timeout_ms: number | null;
  soft_timeout_ms: number | null;
  /** Milliseconds until its deadline; null: it has none. */
  left_ms: number | null;
  /** Seconds since it was submitted. */
  waited: number;
}

/** How many more jobs of each model a worker would run. */
export type Rooms = readonly { model: string; room: number }[];

const open = sql`state in ('queued', 'waiting') and turn_at <= now() and (deadline is null or deadline > now())`;

/**
 * Leases as many jobs as there is room for, in one statement: of each model those whose turn came first, tenant after
 * tenant, so that a tenant with one job waits for one job of each other tenant at most. Tenants are found by skipping
 * along the index. Jobs that another worker is taking just now are left to it.
 *
 * @param lately tenants that the worker has served, the last one at the end: where there is room for few, others go first
 * @param suspect whether one of those may be among them that are likely to have killed their workers
 */
export const claimJobs = (
  db: Db,
  workerId: string,
  rooms: Rooms,
  seconds: number,
  { lately = [], suspect = true }: { lately?: readonly string[]; suspect?: boolean } = {},
): Promise<JobLease[]> => {
  const models = rooms.map(({ model }) => model);
  return db.many<JobLease>(sql`
    with recursive wanted as (
      select model, room from unnest(${models}::text[], ${rooms.map(({ room }) => room)}::int[]) w (model, room)),
    tenants as (
      select w.model, w.room, (select min(tenant_id) from jobs j where j.state in ('queued', 'waiting') and j.model = w.model) as tenant
      from wanted w
      union all
      select t.model, t.room,
        (select min(tenant_id) from jobs j where j.state in ('queued', 'waiting') and j.model = t.model and j.tenant_id > t.tenant)
      from tenants t where t.tenant is not null),
    ranked as (
      select c.id, c.turn_at, t.model, t.room, coalesce(array_position(${lately}::text[], t.tenant), 0) as served,
        row_number() over (partition by t.model, t.tenant order by c.turn_at, c.id) as place
      from tenants t, lateral (
        select id, turn_at from jobs j
        where j.model = t.model and j.tenant_id = t.tenant and ${open} and losses < ${jobLosses - 1}
        order by turn_at, id limit t.room) c
      where t.tenant is not null),
    chosen as (
      select id from (select id, room, row_number() over (partition by model order by place, served, turn_at, id) as n from ranked) r where n <= room
      union all
      (select id from jobs
       where ${suspect} and model = any(${models}::text[]) and ${open} and losses >= ${jobLosses - 1} order by turn_at limit 1)),
    locked as materialized (
      select id from jobs where id = any(array(select id from chosen)) and ${open} for update skip locked)
    update jobs j
    set state = 'running', token = nextval('lease_token'), worker_id = ${workerId}, leased_until = now() + make_interval(secs => ${seconds}),
        started_at = coalesce(started_at, now())
    where id = any(array(select id from locked))
    returning id, tenant_id, model, endpoint, body, body_key, token, attempts, max_attempts, losses, timeout_ms, soft_timeout_ms,
      (extract(epoch from deadline - now()) * 1000)::float8 as left_ms, extract(epoch from now() - created_at)::float8 as waited`);
};

/** What a heartbeat finds out about one job: it is still held, and whether its owner wants it no more. */
export interface HeldJob {
  id: string;
  token: number;
  cancel: boolean;
}

/** Renews the leases a worker knows of, in one statement; a job that is not among the answers is lost. */
export const renewJobs = (db: Db, workerId: string, tokens: readonly number[], seconds: number): Promise<HeldJob[]> =>
  db.many<HeldJob>(sql`
    update jobs set leased_until = now() + make_interval(secs => ${seconds})
    where worker_id = ${workerId} and state = 'running' and token = any(${tokens}::bigint[])
    returning id, token, cancel_requested_at is not null as cancel`);

/** Marks jobs that run for longer than their soft limits. */
export const markSlow = (db: Db, tokens: readonly number[]): Promise<number> =>
  db.run(sql`update jobs set slow = true where state = 'running' and token = any(${tokens}::bigint[])`);
