import { expect } from 'vitest';
import { test } from '../../test/support/database.ts';
import { sql } from '../db/sql.ts';
import { classOf, newSpread } from '../policy/spread.ts';
import { addRate, addSpread, countInterruptions } from '../requests/measured.ts';
import { readEstimates, unmeasured } from './estimates.ts';

const spread = (values: readonly number[]): number[] => {
  const counts = newSpread();
  for (const value of values) counts[classOf(value)]! += 1;
  return counts;
};

test('before anything is measured the priors stand', async ({ db }) => {
  const none = await readEstimates(db);
  expect(none.rate('m')).toBeNull();
  expect([none.finalize, none.factor, none.request('m')]).toEqual([unmeasured.finalize, 1.25, unmeasured.request('m')]);
  expect(none.preemptions).toBeCloseTo(unmeasured.preemptions);
  expect(none.speed('m', 'spot')).toBe(1);
});

test('rates count once 30 requests are through, less where they vary, and apart for each kind of pool', async ({ db }) => {
  await addRate(db, { model: 'few', kind: 'spot', rate: 10, settled: 29 });
  for (let i = 0; i < 30; i++) {
    await addRate(db, { model: 'steady', kind: 'spot', rate: 10, settled: 5 });
    await addRate(db, { model: 'steady', kind: 'dedicated', rate: 20, settled: 5 });
    await addRate(db, { model: 'shaky', kind: 'spot', rate: i % 2 === 0 ? 5 : 15, settled: 5 });
  }
  const estimates = await readEstimates(db);
  expect(estimates.rate('few')).toBeNull();
  expect(estimates.rate('shaky')!).toBeLessThan(9);
  expect(estimates.rate('shaky')!).toBeGreaterThan(4);
  expect(estimates.speed('steady', 'dedicated') / estimates.speed('steady', 'spot')).toBeCloseTo(2, 1);
});

test('guards and the safety factor follow what was measured', async ({ db }) => {
  const slow = Array.from({ length: 1_000 }, (_, i) => (i < 985 ? 500 : 40_000));
  await addSpread(db, 'request', 'slow', spread(slow));
  await addSpread(db, 'finalize', '', spread(Array.from({ length: 20 }, () => 60_000)));
  await addSpread(db, 'estimate', '', spread(Array.from({ length: 100 }, () => 20)));
  const estimates = await readEstimates(db);
  expect(estimates.request('slow').p99).toBeGreaterThanOrEqual(40);
  expect(estimates.finalize).toBeGreaterThanOrEqual(60);
  expect(estimates.finalize).toBeLessThan(70);
  // Estimates that are wrong by 2 % need no safety.
  expect(estimates.factor).toBe(1);
  await addSpread(db, 'estimate', '', spread(Array.from({ length: 100 }, () => 400)));
  expect((await readEstimates(db)).factor).toBeGreaterThan(1.39);
});

test('spot workers that vanish or are taken away make the rate of preemptions; each is counted once', async ({ db }) => {
  await db.run(sql`
    insert into workers (id, pool, kind, host, pid, models, state, started_at, seen_at, interrupted_by)
    select 'w' || i, 'spot', 'spot', 'here', i, '{}', case when i = 1 then 'stopped' else 'ready' end, now() - interval '10 hours',
      case when i = 2 then now() - interval '5 minutes' else now() end, case when i = 1 then 'file' end
    from generate_series(1, 4) i`);
  expect(await countInterruptions(db, 30)).toEqual(
    expect.arrayContaining([
      { pool: 'spot', by: 'file', count: 1 },
      { pool: 'spot', by: 'lost', count: 1 },
    ]),
  );
  expect(await countInterruptions(db, 30)).toEqual([]);
  // Two in forty hours, and the prior's one in five.
  expect((await readEstimates(db)).preemptions).toBeCloseTo(3 / 45, 2);
});
