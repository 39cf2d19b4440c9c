import type { BatchError } from '@sluice/contract';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { createStored, insertFile, type StoredFile } from '../files/files.ts';
import type { Models } from '../models/models.ts';
import type { Storage } from '../storage/storage.ts';
import { record } from './events.ts';
import type { BatchRow } from './rows.ts';
import { InputScan, type ScanOptions } from './scan.ts';

interface EndDeps {
  db: Db;
  storage: Storage;
  models: Models;
  limits: { maxLines: number; maxLineBytes: number; maxErrors: number; openai: boolean };
}

/** What is scanned of a batch's input. */
export type ScannedInput = Pick<ScanOptions, 'inputKey' | 'model' | 'several'>;

const byLine = (a: BatchError, b: BatchError): number => (a.line ?? 0) - (b.line ?? 0);

/** Every error of the input, one JSON object a line: a second pass, so that none of them need be kept meanwhile. */
async function* allErrors({ storage, models, limits }: EndDeps, batch: BatchRow, input: ScannedInput): AsyncGenerator<Buffer> {
  let found: BatchError[] = [];
  const scan = new InputScan({
    storage,
    ...input,
    endpoint: batch.endpoint,
    models,
    tenant: batch.tenant_id,
    limits,
    onError: (error) => void found.push(error),
  });
  const take = (): Buffer => {
    const text = found
      .sort(byLine)
      .map((error) => `${JSON.stringify(error)}\n`)
      .join('');
    found = [];
    return Buffer.from(text);
  };
  // The index blocks are only the beat: a block of input has been looked at.
  for await (const _ of scan.index()) if (found.length > 0) yield take();
  if (found.length > 0) yield take();
}

/** All that is wrong with an input: how much, and a walk over it. */
export interface AllErrors {
  count: number;
  bytes: () => AsyncIterable<Buffer>;
}

/** Those that a scan of the lines found. */
export const errorsOf = (deps: EndDeps, batch: BatchRow, input: ScannedInput, scan: InputScan): AllErrors => ({
  count: scan.errors,
  bytes: () => allErrors(deps, batch, input),
});

/** Ends a batch whose input was refused. More errors than are shown on the batch go, all of them, to a file. */
export const endFailed = async (
  deps: Pick<EndDeps, 'db' | 'storage'>,
  batch: BatchRow & { token: number },
  errors: BatchError[],
  all?: AllErrors,
): Promise<'failed' | 'lost'> => {
  const { db, storage } = deps;
  let list: StoredFile | null = null;
  if (all !== undefined && all.count > errors.length)
    list = await createStored(storage, {
      tenant: batch.tenant_id,
      filename: `${batch.id}_errors.jsonl`,
      purpose: 'batch_output',
      bytes: all.bytes(),
    });
  const result = await db.transaction(async (tx) => {
    const held = await tx.maybe(
      sql`select from batches where no = ${batch.no} and token = ${batch.token} and status = 'validating' for update`,
    );
    if (held === null) return 'lost';
    if (list !== null) await insertFile(tx, { tenant: batch.tenant_id, user: batch.created_by }, list, { expiresSeconds: 30 * 86_400 });
    await tx.run(sql`
      update batches
      set status = 'failed', failed_at = now(), errors = ${JSON.stringify(errors.sort(byLine))}::jsonb, errors_file_id = ${list?.id ?? null},
          token = null, leased_until = null
      where no = ${batch.no}`);
    await record(tx, batch, 'batch.failed', { errors: all?.count ?? errors.length });
    return 'failed' as const;
  });
  if (result === 'lost' && list !== null) await storage.delete(list.key);
  return result;
};
