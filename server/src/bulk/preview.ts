import { skipReasons, type BulkPreview, type SkipReason } from '@sluice/contract';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { countBatches, unknownBatches, type Figure } from './batches.ts';
import { countRequests, unknownRequests } from './requests.ts';
import type { Selection } from './selection.ts';

export const timeNow = async (db: Db): Promise<number> =>
  (await db.one<{ now: number }>(sql`select extract(epoch from now())::float8 as now`)).now;

export interface Figures {
  matched: number;
  eligible: number;
  sample: string[];
  skipped: (Figure & { reason: SkipReason })[];
  /** Ids that name nothing: what is never come across while it runs. */
  unknown: string[];
}

/** What the action would meet, by the statements that the run itself asks. */
export const count = async (db: Db, selection: Selection): Promise<Figures> => {
  const batches = selection.on === 'batches';
  const found = await (batches ? countBatches : countRequests)(db, selection);
  const unknown = selection.ids === null ? [] : await (batches ? unknownBatches : unknownRequests)(db, selection);
  const skipped = found.flatMap(({ reason, ...figure }) => (reason === null ? [] : [{ reason, ...figure }]));
  if (unknown.length > 0) skipped.push({ reason: 'not_found', count: unknown.length, sample: unknown.slice(0, 5) });
  const eligible = found.find(({ reason }) => reason === null);
  return {
    matched: found.reduce((sum, figure) => sum + figure.count, unknown.length),
    eligible: eligible?.count ?? 0,
    sample: eligible?.sample ?? [],
    skipped,
    unknown,
  };
};

export const preview = async (db: Db, selection: Selection): Promise<BulkPreview> => {
  const { matched, eligible, sample, skipped } = await count(db, selection);
  return {
    object: 'bulk_preview',
    on: selection.on,
    action: selection.action,
    as_of: selection.asOf,
    matched,
    eligible,
    sample,
    skipped: skipped.map((figure) => ({ ...figure, means: skipReasons[figure.reason] })),
  };
};
