import type { Db } from '../db/db.ts';
import { insertOfLines, type KeptOfLine } from '../artifacts/artifacts.ts';
import { none, prepared, sql, type Statement } from '../db/sql.ts';
import { formatLines, type Lines } from '../formats/lines.ts';
import type { CopyKind } from '../formats/manifest.ts';
import type { Memory } from '../policy/larger.ts';
import type { Lease } from './claim.ts';

/** What a part of a chunk came to. Its segment is in storage already. */
export interface Part {
  /** Its place among the chunk's parts, from 1, over all leases. */
  number: number;
  /** Lines that are settled now: completed, failed or dead-lettered. */
  settled: Lines;
  segment: { key: string; dataBytes: number; manifestBytes: number } | null;
  completed: number;
  usage: { input: number; cached: number; output: number; reasoning: number };
  exceptions: Exception[];
  attempts: FailedAttempt[];
  waiting: Waiting[];
  /** Of the completed ones, how many were not run, by how they came by their answer; absent: none. */
  copied?: Record<CopyKind, number>;
  /** Answers in the segment that others may be given; absent: none. */
  answers?: Answers;
  /** Files that attempts left; absent: none. */
  artifacts?: readonly KeptOfLine[];
}

/** A part to which nothing has come yet. */
export const emptyPart = (number: number): Part => ({
  number,
  settled: [],
  segment: null,
  completed: 0,
  usage: { input: 0, cached: 0, output: 0, reasoning: 0 },
  exceptions: [],
  attempts: [],
  waiting: [],
});

/** Answers of a part, by what was asked. */
export interface Answers {
  scope: string;
  ttlSeconds: number;
  rows: readonly Answer[];
}

export interface Answer {
  /** 64 hexadecimal digits. */
  key: string;
  line: number;
  /** Of the reply's body in the segment. */
  offset: number;
  bytes: number;
  status: number;
  /** By which similar requests find it. */
  similar?: Similar;
}

export interface Similar {
  space: string;
  rest: string;
  vector: Float32Array;
}

/** A request that did not succeed, for good. */
export interface Exception {
  line: number;
  state: 'failed' | 'dead_lettered';
  code: string;
  message: string;
  statusCode: number | null;
  attempts: number;
}

export interface FailedAttempt {
  line: number;
  number: number;
  kind: 'retryable' | 'permanent';
  code: string;
  message: string;
  statusCode: number | null;
  startedAt: number;
  ms: number;
}

/** A request that will be tried again, after at least so many milliseconds. */
export interface Waiting {
  line: number;
  delayMs: number;
  /** What it ran out of where it ran; absent: nothing. */
  needs?: Memory | null;
}

const noCopies: Record<CopyKind, number> = { batch: 0, cache: 0, semantic: 0 };

const column = <T, K extends keyof T>(rows: readonly T[], key: K): T[K][] => rows.map((row) => row[key]);

/**
 * Whether a part was settled after all, when the connection was lost before the answer came: a commit whose outcome is
 * not known is looked up, never sent again blindly.
 */
export const wasSettled = async (db: Db, lease: Pick<Lease, 'chunkId' | 'token' | 'batchNo'>, part: Part): Promise<boolean> => {
  const tried = part.attempts[0];
  const { found } = await db.one<{ found: boolean }>(sql`
    select exists (select from segments where chunk_id = ${lease.chunkId} and token = ${lease.token} and part = ${part.number})
      or exists (select from attempts where batch_no = ${lease.batchNo} and line = ${tried?.line ?? 0} and number = ${tried?.number ?? 0}) as found`);
  return found;
};

/**
 * Settles a part of a leased chunk and extends the lease, in one statement and one round trip. The chunk loses the
 * part's lines; when none are left it is done and the lease ends.
 *
 * @returns `lost` where another holds the chunk now: nothing was written, and the segment is garbage.
 */
