import { setTimeout as delay } from 'node:timers/promises';

/**
 * Asks again and again until the answer is no longer null, undefined or false; throws after `ms`. For what another
 * process does and tells nobody: a test in one process listens to events instead.
 */
export const until = async <T>(
  what: string,
  ask: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  ms = 90_000,
): Promise<T> => {
  let last: unknown = null;
  for (const end = Date.now() + ms; Date.now() < end; await delay(25)) {
    try {
      const answer = await ask();
      if (answer !== null && answer !== undefined && answer !== false) return answer;
      last = null;
    } catch (error) {
      last = error;
    }
  }
  throw new Error(`not within ${ms} ms: ${what}`, { cause: last });
};
