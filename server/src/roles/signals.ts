import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';

/** Milliseconds within which a second signal is the first one again: npm passes on what the terminal already sent. */
const echoMs = 800;

/**
 * Aborts at SIGTERM, SIGINT or SIGHUP. Another one ends the process at once: somebody is waiting. A child leaves
 * SIGINT to its supervisor, since a terminal sends it to both.
 */
export const stopSignal = ({ supervised = false, force }: { supervised?: boolean; force?: () => void } = {}): AbortSignal => {
  const stop = new AbortController();
  let first = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (supervised && signal !== 'SIGTERM') return;
    if (!stop.signal.aborted) {
      first = performance.now();
      stop.abort();
    } else if (performance.now() - first > echoMs) {
      force?.();
      process.exit(130);
    }
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, onSignal);
  return stop.signal;
};

/** A failure nobody handled leaves the process in a state nobody knows: say what it was, and end. */
export const endOnSurprise = (log: Logger): void => {
  for (const event of ['unhandledRejection', 'uncaughtException'] as const)
    process.on(event, (error: unknown) => {
      log.fatal({ err: error }, `${event}: ${messageOf(error)}`);
      log.flush();
      process.exit(1);
    });
};

export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
