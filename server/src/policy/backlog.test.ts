import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backlogWorkers, defaultRatio, desiredWorkers, spread } from './backlog.ts';

test.each([
  [0, 5, 0],
  [5, 5, 1],
  [6, 5, 2],
  [25, 5, 5],
  [25, 10, 3],
  [1, 10, 1],
])('%i queued requests at one worker for each %i ask for %i', (queued, ratio, workers) =>
  expect(backlogWorkers(queued, ratio)).toBe(workers),
);

test('one spot worker for five queued requests, one dedicated worker for ten', () =>
  expect(defaultRatio).toEqual({ spot: 5, dedicated: 10 }));

test('the larger rule decides, within the bounds, and says so', () => {
  const pool = { queued: 25, ratio: 5, min: 0, max: 10, target: 3, reason: 'a deadline' };
  expect(desiredWorkers(pool)).toMatchObject({ workers: 5, rule: 'backlog', reason: '25 requests are queued, one worker for each 5' });
  expect(desiredWorkers({ ...pool, target: 8 })).toEqual({ workers: 8, rule: 'deadlines', reason: 'a deadline' });
  expect(desiredWorkers({ ...pool, max: 4 })).toMatchObject({ workers: 4, rule: 'maximum' });
  expect(desiredWorkers({ ...pool, queued: 0, target: 0, min: 2 })).toMatchObject({ workers: 2, rule: 'minimum' });
});

test('a target goes to the cheapest pools first, after the minima', () => {
  const pools = [
    { name: 'dear', price: 4, rate: 1, min: 1, max: 5 },
    { name: 'cheap', price: 3, rate: 2, min: 0, max: 2 },
  ];
  expect(Object.fromEntries(spread(4, pools))).toEqual({ cheap: 2, dear: 2 });
  expect(Object.fromEntries(spread(0, pools))).toEqual({ cheap: 0, dear: 1 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 7 }), (workers) => {
      expect([...spread(workers, pools).values()].reduce((sum, count) => sum + count, 0)).toBe(workers);
    }),
  );
});
