import type { AnswerCache } from '../cache/answers.ts';
import type { Metrics } from './metrics.ts';

/** Adds the figures of kept answers; counted where they are given, read when somebody looks. */
export const observeCache = (answers: AnswerCache, { registry }: Metrics): void => {
  const add = (name: string, help: string, type: string, read: () => { labels: Record<string, string>; value: number }[]): void => {
    const get = () => Promise.resolve({ name, help, type, aggregator: 'sum', values: read() });
    // Anything with a name that can be read will do, which prom-client's types do not say.
    registry.registerMetric({ name, get } as never);
  };
  add('sluice_cache_requests_total', 'Requests by what the cache did: where a hit came from, miss, bypass.', 'counter', () =>
    answers
      .totals()
      .flatMap(({ model, counts: { hits, misses, bypasses } }) =>
        Object.entries({ ...hits, miss: misses, bypass: bypasses }).map(([outcome, value]) => ({ labels: { model, outcome }, value })),
      ),
  );
  add('sluice_cache_bytes', 'Bytes of answers kept in memory.', 'gauge', () => [{ labels: {}, value: answers.held().bytes }]);
  add('sluice_cache_entries', 'Answers kept in memory.', 'gauge', () => [{ labels: {}, value: answers.held().entries }]);
  add('sluice_cache_redis_up', '1 while Redis shares answers, 0 while it is away; absent where there is none.', 'gauge', () => {
    const { redis } = answers.held();
    return redis === 'off' ? [] : [{ labels: {}, value: redis === 'ok' ? 1 : 0 }];
  });
};
