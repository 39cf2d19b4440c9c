import type { PredictionFilter, PredictionRecord } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { none, sql, type Statement } from '../db/sql.ts';
import { ApiError } from '../lib/errors.ts';
import { ofModel, shownColumn } from '../models/keys.ts';

interface Row extends Omit<PredictionRecord, 'object' | 'error' | 'input' | 'output'> {
  no: number;
  code: string | null;
  message: string | null;
}

const columns = sql`
  p.no, p.id, extract(epoch from p.created_at)::float8 as created_at, p.created_by as user, ${shownColumn(sql`p.model`)} as model,
  p.status_code, p.code, p.message, encode(p.input_hash, 'hex') as input_hash, p.input_bytes, p.cache,
  p.queue_ms::float8, p.batch_ms::float8, p.compute_ms::float8, p.total_ms::float8, p.request_id,
  extract(epoch from p.expires_at)::float8 as expires_at`;

const toRecord = ({ no: _, code, message, ...row }: Row): PredictionRecord => ({
  object: 'prediction.record',
  ...row,
  error: code === null ? null : { code, message: message ?? '' },
});

type Filter = Omit<PredictionFilter, 'format'>;

const matching = ({ model, user, input_hash, failed, since, until }: Filter): Statement => sql`
  ${model === undefined ? none : sql`and ${ofModel(sql`p.model`, model)}`}
  ${user === undefined ? none : sql`and p.created_by = ${user}`}
  ${input_hash === undefined ? none : sql`and p.input_hash = decode(${input_hash}, 'hex')`}
  ${failed === undefined ? none : failed ? sql`and p.code is not null` : sql`and p.code is null`}
  ${since === undefined ? none : sql`and p.created_at >= to_timestamp(${since})`}
  ${until === undefined ? none : sql`and p.created_at < to_timestamp(${until})`}`;

const missing = (id: string): ApiError => new ApiError('not_found', `No record of a prediction found with id '${id}'.`, { param: 'id' });

/** The tenant's records, the newest first. */
export const listPredictions = async (
  db: Db,
  { tenant }: Identity,
  { after, limit, ...filter }: Filter & { after?: string | undefined; limit: number },
): Promise<{ data: PredictionRecord[]; more: boolean }> => {
  const place =
    after === undefined
      ? null
      : await db.maybe<{ no: number }>(
          sql`select max(no) as no from predictions where id = ${after} and tenant_id = ${tenant} having max(no) is not null`,
        );
  if (after !== undefined && place === null) throw missing(after);
  const rows = await db.many<Row>(sql`
    select ${columns} from predictions p
    where p.tenant_id = ${tenant} ${place === null ? none : sql`and p.no < ${place.no}`} ${matching(filter)}
    order by p.no desc limit ${limit + 1}`);
  return { data: rows.slice(0, limit).map(toRecord), more: rows.length > limit };
};

/** One record, with what was asked and answered where that was kept. */
export const getPrediction = async (db: Db, { tenant }: Identity, id: string): Promise<PredictionRecord> => {
  const row = await db.maybe<Row & { input: string | null; output: string | null }>(sql`
    select ${columns}, p.input, p.output from predictions p where p.id = ${id} and p.tenant_id = ${tenant} order by p.no desc limit 1`);
  if (row === null) throw missing(id);
  const { input, output, ...rest } = row;
  const parsed = (text: string | null): unknown => (text === null ? undefined : (JSON.parse(text) as unknown));
  return { ...toRecord(rest), ...(input !== null && { input: parsed(input) }), ...(output !== null && { output: parsed(output) }) };
};

const page = 1_000;

/** All that a filter matches, oldest first, page after page: memory does not grow with their number. */
export async function* allPredictions(db: Db, { tenant }: Identity, filter: Filter): AsyncGenerator<ExportedRecord[]> {
  let after = 0;
  for (;;) {
    const rows = await db.many<Row & Bodies>(sql`
      select ${columns}, p.input, p.output from predictions p
      where p.tenant_id = ${tenant} and p.no > ${after} ${matching(filter)} order by p.no limit ${page}`);
    if (rows.length > 0) yield rows.map(({ input, output, ...row }) => ({ record: toRecord(row), input, output }));
    if (rows.length < page) return;
    after = rows.at(-1)!.no;
  }
}

interface Bodies {
  /** JSON texts; null where they were not kept. */
  input: string | null;
  output: string | null;
}

export interface ExportedRecord extends Bodies {
  record: PredictionRecord;
}
