import type { RequestState, RequestSummary } from '@sluice/contract';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { eachLine, formatLines, hasLine, linesOf, parseLines, type Lines } from '../formats/lines.ts';
import { Manifest, type Copied, type Settled } from '../formats/manifest.ts';
import { readLines } from '../formats/read-lines.ts';
import { requestId } from '../lib/ids.ts';
import { shownKey } from '../models/keys.ts';
import { NotFound, type Storage } from '../storage/storage.ts';
import { escalatedAt, givenTo, type PoolMove } from './moves.ts';

/**
 * A row per request, for whoever asks: put together from its segment's manifest, its exception row, its wait, or the
 * chunk it stands in. Nothing of it is stored per request unless the request went wrong.
 */
export interface ViewDeps {
  db: Db;
  storage: Storage;
}

/** What the view needs to know of a batch. */
export interface ViewedBatch {
  no: number;
  id: string;
  total: number;
  input_key: string | null;
  index_key: string | null;
  /** To which workers its work was given; times in seconds since the epoch. */
  pool_history: readonly PoolMove[];
}

/** Where the result line of a settled request is. */
export interface ResultPlace {
  key: string;
  start: number;
  end: number;
}

export type Viewed = RequestSummary & { result: ResultPlace | null };

const ranges = (from: number, to: number): string => `{[${from},${to})}`;

/**
 * The lines of a batch in the given states, from line `from` on: at least the first `limit` of them, where there are
 * so many. Looks at windows of lines, each twice the one before, so that a page costs what it shows and a rare state
 * costs a few looks.
 */
export const linesInStates = async (
  db: Db,
  batch: ViewedBatch,
  states: readonly RequestState[],
  from: number,
  limit: number,
): Promise<number[]> => {
  const found: number[] = [];
  let window = 4_096;
  for (let start = from; start <= batch.total && found.length < limit; start += window, window *= 2) {
    const lines = await statesWithin(db, batch.no, states, start, Math.min(batch.total + 1, start + window));
    for (const line of eachLine(lines)) {
      if (found.push(line) >= limit) break;
    }
  }
  return found;
};

const chunkState: Partial<Record<RequestState, string>> = {
  queued: 'queued',
  running: 'leased',
  cancelled: 'cancelled',
  expired: 'expired',
};

const statesWithin = async (db: Db, batchNo: number, states: readonly RequestState[], from: number, to: number): Promise<Lines> => {
  const window = ranges(from, to);
  const { lines } = await db.one<{ lines: string }>(sql`
    with failed as (select line, state from requests where batch_no = ${batchNo} and line >= ${from} and line < ${to}),
    found as (
      select unnest(lines * ${window}::int4multirange) as r from chunks
      where batch_no = ${batchNo} and lines && ${window}::int4multirange and state = any(${states.flatMap((s) => chunkState[s] ?? [])}::text[])
      union all select int4range(line, line + 1) from failed where state = any(${states}::text[])
      union all select int4range(line, line + 1) from waiting
      where ${states.includes('waiting')} and batch_no = ${batchNo} and line >= ${from} and line < ${to}
      union all select unnest((lines * ${window}::int4multirange)
        - coalesce((select range_agg(int4range(line, line + 1)) from failed), '{}'::int4multirange)) from segments
      where ${states.includes('completed')} and batch_no = ${batchNo} and first_line < ${to} and last_line >= ${from})
    select coalesce(range_agg(r), '{}'::int4multirange)::text as lines from found`);
  return parseLines(lines);
};

interface Place {
  chunks: { lines: Lines; state: string; model: string; worker_id: string | null; pool: string | null; leased_at: number | null }[];
  segments: {
    lines: Lines;
    model: string;
    worker_id: string;
    pool: string;
    storage_key: string;
    data_bytes: number;
    manifest_bytes: number;
  }[];
  rows: Map<
    number,
    {
      state: RequestState;
      model: string;
      code: string;
      message: string;
      status_code: number | null;
      attempts: number;
      worker_id: string | null;
      settled_at: number;
    }
  >;
  waiting: Map<number, string>;
  attempts: Map<number, number>;
  newest: Map<number, string>;
}

