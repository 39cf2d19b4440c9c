import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { NotFound, type Storage } from '../storage/storage.ts';

/** An answer that batches have given, and where its bytes are. */
export interface Result {
  key: string;
  tenant: string;
  batchNo: number;
  batchId: string;
  line: number;
  storageKey: string;
  offset: number;
  bytes: number;
  status: number;
}

/** The answers that are kept under any of the keys, one statement for all. */
export const findResults = async (db: Db, scope: string, keys: readonly string[]): Promise<Map<string, Result>> => {
  const rows = await db.many<{
    key: string;
    tenant_id: string;
    batch_no: number;
    batch_id: string;
    line: number;
    storage_key: string;
    body_offset: number;
    body_bytes: number;
    status_code: number;
  }>(sql`
    select encode(r.key, 'hex') as key, r.tenant_id, r.batch_no, b.id as batch_id, r.line, r.storage_key, r.body_offset, r.body_bytes, r.status_code
    from unnest(${keys}::text[]) wanted (key)
    join results r on r.scope = ${scope} and r.key = decode(wanted.key, 'hex') and r.expires_at > now()
    join batches b on b.no = r.batch_no`);
  return new Map(
    rows.map((row) => [
      row.key,
      {
        key: row.key,
        tenant: row.tenant_id,
        batchNo: row.batch_no,
        batchId: row.batch_id,
        line: row.line,
        storageKey: row.storage_key,
        offset: row.body_offset,
        bytes: row.body_bytes,
        status: row.status_code,
      },
    ]),
  );
};

/** Bodies of one segment that lie closer than this are read together, up to so many bytes. */
const gapBytes = 64 << 10;
const readBytes = 4 << 20;
const mostReads = 8;

/**
 * The bodies of results, each as it is read, in whatever order that is. Those of a batch that is deleted meanwhile are left
 * out. What the caller has not taken yet is 32 MB or one large body.
 */
export async function* readBodies(storage: Storage, results: Iterable<Result>): AsyncGenerator<{ result: Result; body: string }> {
  const sorted = [...results].sort((a, b) => (a.storageKey < b.storageKey ? -1 : a.storageKey > b.storageKey ? 1 : a.offset - b.offset));
  const runs: Result[][] = [];
  for (const result of sorted) {
    const run = runs.at(-1);
    const [first, last] = [run?.[0], run?.at(-1)];
    const end = result.offset + result.bytes;
    if (
      first?.storageKey === result.storageKey &&
      result.offset - last!.offset - last!.bytes <= gapBytes &&
      end - first.offset <= readBytes
    )
      run!.push(result);
    else runs.push([result]);
  }
  const read = async (run: Result[]): Promise<{ result: Result; body: string }[]> => {
    const { storageKey, offset: start } = run[0]!;
    const last = run.at(-1)!;
    try {
      const end = last.offset + last.bytes;
      const bytes = await storage.read(storageKey, { start, end });
      if (bytes.length < end - start) return [];
      return run.map((result) => ({ result, body: bytes.toString('utf8', result.offset - start, result.offset - start + result.bytes) }));
    } catch (error) {
      if (error instanceof NotFound) return [];
      throw error;
    }
  };
  for (let i = 0; i < runs.length; i += mostReads)
    for (const bodies of await Promise.all(runs.slice(i, i + mostReads).map(read))) yield* bodies;
}

/** Rows removed by one statement: more would hold locks that settling waits for. */
const page = 5_000;

/** Forgets answers whose time is over; says how many. */
export const expireResults = async (db: Db): Promise<number> => {
  let removed = 0;
  for (;;) {
    const count = await db.run(sql`
      delete from results where ctid = any(array(
        select ctid from results where expires_at <= now() order by expires_at limit ${page} for update skip locked))`);
    removed += count;
    if (count < page) return removed;
  }
};

/** Forgets the oldest answers of scopes that keep more than `maxBytes`; says how many. */
export const trimResults = async (db: Db, maxBytes: number): Promise<number> => {
  const scopes = await db.many<{ scope: string; bytes: number }>(
    sql`select scope, sum(body_bytes)::bigint as bytes from results group by scope having sum(body_bytes) > ${maxBytes}`,
  );
  let removed = 0;
  for (const { scope, bytes } of scopes) {
    for (let over = bytes - maxBytes; over > 0;) {
      const { count, freed } = await db.one<{ count: number; freed: number }>(sql`
        with oldest as (
          select ctid, body_bytes, sum(body_bytes) over (order by created_at, key) - body_bytes as before
          from (select ctid, body_bytes, created_at, key from results where scope = ${scope} order by created_at, key limit ${page}) head),
        gone as (delete from results where ctid = any(array(select ctid from oldest where before < ${over})) returning body_bytes)
        select count(*)::int as count, coalesce(sum(body_bytes), 0)::bigint as freed from gone`);
      removed += count;
      over -= freed;
      if (count === 0) break;
    }
  }
  return removed;
};
