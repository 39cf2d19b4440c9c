import { hash } from 'node:crypto';
import type { Db } from '../../src/db/db.ts';
import { sql } from '../../src/db/sql.ts';
import { eachLine, parseLines } from '../../src/formats/lines.ts';
import { Manifest } from '../../src/formats/manifest.ts';
import { requestId } from '../../src/lib/ids.ts';
import type { Storage } from '../../src/storage/storage.ts';

/**
 * What must be true of every batch whatever was killed, checked from three sides: the files a client downloads, the
 * rows and objects they were made from, and a record of every lease and every write that triggers keep beside the
 * tables (`keepHistory`), so that a write under an old token is seen even where it did no harm.
 */

/** Makes the database write down who held which chunk, and under which token each segment was accepted. */
export const keepHistory = async (db: Db): Promise<void> => {
  await db.run(sql`
    create table history (
      seq bigint generated always as identity primary key, xid xid8 not null default pg_current_xact_id(),
      what text not null, chunk_id bigint not null, token bigint not null)`);
  await db.run(sql`
    create function history_of_chunks() returns trigger language plpgsql as $$
    begin
      if old.token is not null and old.token is distinct from new.token then
        insert into history (what, chunk_id, token) values ('end', new.id, old.token);
      end if;
      if new.token is not null and old.token is distinct from new.token then
        insert into history (what, chunk_id, token) values ('claim', new.id, new.token);
      end if;
      return null;
    end $$`);
  await db.run(sql`
    create function history_of_segments() returns trigger language plpgsql as $$
    begin
      insert into history (what, chunk_id, token) values ('settle', new.chunk_id, new.token);
      return null;
    end $$`);
  await db.run(sql`create trigger history after update of token on chunks for each row execute function history_of_chunks()`);
  await db.run(sql`create trigger history after insert on segments for each row execute function history_of_segments()`);
};

interface HistoryRow {
  seq: number;
  xid: string;
  what: 'claim' | 'end' | 'settle';
  chunk_id: number;
  token: number;
}

/** Writes accepted under a token that was not the chunk's own just then. Rows of a chunk are in order: each writer holds its row. */
export const checkFences = async (db: Db): Promise<string[]> => {
  const rows = await db.many<HistoryRow>(sql`select seq, xid::text, what, chunk_id, token from history order by chunk_id, seq`);
  const wrong: string[] = [];
  let chunk = 0;
  let held: { token: number; ended: string | null } | null = null;
  const seen = new Set<number>();
  for (const row of rows) {
    if (row.chunk_id !== chunk) [chunk, held] = [row.chunk_id, null];
    const name = `chunk ${chunk}, token ${row.token}`;
    if (row.what === 'claim') {
      if (held !== null && held.ended === null) wrong.push(`${name}: claimed while ${held.token} held it`);
      if (held !== null && held.token >= row.token) wrong.push(`${name}: an earlier lease had ${held.token}`);
      if (seen.has(row.token)) wrong.push(`${name}: given out twice`);
      seen.add(row.token);
      held = { token: row.token, ended: null };
    } else if (held?.token !== row.token || (held.ended !== null && held.ended !== row.xid)) {
      wrong.push(`${name}: ${row.what} was accepted, but the chunk was ${held?.ended === null ? `held under ${held.token}` : 'free'}`);
    } else if (row.what === 'end') held.ended = row.xid;
  }
  return wrong;
};

/** What a client sent: the custom_ids of its lines, in order. */
export interface Sent {
  id: string;
  customIds: readonly string[];
}

interface BatchState {
  no: number;
  tenant_id: string;
  status: string;
  sealed: boolean;
  total: number;
  completed: number;
  failed: number;
  cancelled: number;
  expired: number;
  output_file_id: string | null;
  error_file_id: string | null;
}

const terminal = new Set(['completed', 'failed', 'expired', 'cancelled']);

/** Everything that is wrong with one batch that should have ended; empty where nothing is. */
export const checkBatch = async (db: Db, storage: Storage, sent: Sent): Promise<string[]> => {
  const wrong: string[] = [];
  const batch = await db.maybe<BatchState>(sql`
    select no, tenant_id, status, sealed, total, completed, failed, cancelled, expired, output_file_id, error_file_id
    from batches where id = ${sent.id}`);
  if (batch === null) return [`${sent.id} is gone`];
  const report = (problem: string): void => void wrong.push(`${sent.id} (${batch.status}): ${problem}`);
  if (!terminal.has(batch.status)) report('it never ended');
  checkCounts(batch, sent, report);
  checkEvents(
    await db.many<{ number: number; type: string }>(sql`select number, type from events where batch_no = ${batch.no} order by number`),
    batch,
    report,
  );
  await checkRows(db, storage, batch, report);
  await checkFiles(db, storage, batch, sent, report);
  return wrong;
};

