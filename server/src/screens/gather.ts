import type { ArchivedFile, LigandRecord, ScreenSummary } from '@sluice/contract';
import { batchFolder } from '../artifacts/keys.ts';
import { keepRenewing } from '../batches/lease.ts';
import { batchColumns, type BatchRow } from '../batches/rows.ts';
import { sql } from '../db/sql.ts';
import type { Db } from '../db/db.ts';
import { messageOf } from '../lib/errors.ts';
import type { Storage } from '../storage/storage.ts';
import { archive, archiveFolder, dropFolder } from './archive.ts';
import { Shelf } from './shelf.ts';
import type { ScreenSpec } from './create.ts';
import { ligandsOf, type RecordDeps } from './records.ts';
import { csvOf, summaryOf } from './summary.ts';

/**
 * Gathering writes what a screen came to, once its batch has ended: files of the whole under `batches/{id}/`, those of
 * each ligand under `jobs/{request}/` in it, and a copy of all of them in the archive.
 *
 * Promise: files of the whole are seen all at once or not at all, in the transaction that marks the screen gathered,
 * guarded by the token of whoever gathers. All it writes follows from what an ended batch holds, so that whoever begins
 * again writes the same bytes under the same keys. A failure costs tries, and never the batch.
 */
export interface GatherDeps extends RecordDeps {
  db: Db;
  storage: Storage;
  leaseSeconds: number;
}

/** Tries after which it is given up, with the reason on the screen. */
const maxTries = 5;
const page = 100;

export type Gathered = { batchId: string; result: 'gathered' | 'failed' | 'lost'; ligands: number };

type Claimed = BatchRow & { token: number; spec: ScreenSpec; tries: number };

/** Gathers the next screen that has ended; null where none has. */
export const gatherNext = async (deps: GatherDeps, signal: AbortSignal): Promise<Gathered | null> => {
  const { db, leaseSeconds } = deps;
  const screen = await db.maybe<Claimed>(sql`
    update screens s
    set token = nextval('lease_token'), leased_until = now() + make_interval(secs => ${leaseSeconds}), tries = s.tries + 1
    from batches b
    where b.no = s.batch_no and s.batch_no = (
      select o.batch_no from screens o join batches e on e.no = o.batch_no
      where o.gathered_at is null and (o.leased_until is null or o.leased_until < now()) and o.tries <= ${maxTries}
        and e.status in ('completed', 'failed', 'expired', 'cancelled')
      order by o.tries, o.batch_no limit 1 for update of o skip locked)
    returning ${batchColumns}, s.token, s.spec, s.tries`);
  if (screen === null) return null;
  await using lease = keepRenewing(
    () =>
      db.run(sql`
        update screens set leased_until = now() + make_interval(secs => ${leaseSeconds})
        where batch_no = ${screen.no} and token = ${screen.token}`),
    leaseSeconds,
    signal,
  );
  try {
    const result = screen.sealed ? await gather(deps, screen, lease.signal) : await finish(db, screen, null, []);
    if (result === 'lost') await takeBack(deps, screen);
    return { batchId: screen.id, result, ligands: screen.total };
  } catch (error) {
    if (lease.signal.aborted) {
      if (signal.aborted)
        await db.run(sql`
          update screens set token = null, leased_until = null, tries = greatest(tries - 1, 0)
          where batch_no = ${screen.no} and token = ${screen.token}`);
      return { batchId: screen.id, result: 'lost', ligands: screen.total };
    }
    if (await takeBack(deps, screen)) return { batchId: screen.id, result: 'lost', ligands: screen.total };
    // The next try waits for the end of this lease; the last one says why.
    await db.run(sql`
      update screens set error = ${messageOf(error).slice(0, 1_000)} where batch_no = ${screen.no} and token = ${screen.token}`);
    return { batchId: screen.id, result: 'failed', ligands: screen.total };
  }
};

const gather = async (deps: GatherDeps, screen: Claimed, signal: AbortSignal): Promise<'gathered' | 'lost'> => {
  const { storage } = deps;
  const folder = batchFolder(screen.tenant_id, screen.id);
  const shelf = new Shelf(deps, screen, signal);
  const records: LigandRecord[] = [];
  const jobs: object[] = [];
  for (let line = 1; line <= screen.total; line += page) {
    signal.throwIfAborted();
    const numbers = Array.from({ length: Math.min(page, screen.total - line + 1) }, (_, i) => line + i);
    const found = await ligandsOf(deps, screen, numbers);
    const files = await shelf.settle(found);
    if (files === 'lost') return 'lost';
    for (const { record } of found) {
      const own = files.get(record.line) ?? [];
      const pathOf = (name: string): string | null => (own.some((file) => file.name === name) ? `jobs/${record.request}/${name}` : null);
      const whole = { ...record, structure_path: pathOf('structure.cif'), plddt_path: pathOf('plddt.npz') };
      records.push(whole);
      jobs.push({
        request: record.request,
        line: record.line,
        id: record.id,
        name: record.name,
        status: record.status,
        folder: `jobs/${record.request}/`,
        files: own.map(({ name, type, bytes, sha256 }) => ({ name, content_type: type, bytes, sha256 })),
      });
    }
  }
  const summary = summaryOf(records);
  const put = (path: string, parts: Iterable<string>) => shelf.put(path, parts);
  const json = (path: string, value: unknown) => put(path, [`${JSON.stringify(value, null, 2)}\n`]);
  await put('results/batch_results.json', jsonOf(screen.id, records));
  await put('results/batch_results.csv', csvOf(records));
  await json('summary.json', { batch_id: screen.id, ...summary });
  await json('job_index.json', { batch_id: screen.id, jobs });
  await json('batch_metadata.json', metadataOf(screen));
  await json('batch_index.json', { batch_id: screen.id, files: shelf.files.map(plain) });
  await archive(storage, screen, folder, shelf.files, signal);
  const result = await finish(deps.db, screen, summary, shelf.files);
  if (result === 'gathered') await shelf.tidy();
  return result;
};

