import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { childrenOf } from '../batches/children.ts';
import { keepRenewing } from '../batches/lease.ts';
import { labelsOf } from '../batches/pinned.ts';
import { batchColumns, type BatchRow } from '../batches/rows.ts';
import { terminal } from '../batches/state.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { messageOf } from '../lib/errors.ts';
import { makeScratch } from '../lib/scratch.ts';
import { NotFound, StorageFull, type Storage } from '../storage/storage.ts';
import type { Built, BuildTask } from './facts.ts';
import { DuckProcess, type ProcessLimits } from './process.ts';
import { expireTables, extendTable, failTable, finishTable, releaseTable, takeTable, type Building } from './table.ts';

/**
 * Makes the tables of results, after the end of their batches and beside everything else.
 *
 * Promise: the table of a batch has one row per line of its input, in order, made from the very files the batch ended
 * with; it is published whole, under the token of whoever made it, or not at all. A crash leaves an object under a dead
 * token and the lease to run out; the next holder starts again. What fails three times is left, with the reason.
 */
export interface ChoreDeps {
  db: Db;
  storage: Storage;
  leaseSeconds: number;
  /** A folder for what is made on the way. */
  scratch: string;
  limits?: Partial<ProcessLimits>;
  /** Told of each process that makes a table. */
  onProcess?: (pid: number) => void;
}

/** Bytes of a line; where one has more, it is tried again with room for those. */
const lineBytes = { usual: 16 << 20, most: 528 << 20 };

const maxTries = 3;

export interface MadeTable {
  batchNo: number;
  result: 'ready' | 'failed' | 'again' | 'lost';
  rows: number;
  bytes: number;
  reason?: string;
}

/** The same with a folder of its own, made when it is first needed. */
export class TableChore implements AsyncDisposable {
  readonly #deps: Omit<ChoreDeps, 'scratch'>;
  #scratch: Promise<string> | null = null;

  constructor(deps: Omit<ChoreDeps, 'scratch'>) {
    this.#deps = deps;
  }

