import type { BatchError } from '@sluice/contract';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { createStored, insertFile } from '../files/files.ts';
import { SourceError } from '../tables/facts.ts';
import { fetchSource, filenameOf, noSources, shownUrl } from '../tables/sources.ts';
import { TooLarge, type Storage } from '../storage/storage.ts';
import type { BatchRow } from './rows.ts';
import { limitsOf, type TableDeps } from './table-input.ts';

interface Deps {
  db: Db;
  storage: Storage;
  limits: { maxLines: number; maxErrors: number; openai: boolean; maxFileBytes?: number };
  tables?: TableDeps | undefined;
}

export const sourceError = (message: string): BatchError => ({ code: 'invalid_source', message, param: 'source.url', line: null });

/** The bytes behind a URL, no more of them than a file may have. */
export const bytesOf = (deps: Pick<Deps, 'limits' | 'tables'>, url: string, signal: AbortSignal): AsyncGenerator<Buffer> =>
  fetchSource(url, deps.tables?.sources ?? noSources, { maxBytes: limitsOf(deps).bytes, signal });

/**
 * Copies the input of a batch in from where its URL says, as the file that it named when it was created: what runs, and runs
 * again, is this copy.
 *
 * @param last no other try follows
 * @returns where it is
 */
export const copyIn = async (
  deps: Deps,
  batch: BatchRow & { token: number },
  { signal, last }: { signal: AbortSignal; last: boolean },
): Promise<{ key: string; bytes: number } | { error: BatchError } | 'lost'> => {
  const { db, storage } = deps;
  const url = batch.source!.url!;
  try {
    const stored = await createStored(storage, {
      id: batch.input_file_id,
      tenant: batch.tenant_id,
      filename: filenameOf(url),
      purpose: 'batch',
      bytes: bytesOf(deps, url, signal),
      limit: limitsOf(deps).bytes,
      signal,
    });
    const kept = await db.transaction(async (tx) => {
      const held = await tx.maybe(
        sql`select from batches where no = ${batch.no} and token = ${batch.token} and status = 'validating' for update`,
      );
      if (held === null) return false;
      await insertFile(tx, { tenant: batch.tenant_id, user: batch.created_by }, stored);
      await tx.run(sql`
        update batches
        set input_key = ${stored.key}, input_bytes = ${stored.bytes}, source = source || jsonb_build_object('url', ${shownUrl(url)}::text)
        where no = ${batch.no}`);
      return true;
    });
    return kept ? { key: stored.key, bytes: stored.bytes } : 'lost';
  } catch (error) {
    if (signal.aborted) return 'lost';
    if (error instanceof TooLarge) return { error: sourceError(`The source has more than ${error.limit.toLocaleString('en')} bytes.`) };
    if (error instanceof SourceError && (error.final || last)) return { error: sourceError(error.message) };
    throw error;
  }
};
