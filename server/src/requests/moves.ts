import type { RequestDetails } from '@sluice/contract';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';

/** A batch's work is given to other workers; times in seconds since the epoch. */
export interface PoolMove {
  at: number;
  pool: string;
  reason: string;
}

export type Move = RequestDetails['moves'][number];

/**
 * The moves of a batch that a request went along with: those before it was answered. Nothing of them is written per
 * request: a batch moves as a whole, with what is left of it.
 *
 * @param until when it was answered; null: it was not yet
 */
const along = (history: readonly PoolMove[], until: number | null): readonly PoolMove[] =>
  history.filter(({ at }, place) => place === 0 || until === null || at <= until);

/** Where a request that waits was given to. */
export const givenTo = (history: readonly PoolMove[]): string | null => history.at(-1)?.pool ?? null;

/** When it moved to dedicated workers for the first time; null: it did not. */
export const escalatedAt = (history: readonly PoolMove[], until: number | null): number | null =>
  along(history, until).find(({ pool }, place) => place > 0 && pool === 'dedicated')?.at ?? null;

const interrupted: Record<'lost' | 'drained', string> = {
  lost: 'its worker was lost; it went back to the queue, and no attempt was charged',
  drained: 'its worker was told to end; it went back to the queue, and no attempt was charged',
};

type Interruption = Pick<Move, 'at' | 'pool' | 'worker'> &
  ({ kind: 'lost' | 'drained'; reason: null } | { kind: 'larger'; reason: string });

/** Everything that happened to a request between workers, oldest first. */
export const movesOf = async (
  db: Db,
  batch: { no: number; pool_history: readonly PoolMove[] },
  line: number,
  until: number | null,
): Promise<Move[]> => {
  const rows = await db.many<Interruption>(sql`
    select extract(epoch from at)::float8 as at, kind, coalesce(given_to, pool) as pool, worker_id as worker, reason from interruptions
    where batch_no = ${batch.no} and lines @> ${line}::int order by id`);
  const moves = along(batch.pool_history, until).map((move, place): Move => {
    const kind = place === 0 ? 'given' : move.pool === 'dedicated' ? 'escalated' : 'returned';
    return { ...move, kind, worker: null };
  });
  return [...moves, ...rows.map((row): Move => ({ ...row, reason: row.kind === 'larger' ? row.reason : interrupted[row.kind] }))].sort(
    (a, b) => a.at - b.at,
  );
};
