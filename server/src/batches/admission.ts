import type { BatchError } from '@sluice/contract';
import type { Db } from '../db/db.ts';

/** A batch as the question of admission sees it; the deadline in seconds since the epoch. */
export interface Candidate {
  batch: string;
  deadline: number;
  models: readonly { model: string; count: number }[];
  width: number | null;
}

/** `admitted` false without `refused`: it runs, but its deadline is not promised. */
export interface Admitted {
  admitted: boolean;
  refused: { reason: string; earliest: number | null } | null;
}

/** Asked before a batch is let in; the scheduler brings the answer. */
export type Admit = (db: Db, candidate: Candidate) => Promise<Admitted>;

export const notFeasible = ({ reason, earliest }: NonNullable<Admitted['refused']>): BatchError => ({
  code: 'window_not_feasible',
  message: `The deadline cannot be kept: ${reason}.${earliest === null ? '' : ` The earliest that can be promised is ${new Date(earliest * 1_000).toISOString()}.`}`,
  param: 'completion_window',
  line: null,
});
