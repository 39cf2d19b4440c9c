import { expect } from 'vitest';
import { sql } from '../db/sql.ts';
import { test } from '../../test/support/database.ts';
import { Rates } from './rates.ts';

const model = 'm@1.0.0';
const times = (count: number): number[] => Array.from({ length: count }, () => 20);

test('of many workers few tell at a time; what the others measured meanwhile is told later, all of it', async ({ db }) => {
  const told = async (): Promise<{ requests: number; settled: number }> =>
    db.one(sql`
      select (select sum(n) from spreads, unnest(counts) n where what = 'request' and model = ${model})::float8 as requests,
        (select settled from model_rates where model = ${model})::int as settled`);
  const workers = Array.from({ length: 20 }, () => new Rates('spot'));
  for (const rates of workers) {
    rates.begin(model);
    rates.settled(model, times(40));
  }
  await Promise.all(workers.map((rates) => rates.report(db)));
  const first = await told();
  expect(first.requests).toBeCloseTo(first.settled, 0);
  expect(first.requests).toBeLessThan(20 * 40);
  // They go on, and nothing of what they kept is lost.
  for (const rates of workers) rates.settled(model, times(10));
  for (let round = 0; round < workers.length; round++) {
    await db.run(sql`update spreads set updated_at = now() - interval '1 second' where what = 'request'`);
    await workers[round]!.report(db);
  }
  // Older counts weigh a little less.
  const last = await told();
  expect(last.requests).toBeGreaterThan(20 * 50 - 5);
  expect(last.requests).toBeLessThanOrEqual(20 * 50);
});

test('a row that another is writing is not waited for', async ({ db }) => {
  const rates = new Rates('dedicated');
  rates.begin(model);
  rates.settled(model, times(40));
  await db.run(sql`update spreads set updated_at = now() - interval '1 second' where what = 'request'`);
  const { requests: before } = await db.one<{ requests: number }>(
    sql`select sum(n) as requests from spreads, unnest(counts) n where what = 'request'`,
  );
  await db.transaction(async (tx) => {
    await tx.run(sql`select from spreads for update`);
    await rates.report(db);
  });
  expect(await db.one(sql`select sum(n) as requests from spreads, unnest(counts) n where what = 'request'`)).toEqual({ requests: before });
});