const look = async (db: Db, batchNo: number, numbers: readonly number[]): Promise<Place> => {
  const wanted = formatLines(linesOf(numbers));
  const [from, to] = [numbers[0]!, numbers.at(-1)!];
  const [chunks, segments, rows, waiting, attempts] = await Promise.all([
    db.many<{ lines: string; state: string; model: string; worker_id: string | null; pool: string | null; leased_at: number | null }>(sql`
      select lines::text, state, model, worker_id, coalesce((select w.pool from workers w where w.id = worker_id), chunks.pool) as pool,
        extract(epoch from leased_at)::float8 as leased_at from chunks
      where batch_no = ${batchNo} and lines && ${wanted}::int4multirange`),
    db.many<{
      lines: string;
      model: string;
      worker_id: string;
      pool: string;
      storage_key: string;
      data_bytes: number;
      manifest_bytes: number;
    }>(sql`
      select lines::text, model, worker_id, pool, storage_key, data_bytes, manifest_bytes from segments
      where batch_no = ${batchNo} and first_line <= ${to} and last_line >= ${from} and lines && ${wanted}::int4multirange`),
    db.many<{ line: number } & (Place['rows'] extends Map<number, infer Row> ? Row : never)>(sql`
      select line, state, model, code, message, status_code, attempts, worker_id, extract(epoch from settled_at)::float8 as settled_at
      from requests where batch_no = ${batchNo} and line = any(${numbers}::int[])`),
    db.many<{ line: number; model: string }>(
      sql`select line, model from waiting where batch_no = ${batchNo} and line = any(${numbers}::int[])`,
    ),
    db.many<{ line: number; count: number }>(sql`
      select line, count(*) as count from attempts where batch_no = ${batchNo} and line = any(${numbers}::int[]) group by line`),
  ]);
  return {
    chunks: chunks.map((c) => ({ ...c, lines: parseLines(c.lines) })),
    segments: segments.map((s) => ({ ...s, lines: parseLines(s.lines) })),
    rows: new Map(rows.map((row) => [row.line, row])),
    waiting: new Map(waiting.map((row) => [row.line, row.model])),
    attempts: new Map(attempts.map((row) => [row.line, row.count])),
    newest: await newestOf(db, batchNo, numbers),
  };
};

/** For lines that a continuation runs again, or ran: the id of the request in the newest one that did not fail or end before. */
const newestOf = async (db: Db, batchNo: number, numbers: readonly number[]): Promise<Map<number, string>> => {
  const rows = await db.many<{ id: string; origin_lines: string }>(sql`
    select id, origin_lines::text from batches
    where continues_no = ${batchNo} and (sealed or status = 'validating') and origin_lines && ${formatLines(linesOf(numbers))}::int4multirange order by no`);
  const newest = new Map<number, string>();
  for (const { id, origin_lines } of rows) {
    const lines = parseLines(origin_lines);
    let before = 0;
    for (let i = 0; i < lines.length; i += 2) {
      for (const n of numbers) if (n >= lines[i]! && n < lines[i + 1]!) newest.set(n, requestId(id, before + n - lines[i]! + 1));
      before += lines[i + 1]! - lines[i]!;
    }
  }
  return newest;
};

/** The request of a line in the newest continuation that runs it again; null: none does. */
export const newestId = async (db: Db, { no }: Pick<ViewedBatch, 'no'>, line: number): Promise<string | null> =>
  (await newestOf(db, no, [line])).get(line) ?? null;

