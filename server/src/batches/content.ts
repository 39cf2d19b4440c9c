import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { countLines, linesOf, parseLines } from '../formats/lines.ts';
import type { Storage } from '../storage/storage.ts';
import { childrenOf } from './children.ts';
import { merge, type MergeInput, type SegmentRow, type Tally, type Unwritten } from './merge.ts';
import { mergeChildren, type ChildLines, type RowTally } from './merge-children.ts';
import { rowCounts, usedBy, type RowCounts } from './parents.ts';
import { labelsOf } from './pinned.ts';
import type { BatchRow, HitCounts, Progress, TokenCounts } from './rows.ts';

interface ContentDeps {
  db: Db;
  storage: Storage;
}

/** What a batch that ends has come to, and the files that say so. */
export interface Content {
  counts: RowCounts;
  /** A file as it is put to storage, in pieces that are only lent; throws at its end where it has not the lines that were counted. */
  bytes: (kind: 'output' | 'error') => AsyncGenerator<Buffer>;
  used: (tx: Db, batch: BatchRow) => Promise<Pick<Progress, 'usage' | 'hits'>>;
}

interface Sources {
  input: MergeInput;
  cancelled: number;
  expired: number;
  /** Requests that failed without a line of their own. */
  rows: number;
}

export const segmentsOf = (db: Db, batchNo: number): Promise<SegmentRow[]> =>
  db.many<SegmentRow>(sql`
    select storage_key, data_bytes, manifest_bytes, first_line, last_line, completed, failed
    from segments where batch_no = ${batchNo} order by first_line`);

/** Where the lines of a batch's results are. */
const sourcesOf = async ({ db, storage }: ContentDeps, batch: BatchRow): Promise<Sources> => {
  const segments = await segmentsOf(db, batch.no);
  const left = await db.many<{ state: 'cancelled' | 'expired'; lines: string }>(sql`
    select state, lines::text from chunks where batch_no = ${batch.no} and state in ('cancelled', 'expired') order by lower(lines)`);
  const rows = await db.many<{ code: string; message: string; lines: number[] }>(sql`
    select code, message, array_agg(line order by line) as lines
    from requests where batch_no = ${batch.no} and segment_id is null group by code, message`);
  const words = {
    cancelled: { code: 'batch_cancelled', message: 'This request was not executed because the batch was cancelled.' },
    expired: { code: 'batch_expired', message: 'This request could not be executed before the completion window expired.' },
  };
  const unwritten: Unwritten[] = [
    ...left.map(({ state, lines }) => ({ lines: parseLines(lines), ...words[state] })),
    ...rows.map(({ code, message, lines }) => ({ lines: linesOf(lines), code, message })),
  ];
  const count = (state: 'cancelled' | 'expired') =>
    left.reduce((sum, chunk) => sum + (chunk.state === state ? countLines(parseLines(chunk.lines)) : 0), 0);
  return {
    input: { batchId: batch.id, storage, inputKey: batch.input_key!, indexKey: batch.index_key!, segments, unwritten },
    cancelled: count('cancelled'),
    expired: count('expired'),
    rows: rows.reduce((sum, row) => sum + row.lines.length, 0),
  };
};

const unlike = (batch: BatchRow, kind: string, tally: object, counts: object): Error =>
  new Error(`${batch.id}: the ${kind} file has ${JSON.stringify(tally)}, but ${JSON.stringify(counts)} was expected`);

export const batchContent = async (deps: ContentDeps, batch: BatchRow): Promise<Content> => {
  const { input, cancelled, expired, rows } = await sourcesOf(deps, batch);
  const counts = {
    completed: input.segments.reduce((sum, s) => sum + s.completed, 0),
    failed: input.segments.reduce((sum, s) => sum + s.failed, 0) + rows,
    cancelled,
    expired,
  };
  async function* bytes(kind: 'output' | 'error'): AsyncGenerator<Buffer> {
    const tally: Tally = { completed: 0, failed: 0, unwritten: 0 };
    yield* merge(input, kind === 'output' ? 'completed' : 'failed', tally, { lent: true });
    if (tally.completed !== counts.completed || tally.failed + tally.unwritten !== batch.total - counts.completed)
      throw unlike(batch, kind, tally, counts);
  }
  return { counts, bytes, used: chunksUsed };
};

/** The lines of each child, as its parent merges them. */
export const childLines = async (deps: ContentDeps, parent: BatchRow): Promise<ChildLines[]> => {
  const children = await childrenOf(deps.db, [parent.no]);
  const labels = labelsOf(children.map(({ options }) => options.model!));
  return Promise.all(
    children.map(async (child) => ({ label: labels.get(child.options.model!)!, input: (await sourcesOf(deps, child)).input })),
  );
};

export const parentContent = async (deps: ContentDeps, parent: BatchRow): Promise<Content> => {
  const children = await childLines(deps, parent);
  const counts = await rowCounts(deps.db, parent);
  async function* bytes(kind: 'output' | 'error'): AsyncGenerator<Buffer> {
    const tally: RowTally = { completed: 0, failed: 0, cancelled: 0, expired: 0 };
    yield* mergeChildren(parent.id, children, kind === 'output' ? 'completed' : 'failed', tally);
    const expected = kind === 'output' ? { ...tally, completed: counts.completed } : { ...counts, completed: tally.completed };
    if (Object.entries(expected).some(([state, count]) => tally[state as keyof RowTally] !== count))
      throw unlike(parent, kind, tally, counts);
  }
  return { counts, bytes, used: async (tx, { no }) => usedBy(tx, await childrenOf(tx, [no])) };
};

/** What the chunks of a batch say it has used. */
export const chunksUsed = async (tx: Db, { no }: Pick<BatchRow, 'no'>): Promise<Pick<Progress, 'usage' | 'hits'>> => {
  const usage = await tx.one<TokenCounts>(sql`
    select coalesce(sum(input_tokens), 0)::bigint as input, coalesce(sum(cached_tokens), 0)::bigint as cached,
           coalesce(sum(output_tokens), 0)::bigint as output, coalesce(sum(reasoning_tokens), 0)::bigint as reasoning
    from chunks where batch_no = ${no}`);
  const hits = await tx.one<HitCounts>(sql`
    select coalesce(sum(hits_batch), 0)::bigint as batch, coalesce(sum(hits_cache), 0)::bigint as cache,
           coalesce(sum(hits_semantic), 0)::bigint as semantic
    from chunks where batch_no = ${no}`);
  return { usage, hits };
};
