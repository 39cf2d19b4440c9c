import type { ModelStatus } from '@sluice/contract';

/** What the status of a version means. `docs/states.md` is drawn from this and from the moves below. */
export const modelMeaning: Record<ModelStatus, string> = {
  pending: 'is registered, and waits for its file',
  uploaded: 'has its file, and waits to be vetted',
  validating: 'is being vetted by a worker',
  ready: 'is served; its file, options and schema never change again',
  failed: 'was refused; the reason and the report say why',
  archived: 'takes nothing new, and finishes what was accepted for it',
};

/**
 * The moves a version may make; everything else is refused by the guard in the statement that would make it. One that
 * needs no file (a model served elsewhere) begins as `ready`.
 */
export const modelMoves: readonly { from: ModelStatus; to: ModelStatus; when: string }[] = [
  { from: 'pending', to: 'uploaded', when: 'its file has come' },
  { from: 'uploaded', to: 'validating', when: 'a worker takes it' },
  { from: 'validating', to: 'uploaded', when: 'the worker that vetted it is lost' },
  { from: 'validating', to: 'ready', when: 'vetting found nothing wrong' },
  { from: 'validating', to: 'failed', when: 'vetting refused it, or its workers were lost three times' },
  { from: 'failed', to: 'uploaded', when: 'another file has come, or its options were changed' },
  { from: 'ready', to: 'archived', when: 'archived by its owner' },
  { from: 'archived', to: 'ready', when: 'restored by its owner' },
];

/** The statuses from which a version may move to `to`. */
export const movesTo = (to: ModelStatus): ModelStatus[] => modelMoves.filter((move) => move.to === to).map(({ from }) => from);
