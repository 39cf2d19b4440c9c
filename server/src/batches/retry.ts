import type { RetryBatch } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { none, sql } from '../db/sql.ts';
import { createStored, insertFile, type StoredFile } from '../files/files.ts';
import { formatLines, linesOf, parseLines, type Lines } from '../formats/lines.ts';
import { readLines } from '../formats/read-lines.ts';
import { ApiError } from '../lib/errors.ts';
import type { Quotas } from '../policy/quotas.ts';
import { NotFound, type Storage } from '../storage/storage.ts';
import { cloneBody, createBatch } from './create.ts';
import { childrenOf } from './children.ts';
import { pinnedOf } from './pinned.ts';
import { getBatch } from './read.ts';
import type { BatchRow } from './rows.ts';
import { terminal } from './state.ts';

const newline = Buffer.from('\n');

/** States a line may be retried from; those of a plain retry are what went wrong by itself. */
export const endedStates = ['failed', 'dead_lettered', 'cancelled', 'expired'] as const;
export const plainStates = endedStates.filter((state) => state !== 'cancelled');

/** The lines of an ended batch that a retry means; of a parent, those that it means in any of its children. */
const linesToRetry = async (db: Db, batch: BatchRow, filter: RetryBatch): Promise<Lines> => {
  const states = filter.states ?? plainStates;
  // Line numbers beyond the batch may be more than an int4 holds.
  const asked = [...new Set(filter.lines)].filter((line) => line <= batch.total).sort((a, b) => a - b);
  const wanted = filter.lines === undefined ? none : sql`* ${formatLines(linesOf(asked))}::int4multirange`;
  const which = batch.kind === 'parent' ? sql`in (select no from batches where parent_no = ${batch.no})` : sql`= ${batch.no}`;
  const { lines } = await db.one<{ lines: string }>(sql`
    with found as (
      select int4range(line, line + 1) as r from requests
      where batch_no ${which} and state = any(${states}::text[]) ${filter.codes === undefined ? none : sql`and code = any(${filter.codes}::text[])`}
      union all
      select unnest(lines) from chunks
      where batch_no ${which} and state = any(${states}::text[])
        ${filter.codes === undefined ? none : sql`and 'batch_' || state = any(${filter.codes}::text[])`})
    select (coalesce(range_agg(r), '{}'::int4multirange) ${wanted})::text as lines from found`);
  return parseLines(lines);
};

/**
 * Runs lines of an ended batch again, in a linked continuation with an input and files of its own; the batch itself
 * stays as it is. The continuation's line k is the k-th of the lines, in their order.
 */
export const retryBatch = async (
  db: Db,
  storage: Storage,
  identity: Identity,
  id: string,
  filter: RetryBatch,
  quotas?: Quotas,
): Promise<BatchRow> => {
  const batch = await getBatch(db, identity, id);
  if (!terminal(batch.status))
    throw new ApiError(
      'conflict',
      `Cannot retry requests of a batch with status '${batch.status}'; wait until it has ended, or cancel it.`,
    );
  const lines = batch.sealed ? await linesToRetry(db, batch, filter) : [];
  if (lines.length === 0) throw nothingToRetry();
  return continueWith(db, storage, identity, await withFailing(db, batch, filter), lines, filter, quotas);
};

const nothingToRetry = (): ApiError => new ApiError('conflict', 'No request of this batch is in a state to be retried by that filter.');

/** A parent with those of its models only that have lines to run again: what the others answered stays. */
const withFailing = async (db: Db, batch: BatchRow, filter: RetryBatch): Promise<BatchRow> => {
  if (batch.kind !== 'parent') return batch;
  const failing = new Set<string>();
  for (const child of await childrenOf(db, [batch.no]))
    if ((await linesToRetry(db, child, filter)).length > 0) failing.add(child.options.model!);
  return { ...batch, options: { ...batch.options, models: (batch.options.models ?? []).filter(({ model }) => failing.has(model)) } };
};

/** The same for one request, whatever ended it. */
export const retryRequest = async (
  db: Db,
  storage: Storage,
  identity: Identity,
  batch: BatchRow,
  line: number,
  quotas?: Quotas,
): Promise<BatchRow> => {
  if (!terminal(batch.status))
    throw new ApiError(
      'conflict',
      `Cannot retry a request of a batch with status '${batch.status}'; wait until it has ended, or cancel it.`,
    );
  const filter = { states: [...endedStates], lines: [line] };
  const lines = await linesToRetry(db, batch, filter);
  if (lines.length === 0) throw new ApiError('conflict', 'Only a request that failed, expired or was cancelled can be retried.');
  // Somebody looks at it: it does not wait behind whole batches.
  return continueWith(db, storage, identity, { ...(await withFailing(db, batch, filter)), lane: 'interactive' }, lines, {}, quotas);
};

const continueWith = async (
  db: Db,
  storage: Storage,
  identity: Identity,
  batch: BatchRow,
  lines: Lines,
  changes: RetryBatch,
  quotas?: Quotas,
): Promise<BatchRow> => {
  const input = await copyLines(storage, batch, lines);
  try {
    return await db.transaction((tx) => createContinuation(tx, identity, batch, { lines, input }, changes, quotas));
  } catch (error) {
    // Refused: the copy would be nobody's.
    if (error instanceof ApiError) await storage.delete(input.key);
    throw error;
  }
};

/** The input of a continuation: the lines, byte for byte. It is nobody's until `createContinuation`. */
export const copyLines = (storage: Storage, batch: BatchRow, lines: Lines): Promise<StoredFile> => {
  const source = { inputKey: batch.input_key!, indexKey: batch.index_key! };
  async function* copied(): AsyncGenerator<Buffer> {
    for await (const group of readLines(storage, source, lines)) for (const { bytes } of group) yield Buffer.concat([bytes, newline]);
  }
  return createStored(storage, {
    tenant: batch.tenant_id,
    filename: `${batch.id}_retry.jsonl`,
    purpose: 'batch',
    bytes: copied(),
  }).catch((error: unknown) => {
    if (error instanceof NotFound)
      throw new ApiError('conflict', `The input file ${batch.input_file_id} is gone, so its requests cannot be run again.`);
    throw error;
  });
};

/** To be called in a transaction. */
export const createContinuation = async (
  tx: Db,
  identity: Identity,
  batch: BatchRow,
  { lines, input }: { lines: Lines; input: StoredFile },
  { completion_window, name, metadata, priority }: RetryBatch,
  quotas?: Quotas,
): Promise<BatchRow> => {
  const body = cloneBody(batch, {
    input_file_id: input.id,
    ...(completion_window !== undefined && { completion_window }),
    ...(name !== undefined && { name }),
    ...(metadata !== undefined && { metadata }),
    ...(priority !== undefined && { priority }),
  });
  await insertFile(tx, identity, input, { expiresSeconds: 30 * 86_400 });
  return (
    await createBatch(tx, identity, body, {
      continues: { of: batch.no, lines: formatLines(lines) },
      pinned: pinnedOf(batch),
      ...(quotas && { quotas }),
    })
  ).batch;
};
