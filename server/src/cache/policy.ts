import type { IncomingHttpHeaders } from 'node:http';
import type { Answered, Question } from './answers.ts';

/**
 * What a request says of kept answers: `Cache-Control: no-store` wants none and leaves none, `no-cache` wants a new one and
 * leaves it (RFC 9111), `skip_cache` is the former for those who cannot set headers.
 */
export const policyOf = (headers: IncomingHttpHeaders, skip: boolean | undefined): Question['policy'] => {
  const said = headers['cache-control'];
  if (skip === true || (said !== undefined && /\bno-store\b/i.test(said))) return 'none';
  return said !== undefined && /\bno-cache\b/i.test(said) ? 'fresh' : undefined;
};

/** Of one that was asked past the cache. */
export const bypassed = { 'x-cache': 'BYPASS' };

/** What a reply says of them; `age` in whole seconds, of a hit. */
export const cacheHeaders = ({ state, answer }: Pick<Answered, 'state' | 'answer'>): Record<string, string> => ({
  'x-cache': state,
  ...(state === 'HIT' && { age: String(Math.max(0, Math.floor((Date.now() - answer.at) / 1_000))) }),
});
