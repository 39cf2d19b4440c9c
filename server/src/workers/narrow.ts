import type { Outcome } from '../executors/executor.ts';
import type { Resources } from '../policy/strategy.ts';

/**
 * What one worker has for requests that declare what they need. All leases of batches that are `resource_aware` take from
 * it, each request for as long as it runs; who waits longest is next, so that a large one is not passed for ever.
 */
export class Room {
  #memory: number;
  #gpus: number;
  readonly #waiting: { needs: Resources; begin: () => void }[] = [];

  constructor({ memoryBytes, gpus }: Resources) {
    this.#memory = memoryBytes;
    this.#gpus = gpus;
  }

  /** Resolves once there is room; false where `signal` aborted first. */
  take(needs: Resources, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve(false);
      const entry = {
        needs,
        begin: () => {
          signal.removeEventListener('abort', gone);
          resolve(true);
        },
      };
      const gone = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(entry), 1);
        resolve(false);
        this.#next();
      };
      signal.addEventListener('abort', gone, { once: true });
      this.#waiting.push(entry);
      this.#next();
    });
  }

  give({ memoryBytes, gpus }: Resources): void {
    this.#memory += memoryBytes;
    this.#gpus += gpus;
    this.#next();
  }

  #next(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const { memoryBytes, gpus } = first.needs;
      // Fractions of a GPU add up to a little less or more than one.
      if (memoryBytes > this.#memory || gpus > this.#gpus + 1e-9) return;
      this.#memory -= memoryBytes;
      this.#gpus -= gpus;
      this.#waiting.shift();
      first.begin();
    }
  }
}

/** How narrow a lease is to be run. */
export interface Narrow {
  /** Requests at once; asked anew before each, since it may change while the lease runs. */
  width: () => number;
  /** What each takes of the worker's room, for as long as it runs; null: nothing is counted. */
  room: { of: Room; needs: Resources } | null;
  /** One after the other, and none after one that will be tried again: it has to come first. */
  inOrder: boolean;
}

/**
 * Runs tasks each by itself, so many at once as may be. A width that grows is noticed when one of them ends.
 *
 * @param run runs one task to its end, and says what came of it
 * @returns false where the rest must not run: a task is to be tried again before it
 */
export const runNarrow = async <T>(
  tasks: readonly T[],
  { width, room, inOrder }: Narrow,
  stop: AbortSignal,
  run: (task: T) => Promise<readonly Outcome[]>,
): Promise<boolean> => {
  const under = new Set<Promise<void>>();
  let halted = false;
  let failure: { error: unknown } | null = null;
  for (const task of tasks) {
    while (under.size > 0 && under.size >= (inOrder ? 1 : width())) await Promise.race(under);
    if (halted || failure !== null || stop.aborted) break;
    if (room !== null && !(await room.of.take(room.needs, stop))) break;
    const one = run(task)
      .then((outcomes) => {
        if (inOrder && outcomes.some((outcome) => !outcome.ok && outcome.kind === 'retryable')) halted = true;
      })
      .catch((error: unknown) => void (failure = { error }))
      .finally(() => {
        room?.of.give(room.needs);
        under.delete(one);
      });
    under.add(one);
  }
  await Promise.all(under);
  if (failure !== null) throw (failure as { error: unknown }).error;
  return !halted;
};
