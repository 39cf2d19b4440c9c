import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { countLeft, recordLeft, type Left } from './items.ts';
import { operationColumns, type OperationRow } from './operations.ts';
import type { Place } from './requests.ts';

/** An operation in the hands of whoever holds its token. */
export type Held = OperationRow & { token: number };

/** Takes the operation whose turn it is; null where none is due. Those another is taking just now are skipped. */
export const claim = (db: Db, seconds: number): Promise<Held | null> =>
  db.maybe<Held>(sql`
    update bulk_operations o
    set token = nextval('lease_token'), leased_until = now() + make_interval(secs => ${seconds}), tries = o.tries + 1,
        status = case when o.status = 'queued' then 'running' else o.status end, started_at = coalesce(o.started_at, now())
    where o.no = (
      select no from bulk_operations
      where status in ('queued', 'running', 'stopping') and (leased_until is null or leased_until < now())
        and (next_at <= now() or status = 'stopping')
      order by next_at, no limit 1 for update skip locked)
    returning ${operationColumns}, o.token`);

export const extend = (db: Db, { no, token }: Held, seconds: number): Promise<number> =>
  db.run(sql`update bulk_operations set leased_until = now() + make_interval(secs => ${seconds}) where no = ${no} and token = ${token}`);

/** Holds the operation's row for the rest of the transaction: nothing is done for one that was lost or is to stop. */
export const fence = async (tx: Db, { no, token }: Held): Promise<'go' | 'stopping' | 'lost'> => {
  const row = await tx.maybe<{ status: string }>(sql`
    select status from bulk_operations where no = ${no} and token = ${token} for update`);
  if (row === null) return 'lost';
  return row.status === 'stopping' ? 'stopping' : 'go';
};

/**
 * Moves the operation on past a place, in the transaction that had the effect: so each item has one, whoever dies when.
 * The pace is kept here as well: what was done pays for its time in advance.
 */
export const advance = async (tx: Db, operation: Held, to: Place, done: number, left: readonly Left[], seconds: number): Promise<void> => {
  const { skipped, failed } = countLeft(left);
  await recordLeft(tx, operation.no, left);
  const { per_second } = operation.options;
  await tx.run(sql`
    update bulk_operations
    set cursor_no = ${to.no}, cursor_line = ${to.line}, done = done + ${done}, skipped = skipped + ${skipped}, failed = failed + ${failed},
        tries = 0, leased_until = now() + make_interval(secs => ${seconds}),
        next_at = greatest(next_at, now()) + make_interval(secs => ${per_second === undefined ? 0 : done / per_second})
    where no = ${operation.no}`);
  operation.cursor_no = to.no;
  operation.cursor_line = to.line;
  operation.tries = 1;
};

/** Gives the operation back: others first, and this one not before its pace, and `pause` seconds, allow. */
export const letGo = async (db: Db, { no, token }: Held, { pause = 0, failed = false } = {}): Promise<void> => {
  await db.run(sql`
    update bulk_operations
    set token = null, leased_until = null, next_at = greatest(next_at, now() + make_interval(secs => ${pause})),
        tries = case when ${failed} then tries else greatest(tries - 1, 0) end
    where no = ${no} and token = ${token}`);
};

export const end = async (
  db: Db,
  { no, token }: Held,
  status: 'completed' | 'stopped' | 'failed',
  error: string | null = null,
): Promise<'completed' | 'stopped' | 'failed' | 'lost'> => {
  const count = await db.run(sql`
    update bulk_operations set status = ${status}, error = ${error}, ended_at = now(), token = null, leased_until = null
    where no = ${no} and token = ${token}`);
  return count === 1 ? status : 'lost';
};

/** Milliseconds until the next operation is due; null where none waits. */
export const nextDue = async (db: Db): Promise<number | null> =>
  (
    await db.one<{ ms: number | null }>(sql`
      select extract(epoch from min(greatest(next_at, now())) - now())::float8 * 1000 as ms from bulk_operations
      where status in ('queued', 'running', 'stopping') and token is null`)
  ).ms;
