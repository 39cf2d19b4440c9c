import { setMaxListeners } from 'node:events';
import { messageOf } from '../lib/errors.ts';
import { tracebackOf } from '../lib/traceback.ts';
import type { Outcome, RunSignals, Task } from './executor.ts';
import type { Slots } from './slots.ts';

/** Runs each task on its own, as slots come free; see `runGroups`. */
export const runLimited = (
  tasks: Iterable<Task>,
  signals: RunSignals,
  slots: Slots,
  attempt: (task: Task, ended: AbortSignal) => Promise<Outcome>,
): AsyncGenerator<Outcome[]> => runGroups(singles(tasks), signals, slots, async ([task], ended) => [await attempt(task!, ended)]);

function* singles(tasks: Iterable<Task>): Generator<[Task]> {
  for (const task of tasks) yield [task];
}

/**
 * Runs each group of tasks on its own, as slots come free, and yields the outcomes that have come since it last did.
 * After `stop` no group starts; after `abort`, or when the caller leaves early, `ended` aborts for those under way, and
 * each attempt is expected to resolve soon (as `cancelled`).
 */
export async function* runGroups(
  groups: Iterable<readonly Task[]>,
  signals: RunSignals,
  slots: Slots,
  attempt: (group: readonly Task[], ended: AbortSignal) => Promise<Outcome[]>,
): AsyncGenerator<Outcome[]> {
  const left = new AbortController();
  const ended = AbortSignal.any([signals.abort, left.signal]);
  const closed = AbortSignal.any([signals.stop, ended]);
  setMaxListeners(0, ended, closed);
  let ready: Outcome[] = [];
  let open = 0;
  let fed = false;
  let wake: () => void = () => {};

  const begin = (group: readonly Task[]) => {
    const startedAt = Date.now();
    for (const { line } of group) signals.started?.(line);
    open++;
    attempt(group, ended)
      .catch((error: unknown) =>
        group.map(({ line }): Outcome => ({
          line,
          startedAt,
          ms: Date.now() - startedAt,
          ok: false,
          kind: 'permanent',
          code: 'executor_error',
          message: messageOf(error),
          ...(error instanceof Error && { traceback: tracebackOf(error) }),
        })),
      )
      .then((outcomes) => {
        for (const outcome of outcomes) ready.push(outcome);
        open--;
        slots.give(signals.lane);
        wake();
      })
      .catch(() => {});
  };

  const feed = async () => {
    for (const group of groups) {
      // Awaited only where it must be: a promise a task would halve the rate of quick ones.
      const taken = slots.take(closed, signals.lane);
      if (!(typeof taken === 'boolean' ? taken : await taken)) break;
      // The stop may have come while the slot was handed over.
      if (closed.aborted) {
        slots.give(signals.lane);
        break;
      }
      begin(group);
    }
    fed = true;
    wake();
  };

  const feeding = feed();
  try {
    while (true) {
      if (ready.length > 0) {
        const come = ready;
        ready = [];
        yield come;
      } else if (fed && open === 0) return;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    left.abort();
    await feeding;
  }
}
