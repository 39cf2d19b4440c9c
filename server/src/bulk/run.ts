import { keepRenewing, fullPause, type Held as Lease } from '../batches/lease.ts';
import { isUnreachable, type Db } from '../db/db.ts';
import { clipLines, countLines, formatLines, nthLine, parseLines } from '../formats/lines.ts';
import { ApiError, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { Quotas } from '../policy/quotas.ts';
import { StorageFull, type Storage } from '../storage/storage.ts';
import { changeBatch, rerunLines, type Moved } from './act.ts';
import { lockBatch, linesOfBatch, nextBatches, type MatchedBatch } from './batches.ts';
import type { Left } from './items.ts';
import { advance, claim, end, extend, fence, letGo, type Held } from './lease.ts';
import { selectionOfRow } from './operations.ts';
import { nextParts, partsOf } from './requests.ts';

/**
 * Runs bulk operations, slice by slice.
 *
 * Promise: each item meant has exactly one effect, or one row that says why not. The effect, the cursor and the counts
 * are one transaction, fenced by the token of whoever holds the operation: a runner that dies leaves the cursor where
 * its last effect was, and the next goes on from there; one that was thought dead finds its token gone and does
 * nothing more. An item that fails again and again is written down as failed, and the operation goes on.
 */
export interface BulkDeps {
  db: Db;
  storage: Storage;
  leaseSeconds: number;
  log: Logger;
  /** Batches that run requests again count like any others. */
  quotas?: Quotas;
}

export type Outcome = 'more' | 'completed' | 'stopped' | 'failed' | 'lost';

/** Batches looked at in one go, between which other operations have their turn. */
const pageSize = 100;
/** Tries at one item, before it counts as failed; and where the process died each time, before the operation does. */
const itemTries = 3;
const maxTries = 6;

/** Runs a slice of the operation whose turn it is; null where none is due. */
export const runNext = async (deps: BulkDeps, signal: AbortSignal): Promise<{ operation: Held; outcome: Outcome } | null> => {
  const operation = await claim(deps.db, deps.leaseSeconds);
  return operation && { operation, outcome: await runSlice(deps, operation, signal) };
};

/** @param size batches, or continuations, to deal with at most */
export const runSlice = async (deps: BulkDeps, operation: Held, signal: AbortSignal, size = pageSize): Promise<Outcome> => {
  const { db, leaseSeconds } = deps;
  if (operation.status === 'stopping') return end(db, operation, 'stopped');
  if (operation.tries > maxTries)
    return end(db, operation, 'failed', `It was begun ${maxTries} times without getting on; the log of the schedulers says why.`);
  await using lease = keepRenewing(() => extend(db, operation, leaseSeconds), leaseSeconds, signal);
  try {
    const moved = await (operation.acts_on === 'batches' ? batchSlice : requestSlice)(deps, operation, lease, size);
    if (moved === 'through') return await end(db, operation, 'completed');
    if (moved === 'stopping') return await end(db, operation, 'stopped');
    if (moved === 'lost') return 'lost';
    await letGo(db, operation);
    return 'more';
  } catch (error) {
    if (isUnreachable(error)) throw error;
    const waits = error instanceof StorageFull || isCrowded(error);
    await letGo(db, operation, {
      pause: signal.aborted ? 0 : waits ? fullPause : operation.tries,
      failed: !signal.aborted && !waits,
    });
    if (signal.aborted || isCrowded(error)) return 'more';
    throw error;
  }
};

/** A quota leaves no room for another batch: the operation goes on once there is some. */
const isCrowded = (error: unknown): boolean => error instanceof ApiError && error.code === 'quota_exceeded';

type Slice = Moved | 'through';

/** Effects in one go, so that those of a paced operation are spread: a tenth of a second's. */
const allowance = ({ options: { per_second } }: Held, size: number): number =>
  per_second === undefined ? size : Math.min(size, Math.max(1, Math.floor(per_second / 10)));

const batchSlice = async (deps: BulkDeps, operation: Held, lease: Lease, size: number): Promise<Slice> => {
  const { db, leaseSeconds } = deps;
  const selection = selectionOfRow(operation);
  const most = allowance(operation, size);
  const found = await nextBatches(db, selection, operation.cursor_no, size);
  let left: Left[] = [];
  let effects = 0;
  for (const batch of found) {
    if (batch.skip !== null) {
      left.push({ id: batch.id, reason: batch.skip });
      continue;
    }
    const moved = await orFailed(deps, operation, lease, { no: batch.no, line: 0 }, left, { id: batch.id }, () =>
      operation.action === 'retry' || operation.action === 'redrive'
        ? rerunBatch(deps, operation, batch, left)
        : db.transaction((tx) => changeBatch(tx, operation, batch, left, leaseSeconds)),
    );
    if (moved !== 'on') return moved;
    left = [];
    if (++effects >= most) return 'on';
  }
  if (left.length > 0) {
    const moved = await pass(deps, operation, { no: found.at(-1)!.no, line: 0 }, left);
    if (moved !== 'on') return moved;
  }
  return found.length < size ? 'through' : 'on';
};

const rerunBatch = async (deps: BulkDeps, operation: Held, batch: MatchedBatch, left: readonly Left[]): Promise<Moved> => {
  const selection = selectionOfRow(operation);
  const lines = await linesOfBatch(deps.db, selection, batch.no);
  return rerunLines(deps, operation, {
    id: batch.id,
    lines: parseLines(lines),
    to: { no: batch.no, line: 0 },
    done: 1,
    left,
    gone: { id: batch.id },
    still: async (tx) =>
      (await lockBatch(tx, selection, batch.no))?.skip === null && (await linesOfBatch(tx, selection, batch.no)) === lines,
  });
};

/** Beyond any line. */
const lastLine = 2 ** 31 - 2;

/** Seconds of its pace that one continuation may hold; a batch with more to run again gets several. */
const burstSeconds = 10;

/** One batch's lines, as one continuation. */
const requestSlice = async (deps: BulkDeps, operation: Held, lease: Lease): Promise<Slice> => {
  const { db } = deps;
  const selection = selectionOfRow(operation);
  const after = { no: operation.cursor_no, line: operation.cursor_line };
  const next = await nextParts(db, selection, after);
  if (next === null) return 'through';
  const eligible = next.parts.find((part) => part.reason === null)?.lines ?? '{}';
  const all = parseLines(eligible);
  const { per_second } = operation.options;
  const most = per_second === undefined ? Infinity : Math.max(1, Math.floor(per_second * burstSeconds));
  const to = { no: next.no, line: countLines(all) > most ? nthLine(all, most)! : lastLine };
  const lines = clipLines(all, 0, to.line + 1);
  const left = next.parts.flatMap(({ reason, lines: skipped }): Left[] => {
    const clipped = clipLines(parseLines(skipped), 0, to.line + 1);
    return reason === null || clipped.length === 0 ? [] : [{ id: next.id, lines: formatLines(clipped), reason }];
  });
  if (lines.length === 0) return pass(deps, operation, to, left);
  const gone = { id: next.id, lines: formatLines(lines) };
  return orFailed(deps, operation, lease, to, left, gone, () =>
    rerunLines(deps, operation, {
      id: next.id,
      lines,
      to,
      done: countLines(lines),
      left,
      gone,
      still: async (tx) => (await partsOf(tx, selection, next.no, after)).find((part) => part.reason === null)?.lines === eligible,
    }),
  );
};

/** Moves on past items that need no effect. */
const pass = ({ db, leaseSeconds }: BulkDeps, operation: Held, to: { no: number; line: number }, left: readonly Left[]): Promise<Moved> =>
  db.transaction(async (tx) => {
    const held = await fence(tx, operation);
    if (held === 'go') await advance(tx, operation, to, 0, left, leaseSeconds);
    return held === 'go' ? 'on' : held;
  });

/** Does an item; where it failed too often, for no fault of the surroundings, writes that down and moves on. */
const orFailed = async (
  deps: BulkDeps,
  operation: Held,
  lease: Lease,
  to: { no: number; line: number },
  left: readonly Left[],
  item: { id: string; lines?: string },
  work: () => Promise<Moved>,
): Promise<Moved> => {
  if (lease.signal.aborted) throw lease.signal.reason;
  try {
    return await work();
  } catch (error) {
    if (isUnreachable(error) || error instanceof StorageFull || isCrowded(error) || lease.signal.aborted || operation.tries < itemTries)
      throw error;
    deps.log.error({ operation: operation.id, item: item.id, reason: messageOf(error) }, 'an item of a bulk operation failed');
    const known = error instanceof ApiError;
    const failed = known ? error.message : 'The server had an error while it did this; it is in the log of the schedulers.';
    return pass(deps, operation, to, [...left, { ...item, reason: known ? error.code : 'server_error', failed }]);
  }
};
