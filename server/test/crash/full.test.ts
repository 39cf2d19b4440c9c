import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp, open as openFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { openDisk } from '../../src/storage/disk.ts';
import { chatLine, createBatch, untilEnded, upload } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';
import { checkAll, keepHistory } from './history.ts';
import { until } from './until.ts';

/** A disk of 24 MB of its own, where this user may mount one. */
const mount = (): string | null => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-full-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', folder], { stdio: 'ignore' });
    return folder;
  } catch {
    rmSync(folder, { recursive: true });
    return null;
  }
};
const disk = mount();

let sluice: Sluice;
const runs = new Map<string, number>();
beforeEach(async () => {
  const storage = await openDisk(disk === null ? await mkdtemp(join(tmpdir(), 'sluice-full-')) : join(disk, 'storage'));
  sluice = await startSluice({ storage: () => storage, timing: { leaseSeconds: 4 } });
  await keepHistory(sluice.db);
  runs.clear();
});
afterEach(async () => {
  await sluice[Symbol.asyncDispose]();
  if (disk === null) return;
  execFileSync('umount', [disk]);
  await rm(disk, { recursive: true });
});

/** Writes until nothing more goes in; the returned function frees it all. */
const fill = async (): Promise<() => Promise<void>> => {
  const path = join(disk!, 'ballast');
  const file = await openFile(path, 'w');
  for (let size = 1 << 20; size >= 512; size >>= 1) {
    try {
      for (;;) if ((await file.write(Buffer.alloc(size))).bytesWritten < size) break;
    } catch {
      // As full as it gets in pieces of this size.
    }
  }
  await file.close();
  return () => rm(path);
};

test.skipIf(disk === null)(
  'a full disk stops the work, keeps what was done, and lets it go on when there is room',
  { timeout: 240_000 },
  async () => {
    const { client, db, workers } = sluice;
    const ids = Array.from({ length: 200 }, (_, i) => `r${i}`);
    const batch = await createBatch(
      client,
      ids.map((id, i) => chatLine(id, { echo: { delay_ms: 300 + 10 * i, bytes: 2_000 } })),
    );
    const queued = await createBatch(client, [chatLine('later')]);
    const claims: number[] = [];
    workers[0]!.on('claimed', ({ chunkId }) => claims.push(chunkId));
    const ends: string[] = [];
    workers[0]!.on('ended', (_, how) => ends.push(how));
    await until('something has settled', async () => (await db.one<{ n: number }>(sql`select count(*) as n from segments`)).n > 0);
    // A worker whose machine is slow to start may have let some go before: what counts is what it has now.
    const held = new Set(claims.splice(0));
    const free = await fill();
    await expect(upload(client, [chatLine('x')])).rejects.toMatchObject({ status: 507 });
    // Longer than the leases: what is done is held on to, and not done again.
    const { now } = await db.one<{ now: number }>(sql`select extract(epoch from now())::float8 as now`);
    await until('the leases would have run out', async () => {
      const [time] = await db.many<{ t: number }>(sql`select extract(epoch from now())::float8 as t`);
      return time!.t > now + 6;
    });
    expect(ends.filter((how) => how === 'failed' || how === 'lost')).toEqual([]);
    await free();
    const sent = [
      { id: batch.id, customIds: ids },
      { id: queued.id, customIds: ['later'] },
    ];
    for (const { id } of sent) expect((await untilEnded(client, id)).status).toBe('completed');
    expect(await checkAll(db, sluice.storage, sent)).toEqual([]);
    expect(claims.filter((id) => held.has(id))).toEqual([]);
  },
);
