import type { Logger } from '../lib/log.ts';
import type { FileDeps } from './files.ts';
import { expireFiles, lockPurgeable, markPurged, tenantsWithFiles, unknownKeys } from './queries.ts';
import { dropParts, endedUploads, expireUploads } from './upload-queries.ts';
import { partsPrefix } from './uploads.ts';

/**
 * What time and deletes leave behind. A file goes in two steps: it is taken from sight (`deleted_at`), and its bytes
 * go (`purged_at`) once no batch that has not ended reads them. Every step may be cut off and run again, here and in
 * any number of schedulers at once.
 */
const batchOf = 200;

/** A day is longer than any upload or finalizing that still goes on. */
const staleMs = 24 * 3_600_000;

/** Removes the bytes of deleted files that nobody reads. Says how many. */
export const purgeFiles = async ({ db, storage }: FileDeps): Promise<number> => {
  let purged = 0;
  for (let more = true; more;) {
    const count = await db.transaction(async (tx) => {
      const files = await lockPurgeable(tx, batchOf);
      // Bytes first: a crash between the two leaves a row whose bytes are deleted again, which is nothing.
      for (const file of files) await storage.delete(file.storage_key);
      return files.length === 0
        ? 0
        : markPurged(
            tx,
            files.map(({ id }) => id),
          );
    });
    purged += count;
    more = count === batchOf;
  }
  return purged;
};

/** Removes the parts of uploads that were completed or cancelled, or expired. Says of how many uploads. */
export const purgeUploads = async ({ db, storage }: FileDeps): Promise<number> => {
  const uploads = await endedUploads(db, batchOf);
  for (const upload of uploads) {
    // By the storage's own list: a part whose upload ended while it arrived may have no row.
    for await (const { key } of storage.list(partsPrefix(upload.tenant_id, upload.id))) await storage.delete(key);
    await dropParts(db, upload.id);
  }
  return uploads.length;
};

/** Removes bytes of files whose row was never written, because a process died in between. Says how many. */
export const sweepOrphans = async ({ db, storage }: FileDeps, before: Date): Promise<number> => {
  let removed = 0;
  const remove = async (keys: string[]) => {
    for (const key of await unknownKeys(db, keys)) {
      await storage.delete(key);
      removed++;
    }
  };
  for (const { tenant_id } of await tenantsWithFiles(db)) {
    let keys: string[] = [];
    for await (const { key, modified } of storage.list(`${tenant_id}/files/`)) {
      if (modified < before) keys.push(key);
      if (keys.length === 1000) await remove(keys.splice(0));
    }
    await remove(keys);
  }
  return removed;
};

/** One round of all but the orphans, which are rare and dear to find. */
export const sweepFiles = async (deps: FileDeps & { log: Logger }): Promise<void> => {
  const { db, storage, log } = deps;
  const done = {
    expired: await expireFiles(db),
    purged: await purgeFiles(deps),
    uploads_expired: await expireUploads(db),
    uploads_purged: await purgeUploads(deps),
    temporaries: await storage.sweepTemporary(new Date(Date.now() - staleMs)),
  };
  if (Object.values(done).some((count) => count > 0)) log.info(done, 'swept files');
};
