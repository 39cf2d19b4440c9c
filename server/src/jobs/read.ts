import type { JobStatus } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { none, sql } from '../db/sql.ts';
import { ApiError } from '../lib/errors.ts';
import { ofModel } from '../models/keys.ts';
import { jobColumns, type JobRow } from './rows.ts';

/** A job with where its answer is. */
export type AnsweredRow = JobRow & { tenant_id: string; result: string | null; result_key: string | null };

const missing = (id: string): ApiError => new ApiError('not_found', `No job found with id '${id}'.`, { param: 'id' });

/** Any job of the tenant; else the client's 404. */
export const getJob = async (db: Db, { tenant }: Identity, id: string): Promise<JobRow> => {
  const row = await db.maybe<JobRow>(sql`select ${jobColumns} from jobs j where j.id = ${id} and j.tenant_id = ${tenant}`);
  if (row === null) throw missing(id);
  return row;
};

/** The same with its answer. */
export const getAnswered = async (db: Db, { tenant }: Identity, id: string): Promise<AnsweredRow> => {
  const [row] = await answeredJobs(db, [id]);
  if (row === undefined || row.tenant_id !== tenant) throw missing(id);
  return row;
};

/** Jobs whose tenants the caller compares. */
export const answeredJobs = (db: Db, ids: readonly string[]): Promise<AnsweredRow[]> =>
  db.many<AnsweredRow>(sql`select ${jobColumns}, j.tenant_id, j.result, j.result_key from jobs j where j.id = any(${ids}::text[])`);

export interface JobFilter {
  status?: JobStatus[] | undefined;
  model?: string | undefined;
  user?: string | undefined;
  after?: string | undefined;
  limit: number;
}

/** The tenant's jobs, newest first. */
export const listJobs = async (
  db: Db,
  { tenant }: Identity,
  { status, model, user, after, limit }: JobFilter,
): Promise<{ rows: JobRow[]; more: boolean }> => {
  const rows = await db.many<JobRow>(sql`
    select ${jobColumns} from jobs j
    where j.tenant_id = ${tenant}
      ${after === undefined ? none : sql`and j.id < ${after}`}
      ${status === undefined ? none : sql`and j.state = any(${status}::text[])`}
      ${model === undefined ? none : sql`and ${ofModel(sql`j.model`, model)}`}
      ${user === undefined ? none : sql`and j.created_by = ${user}`}
    order by j.id desc limit ${limit + 1}`);
  return { rows: rows.slice(0, limit), more: rows.length > limit };
};
