import { Tally } from './figures.ts';
import type { Operation } from './options.ts';

export interface Load {
  /** Calls a second, sent whether or not earlier ones have been answered; or how many at once, each after the last. */
  pace: { rate: number } | { concurrency: number };
  durationMs: number;
  /** Calls at most. */
  count: number;
  next: () => Operation;
  /** Makes one call; throws a `Failed` where it did not succeed. */
  call: (operation: Operation) => Promise<void>;
  signal: AbortSignal;
}

/** A call that did not succeed, by class. */
export class Failed extends Error {}

export interface Run {
  tallies: Map<Operation, Tally>;
  /** Calls begun, and seconds until the last of them had ended. */
  calls: number;
  seconds: number;
}

/** Calls under way at most: an open loop against a server that has stopped answering would otherwise fill this machine. */
const mostOpen = 2_000;

const until = (at: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, Math.max(0, at - performance.now()));
    signal.addEventListener('abort', done, { once: true });
  });

/**
 * Makes calls at a pace until the time or the count is used up, then waits for those under way.
 *
 * With a rate the loop is open, and each call's time counts from when it was due: a server that stalls delays the calls
 * behind, and those waits are what its users would see. (Tene's "coordinated omission" is leaving them out.)
 */
export const runLoad = async ({ pace, durationMs, count, next, call, signal }: Load): Promise<Run> => {
  const tallies = new Map<Operation, Tally>();
  const began = performance.now();
  const end = began + durationMs;
  let calls = 0;
  let open = 0;
  const tallyOf = (operation: Operation): Tally => {
    const tally = tallies.get(operation) ?? new Tally();
    tallies.set(operation, tally);
    return tally;
  };
  const make = async (due: number): Promise<void> => {
    const operation = next();
    calls++;
    if (open >= mostOpen) return tallyOf(operation).failed('not_sent');
    open++;
    try {
      await call(operation);
      tallyOf(operation).went(performance.now() - due);
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      tallyOf(operation).failed(error.message);
    } finally {
      open--;
    }
  };
  const more = (at: number): boolean => at < end && calls < count && !signal.aborted;

  if ('concurrency' in pace) {
    const one = async (): Promise<void> => {
      while (more(performance.now())) await make(performance.now());
    };
    await Promise.all(Array.from({ length: pace.concurrency }, one));
  } else {
    const under = new Set<Promise<void>>();
    const planned = Math.min(count, Math.ceil((pace.rate * durationMs) / 1000));
    for (let n = 0; n < planned && !signal.aborted; n++) {
      const due = began + (n * 1000) / pace.rate;
      if (due > performance.now()) await until(due, signal);
      if (signal.aborted) break;
      const made = make(due).finally(() => under.delete(made));
      under.add(made);
    }
    await Promise.all(under);
  }
  return { tallies, calls, seconds: (performance.now() - began) / 1000 };
};
