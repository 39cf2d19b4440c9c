import { expect } from 'vitest';
import { insertBatch, insertParent } from '../../test/support/batch.ts';
import { test } from '../../test/support/database.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { round, type ControllerOptions } from './controller.ts';

const options: ControllerOptions = {
  mode: 'balanced',
  pools: [
    { name: 'spot', preemptible: true, price: 0.3, minimum: 0, maximum: 4, backlogRatio: 5, startupSeconds: 60 },
    { name: 'dedicated', preemptible: false, price: 1, minimum: 0, maximum: 4, backlogRatio: 10, startupSeconds: 60 },
  ],
  tick: 5,
  leaseSeconds: 30,
  rateOf: () => ({ rate: 1, measured: true }),
  concurrencyOf: () => 1,
};
const many = 600;

const empty = (db: Db) => db.run(sql`delete from batches`);
const forecasts = (db: Db) =>
  db.one<{ known: number; risk: number }>(
    sql`select count(forecast_p50)::int as known, count(*) filter (where at_risk)::int as risk from batches`,
  );

test('one round writes so many forecasts, those that moved most; what comes to be at risk is written at once', async ({ db }) => {
  await empty(db);
  for (let i = 0; i < many; i++) await insertBatch(db, { lines: 1, windowSeconds: 86_400 });
  await round(db, options);
  expect(await forecasts(db)).toEqual({ known: 500, risk: 0 });
  await round(db, options);
  expect(await forecasts(db)).toEqual({ known: many, risk: 0 });
  await db.run(sql`update batches set deadline = now() + interval '30 seconds'`);
  const { escalated } = await round(db, options);
  expect(escalated).toHaveLength(many);
  expect((await forecasts(db)).risk).toBe(many);
  expect(await db.one(sql`select count(*)::int as events from events where type = 'batch.escalated'`)).toEqual({ events: many });
});

test('a batch that has not moved is not written again', async ({ db }) => {
  await empty(db);
  const { no } = await insertBatch(db, { lines: 4, windowSeconds: 86_400 });
  const version = () => db.one(sql`select xmin::text as at from batches where no = ${no}`);
  await round(db, options);
  const before = await version();
  await round(db, options);
  expect(await version()).toEqual(before);
});

test('a batch of several models is at risk while one of its children is', async ({ db }) => {
  await empty(db);
  const [near, far] = [await insertBatch(db, { lines: 4, windowSeconds: 30 }), await insertBatch(db, { lines: 4, windowSeconds: 86_400 })];
  const parent = await insertParent(db, [near, far]);
  const risk = async () => (await db.one<{ at_risk: boolean }>(sql`select at_risk from batches where no = ${parent.no}`)).at_risk;
  await round(db, options);
  expect(await risk()).toBe(true);
  await db.run(sql`delete from batches where no = ${near.no}`);
  await round(db, options);
  expect(await risk()).toBe(false);
});
