import { CacheFigures, CacheReset } from '@sluice/contract';
import type { Db } from '../db/db.ts';
import { channels, type Listener } from '../db/listen.ts';
import { sql } from '../db/sql.ts';
import type { App } from '../lib/app.ts';
import { sumOf, type AnswerCache, type Counts } from './answers.ts';

export interface CacheDeps {
  db: Db;
  answers: AnswerCache;
  /** Channel `cache`: what one process is told to forget, all forget. */
  listener: Listener;
}

const counted = ({ hits, misses, bypasses }: Counts) => {
  const all = hits.memory + hits.redis + hits.batch + hits.flight;
  return { hits: all, hits_from: { ...hits }, misses, bypasses, hit_ratio: all + misses === 0 ? 0 : all / (all + misses) };
};

/** What the cache of answers did, and how to empty it. */
export const cacheRoutes = (app: App, { db, answers, listener }: CacheDeps): void => {
  const forget = (tenant: string): void => answers.reset(tenant);
  listener.on('cache', forget);
  app.addHook('onClose', async () => {
    listener.off('cache', forget);
    await answers[Symbol.asyncDispose]();
  });
  app.get(
    '/v1/cache/metrics',
    { schema: { summary: 'What the cache of answers holds and saves', operationId: 'getCacheMetrics', response: { 200: CacheFigures } } },
    (request): CacheFigures => {
      const { entries, bytes, maxBytes, ttlSeconds, redis, models } = answers.figures(request.identity.tenant);
      return {
        object: 'cache.metrics',
        entries,
        bytes,
        max_bytes: maxBytes,
        ttl_seconds: ttlSeconds,
        redis,
        ...counted(sumOf(models.map(({ counts }) => counts))),
        models: models.map(({ model, bypassed, counts }) => ({ model, bypassed, ...counted(counts) })),
      };
    },
  );
  app.post(
    '/v1/cache/reset',
    { schema: { summary: "Forget the tenant's answers", operationId: 'resetCache', response: { 200: CacheReset } } },
    async (request): Promise<CacheReset> => {
      const { tenant } = request.identity;
      answers.reset(tenant);
      await db.run(sql`select pg_notify(${channels.cache}, ${tenant})`);
      return { object: 'cache.reset', tenant };
    },
  );
};
