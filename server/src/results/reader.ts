import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Identity } from '../auth/identity.ts';
import { getBatch } from '../batches/read.ts';
import type { BatchRow } from '../batches/rows.ts';
import { terminal } from '../batches/state.ts';
import type { Db } from '../db/db.ts';
import type { Listener } from '../db/listen.ts';
import { ApiError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { Models } from '../models/models.ts';
import type { Storage } from '../storage/storage.ts';
import { declaredColumns } from './declared.ts';
import type { Row } from './duck.ts';
import { BadQuestion, type CopyTask, type SdfTask, type SqlAnswer, type SqlTask } from './facts.ts';
import type { Column } from './layout.ts';
import { DuckProcess, ProcessLost } from './process.ts';
import type { Question } from './select.ts';
import { getTable, requestTable, type TableRow } from './table.ts';

export interface ReaderDeps {
  db: Db;
  models: Models;
  storage: Storage;
  /** Channel `results`. */
  listener: Listener;
  log: Logger;
  scratch: string;
  /** Milliseconds that a query may take. */
  queryMs?: number;
}

/** A table that can be read. */
export interface ReadyTable {
  batch: BatchRow;
  key: string;
  bytes: number;
  rows: number;
  sha256: string;
  columns: readonly Column[];
}

/** Milliseconds an answer may take, and after which a process that nobody asks ends. */
const answerMs = 30_000;
const idleMs = 5 * 60_000;
/** How often a table is looked for without having been told of. */
const pollMs = 1_000;
/** Downloads that are written at once, each in a process of its own. */
const mostDownloads = 8;
/** What users wrote that runs at once, each in a process of its own; milliseconds, memory and bytes of an answer it may have. */
const mostQueries = 4;
const queryMs = 10_000;
const queryLimits = { memoryMb: 1_024, duckMb: 256, fileBytes: 0 };
const queryBytes = 16 << 20;
/** Copies kept of tables whose storage has no files. */
const mostCopies = 8;

/**
 * Reads tables of results: one process with DuckDB answers all questions that this server makes itself, and knows the
 * files it has read; each download has a process of its own, which writes as fast as the client takes it.
 */
export class ResultReader implements AsyncDisposable {
  readonly #deps: ReaderDeps;
  #process: Promise<DuckProcess> | null = null;
  #idle: NodeJS.Timeout | null = null;
  #queries = 0;
  readonly #downloads = new Set<DuckProcess>();
  readonly #copies = new Map<string, Promise<string>>();

  constructor(deps: ReaderDeps) {
    this.#deps = deps;
  }

  /** The process that answers, for who watches it; it is started by the first question. */
  async pid(): Promise<number | null> {
    return (await this.#process)?.pid ?? null;
  }

  /** The table of a batch, made first where need be; what it is at after `waitSeconds`, where that is not enough. */
  async find(identity: Identity, id: string, waitSeconds: number): Promise<ReadyTable | 'queued' | 'building'> {
    const { db } = this.#deps;
    const batch = await getBatch(db, identity, id);
    if (!terminal(batch.status))
      throw new ApiError(
        'conflict',
        `The batch is '${batch.status}': its table is made when it has ended. GET /v1/batches/${id}/output has what is done so far.`,
      );
    if (!batch.sealed || batch.total === 0)
      throw new ApiError('conflict', `The batch ended as '${batch.status}' before any of its requests was accepted: it has no results.`);
    await requestTable(db, batch.no);
    const row = await this.#settled(batch.no, waitSeconds);
    if (row === null) throw new ApiError('not_found', `No batch found with id '${id}'.`, { param: 'id' });
    if (row.state === 'queued' || row.state === 'building') return row.state;
    if (row.state === 'expired') throw new ApiError('not_found', row.reason!, { param: 'id' });
    if (row.state === 'failed') throw new ApiError('results_failed', `The table of results could not be made: ${row.reason!}`);
    const columns = await this.declared(batch, row.columns!);
    return { batch, key: row.storage_key!, bytes: row.bytes!, rows: row.rows!, sha256: row.sha256!, columns };
  }

  /** Columns of a batch's table with what its models say of them. */
  declared(batch: BatchRow, columns: readonly Column[]): Promise<Column[]> {
    return declaredColumns(this.#deps, batch, columns);
  }

  async #settled(batchNo: number, waitSeconds: number): Promise<TableRow | null> {
    const { db, listener } = this.#deps;
    const until = performance.now() + waitSeconds * 1_000;
    for (;;) {
      // Listened for before it is looked for: what happens between is not missed.
      const told = Promise.withResolvers<void>();
      const hear = (payload: string): void => void (payload === String(batchNo) && told.resolve());
      listener.on('results', hear);
      let timer: NodeJS.Timeout | undefined;
      try {
        const row = await getTable(db, batchNo);
        const left = until - performance.now();
        if (row === null || (row.state !== 'queued' && row.state !== 'building') || left <= 0) return row;
        timer = setTimeout(told.resolve, Math.min(left, pollMs));
        await told.promise;
      } finally {
        listener.off('results', hear);
        if (timer) clearTimeout(timer);
      }
    }
  }

  /** The file of a table on this machine. */
  async path({ key }: Pick<ReadyTable, 'key'>): Promise<string> {
    const { storage, scratch } = this.#deps;
    if (storage.file) return storage.file(key);
    let copy = this.#copies.get(key);
    if (copy && (await copy.then(stat).catch(() => null)) !== null) {
      this.#copies.delete(key);
      this.#copies.set(key, copy);
      return copy;
    }
    copy = mkdtemp(join(scratch, 'table-')).then(async (folder) => {
      const path = join(folder, 'results.parquet');
      await pipeline(await storage.stream(key), createWriteStream(path, { mode: 0o600 }));
      return path;
    });
    this.#copies.set(key, copy);
    copy.catch(() => this.#copies.delete(key));
    for (const [old, path] of this.#copies) {
      if (this.#copies.size <= mostCopies) break;
      this.#copies.delete(old);
      void path.then((file) => rm(file, { force: true })).catch(() => {});
    }
    return copy;
  }

  async ask({ sql, values }: Question): Promise<Row[]> {
    for (let attempt = 1; ; attempt++) {
      const duck = await this.#open();
      try {
        return await duck.ask<Row[]>({ do: 'rows', sql, values }, { ms: answerMs });
      } catch (error) {
        // Somebody killed it, or another question took all its memory.
        if (error instanceof ProcessLost && attempt < 3) continue;
        throw toApiError(error);
      }
    }
  }

  async #open(): Promise<DuckProcess> {
    const old = await this.#process;
    if (old && old.lost !== null) this.#process = null;
    this.#process ??= mkdtemp(join(this.#deps.scratch, 'duck-')).then((folder) => new DuckProcess({ folder }));
    if (this.#idle) clearTimeout(this.#idle);
    this.#idle = setTimeout(() => void this.#close(), idleMs);
    this.#idle.unref();
    return this.#process;
  }

  async #close(): Promise<void> {
    const duck = this.#process;
    this.#process = null;
    await (await duck)?.[Symbol.asyncDispose]();
  }

  /** The bytes of a question's rows, as they are written; whoever leaves ends the writing. */
  async stream(task: CopyTask | SdfTask): Promise<Readable> {
    if (this.#downloads.size >= mostDownloads)
      throw new ApiError('unavailable', 'Too many tables are being written just now.', { headers: { 'retry-after': '5' } });
    const folder = await mkdtemp(join(this.#deps.scratch, 'copy-'));
    const duck = new DuckProcess({ folder, output: true });
    this.#downloads.add(duck);
    const written = duck.ask(task);
    // It ends by itself, and what passes its words on after it: killed at once, they would take the last of them along.
    written.then(
      () => duck.finish(),
      (error: unknown) => duck.kill(error as Error),
    );
    const done = async (): Promise<void> => {
      this.#downloads.delete(duck);
      await duck[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    };
    const { log } = this.#deps;
    async function* bytes(): AsyncGenerator<Buffer> {
      try {
        for await (const part of duck.child.stdout as AsyncIterable<Buffer>) yield part;
        // A process that died half-way has ended its output too: then the reply must not look whole.
        await written;
      } catch (error) {
        // Whoever asked may have left, which is nothing to tell of.
        if ((error as Error).name !== 'AbortError') log.warn({ err: error }, 'a download of results ended early');
        throw error;
      } finally {
        await done();
      }
    }
    const all = bytes();
    // What fails before its first byte is an answer with its code; after that a reply can only break off.
    const first = await all.next().catch((error: unknown) => Promise.reject(toApiError(error) as Error));
    const stream = Readable.from(first.done === true ? all : resumed(first.value, all), { objectMode: false });
    // One that nobody began to read has no end of its own.
    stream.once('close', () => void done());
    return stream;
  }

  /** What a user wrote about a table, in a process of its own that has nothing but the table, and ends with the answer. */
  async sql(table: ReadyTable, text: string, limit: number): Promise<SqlAnswer> {
    if (this.#queries >= mostQueries)
      throw new ApiError('unavailable', 'Too many queries run just now.', { headers: { 'retry-after': '2' } });
    this.#queries++;
    const folder = await mkdtemp(join(this.#deps.scratch, 'query-'));
    const file = await open(await this.path(table));
    try {
      await using duck = new DuckProcess({ folder, alone: true, descriptors: [file.fd], limits: queryLimits });
      const task: SqlTask = { do: 'sql', text, table: '/dev/fd/4', limit, bytes: queryBytes };
      return await duck.ask<SqlAnswer>(task, { ms: this.#deps.queryMs ?? queryMs });
    } catch (error) {
      throw toApiError(
        error instanceof ProcessLost ? new BadQuestion('It needs more memory than a query may have.', { cause: error }) : error,
      );
    } finally {
      this.#queries--;
      await file.close();
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Scaffolds of SMILES; in a process of its own, which a molecule may break or keep for ever. */
  async scaffolds(smiles: readonly unknown[]): Promise<(string | null)[]> {
    const folder = await mkdtemp(join(this.#deps.scratch, 'scaffolds-'));
    try {
      await using duck = new DuckProcess({ folder, alone: true });
      return await duck.ask<(string | null)[]>({ do: 'scaffolds', smiles }, { ms: answerMs });
    } catch (error) {
      throw toApiError(error);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#idle) clearTimeout(this.#idle);
    await this.#close();
    for (const duck of this.#downloads) await duck[Symbol.asyncDispose]();
  }
}

async function* resumed<Part>(first: Part, rest: AsyncIterable<Part>): AsyncGenerator<Part> {
  yield first;
  yield* rest;
}

const toApiError = (error: unknown): unknown => {
  if (error instanceof BadQuestion) return new ApiError('query_failed', error.message, { cause: error });
  if (error instanceof ProcessLost)
    return new ApiError('unavailable', 'The process that reads tables ended; try again.', {
      headers: { 'retry-after': '1' },
      cause: error,
    });
  return error;
};
