import { afterEach, expect, test } from 'vitest';
import { claim, type Held } from '../../src/bulk/lease.ts';
import { runNext, runSlice, type BulkDeps } from '../../src/bulk/run.ts';
import { sql } from '../../src/db/sql.ts';
import { silent } from '../../src/lib/log.ts';
import { NotFound, type Storage } from '../../src/storage/storage.ts';
import { bulk, deadBatch, itemsOf, openBatches, operation } from '../support/bulk.ts';
import { startSluice, type Sluice, type SluiceOptions } from '../support/sluice.ts';

/** Runners that die, are thought dead, or fail: by hand, with the schedulers stopped. */
let sluice: Sluice;
let deps: BulkDeps;
const never = new AbortController().signal;
const start = async (options: SluiceOptions = {}) => {
  sluice = await startSluice({ retry: { maxAttempts: 1 }, ...options });
  deps = { db: sluice.db, storage: sluice.storage, leaseSeconds: 60, log: silent };
  return sluice.client;
};
afterEach(() => sluice[Symbol.asyncDispose]());

/** As many batches as there are, with the scheduler stopped behind them. */
const setUp = async <T>(work: () => Promise<T>): Promise<T> => {
  const made = await work();
  await sluice.scheduler.stop();
  return made;
};
const create = async (body: Record<string, unknown>): Promise<string> => (await bulk(sluice.client, body)).body['id'] as string;
const cancelAll = () => create({ on: 'batches', action: 'cancel', filter: { status: ['in_progress'] } });
const expire = () => sluice.db.run(sql`update bulk_operations set leased_until = now() - interval '1 second' where token is not null`);
const due = () => sluice.db.run(sql`update bulk_operations set next_at = now() where ended_at is null`);
/** How often each batch was told to cancel. */
const cancellings = async () =>
  (
    await sluice.db.many<{ count: number }>(sql`select count(*) as count from events where type = 'batch.cancelling' group by batch_no`)
  ).map(({ count }) => count);
const continuations = async () =>
  (
    await sluice.db.many<{ count: number }>(sql`
      select count(*) as count from batches where continues_no is not null group by continues_no order by continues_no`)
  ).map(({ count }) => count);

test('a runner that dies leaves the rest to the next; one thought dead does nothing more', async () => {
  const client = await start({ workers: 0 });
  await setUp(() => openBatches(client, 6));
  const id = await cancelAll();
  const first = (await claim(deps.db, 60))!;
  expect(await claim(deps.db, 60)).toBeNull();
  expect(await runSlice(deps, first, never, 2)).toBe('more');
  expect((await operation(client, id)).counts).toMatchObject({ done: 2 });

  const dead = (await claim(deps.db, 60))!;
  await expire();
  const next = (await claim(deps.db, 60))!;
  expect(next.cursor_no).toBe(dead.cursor_no);
  expect(await runSlice(deps, next, never, 2)).toBe('more');
  // It wakes up, and still believes that it stands where it stood.
  expect(await runSlice(deps, dead, never, 2)).toBe('lost');
  while ((await runNext(deps, never)) !== null);
  expect(await operation(client, id)).toMatchObject({ status: 'completed', counts: { matched: 6, done: 6, skipped: 0, failed: 0 } });
  expect(await cancellings()).toEqual([1, 1, 1, 1, 1, 1]);
});

test('many runners at once do each item once', async () => {
  const client = await start({ workers: 0 });
  await setUp(() => openBatches(client, 8));
  const ids = [await cancelAll(), await cancelAll()];
  const runner = async (): Promise<void> => {
    for (let held: Held | null; (held = await claim(deps.db, 60)) !== null;) await runSlice(deps, held, never, 1);
  };
  // One that finds all operations in other hands leaves; the last one out has seen the end.
  await Promise.all([runner(), runner(), runner(), runner()]);
  const [one, two] = [await operation(client, ids[0]!), await operation(client, ids[1]!)];
  expect([one.status, two.status]).toEqual(['completed', 'completed']);
  expect(one.counts.done + two.counts.done).toBe(8);
  expect(await cancellings()).toEqual(Array.from({ length: 8 }, () => 1));
});

