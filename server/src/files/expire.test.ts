import { expect } from 'vitest';
import { test } from '../../test/support/database.ts';
import { keysOf } from '../../test/support/files.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { silent } from '../lib/log.ts';
import { newBatchId } from '../lib/ids.ts';
import { openMemory } from '../storage/memory.ts';
import { purgeFiles, sweepFiles, sweepOrphans } from './expire.ts';
import { createFile, createStored, deleteFile } from './files.ts';

const who = { tenant: 'lab', user: 'ada' };
const input = { filename: 'in.jsonl', purpose: 'batch' as const, bytes: [Buffer.from('{}')] };

const addBatch = (db: Db, file: string) =>
  db.one<{ no: number }>(sql`
    insert into batches (id, tenant_id, created_by, endpoint, input_file_id, input_key, completion_window, deadline)
    values (${newBatchId()}, 'lab', 'ada', '/v1/predict', ${file}, ${`lab/files/${file}`}, '24h', now() + interval '1 day')
    returning no`);

test('a deleted file stays readable until the last batch on it has ended', async ({ db }) => {
  const deps = { db, storage: openMemory(), log: silent };
  const file = await createFile(deps, who, input);
  const [first, second] = [await addBatch(db, file.id), await addBatch(db, file.id)];
  await deleteFile(db, who, file.id);
  expect(await purgeFiles(deps)).toBe(0);
  await db.run(sql`update batches set status = 'failed', failed_at = now() where no = ${first.no}`);
  expect(await purgeFiles(deps)).toBe(0);
  expect((await deps.storage.read(file.storage_key)).toString()).toBe('{}');
  await db.run(sql`update batches set status = 'failed', failed_at = now() where no = ${second.no}`);
  expect(await purgeFiles(deps)).toBe(1);
  expect(await deps.storage.size(file.storage_key)).toBe(null);
  expect(await purgeFiles(deps)).toBe(0);
});

test('a batch that is just being created on a file keeps its bytes', async ({ db }) => {
  const deps = { db, storage: openMemory() };
  const file = await createFile(deps, who, input);
  await deleteFile(db, who, file.id);
  await db.transaction(async (tx) => {
    await tx.one(sql`select id from files where id = ${file.id} for share`);
    // Skips what is locked; another connection than the one that holds the lock.
    expect(await purgeFiles(deps)).toBe(0);
    await addBatch(tx, file.id);
  });
  expect(await purgeFiles(deps)).toBe(0);
  expect(await deps.storage.size(file.storage_key)).toBe(2);
  await db.run(sql`delete from batches`);
  await purgeFiles(deps);
});

test('one sweep takes what has expired, files and uploads alike, and nothing else', async ({ db }) => {
  const deps = { db, storage: openMemory(), log: silent };
  const [kept, late] = [await createFile(deps, who, input), await createFile(deps, who, input)];
  await db.run(sql`update files set expires_at = now() - interval '1 second' where id = ${late.id}`);
  await db.run(sql`
    insert into uploads (id, tenant_id, created_by, filename, purpose, bytes, mime_type, expires_at)
    values ('upload_old', 'lab', 'ada', 'x', 'batch', 1, 'x', now()), ('upload_new', 'lab', 'ada', 'x', 'batch', 1, 'x', now() + interval '1 hour')`);
  for (const upload of ['upload_old', 'upload_new']) {
    const key = `lab/uploads/${upload}/part_${upload}`;
    await deps.storage.put(key, [Buffer.from('x')]);
    await db.run(sql`insert into upload_parts (id, upload_id, bytes, storage_key) values (${`part_${upload}`}, ${upload}, 1, ${key})`);
  }
  await deps.storage.put('lab/uploads/upload_old/part_without_row', [Buffer.from('x')]);
  await sweepFiles(deps);
  await sweepFiles(deps);
  expect(await keysOf(deps.storage)).toEqual([kept.storage_key, 'lab/uploads/upload_new/part_upload_new']);
  expect(await db.many(sql`select id, status from uploads order by id`)).toEqual([
    { id: 'upload_new', status: 'pending' },
    { id: 'upload_old', status: 'expired' },
  ]);
  expect(await db.one(sql`select deleted_at is not null and purged_at is not null as gone from files where id = ${late.id}`)).toEqual({
    gone: true,
  });
});

test('bytes without a row are swept once they are old, bytes of files never', async ({ db }) => {
  const deps = { db, storage: openMemory() };
  const file = await createFile(deps, who, input);
  const orphan = await createStored(deps.storage, { ...input, tenant: 'lab' });
  await deps.storage.put('lab/batch_1/segment', [Buffer.from('x')]);
  expect(await sweepOrphans(deps, new Date(Date.now() - 60_000))).toBe(0);
  expect(await sweepOrphans(deps, new Date(Date.now() + 60_000))).toBe(1);
  expect(await keysOf(deps.storage)).toEqual(['lab/batch_1/segment', file.storage_key]);
  expect(await deps.storage.size(orphan.key)).toBe(null);
});
