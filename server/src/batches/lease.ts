import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';

export interface Held extends AsyncDisposable {
  /** Aborted when the lease is lost, when it could not be renewed in time, or when the caller stops. */
  signal: AbortSignal;
}

/**
 * Gives a lease back before it runs out, as if this try had not been: the next holder may begin after `seconds`.
 * For work that ended through no fault of the batch's: a stop, a full disk.
 */
export const letGo = async (db: Db, batch: { no: number; token: number }, seconds = 0): Promise<void> => {
  await db
    .run(sql`
      update batches set token = null, tries = greatest(tries - 1, 0), leased_until = now() + make_interval(secs => ${seconds})
      where no = ${batch.no} and token = ${batch.token}`)
    // It then runs out by itself.
    .catch(() => {});
};

/** Seconds after which work that found the storage full is tried again. */
export const fullPause = 5;

/**
 * Keeps a batch's lease (of intake or finalizing) alive while work on it goes on. Writes carry the token all the same:
 * the signal only spares work that would be refused.
 */
export const holdLease = (db: Db, batch: { no: number; token: number }, seconds: number, stop: AbortSignal): Held =>
  keepRenewing(
    () =>
      db.run(sql`
        update batches set leased_until = now() + make_interval(secs => ${seconds})
        where no = ${batch.no} and token = ${batch.token}`),
    seconds,
    stop,
  );

/** The same for any lease: `extend` says how many rows it renewed, and none means that it is lost. */
export const keepRenewing = (extend: () => Promise<number>, seconds: number, stop: AbortSignal): Held => {
  const lost = new AbortController();
  let renewing: Promise<void> | null = null;
  let renewedAt = performance.now();
  const renew = async (): Promise<void> => {
    try {
      if ((await extend()) === 0) lost.abort(new Error('the lease is lost'));
      else renewedAt = performance.now();
    } catch {
      // The database is away: the lease runs out by itself, and then so must the work.
      if (performance.now() - renewedAt > seconds * 900) lost.abort(new Error('the lease could not be renewed'));
    }
  };
  const timer = setInterval(
    () => {
      renewing ??= renew().finally(() => (renewing = null));
    },
    (seconds * 1000) / 3,
  );
  return {
    signal: AbortSignal.any([lost.signal, stop]),
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await renewing;
    },
  };
};