test('a runner that loses its lease while it copies an input leaves no second continuation', async () => {
  let during: (() => Promise<unknown>) | null = null;
  const written: string[] = [];
  const client = await start({
    storage: (storage) =>
      intercept(storage, async (key, put) => {
        const stored = await put();
        const hook = during;
        during = null;
        if (hook) {
          written.push(key);
          await hook();
        }
        return stored;
      }),
  });
  await setUp(async () => [await deadBatch(client, 2), await deadBatch(client, 1)]);
  const id = await create({ on: 'requests', action: 'redrive', filter: { since: 0 } });
  const slow = (await claim(deps.db, 60))!;
  during = async () => {
    await expire();
    while ((await runNext(deps, never)) !== null);
  };
  expect(await runSlice(deps, slow, never)).toBe('lost');
  expect(await operation(client, id)).toMatchObject({
    status: 'completed',
    counts: { matched: 3, eligible: 3, done: 3, skipped: 0, failed: 0 },
  });
  expect(await continuations()).toEqual([1, 1]);
  // Nor the copy.
  await expect(sluice.storage.read(written[0]!)).rejects.toBeInstanceOf(NotFound);
});

test('an item that fails again and again is written down, and the operation goes on', async () => {
  let broken = true;
  const client = await start({
    storage: (storage) =>
      intercept(storage, (_, put) => {
        if (broken && ++puts > 0) throw new Error('the shelf is crooked');
        return put();
      }),
  });
  let puts = 0;
  broken = false;
  const [, second] = await setUp(async () => [await deadBatch(client, 2), await deadBatch(client, 1)]);
  const id = await create({ on: 'requests', action: 'redrive', filter: { since: 0 } });
  broken = true;
  for (let i = 0; i < 2; i++) {
    await expect(runNext(deps, never)).rejects.toThrow('the shelf is crooked');
    await due();
  }
  // The third time it counts as failed, and a stop is heard before the next.
  const third = (await claim(deps.db, 60))!;
  expect(await runSlice(deps, third, never)).toBe('more');
  expect(puts).toBe(3);
  broken = false;
  while ((await runNext(deps, never)) !== null);
  expect(await operation(client, id)).toMatchObject({ status: 'completed', counts: { matched: 3, done: 1, skipped: 0, failed: 2 } });
  expect((await itemsOf(client, id)).map(([, reason]) => reason)).toEqual(['server_error', 'server_error']);
  expect(await continuations()).toEqual([1]);
  expect(await client.batches.retrieve(second)).toMatchObject({ continued_by: [expect.any(String)] });
});

test('a stop is heard between two items, and by whoever comes after a crash', async () => {
  const client = await start({ workers: 0 });
  await setUp(() => openBatches(client, 4));
  const id = await cancelAll();
  const held = (await claim(deps.db, 60))!;
  const stop = async () =>
    (await fetch(`${sluice.url}/v1/bulk/${id}/stop`, { method: 'POST', headers: { authorization: 'Bearer test-key' } })).json();
  expect(await stop()).toMatchObject({ status: 'stopping' });
  expect(await runSlice(deps, held, never)).toBe('stopped');
  expect(await operation(client, id)).toMatchObject({ status: 'stopped', counts: { done: 0 } });

  const other = await cancelAll();
  const dying = (await claim(deps.db, 60))!;
  expect(await runSlice(deps, dying, never, 1)).toBe('more');
  await claim(deps.db, 60);
  await fetch(`${sluice.url}/v1/bulk/${other}/stop`, { method: 'POST', headers: { authorization: 'Bearer test-key' } });
  await expire();
  expect(await runNext(deps, never)).toMatchObject({ outcome: 'stopped' });
  expect((await operation(client, other)).counts).toMatchObject({ matched: 4, done: 1 });
  expect(await cancellings()).toEqual([1]);
});

test('an operation that takes its runners down ends, rather than go on for ever', async () => {
  const client = await start({ workers: 0 });
  await setUp(() => openBatches(client, 1));
  const id = await cancelAll();
  for (let i = 0; i < 6; i++) {
    expect(await claim(deps.db, 60)).not.toBeNull();
    await expire();
  }
  expect(await runNext(deps, never)).toMatchObject({ outcome: 'failed' });
  expect(await operation(client, id)).toMatchObject({ status: 'failed', error: expect.stringContaining('6 times') as string });
});

/** A storage whose puts go through `on`. */
const intercept = (storage: Storage, on: (key: string, put: () => ReturnType<Storage['put']>) => ReturnType<Storage['put']>): Storage =>
  new Proxy(storage, {
    get: (target, name) => {
      if (name === 'put') return (...args: Parameters<Storage['put']>) => on(args[0], () => target.put(...args));
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
