import type { Screen, ScreenSummary } from '@sluice/contract';
import { listArtifacts } from '../artifacts/artifacts.ts';
import { shown } from '../artifacts/send.ts';
import type { Identity } from '../auth/identity.ts';
import { present } from '../batches/read.ts';
import { batchColumns, type BatchRow } from '../batches/rows.ts';
import type { Db } from '../db/db.ts';
import { none, sql } from '../db/sql.ts';
import { ApiError } from '../lib/errors.ts';
import type { ScreenSpec } from './create.ts';

/** A screen with its batch. */
export type ScreenRow = BatchRow & {
  spec: ScreenSpec;
  gathered: boolean;
  gather_error: string | null;
  given_up: boolean;
  summary: ScreenSummary | null;
};

const columns = sql`
  ${batchColumns}, s.spec, s.gathered_at is not null as gathered, s.error as gather_error, s.summary,
  s.gathered_at is null and s.tries > 5 and s.leased_until < now() as given_up`;

const missing = (id: string): ApiError => new ApiError('not_found', `No screen found with id '${id}'.`, { param: 'id' });

export const getScreen = async (db: Db, { tenant }: Identity, id: string): Promise<ScreenRow> => {
  const row = await db.maybe<ScreenRow>(sql`
    select ${columns} from batches b join screens s on s.batch_no = b.no where b.id = ${id} and b.tenant_id = ${tenant}`);
  if (row === null) throw missing(id);
  return row;
};

export interface ScreenFilter {
  after?: string | undefined;
  limit: number;
  user?: string | undefined;
}

/** The tenant's screens, newest first. */
export const listScreens = async (
  db: Db,
  { tenant }: Identity,
  { after, limit, user }: ScreenFilter,
): Promise<{ rows: ScreenRow[]; more: boolean }> => {
  const cursor =
    after === undefined ? null : await db.maybe<{ no: number }>(sql`select no from batches where id = ${after} and tenant_id = ${tenant}`);
  if (after !== undefined && cursor === null) throw missing(after);
  const rows = await db.many<ScreenRow>(sql`
    select ${columns} from batches b join screens s on s.batch_no = b.no
    where b.tenant_id = ${tenant} and b.kind = 'screen'
      ${cursor === null ? none : sql`and b.no < ${cursor.no}`}
      ${user === undefined ? none : sql`and b.created_by = ${user}`}
    order by b.no desc limit ${limit + 1}`);
  return { rows: rows.slice(0, limit), more: rows.length > limit };
};

const resultsOf = ({ gathered, given_up, gather_error, status }: ScreenRow): Pick<Screen['results'], 'status' | 'error'> => {
  if (status === 'failed') return { status: 'failed', error: 'Its batch was refused; see its errors.' };
  if (gathered) return { status: 'ready', error: null };
  return given_up ? { status: 'failed', error: gather_error } : { status: 'pending', error: gather_error };
};

/** Screens as clients see them. @param whole with their files and summary */
export const toScreens = async (db: Db, rows: readonly ScreenRow[], { whole }: { whole: boolean }): Promise<Screen[]> => {
  const batches = await present(db, rows);
  return Promise.all(
    rows.map(async (row, i): Promise<Screen> => {
      const batch = batches[i]!;
      const files = whole && row.gathered ? await listArtifacts(db, { batchNo: row.no, line: 0 }) : [];
      return {
        id: batch.id,
        object: 'screen',
        name: batch.name,
        model: batch.models[0] ?? batch.model ?? '',
        status: batch.status,
        created_at: batch.created_at,
        created_by: batch.created_by,
        expires_at: batch.expires_at,
        ended_at: batch.completed_at ?? batch.expired_at ?? batch.cancelled_at ?? batch.failed_at,
        request_counts: batch.request_counts,
        proteins: row.spec.proteins,
        ligands: row.spec.ligands,
        invalid: row.spec.invalid,
        affinity: row.spec.affinity,
        parameters: row.spec.parameters,
        max_concurrent: batch.max_concurrent,
        metadata: batch.metadata,
        results: { ...resultsOf(row), artifacts: files.map((file) => shown(file, `/v1/batches/${batch.id}/artifacts`)) },
        summary: whole ? row.summary : null,
      };
    }),
  );
};