/** Describes the given lines of a batch, in ascending order. */
export const describeRequests = async ({ db, storage }: ViewDeps, batch: ViewedBatch, numbers: readonly number[]): Promise<Viewed[]> => {
  if (numbers.length === 0) return [];
  const [place, ids] = await Promise.all([look(db, batch.no, numbers), customIdsOf(storage, batch, numbers)]);
  const manifests = new Map<string, Promise<Manifest>>();
  const settledIn = async (segment: Place['segments'][number], line: number): Promise<Settled | null> => {
    let manifest = manifests.get(segment.storage_key);
    if (!manifest) {
      const { data_bytes: start, manifest_bytes: length, storage_key: key } = segment;
      manifest = storage.read(key, { start, end: start + length }).then((bytes) => new Manifest(bytes));
      manifests.set(key, manifest);
    }
    return (await manifest).find(line);
  };
  return Promise.all(
    numbers.map(async (line): Promise<Viewed> => {
      const segment = place.segments.find((s) => hasLine(s.lines, line));
      const settled = segment ? await settledIn(segment, line) : null;
      const row = place.rows.get(line);
      const chunk = place.chunks.find((c) => hasLine(c.lines, line));
      const running = chunk?.state === 'leased';
      const finishedAt = settled ? (settled.startedAt + settled.ms) / 1_000 : (row?.settled_at ?? null);
      const model = segment?.model ?? row?.model ?? place.waiting.get(line) ?? chunk?.model;
      return {
        id: requestId(batch.id, line),
        object: 'batch.request',
        batch_id: batch.id,
        line,
        custom_id: ids.get(line) ?? null,
        model: model === undefined ? null : shownKey(model),
        state: row?.state ?? settled?.state ?? (place.waiting.has(line) ? 'waiting' : stateOfChunk(chunk?.state)),
        attempts: settled?.attempts ?? row?.attempts ?? place.attempts.get(line) ?? 0,
        worker: segment?.worker_id ?? row?.worker_id ?? chunk?.worker_id ?? null,
        pool: segment?.pool ?? chunk?.pool ?? givenTo(batch.pool_history),
        escalated_at: escalatedAt(batch.pool_history, finishedAt),
        started_at: settled ? settled.startedAt / 1_000 : running ? chunk.leased_at : null,
        finished_at: finishedAt,
        duration_ms: settled?.ms ?? null,
        status_code: settled ? settled.status || null : (row?.status_code ?? null),
        error: row ? { code: row.code, message: row.message } : null,
        dedup: settled?.copied ? dedupOf(batch.id, settled.copied) : null,
        continued_by: place.newest.get(line) ?? null,
        result: segment && settled ? { key: segment.storage_key, start: settled.offset, end: settled.offset + settled.length } : null,
      };
    }),
  );
};

const dedupOf = (batchId: string, copied: Copied): Viewed['dedup'] => {
  if (copied.kind === 'batch') return { kind: 'batch', original: requestId(batchId, copied.line) };
  const { kind, request: original, similarity } = copied;
  return { kind, original, ...(similarity !== undefined && { similarity }) };
};

const stateOfChunk = (state: string | undefined): RequestState => {
  if (state === 'leased') return 'running';
  return state === 'cancelled' || state === 'expired' ? state : 'queued';
};

const headBytes = 64 << 10;

/** The custom_ids of lines; none where the input file is gone. */
export const customIdsOf = async (
  storage: Storage,
  batch: Pick<ViewedBatch, 'input_key' | 'index_key'>,
  numbers: readonly number[],
): Promise<Map<number, string>> => {
  const ids = new Map<number, string>();
  if (batch.input_key === null || batch.index_key === null) return ids;
  const source = { inputKey: batch.input_key, indexKey: batch.index_key };
  try {
    for await (const group of readLines(storage, source, linesOf(numbers), headBytes)) {
      for (const { line, bytes, whole } of group) {
        const id = whole ? idIn(bytes) : (idAtHead(bytes) ?? (await wholeId(storage, source, line)));
        ids.set(line, id);
      }
    }
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
  }
  return ids;
};

const idIn = (bytes: Buffer): string => (JSON.parse(bytes.toString('utf8')) as { custom_id: string }).custom_id;

/** The custom_id of a long line, where it comes first, as most clients write it. */
const idAtHead = (bytes: Buffer): string | null => {
  const match = /^\s*\{\s*"custom_id"\s*:\s*("(?:[^"\\]|\\.)*")/.exec(bytes.toString('utf8'));
  return match ? (JSON.parse(match[1]!) as string) : null;
};

const wholeId = async (storage: Storage, source: { inputKey: string; indexKey: string }, line: number): Promise<string> => {
  for await (const [found] of readLines(storage, source, [line, line + 1])) return idIn(found!.bytes);
  throw new Error(`no line ${line}`);
};
