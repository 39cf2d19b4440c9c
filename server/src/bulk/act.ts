import type { Identity } from '../auth/identity.ts';
import { cancelBatch, patchBatch } from '../batches/change.ts';
import { getBatch } from '../batches/read.ts';
import { copyLines, createContinuation } from '../batches/retry.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import type { Lines } from '../formats/lines.ts';
import { ApiError } from '../lib/errors.ts';
import type { Quotas } from '../policy/quotas.ts';
import type { Storage } from '../storage/storage.ts';
import { lockBatch, type MatchedBatch } from './batches.ts';
import type { Left } from './items.ts';
import { advance, fence, type Held } from './lease.ts';
import { selectionOfRow } from './operations.ts';
import type { Place } from './requests.ts';

/** `again`: what was to be done has changed meanwhile; look anew. */
export type Moved = 'on' | 'again' | 'stopping' | 'lost';

const actorOf = (operation: Held): Identity => ({ tenant: operation.tenant_id, user: operation.created_by });

/** Cancels a batch, or changes its priority or deadline; and moves on past it, in the same transaction. */
export const changeBatch = async (
  tx: Db,
  operation: Held,
  batch: MatchedBatch,
  left: readonly Left[],
  leaseSeconds: number,
): Promise<Moved> => {
  const held = await fence(tx, operation);
  if (held !== 'go') return held;
  const now = await lockBatch(tx, selectionOfRow(operation), batch.no);
  const skip = now === null ? 'not_found' : now.skip;
  if (skip === null) await change(tx, operation, batch.id);
  const rest: Left[] = skip === null ? [...left] : [...left, { id: batch.id, reason: skip }];
  await advance(tx, operation, { no: batch.no, line: 0 }, skip === null ? 1 : 0, rest, leaseSeconds);
  return 'on';
};

const change = async (tx: Db, operation: Held, id: string): Promise<void> => {
  const { mode = 'stop', priority, deadline, completion_window } = operation.options;
  if (operation.action === 'cancel') await cancelBatch(tx, actorOf(operation), id, mode);
  else if (operation.action === 'priority') await patchBatch(tx, actorOf(operation), id, { priority: priority! });
  else await patchBatch(tx, actorOf(operation), id, deadline === undefined ? { completion_window: completion_window! } : { deadline });
};

export interface Rerun {
  /** Of the batch. */
  id: string;
  lines: Lines;
  to: Place;
  done: number;
  left: readonly Left[];
  /** What is skipped where the input is gone. */
  gone: { id: string; lines?: string };
  /** Whether these are still the lines to run again; asked with the batch's row held. */
  still: (tx: Db) => Promise<boolean>;
}

/**
 * Runs lines of a batch again in a continuation, and moves on past them. The input is copied before, outside the
 * transaction; where that ends otherwise the copy goes.
 */
export const rerunLines = async (
  { db, storage, leaseSeconds, quotas }: { db: Db; storage: Storage; leaseSeconds: number; quotas?: Quotas },
  operation: Held,
  { id, lines, to, done, left, gone, still }: Rerun,
): Promise<Moved> => {
  if (lines.length === 0) return 'again';
  const batch = await getBatch(db, actorOf(operation), id);
  const input = await copyLines(storage, batch, lines).catch((error: unknown) => {
    if (error instanceof ApiError) return null;
    throw error;
  });
  const { completion_window, priority } = operation.options;
  const run = async (tx: Db): Promise<Moved> => {
    const held = await fence(tx, operation);
    if (held !== 'go') return held;
    // Two operations, or a retry beside them, do not both run the same lines again.
    await tx.maybe(sql`select from batches where no = ${batch.no} for no key update`);
    if (!(await still(tx))) return 'again';
    if (input === null) await advance(tx, operation, to, 0, [...left, { ...gone, reason: 'input_gone' }], leaseSeconds);
    else {
      const changes = { ...(completion_window !== undefined && { completion_window }), ...(priority !== undefined && { priority }) };
      await createContinuation(tx, actorOf(operation), batch, { lines, input }, changes, quotas);
      await advance(tx, operation, to, done, left, leaseSeconds);
    }
    return 'on';
  };
  const drop = async (): Promise<void> => (input === null ? undefined : storage.delete(input.key));
  const moved = await db.transaction(run).catch(async (error: unknown) => {
    // Refused, by a quota for one: the copy would be nobody's.
    if (error instanceof ApiError) await drop();
    throw error;
  });
  if (moved !== 'on') await drop();
  return moved;
};
