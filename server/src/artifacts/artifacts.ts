import type { Artifact } from '@sluice/contract';
import type { Db } from '../db/db.ts';
import { sql, type Statement } from '../db/sql.ts';

/** A file in storage that an attempt left; nobody sees it until its row is written. */
export interface Kept {
  name: string;
  key: string;
  type: string;
  bytes: number;
  sha256: string;
}

/** The same, with the line it is of. */
export interface KeptOfLine extends Kept {
  line: number;
  attempt: number;
}

export interface KeptOfJob extends Kept {
  job: string;
  attempt: number;
}

export interface ArtifactRow {
  line: number | null;
  attempt: number;
  name: string;
  storage_key: string;
  content_type: string;
  bytes: number;
  sha256: string;
}

/** Whose files are meant: those of a line of a batch (0: of the batch itself), or of a job. */
export type Owner = { batchNo: number; line: number } | { job: string };

/** What an answer says of its files. */
export const named = (files: readonly Kept[]): Pick<Artifact, 'name' | 'content_type' | 'bytes' | 'sha256'>[] =>
  files.map(({ name, type, bytes, sha256 }) => ({ name, content_type: type, bytes, sha256 }));

const column = <T, K extends keyof T>(rows: readonly T[], key: K): T[K][] => rows.map((row) => row[key]);

const columns = sql`storage_key, content_type, bytes, sha256`;

/**
 * The insert of what requests left, beside the statement that settles them.
 *
 * @param fenced a relation of one row with `batch_no`, empty where the lease was lost
 */
export const insertOfLines = (fenced: Statement, files: readonly KeptOfLine[]): Statement => sql`
  insert into artifacts (batch_no, line, attempt, name, ${columns})
  select f.batch_no, a.line, a.attempt, a.name, a.key, a.type, a.bytes, a.sha256
  from ${fenced} f, unnest(${column(files, 'line')}::int[], ${column(files, 'attempt')}::smallint[], ${column(files, 'name')}::text[],
    ${column(files, 'key')}::text[], ${column(files, 'type')}::text[], ${column(files, 'bytes')}::bigint[], ${column(files, 'sha256')}::text[])
    a (line, attempt, name, key, type, bytes, sha256)
  on conflict do nothing`;

/** The same for jobs. @param moved the jobs that were settled, by `id` */
export const insertOfJobs = (moved: Statement, files: readonly KeptOfJob[]): Statement => sql`
  insert into artifacts (job_id, attempt, name, ${columns})
  select m.id, a.attempt, a.name, a.key, a.type, a.bytes, a.sha256
  from ${moved} m join unnest(${column(files, 'job')}::text[], ${column(files, 'attempt')}::smallint[], ${column(files, 'name')}::text[],
    ${column(files, 'key')}::text[], ${column(files, 'type')}::text[], ${column(files, 'bytes')}::bigint[], ${column(files, 'sha256')}::text[])
    a (job, attempt, name, key, type, bytes, sha256) on a.job = m.id
  on conflict do nothing`;

const of = (owner: Owner): Statement =>
  'job' in owner ? sql`job_id = ${owner.job}` : sql`batch_no = ${owner.batchNo} and line = ${owner.line}`;

/** The files of the newest attempt that left any, or of the one that is asked for; by name. */
export const listArtifacts = (db: Db, owner: Owner, attempt: number | null = null): Promise<ArtifactRow[]> =>
  db.many<ArtifactRow>(sql`
    select line, attempt, name, ${columns} from artifacts
    where ${of(owner)} and attempt = coalesce(${attempt}::int, (select max(attempt) from artifacts where ${of(owner)}))
    order by name`);

export const findArtifact = (db: Db, owner: Owner, name: string, attempt: number | null = null): Promise<ArtifactRow | null> =>
  db.maybe<ArtifactRow>(sql`
    select line, attempt, name, ${columns} from artifacts
    where ${of(owner)} and name = ${name} and attempt = coalesce(${attempt}::int, (select max(attempt) from artifacts where ${of(owner)}))`);

/** The keys of all files of a batch. */
export const keysOfBatch = async (db: Db, batchNo: number): Promise<Set<string>> =>
  new Set(
    column(await db.many<{ storage_key: string }>(sql`select storage_key from artifacts where batch_no = ${batchNo}`), 'storage_key'),
  );

/** Of these jobs those that have files. */
export const jobsWithFiles = async (db: Db, ids: readonly string[]): Promise<string[]> =>
  column(await db.many<{ job_id: string }>(sql`select distinct job_id from artifacts where job_id = any(${ids}::text[])`), 'job_id');