export const settle = async (
  db: Db,
  lease: Pick<Lease, 'chunkId' | 'token' | 'model'>,
  workerId: string,
  part: Part,
  seconds: number,
): Promise<'lost' | 'open' | 'done'> => {
  const { segment, exceptions, attempts, waiting, usage, copied = noCopies, answers, artifacts = [] } = part;
  const gone =
    waiting.length === 0
      ? sql`${formatLines(part.settled)}::int4multirange`
      : sql`${formatLines(part.settled)}::int4multirange + (
    select range_agg(int4range(line, line + 1)) from unnest(${column(waiting, 'line')}::int[]) line)`;
  const row = await db.maybe<{ state: 'leased' | 'done' }>(
    prepared(sql`
    with gone as (select ${gone} as lines),
    fenced as (
      update chunks c
      set lines = c.lines - g.lines,
          state = case when isempty(c.lines - g.lines) then 'done' else 'leased' end,
          token = case when isempty(c.lines - g.lines) then null else c.token end,
          worker_id = case when isempty(c.lines - g.lines) then null else c.worker_id end,
          leased_until = case when isempty(c.lines - g.lines) then null else now() + make_interval(secs => ${seconds}) end,
          parts = ${part.number},
          completed = c.completed + ${part.completed}, failed = c.failed + ${exceptions.length},
          input_tokens = c.input_tokens + ${usage.input}, cached_tokens = c.cached_tokens + ${usage.cached},
          output_tokens = c.output_tokens + ${usage.output}, reasoning_tokens = c.reasoning_tokens + ${usage.reasoning}
          ${
            copied.batch + copied.cache + copied.semantic === 0
              ? none
              : sql`, hits_batch = c.hits_batch + ${copied.batch}, hits_cache = c.hits_cache + ${copied.cache}, hits_semantic = c.hits_semantic + ${copied.semantic}`
          }
      from gone g
      where c.id = ${lease.chunkId} and c.token = ${lease.token}
      returning c.batch_no, c.state, c.parts, c.pool)
    ${
      segment === null
        ? none
        : sql`, stored as (
      insert into segments (batch_no, chunk_id, token, part, worker_id, model, storage_key, data_bytes, manifest_bytes, lines, completed, failed, pool)
      select batch_no, ${lease.chunkId}, ${lease.token}, parts, ${workerId}, ${lease.model}, ${segment.key}, ${segment.dataBytes},
        ${segment.manifestBytes}, ${formatLines(part.settled)}::int4multirange, ${part.completed}::int, ${exceptions.length}::int,
        coalesce((select pool from workers where id = ${workerId}), 'dedicated')
      from fenced returning id)`
    }
    ${
      segment === null || exceptions.length === 0
        ? none
        : sql`, exceptions as (
      insert into requests (batch_no, line, state, model, code, message, status_code, attempts, worker_id, segment_id)
      select f.batch_no, e.line, e.state, ${lease.model}, e.code, e.message, e.status_code, e.attempts, ${workerId}, s.id
      from fenced f, stored s, unnest(${column(exceptions, 'line')}::int[], ${column(exceptions, 'state')}::text[],
        ${column(exceptions, 'code')}::text[], ${column(exceptions, 'message')}::text[],
        ${column(exceptions, 'statusCode')}::smallint[], ${column(exceptions, 'attempts')}::smallint[])
        e (line, state, code, message, status_code, attempts))`
    }
    ${
      attempts.length === 0
        ? none
        : sql`, tries as (
      insert into attempts (batch_no, line, number, kind, code, message, status_code, worker_id, started_at, duration_ms)
      select f.batch_no, a.line, a.number, a.kind, a.code, a.message, a.status_code, ${workerId}, to_timestamp(a.started / 1000), a.ms
      from fenced f, unnest(${column(attempts, 'line')}::int[], ${column(attempts, 'number')}::smallint[],
        ${column(attempts, 'kind')}::text[], ${column(attempts, 'code')}::text[], ${column(attempts, 'message')}::text[],
        ${column(attempts, 'statusCode')}::smallint[], ${column(attempts, 'startedAt')}::float8[], ${attempts.map((a) => Math.round(a.ms))}::int[])
        a (line, number, kind, code, message, status_code, started, ms))`
    }
    ${
      waiting.length === 0
        ? none
        : sql`, delayed as (
      insert into waiting (batch_no, line, model, not_before, needs, ran_in, pool)
      select f.batch_no, w.line, ${lease.model}, now() + make_interval(secs => w.ms / 1000), w.needs,
        case when w.needs is not null then coalesce((select pool from workers where id = ${workerId}), 'dedicated') end, f.pool
      from fenced f, unnest(${column(waiting, 'line')}::int[], ${column(waiting, 'delayMs')}::float8[], ${waiting.map(({ needs }) => needs ?? null)}::text[]) w (line, ms, needs))`
    }
    ${artifacts.length === 0 ? none : sql`, files as (${insertOfLines(sql`fenced`, artifacts)})`}
    ${segment === null || answers === undefined || answers.rows.length === 0 ? none : keep(segment.key, answers)}
    select state from fenced`),
  );
  return row === null ? 'lost' : row.state === 'done' ? 'done' : 'open';
};

/** In the order of their keys: of two workers that keep the same answers one waits for the other, and never both. */
const keep = (storageKey: string, { scope, ttlSeconds, rows }: Answers): Statement => {
  const sorted = rows.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const similar = sorted.flatMap(({ key, similar: found }) => (found ? [{ key, ...found }] : []));
  return sql`, kept as (
      insert into results as r (scope, key, tenant_id, batch_no, line, storage_key, body_offset, body_bytes, status_code, expires_at)
      select ${scope}, decode(a.key, 'hex'), b.tenant_id, f.batch_no, a.line, ${storageKey}, a.place, a.bytes, a.status, now() + make_interval(secs => ${ttlSeconds})
      from fenced f join batches b on b.no = f.batch_no, unnest(${column(sorted, 'key')}::text[], ${column(sorted, 'line')}::int[],
        ${column(sorted, 'offset')}::bigint[], ${column(sorted, 'bytes')}::int[], ${column(sorted, 'status')}::smallint[]) a (key, line, place, bytes, status)
      on conflict (scope, key) do update
      set tenant_id = excluded.tenant_id, batch_no = excluded.batch_no, line = excluded.line, storage_key = excluded.storage_key,
          body_offset = excluded.body_offset, body_bytes = excluded.body_bytes, status_code = excluded.status_code,
          created_at = now(), expires_at = excluded.expires_at
      where r.expires_at <= now())
    ${
      similar.length === 0
        ? none
        : sql`, vectors as (
      insert into result_vectors (scope, key, space, rest, vector)
      select ${scope}, decode(v.key, 'hex'), decode(v.space, 'hex'), decode(v.rest, 'hex'), decode(v.vector, 'hex')
      from fenced f, unnest(${column(similar, 'key')}::text[], ${column(similar, 'space')}::text[], ${column(similar, 'rest')}::text[],
        ${similar.map(({ vector }) => Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('hex'))}::text[]) v (key, space, rest, vector)
      on conflict (scope, key) do nothing)`
    }`;
};