  async next(signal: AbortSignal): Promise<MadeTable | null> {
    const building = await takeTable(this.#deps.db, this.#deps.leaseSeconds);
    return building && makeTable({ ...this.#deps, scratch: await (this.#scratch ??= makeScratch('results')) }, building, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#scratch) await rm(await this.#scratch, { recursive: true, force: true });
    this.#scratch = null;
  }
}

const makeTable = async (deps: ChoreDeps, building: Building, signal: AbortSignal): Promise<MadeTable> => {
  const { db, leaseSeconds } = deps;
  await using lease = keepRenewing(() => extendTable(db, building, leaseSeconds), leaseSeconds, signal);
  const made = { batchNo: building.batch_no, rows: 0, bytes: 0 };
  try {
    return { ...made, ...(await make(deps, building, lease.signal)) };
  } catch (error) {
    if (lease.signal.aborted || error instanceof StorageFull) {
      await releaseTable(db, building, { tried: !signal.aborted });
      return { ...made, result: 'again', reason: messageOf(error) };
    }
    if (error instanceof NotFound) {
      const result = await failTable(
        db,
        building,
        'expired',
        'The files of the batch have expired or were deleted, and its table with them.',
      );
      return { ...made, result, reason: messageOf(error) };
    }
    if (building.tries >= maxTries)
      return { ...made, result: await failTable(db, building, 'failed', messageOf(error).slice(0, 500)), reason: messageOf(error) };
    await releaseTable(db, building, { tried: true });
    return { ...made, result: 'again', reason: messageOf(error) };
  }
};

const make = async (deps: ChoreDeps, building: Building, signal: AbortSignal): Promise<Omit<MadeTable, 'batchNo'>> => {
  const { db, storage } = deps;
  const batch = await db.maybe<BatchRow>(sql`select ${batchColumns} from batches b where b.no = ${building.batch_no}`);
  if (batch === null || !terminal(batch.status)) return { result: 'lost', rows: 0, bytes: 0 };
  const { models } = await db.one<{ models: number }>(sql`select count(*)::int as models from batch_models where batch_no = ${batch.no}`);
  if (batch.input_key === null) throw new NotFound(batch.input_file_id);
  const inputKey = batch.input_key;
  const files = batch.kind === 'parent' ? await filesOfChildren(db, batch) : [{ label: null, ...(await filesOf(db, batch)) }];
  const folder = await mkdtemp(join(deps.scratch, 'table-'));
  try {
    const local = async (key: string, name: string): Promise<string> =>
      storage.file?.(key) ?? fetchTo(storage, key, join(folder, name), signal);
    const answers: BuildTask['answers'] = [];
    for (const [i, { label, output, errors }] of files.entries())
      answers.push({
        label,
        output: output && (await local(output, `output-${i}.jsonl`)),
        errors: errors && (await local(errors, `errors-${i}.jsonl`)),
      });
    const task: BuildTask = {
      do: 'build',
      folder,
      total: batch.total,
      input:
        batch.rows_key === null ? { lines: await local(inputKey, 'input.jsonl') } : { rows: await local(batch.rows_key, 'rows.parquet') },
      answers,
      shape: batch.endpoint === '/v1/predict' ? 'predictions' : 'bodies',
      models: models > 1 && batch.kind !== 'parent',
      lineBytes: lineBytes.usual,
    };
    const built = await buildApart(task, deps, signal);
    const expected = (['completed', 'failed', 'cancelled', 'expired'] as const).filter((state) => built.counts[state] !== batch[state]);
    if (expected.length > 0)
      throw new Error(`the table has ${JSON.stringify(built.counts)}, the batch has others of ${expected.join(', ')}`);
    const key = `${batch.tenant_id}/${batch.id}/results.${building.token}.parquet`;
    const stored = await storage.put(key, createReadStream(built.path, { highWaterMark: 1 << 20 }), { digest: true, signal });
    const made = { key, bytes: stored.bytes, rows: batch.total, sha256: stored.sha256!, columns: built.columns };
    const result = await finishTable(db, building, made);
    if (result === 'lost') await storage.delete(key);
    return { result, rows: made.rows, bytes: made.bytes };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const buildApart = async (
  task: BuildTask,
  { limits, onProcess }: Pick<ChoreDeps, 'limits' | 'onProcess'>,
  signal: AbortSignal,
): Promise<Built> => {
  try {
    await using duck = new DuckProcess({ folder: task.folder, ...(limits && { limits }) });
    if (duck.pid !== undefined) onProcess?.(duck.pid);
    return await duck.ask<Built>(task, { signal });
  } catch (error) {
    if (!/maximum_object_size|larger than/i.test(messageOf(error)) || task.lineBytes === lineBytes.most) throw error;
    return buildApart(
      { ...task, lineBytes: lineBytes.most },
      { limits: { ...limits, duckMb: 2_048, memoryMb: 6_144 }, ...(onProcess && { onProcess }) },
      signal,
    );
  }
};

interface Files {
  output: string | null;
  errors: string | null;
}

/** Where a batch's results lie. Throws `NotFound` where one of them is no more. */
const filesOf = async (db: Db, batch: Pick<BatchRow, 'output_file_id' | 'error_file_id'>): Promise<Files> => {
  const files = await db.many<{ id: string; storage_key: string }>(sql`
    select id, storage_key from files where id = any(${[batch.output_file_id, batch.error_file_id].filter((id) => id !== null)}::text[]) and deleted_at is null`);
  const keyOf = (id: string | null): string | null => {
    if (id === null) return null;
    const found = files.find((file) => file.id === id);
    if (!found) throw new NotFound(id);
    return found.storage_key;
  };
  return { output: keyOf(batch.output_file_id), errors: keyOf(batch.error_file_id) };
};

/** Those of each model's batch, by the name that its results have in the parent's files. */
const filesOfChildren = async (db: Db, parent: BatchRow): Promise<(Files & { label: string })[]> => {
  const children = await childrenOf(db, [parent.no]);
  const labels = labelsOf(children.map(({ options }) => options.model!));
  const all: (Files & { label: string })[] = [];
  for (const child of children) all.push({ label: labels.get(child.options.model!)!, ...(await filesOf(db, child)) });
  return all;
};

const fetchTo = async (storage: Storage, key: string, path: string, signal: AbortSignal): Promise<string> => {
  await pipeline(await storage.stream(key), createWriteStream(path, { mode: 0o600 }), { signal });
  return path;
};

/** Removes the tables of batches whose files are gone. Says how many. */
export const sweepTables = async (db: Db, storage: Storage): Promise<number> => {
  const gone = await expireTables(db);
  for (const { key } of gone) await storage.delete(key);
  return gone.length;
};
