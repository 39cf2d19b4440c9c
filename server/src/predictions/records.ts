import { hash } from 'node:crypto';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { Loop } from '../lib/loop.ts';
import { modelKey, type ModelSpec } from '../models/models.ts';
import type { Times } from './infer.ts';

/** A prediction that was answered, well or not. */
export interface PredictionEntry {
  /** As the reply has it; null where there was none. */
  id: string | null;
  identity: Identity;
  model: ModelSpec;
  /** What was asked, as it was parsed; read when it is written down. */
  inputs: unknown;
  /** Bytes of the request's body; null where nobody said. */
  inputBytes: number | null;
  /** The reply's JSON text; null of a failure. */
  body: string | null;
  status: number;
  error: { code: string; message: string } | null;
  cache: 'hit' | 'miss' | 'bypass' | null;
  times: Times | null;
  totalMs: number;
  requestId: string;
}

/** Where the predictions' routes leave their records; it returns at once, and never throws. */
export interface Recorder {
  record(entry: PredictionEntry): void;
}

export interface RecordsDeps {
  db: Db;
  log: Logger;
  /** Of models that do not say. */
  keep?: Keep;
  days?: number;
}

export type Keep = 'none' | 'meta' | 'full';

/** Milliseconds for which records wait for others: they are no part of the answer. */
const waitMs = 500;
/** Records in one statement. */
const group = 1_000;
/** Records that may wait to be written; more are dropped, and counted: a database that is slow must not fill the memory. */
const most = 50_000;
/** Bytes of a request that are looked at a second time, to be hashed and kept; and of an answer. */
const largest = 65_536;

interface Kept extends PredictionEntry {
  at: number;
  keep: Keep;
  days: number;
}

/** Writes records of predictions in groups, and deletes those that are due. */
export class Records implements Recorder, AsyncDisposable {
  readonly #deps: RecordsDeps;
  readonly #policies = new WeakMap<ModelSpec, { keep: Keep; days: number }>();
  readonly #sweep: Loop;
  #waiting: Kept[] = [];
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> | null = null;
  #closed = false;
  /** Since the last word of it. */
  #dropped = 0;

  constructor(deps: RecordsDeps) {
    this.#deps = deps;
    const onError = (error: unknown): void => deps.log.warn({ reason: messageOf(error) }, 'old records of predictions were not deleted');
    this.#sweep = new Loop({ name: 'records', run: () => this.#drop(), min: 60_000, max: 600_000, onError });
  }

  /** Begins to delete what is due. */
  start(): void {
    this.#sweep.start();
  }

  record(entry: PredictionEntry): void {
    const { keep, days } = this.#policy(entry.model);
    if (keep === 'none' || this.#closed) return;
    if (this.#waiting.length >= most) {
      this.#dropped++;
      return;
    }
    this.#waiting.push({ ...entry, at: Date.now(), keep, days });
    this.#timer ??= setTimeout(() => this.#begin(), waitMs);
  }

  /** Writes what has come in; resolves when it is written. */
  async flush(): Promise<void> {
    await this.#writing;
    this.#begin();
    await this.#writing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#sweep.stop();
    await this.flush();
  }

  #policy(model: ModelSpec): { keep: Keep; days: number } {
    const known = this.#policies.get(model);
    if (known) return known;
    const own = model.options['records'];
    const given = typeof own === 'object' && own !== null ? (own as { keep?: Keep; days?: number }) : {};
    const policy = { keep: given.keep ?? this.#deps.keep ?? 'meta', days: given.days ?? this.#deps.days ?? 30 };
    this.#policies.set(model, policy);
    return policy;
  }

  #begin(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#waiting.length > 0) this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const rows = this.#waiting.splice(0, group);
      try {
        // Hashing a thousand at once would hold up predictions for milliseconds.
        const lines: Line[] = [];
        for (let at = 0; at < rows.length; at += 100) {
          for (const row of rows.slice(at, at + 100)) lines.push(lineOf(row));
          await new Promise(setImmediate);
        }
        await insert(this.#deps.db, lines);
      } catch (error) {
        this.#dropped += rows.length;
        this.#deps.log.warn({ reason: messageOf(error) }, 'records of predictions were not written');
      }
    }
    if (this.#dropped > 0)
      this.#deps.log.warn({ records: this.#dropped }, 'records of predictions were dropped: they come faster than they are written');
    this.#dropped = 0;
    // In the same breath: what comes after this begins anew.
    this.#writing = null;
  }

  async #drop(): Promise<boolean> {
    return (await dropDue(this.#deps.db)) > 0;
  }
}

/** Deletes a page of the records that are due; any number of processes may. Says how many. */
export const dropDue = (db: Db, page = 5_000): Promise<number> =>
  db.run(sql`
    delete from predictions where ctid = any(array(
      select ctid from predictions where expires_at < now() limit ${page} for update skip locked))`);

interface Line extends Kept {
  id: string;
  hash: Buffer | null;
  input: string | null;
  output: string | null;
}

const lineOf = (row: Kept): Line => {
  const small = row.inputBytes === null || row.inputBytes <= largest;
  const input = small ? (JSON.stringify(row.inputs) ?? null) : null;
  const full = row.keep === 'full';
  return {
    ...row,
    // Those that failed have none: the call's own stands in.
    id: row.id ?? `pred_${row.requestId.replace(/^req_/, '')}`,
    hash: input === null ? null : hash('sha256', input, 'buffer'),
    input: full ? input : null,
    output: full && row.body !== null && row.body.length <= largest ? row.body : null,
  };
};

const insert = (db: Db, lines: readonly Line[]): Promise<number> => {
  const column = <T>(of: (line: Line) => T): T[] => lines.map(of);
  const clean = (text: string | undefined): string | null => text?.slice(0, 1_000).replaceAll('\0', '') ?? null;
  return db.run(sql`
    insert into predictions (id, tenant_id, created_by, model, status_code, code, message, input_hash, input_bytes, input, output, cache,
      queue_ms, batch_ms, compute_ms, total_ms, request_id, created_at, expires_at)
    select p.id, tenant, by, model, status, code, message, hash, bytes, input, output, cache, queue_ms, batch_ms, compute_ms, total_ms,
      request_id, to_timestamp(at / 1000), to_timestamp(at / 1000) + make_interval(days => days)
    from unnest(${column(({ id }) => id)}::text[], ${column(({ identity }) => identity.tenant)}::text[],
      ${column(({ identity }) => identity.user)}::text[], ${column(({ model }) => modelKey(model))}::text[],
      ${column(({ status }) => status)}::smallint[], ${column(({ error }) => clean(error?.code))}::text[],
      ${column(({ error }) => clean(error?.message))}::text[], ${column((line) => line.hash)}::bytea[],
      ${column(({ inputBytes }) => inputBytes)}::int[], ${column(({ input }) => input)}::text[], ${column(({ output }) => output)}::text[],
      ${column(({ cache }) => cache)}::text[], ${column(({ times }) => times?.queueMs ?? null)}::real[],
      ${column(({ times }) => times?.batchMs ?? null)}::real[], ${column(({ times }) => times?.computeMs ?? null)}::real[],
      ${column(({ totalMs }) => totalMs)}::real[], ${column(({ requestId }) => requestId)}::text[], ${column(({ at }) => at)}::float8[],
      ${column(({ days }) => days)}::int[])
      p (id, tenant, by, model, status, code, message, hash, bytes, input, output, cache, queue_ms, batch_ms, compute_ms, total_ms,
        request_id, at, days)`);
};
