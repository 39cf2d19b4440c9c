import { listArtifacts, type Kept } from '../artifacts/artifacts.ts';
import type { Result } from '../cache/results.ts';
import type { Db } from '../db/db.ts';
import { NotFound, type Storage } from '../storage/storage.ts';

/** As an answer that has files begins to say so. */
const saysFiles = '"artifacts":[';

/**
 * The files that belong to an answer which another request gets: of its own batch the same ones, of another batch copies,
 * so that it keeps them when that one is deleted. Null where they are gone, and the answer is to be made anew.
 *
 * @param folder where copies go
 */
export const filesOfAnswer = async (
  { db, storage }: { db: Db; storage: Storage },
  { batchNo, line }: Pick<Result, 'batchNo' | 'line'>,
  body: string,
  own: { batchNo: number; folder: string | undefined },
): Promise<Kept[] | null> => {
  if (!body.includes(saysFiles)) return [];
  const rows = await listArtifacts(db, { batchNo, line });
  if (rows.length === 0) return null;
  const kept: Kept[] = [];
  for (const { name, storage_key: key, content_type: type, bytes, sha256 } of rows) {
    if (batchNo === own.batchNo) kept.push({ name, key, type, bytes, sha256 });
    else if (own.folder === undefined) return null;
    else {
      const to = `${own.folder}/${name}`;
      try {
        await storage.copy(key, to);
      } catch (error) {
        if (error instanceof NotFound) return null;
        throw error;
      }
      kept.push({ name, key: to, type, bytes, sha256 });
    }
  }
  return kept;
};
