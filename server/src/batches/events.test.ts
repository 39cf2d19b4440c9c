import { expect } from 'vitest';
import { insertBatch } from '../../test/support/batch.ts';
import { test } from '../../test/support/database.ts';
import type { Db, Pool } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { currentPlace, readPlace, record, tenantEvents, writePlace, type EventRow, type Place } from './events.ts';

const first: Place = { xid: 0, id: 0 };

/** A transaction that has its number and does what it is told, until it is ended. */
const begin = async (db: Pool) => {
  const steps: (() => void)[] = [];
  let next = Promise.withResolvers<(tx: Db) => Promise<unknown>>();
  const begun = Promise.withResolvers<void>();
  const ended = Symbol('ended');
  const whole = db.transaction(async (tx) => {
    await tx.one(sql`select pg_current_xact_id()::text as xid`);
    begun.resolve();
    while (true) {
      const step = await next.promise;
      next = Promise.withResolvers();
      if ((await step(tx)) === ended) return;
      steps.shift()!();
    }
  });
  await begun.promise;
  return {
    do: (step: (tx: Db) => Promise<unknown>): Promise<void> =>
      new Promise((resolve) => {
        steps.push(resolve);
        next.resolve(step);
      }),
    commit: async (): Promise<void> => {
      next.resolve(async () => ended);
      await whole;
    },
  };
};

const batchOf = async (db: Db, tenant: string) => ({ no: (await insertBatch(db, { tenant, lines: 1, chunk: 1 })).no, tenant_id: tenant });

/** Reads from a place on until so many events have come: transactions of others hold them up as well. */
const reader = (db: Db, tenant: string, from: Place) => {
  let place = from;
  const got: EventRow[] = [];
  return {
    got,
    place: () => place,
    until: async (count: number): Promise<void> => {
      await expect
        .poll(async () => {
          for (const event of await tenantEvents(db, tenant, place)) {
            got.push(event);
            place = event;
          }
          return got.length;
        })
        .toBeGreaterThanOrEqual(count);
    },
  };
};

test('an event of a transaction that ends later is not missed, whatever its id', async ({ db }) => {
  const [one, other] = [await batchOf(db, 'late'), await batchOf(db, 'late')];
  const early = await begin(db);
  const late = await begin(db);
  // The later transaction gives the lower id, and stays open.
  await late.do((tx) => record(tx, one, 'batch.created'));
  await early.do((tx) => record(tx, other, 'batch.created'));
  await early.commit();
  const stream = reader(db, 'late', first);
  await stream.until(1);
  const { place } = stream;
  const [last] = stream.got;
  await late.commit();
  await stream.until(2);
  expect(stream.got.map(({ batch_id }) => batch_id)).toHaveLength(2);
  expect(stream.got[1]!.id).toBeLessThan(stream.got[0]!.id);
  // Whoever kept the number of the event alone gets what it may have missed, and nothing less.
  const older = reader(db, 'late', await readPlace(db, 'late', String(last!.id)));
  await older.until(1);
  expect(older.got.map(({ id }) => id)).toEqual([stream.got[1]!.id]);
  const whole = reader(db, 'late', await readPlace(db, 'late', String(last!.id - 1)));
  await whole.until(2);
  expect(whole.got.map(({ id }) => id)).toEqual(stream.got.map(({ id }) => id));
  expect(await readPlace(db, 'late', writePlace(place()))).toEqual({ xid: place().xid, id: place().id });
});

test('events of one batch stay in their order, though the second is of an earlier transaction', async ({ db }) => {
  const batch = await batchOf(db, 'order');
  const early = await begin(db);
  const late = await begin(db);
  await late.do((tx) => record(tx, batch, 'batch.created'));
  await late.commit();
  await early.do((tx) => record(tx, batch, 'batch.in_progress'));
  await early.commit();
  const stream = reader(db, 'order', first);
  await stream.until(2);
  expect(stream.got.map(({ type }) => type)).toEqual(['batch.created', 'batch.in_progress']);
});

test('what is read after a place was asked for, and what a stream from there brings, is all there is', async ({ db }) => {
  const [one, other] = [await batchOf(db, 'now'), await batchOf(db, 'now')];
  const open = await begin(db);
  await open.do((tx) => record(tx, one, 'batch.created'));
  await db.transaction((tx) => record(tx, other, 'batch.created'));
  const place = await currentPlace(db);
  await open.commit();
  const stream = reader(db, 'now', place);
  await stream.until(2);
  await db.transaction((tx) => record(tx, other, 'batch.in_progress'));
  await stream.until(3);
  expect(stream.got.at(-1)!.type).toBe('batch.in_progress');
});

test('a place of a database with other transactions goes by the number of its event', async ({ db }) => {
  const batch = await batchOf(db, 'restored');
  await db.transaction((tx) => record(tx, batch, 'batch.created'));
  const stream = reader(db, 'restored', first);
  await stream.until(1);
  await db.run(sql`update events set xid = '9000000000000' where id = ${stream.got[0]!.id}`);
  await db.transaction((tx) => record(tx, batch, 'batch.in_progress'));
  const again = reader(db, 'restored', await readPlace(db, 'restored', `9000000000000-${stream.got[0]!.id}`));
  await again.until(1);
  expect(again.got.map(({ type }) => type)).toEqual(['batch.in_progress']);
});