type Report = (problem: string) => void;

const checkCounts = (batch: BatchState, sent: Sent, report: Report): void => {
  const { total, completed, failed, cancelled, expired } = batch;
  if (total !== completed + failed + cancelled + expired) report(`${total} is not ${completed} + ${failed} + ${cancelled} + ${expired}`);
  if (batch.sealed && total !== sent.customIds.length) report(`${total} lines, but ${sent.customIds.length} were sent`);
  if (!batch.sealed && batch.status !== 'failed' && batch.status !== 'cancelled') report('it ended without having been taken in');
};

const checkEvents = (events: { number: number; type: string }[], batch: BatchState, report: Report): void => {
  events.forEach(({ number }, i) => number !== i + 1 && report(`event ${i + 1} has the number ${number}`));
  if (events[0]?.type !== 'batch.created') report(`its first event is ${events[0]?.type}`);
  const types = events.map(({ type }) => type.replace('batch.', ''));
  const ends = types.filter((type) => terminal.has(type));
  if (ends.join() !== batch.status) report(`its last events are [${ends.join()}]`);
  for (const once of ['created', 'in_progress', 'finalizing', 'cancelling'])
    if (types.filter((type) => type === once).length > 1) report(`${once} happened twice`);
};

/** Each line is in exactly one segment, or has a row without one, or stands in a chunk that ended unrun. */
const checkRows = async (db: Db, storage: Storage, batch: BatchState, report: Report): Promise<void> => {
  const open = await db.one<{ chunks: number; waiting: number }>(sql`
    select (select count(*) from chunks where batch_no = ${batch.no} and state in ('queued', 'leased')) as chunks,
           (select count(*) from waiting where batch_no = ${batch.no}) as waiting`);
  if (open.chunks + open.waiting > 0) report(`${open.chunks} chunks and ${open.waiting} requests are still open`);
  const places = new Map<number, string>();
  const place = (line: number, where: string): void => {
    const other = places.get(line);
    if (other !== undefined) report(`line ${line} is in ${other} and in ${where}`);
    places.set(line, where);
  };
  const segments = await db.many<{
    storage_key: string;
    lines: string;
    data_bytes: number;
    manifest_bytes: number;
    completed: number;
    failed: number;
  }>(sql`
    select storage_key, lines::text, data_bytes, manifest_bytes, completed, failed from segments where batch_no = ${batch.no}`);
  for (const segment of segments) {
    const lines = [...eachLine(parseLines(segment.lines))];
    for (const line of lines) place(line, segment.storage_key);
    const size = await storage.size(segment.storage_key);
    if (size !== segment.data_bytes + segment.manifest_bytes) {
      report(`${segment.storage_key} has ${size} bytes`);
      continue;
    }
    const manifest = new Manifest(await storage.read(segment.storage_key, { start: segment.data_bytes }));
    const settled = Array.from({ length: manifest.count }, (_, i) => manifest.at(i));
    if (settled.map(({ line }) => line).join() !== lines.join())
      report(`${segment.storage_key}: the manifest has other lines than the row`);
    const completed = settled.filter(({ state }) => state === 'completed').length;
    if (completed !== segment.completed || settled.length - completed !== segment.failed)
      report(`${segment.storage_key}: the manifest has other counts than the row`);
  }
  const rows = await db.many<{ line: number; state: string }>(
    sql`select line, state from requests where batch_no = ${batch.no} and segment_id is null`,
  );
  for (const { line, state } of rows) place(line, `a row (${state})`);
  const left = await db.many<{ id: number; state: string; lines: string }>(
    sql`select id, state, lines::text from chunks where batch_no = ${batch.no} and state in ('cancelled', 'expired')`,
  );
  for (const { id, state, lines } of left) for (const line of eachLine(parseLines(lines))) place(line, `chunk ${id} (${state})`);
  const missing = Array.from({ length: batch.total }, (_, i) => i + 1).filter((line) => !places.has(line));
  if (missing.length > 0) report(`${missing.length} lines are nowhere: ${missing.slice(0, 5).join(', ')}`);
  if (places.size > batch.total) report(`${places.size} lines have a place, of ${batch.total}`);
  const exceptions = await db.one<{ rows: number; segments: number }>(sql`
    select (select count(*) from requests where batch_no = ${batch.no} and segment_id is not null) as rows,
           (select coalesce(sum(failed), 0)::bigint from segments where batch_no = ${batch.no}) as segments`);
  if (exceptions.rows !== exceptions.segments) report(`${exceptions.rows} rows of failures, but the segments have ${exceptions.segments}`);
};

