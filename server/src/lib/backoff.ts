/**
 * How long to wait before the next attempt: full jitter, `random(0, min(cap, base * 2^(attempt-1)))`, never less than
 * what the other side asked for.
 * Source: Brooker, "Exponential backoff and jitter", AWS Architecture Blog, 2015.
 *
 * @param attempt the attempt that has just failed, from 1
 * @param retryAfterMs what the upstream's Retry-After said, in milliseconds
 * @returns milliseconds
 */
export const backoff = (
  attempt: number,
  {
    base = 500,
    cap = 60_000,
    retryAfterMs = 0,
    random = Math.random,
  }: { base?: number; cap?: number; retryAfterMs?: number; random?: () => number } = {},
): number => Math.max(retryAfterMs, random() * Math.min(cap, base * 2 ** Math.min(30, attempt - 1)));