const plain = ({ path, content_type, bytes, sha256 }: ArchivedFile): ArchivedFile => ({ path, content_type, bytes, sha256 });

function* jsonOf(batchId: string, records: readonly LigandRecord[]): Generator<string> {
  yield `{"batch_id":${JSON.stringify(batchId)},"results":[\n`;
  for (const [i, record] of records.entries()) yield `${JSON.stringify(record)}${i + 1 < records.length ? ',' : ''}\n`;
  yield ']}\n';
}

const iso = (seconds: number | null): string | null => (seconds === null ? null : new Date(seconds * 1_000).toISOString());

const metadataOf = (screen: Claimed): object => ({
  batch_id: screen.id,
  name: screen.name,
  model: screen.model === null ? null : screen.model.slice(screen.model.indexOf(':') + 1),
  status: screen.status,
  created_by: screen.created_by,
  created_at: iso(screen.created_at),
  started_at: iso(screen.in_progress_at),
  ended_at: iso(screen.completed_at ?? screen.expired_at ?? screen.cancelled_at),
  deadline: iso(screen.deadline),
  request_counts: {
    total: screen.total,
    completed: screen.completed,
    failed: screen.failed,
    cancelled: screen.cancelled,
    expired: screen.expired,
  },
  ...screen.spec,
  options: screen.options,
  metadata: screen.metadata,
  units: {
    affinity_pred_value: 'log10(IC50 in µM); lower binds more strongly; for comparing binders',
    pic50: '6 - affinity_pred_value: -log10(IC50 in M)',
    ic50_um: 'µM, 10^affinity_pred_value',
    affinity_probability_binary: '0 to 1, that it binds at all; for telling binders from others',
    complex_pde: 'Å, lower is better',
  },
});

/** Shows the files of the whole, and ends the work; all of it or nothing. */
const finish = (
  db: Db,
  screen: Claimed,
  summary: ScreenSummary | null,
  files: readonly (ArchivedFile & { key: string; name: string; ofBatch: boolean })[],
): Promise<'gathered' | 'lost'> =>
  db.transaction(async (tx) => {
    const held = await tx.maybe(sql`select from screens where batch_no = ${screen.no} and token = ${screen.token} for update`);
    if (held === null) return 'lost';
    const own = files.filter(({ ofBatch }) => ofBatch);
    await tx.run(sql`
      insert into artifacts (batch_no, line, attempt, name, storage_key, content_type, bytes, sha256)
      select ${screen.no}, 0, 0, f.name, f.key, f.type, f.bytes, f.sha256
      from unnest(${own.map(({ name }) => name)}::text[], ${own.map(({ key }) => key)}::text[], ${own.map((f) => f.content_type)}::text[],
        ${own.map(({ bytes }) => bytes)}::bigint[], ${own.map(({ sha256 }) => sha256)}::text[]) f (name, key, type, bytes, sha256)
      on conflict do nothing`);
    if (summary !== null)
      await tx.run(sql`
        insert into archives (batch_id, tenant_id, created_by, kind, name, files, bytes)
        values (${screen.id}, ${screen.tenant_id}, ${screen.created_by}, 'screen', ${screen.name},
          ${JSON.stringify(files.map(plain))}::jsonb,
          ${files.reduce((sum, { bytes }) => sum + bytes, 0)})
        on conflict (batch_id) do nothing`);
    await tx.run(sql`
      update screens set gathered_at = now(), token = null, leased_until = null, error = null, summary = ${summary === null ? null : JSON.stringify(summary)}::jsonb
      where batch_no = ${screen.no}`);
    return 'gathered';
  });

/** Of a batch that was deleted meanwhile nothing may stay: nobody would ever look there again. */
const takeBack = async ({ db, storage }: GatherDeps, screen: Claimed): Promise<boolean> => {
  if ((await db.maybe(sql`select from batches where no = ${screen.no}`)) !== null) return false;
  await dropFolder(storage, batchFolder(screen.tenant_id, screen.id));
  if ((await db.maybe(sql`select from archives where batch_id = ${screen.id}`)) === null)
    await dropFolder(storage, archiveFolder(screen.tenant_id, screen.id));
  return true;
};