interface ResultLine {
  id: string;
  custom_id: string;
  response: { status_code: number; body: Record<string, unknown> } | null;
  error: { code: string } | null;
}

const readFile = async (db: Db, storage: Storage, id: string, report: Report): Promise<ResultLine[]> => {
  const file = await db.maybe<{ storage_key: string; bytes: number; sha256: string }>(
    sql`select storage_key, bytes, sha256 from files where id = ${id} and deleted_at is null`,
  );
  if (file === null) {
    report(`it names the file ${id}, which is not there`);
    return [];
  }
  const bytes = await storage.read(file.storage_key);
  if (bytes.length !== file.bytes) report(`${id} has ${bytes.length} bytes, but says ${file.bytes}`);
  if (hash('sha256', bytes, 'hex') !== file.sha256) report(`${id} has another sha256 than it says`);
  if (bytes.length === 0 || bytes.at(-1) !== 0x0a) report(`${id} does not end with a line end`);
  const lines: ResultLine[] = [];
  for (const text of bytes.toString('utf8').split('\n').slice(0, -1)) {
    try {
      lines.push(JSON.parse(text) as ResultLine);
    } catch {
      report(`${id} has a line that is not JSON: ${text.slice(0, 80)}`);
    }
  }
  return lines;
};

/** Each custom_id that was sent is in exactly one line of exactly one file, in order, with its own answer. */
const checkFiles = async (db: Db, storage: Storage, batch: BatchState, sent: Sent, report: Report): Promise<void> => {
  const output = batch.output_file_id === null ? [] : await readFile(db, storage, batch.output_file_id, report);
  const errors = batch.error_file_id === null ? [] : await readFile(db, storage, batch.error_file_id, report);
  if (!batch.sealed) {
    if (output.length + errors.length > 0) report('it was never taken in, and has results');
    return;
  }
  const number = new Map(sent.customIds.map((id, i) => [id, i + 1]));
  const found = new Map<string, number>();
  for (const [name, lines] of [
    ['output', output],
    ['error', errors],
  ] as const) {
    let last = 0;
    for (const { id, custom_id, response, error } of lines) {
      const line = number.get(custom_id);
      found.set(custom_id, (found.get(custom_id) ?? 0) + 1);
      if (line === undefined) {
        report(`the ${name} file has ${custom_id}, which was never sent`);
        continue;
      }
      if (id !== requestId(sent.id, line)) report(`${custom_id} has the id ${id}`);
      if (line <= last) report(`the ${name} file is out of order at line ${line}`);
      last = line;
      if ((response === null) === (error === null)) report(`${custom_id} has both a response and an error, or neither`);
      if ((name === 'output') !== (response !== null && response.status_code < 400)) report(`${custom_id} is in the wrong file`);
      const said = (response?.body['choices'] as { message: { content: string } }[] | undefined)?.[0]?.message.content;
      if (name === 'output' && said !== undefined && said !== `say ${custom_id}`) report(`${custom_id} has the answer of another: ${said}`);
    }
  }
  for (const id of sent.customIds) if (found.get(id) !== 1) report(`${id} is in ${found.get(id) ?? 0} lines of the files`);
  const withCode = (code: string): number => errors.filter((line) => line.error?.code === code).length;
  const counted = {
    completed: output.length,
    failed: errors.length - withCode('batch_cancelled') - withCode('batch_expired'),
    cancelled: withCode('batch_cancelled'),
    expired: withCode('batch_expired'),
  };
  for (const [state, count] of Object.entries(counted))
    if (count !== batch[state as keyof typeof counted])
      report(`${count} lines of the files are ${state}, the batch says ${batch[state as keyof typeof counted]}`);
};

/** Every file that can be seen has all its bytes, and no batch stands open. */
export const checkStore = async (db: Db, storage: Storage): Promise<string[]> => {
  const files = await db.many<{ id: string; storage_key: string; bytes: number }>(
    sql`select id, storage_key, bytes from files where deleted_at is null`,
  );
  const wrong: string[] = [];
  for (const { id, storage_key: key, bytes } of files) {
    const size = await storage.size(key);
    if (size !== bytes) wrong.push(`the file ${id} says ${bytes} bytes and has ${size}`);
  }
  return wrong;
};

export const checkAll = async (db: Db, storage: Storage, sent: readonly Sent[]): Promise<string[]> => {
  const wrong = [...(await checkFences(db)), ...(await checkStore(db, storage))];
  for (const one of sent) wrong.push(...(await checkBatch(db, storage, one)));
  return wrong;
};
