import type { BatchStatus } from '@sluice/contract';

/**
 * The moves a batch may make; everything else is refused by the guard in the statement that would make it.
 * `docs/states.md` is drawn from this table.
 */
export const moves: readonly { from: BatchStatus; to: BatchStatus; when: string }[] = [
  { from: 'validating', to: 'in_progress', when: 'every line of the input is fine' },
  { from: 'validating', to: 'failed', when: 'a line is not, or the input is missing' },
  { from: 'validating', to: 'cancelling', when: 'cancelled by its owner' },
  { from: 'in_progress', to: 'finalizing', when: 'every request has settled' },
  { from: 'in_progress', to: 'cancelling', when: 'cancelled by its owner' },
  { from: 'in_progress', to: 'expired', when: 'the deadline passed; what was done by then is kept' },
  { from: 'finalizing', to: 'completed', when: 'the output and error files are written' },
  { from: 'finalizing', to: 'cancelling', when: 'cancelled by its owner before the files were written' },
  { from: 'cancelling', to: 'cancelled', when: 'nothing runs any more and the files are written' },
];

export const terminal = (status: BatchStatus): boolean => !moves.some((move) => move.from === status);

export const mayMove = (from: BatchStatus, to: BatchStatus): boolean => moves.some((move) => move.from === from && move.to === to);
