import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';

/** Milliseconds that a scheduler may think between two statements while others wait for it. */
const patience = 5_000;

/**
 * Keeps other schedulers out until the transaction ends. One that stands still in the middle (a stopped process, a
 * frozen machine) is ended by the server: with the half minute that every connection gets, nobody would plan meanwhile.
 */
export const alone = (tx: Db, lock: number): Promise<number> =>
  tx.run(sql`select set_config('idle_in_transaction_session_timeout', ${String(patience)}::text, true), pg_advisory_xact_lock(${lock})`);
