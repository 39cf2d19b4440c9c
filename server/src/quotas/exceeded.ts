import { ApiError } from '../lib/errors.ts';
import type { Quota, Scope } from '../policy/quotas.ts';
import type { Use } from './quotas.ts';

const nouns: Record<keyof Quota, { name: string; of: string; unit: string }> = {
  maxBatches: { name: 'batches', of: 'batches that have not ended', unit: 'concurrent-requests' },
  maxQueuedRequests: { name: 'queued-requests', of: 'queued requests', unit: 'requests' },
  maxInFlight: { name: 'in-flight', of: 'requests in flight', unit: 'concurrent-requests' },
  maxQueuedBytes: { name: 'queued-bytes', of: 'bytes of inputs of batches that have not ended', unit: 'content-bytes' },
};

const owners: Record<Scope, string> = { user: 'Your user', tenant: 'Your tenant', global: 'This server' };

const nameOf = ({ scope, what }: Use): string => `${scope}-${nouns[what].name}`;

/** Which limit, and how it stands. */
export const sayExceeded = (use: Use, more: number): string =>
  `${owners[use.scope]} may have ${use.limit} ${nouns[use.what].of} and has ${use.used}; ${more} more would exceed that (quota ${nameOf(use)}).`;

/** Seconds after which to ask again: nobody is told to come back at once, or not today. */
export const retrySeconds = (soonest: number | null): number => Math.ceil(Math.min(3_600, Math.max(5, soonest ?? 30)));

/**
 * `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers, an item for each limit. They have no
 * window: room comes back when batches end. A batch counts as a request that lasts until then.
 */
export const rateLimitHeaders = (uses: readonly Use[], seconds?: number): Record<string, string> =>
  uses.length === 0
    ? {}
    : {
        'ratelimit-policy': uses.map((use) => `"${nameOf(use)}";q=${use.limit};qu="${nouns[use.what].unit}"`).join(', '),
        ratelimit: uses
          .map((use) => {
            const left = Math.max(0, use.limit - use.used);
            return `"${nameOf(use)}";r=${left}${seconds === undefined ? '' : `;t=${seconds}`}`;
          })
          .join(', '),
      };

/** The 429 where one of the uses, the new batch counted, is above its limit; null: none is. */
export const refusalOf = (uses: readonly Use[], bytes: number, soonest: number | null): ApiError | null => {
  const size = (use: Use): number => (use.what === 'maxQueuedBytes' ? bytes : 1);
  const before = uses.map((use) => ({ ...use, used: use.used - size(use) }));
  const place = uses.findIndex(({ used, limit }) => used > limit);
  if (place === -1) return null;
  const seconds = retrySeconds(soonest);
  return new ApiError('quota_exceeded', sayExceeded(before[place]!, size(uses[place]!)), {
    headers: { 'retry-after': String(seconds), ...rateLimitHeaders(before, seconds) },
  });
};
