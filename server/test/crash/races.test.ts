import { localPool } from '../../src/policy/pools.ts';
import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { closeEnding, expireDue, finalizeNext } from '../../src/batches/finalize.ts';
import { intakeNext } from '../../src/batches/intake.ts';
import { cancelBatch } from '../../src/batches/change.ts';
import type { Listener } from '../../src/db/listen.ts';
import { sql } from '../../src/db/sql.ts';
import { silent } from '../../src/lib/log.ts';
import { Worker } from '../../src/workers/worker.ts';
import { claim, release } from '../../src/requests/claim.ts';
import { closeOpen, gatherDue, rescue } from '../../src/requests/queue.ts';
import { emptyPart, settle } from '../../src/requests/settle.ts';
import { encodeManifest } from '../../src/formats/manifest.ts';
import { eachLine, linesOf } from '../../src/formats/lines.ts';
import { requestId } from '../../src/lib/ids.ts';
import type { Lease } from '../../src/requests/claim.ts';
import { StorageFull } from '../../src/storage/storage.ts';
import { startSluice, testLimits, testTiming, type Sluice } from '../support/sluice.ts';
import { chatLine, createBatch } from '../support/requests.ts';
import { checkAll, keepHistory, type Sent } from './history.ts';
import { Random } from './random.ts';

/** Nothing runs by itself here: the test makes every move, several at once, in an order its seed gives. */
let sluice: Sluice;
beforeEach(async () => {
  sluice = await startSluice({ scheduler: false, workers: 0 });
  await keepHistory(sluice.db);
});
afterEach(() => sluice[Symbol.asyncDispose]());

const never = new AbortController().signal;
const identity = { tenant: 'default', user: 'admin' };
const deps = () => ({ ...sluice, leaseSeconds: 30 });
const takeIn = () => intakeNext({ ...deps(), limits: testLimits }, never);
const finalize = () => finalizeNext(deps(), never);

/** A batch that was taken in, and what a client knows of it. */
const begin = async (lines = 60): Promise<Sent & { no: number }> => {
  const ids = Array.from({ length: lines }, (_, i) => `r${i}`);
  const { id } = await createBatch(
    sluice.client,
    ids.map((custom) => chatLine(custom)),
  );
  const intake = await takeIn();
  expect(intake?.result).toBe('in_progress');
  return { id, customIds: ids, no: intake!.batch.no };
};

const hare = { id: 'worker_hare', models: ['echo@1.0.0'] };
const leaseAll = async (): Promise<Lease[]> => {
  const leases: Lease[] = [];
  for (let lease = await claim(sluice.db, hare, 60); lease; lease = await claim(sluice.db, hare, 60)) leases.push(lease);
  return leases;
};

/** Settles some lines of a lease as a worker does: the segment first, then the statement. */
const settleLines = async (sent: Sent, lease: Lease, lines: number[], number = lease.parts + 1) => {
  let text = '';
  const entries = lines.map((line) => {
    const custom = sent.customIds[line - 1]!;
    const result = `{"id":"${requestId(sent.id, line)}","custom_id":"${custom}","response":{"status_code":200,"request_id":"r","body":{"choices":[{"message":{"content":"say ${custom}"}}]}},"error":null}\n`;
    const entry = {
      line,
      state: 'completed' as const,
      attempts: 1,
      status: 200,
      offset: text.length,
      length: result.length,
      startedAt: 1,
      ms: 1,
    };
    text += result;
    return entry;
  });
  const [data, manifest] = [Buffer.from(text), encodeManifest(entries)];
  const key = `${lease.tenant}/${lease.batchId}/${lease.chunkId}.${lease.token}.${number}`;
  await sluice.storage.put(key, [data, manifest]);
  return settle(
    sluice.db,
    lease,
    hare.id,
    {
      ...emptyPart(number),
      settled: linesOf(lines),
      segment: { key, dataBytes: data.length, manifestBytes: manifest.length },
      completed: lines.length,
    },
    60,
  );
};

const statusOf = async ({ no }: { no: number }) =>
  (await sluice.db.one<{ status: string }>(sql`select status from batches where no = ${no}`)).status;

/** Whoever writes the next object stands still right after it, until told to go on. */
const holdFirstPut = (): { entered: Promise<void>; go: () => void } => {
  const { storage } = sluice;
  const put = storage.put.bind(storage);
  const entered = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  storage.put = async (...args) => {
    storage.put = put;
    const stored = await put(...args);
    entered.resolve();
    await go.promise;
    return stored;
  };
  return { entered: entered.promise, go: () => go.resolve() };
};

/** Lets the schedulers' moves go on until the batch has ended. */
const drive = async (sent: { no: number }): Promise<string> => {
  for (let round = 0; round < 50; round++) {
    await gatherDue(sluice.db);
    await closeEnding(sluice.db);
    await finalize();
    const status = await statusOf(sent);
    if (['completed', 'expired', 'cancelled', 'failed'].includes(status)) return status;
  }
  throw new Error(`still ${await statusOf(sent)}`);
};

test('many finalizers at once: one ends the batch, with one pair of files', async () => {
  const sent = await begin();
  for (const lease of await leaseAll()) expect(await settleLines(sent, lease, [...eachLine(lease.lines)])).toBe('done');
  const results = await Promise.all(Array.from({ length: 10 }, finalize));
  expect(results.filter((r) => r !== null).map((r) => r.result)).toEqual(['completed']);
  expect(await checkAll(sluice.db, sluice.storage, [sent])).toEqual([]);
  expect(await sluice.db.many(sql`select purpose from files where purpose = 'batch_output'`)).toHaveLength(1);
});

test('a finalizer whose lease ran out ends nothing, and leaves no file', async () => {
  const sent = await begin();
  for (const lease of await leaseAll()) await settleLines(sent, lease, [...eachLine(lease.lines)]);
  // The first one stands still with its output half written, as a process under SIGSTOP does.
  const { entered, go } = holdFirstPut();
  const slow = finalize();
  await entered;
  await sluice.db.run(sql`update batches set leased_until = now() - interval '1 second' where no = ${sent.no}`);
  expect((await finalize())?.result).toBe('completed');
  go();
  expect((await slow)?.result).toBe('lost');
  expect(await checkAll(sluice.db, sluice.storage, [sent])).toEqual([]);
  const keys: string[] = [];
  for await (const { key } of sluice.storage.list('default/files/')) keys.push(key);
  expect(keys).toHaveLength(2);
});

test('a scheduler that stood still during intake adds nothing', async () => {
  const ids = ['a', 'b', 'c'];
  const { id } = await createBatch(
    sluice.client,
    ids.map((custom) => chatLine(custom)),
  );
  const { entered, go } = holdFirstPut();
  const slow = takeIn();
  await entered;
  await sluice.db.run(sql`update batches set leased_until = now() - interval '1 second' where id = ${id}`);
  const quick = await takeIn();
  expect(quick?.result).toBe('in_progress');
  go();
  expect((await slow)?.result).toBe('lost');
  const sent = { id, customIds: ids, no: quick!.batch.no };
  for (const lease of await leaseAll()) await settleLines(sent, lease, [...eachLine(lease.lines)]);
  expect(await drive(sent)).toBe('completed');
  expect(await checkAll(sluice.db, sluice.storage, [sent])).toEqual([]);
});

test('a complete batch ends though every notification and event was lost', async () => {
  const sent = await begin();
  for (const lease of await leaseAll()) await settleLines(sent, lease, [...eachLine(lease.lines)]);
  expect(await statusOf(sent)).toBe('in_progress');
  // Nobody tells it anything: it finds the batch by its own rounds.
  const done = new Promise<string>((resolve) => sluice.scheduler.once('finalized', ({ result }) => resolve(result)));
  sluice.scheduler.start();
  expect(await done).toBe('completed');
  expect(await checkAll(sluice.db, sluice.storage, [sent])).toEqual([]);
});

const seeds = [1, 2, 3, 4, 5, 6];

/**
 * Moves that meet: workers that settle, release and lose their leases, a client that cancels, a deadline that passes,
 * schedulers that close and finalize. Whatever the order, each line ends in one place and the batch ends once.
 */
test.each(seeds)('settle, release, rescue, cancel, expire and finalize at once (seed %i)', async (seed) => {
  const random = new Random(seed);
  const sent = await begin(200);
  const leases = await leaseAll();
  const work = async (lease: Lease): Promise<void> => {
    const left = [...eachLine(lease.lines)];
    let number = lease.parts;
    while (left.length > 0) {
      if (random.chance(0.1)) return void (await release(sluice.db, lease));
      // Some leases run out under their worker, which goes on as if nothing was.
      if (random.chance(0.1)) {
        await sluice.db.run(
          sql`update chunks set leased_until = now() - interval '1 second' where id = ${lease.chunkId} and state = 'leased'`,
        );
        await rescue(sluice.db);
      }
      const part = left.splice(0, random.between(1, 25));
      if ((await settleLines(sent, lease, part, ++number)) !== 'open') return;
    }
  };
  const moves: (() => Promise<unknown>)[] = [
    ...leases.map((lease) => () => work(lease)),
    async () => {
      for (let i = 0; i < 6; i++) {
        const lease = await claim(sluice.db, hare, 60);
        if (lease) await work(lease);
      }
    },
    ...Array.from({ length: 3 }, () => async () => {
      for (let i = 0; i < 4; i++) {
        await closeEnding(sluice.db);
        await finalize();
      }
    }),
  ];
  const [cancels, expires] = random.pick([
    [true, false],
    [false, true],
    [true, true],
    [false, false],
  ]);
  if (cancels) moves.push(() => cancelBatch(sluice.db, identity, sent.id, 'stop').catch(() => {}));
  if (expires)
    moves.push(async () => {
      await sluice.db.run(sql`update batches set deadline = now() where no = ${sent.no} and status = 'in_progress'`);
      await expireDue(sluice.db);
    });
  moves.sort(() => random.next() - 0.5);
  await Promise.all(moves.map((move) => move()));
  // What the workers have let go of is taken up again until the batch has ended.
  await sluice.db.run(sql`update chunks set leased_until = now() - interval '1 second' where state = 'leased'`);
  await rescue(sluice.db);
  await closeEnding(sluice.db);
  for (const lease of await leaseAll()) await settleLines(sent, lease, [...eachLine(lease.lines)]);
  expect(await drive(sent)).toMatch(/^(completed|cancelled|expired)$/);
  expect(await checkAll(sluice.db, sluice.storage, [sent])).toEqual([]);
});

test('cancel against finalize: the batch ends one way, and its files say which', async () => {
  const ends = new Set<string>();
  for (let round = 0; round < 6; round++) {
    const sent = await begin(20);
    for (const lease of await leaseAll()) await settleLines(sent, lease, [...eachLine(lease.lines)]);
    await Promise.all([finalize(), cancelBatch(sluice.db, identity, sent.id, 'stop').catch(() => {}), finalize()]);
    await closeOpen(sluice.db, sent.no, 'cancelled');
    ends.add(await drive(sent));
    expect(await checkAll(sluice.db, sluice.storage, [sent])).toEqual([]);
  }
  expect([...ends].every((end) => end === 'completed' || end === 'cancelled')).toBe(true);
});

test('a batch cancelled while it is taken in ends without a line', async () => {
  for (let round = 0; round < 5; round++) {
    const { id } = await createBatch(sluice.client, [chatLine(1), chatLine(2)]);
    const [, intake] = await Promise.all([cancelBatch(sluice.db, identity, id, 'stop'), takeIn()]);
    const { no } = await sluice.db.one<{ no: number }>(sql`select no from batches where id = ${id}`);
    expect(await drive({ no })).toBe('cancelled');
    expect(['in_progress', 'lost', undefined]).toContain(intake?.result);
    expect(await checkAll(sluice.db, sluice.storage, [{ id, customIds: ['1', '2'] }])).toEqual([]);
  }
});

test('of many creates with one key, one makes the batch', async () => {
  const file = await sluice.client.files.create({ file: new File([JSON.stringify(chatLine(1))], 'a.jsonl'), purpose: 'batch' });
  const headers = { 'idempotency-key': randomBytes(4).toString('hex') };
  const made = await Promise.all(
    Array.from({ length: 8 }, () =>
      sluice.client.batches.create({ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' }, { headers }),
    ),
  );
  expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  expect((await sluice.db.one<{ n: number }>(sql`select count(*) as n from events where type = 'batch.created'`)).n).toBe(1);
});

test('a chunk that cannot be run is tried again, later each time', async () => {
  const { storage } = sluice;
  const read = storage.read.bind(storage);
  let failures = 0;
  storage.read = (key, range) =>
    key.includes('/index.') && failures < 3 ? Promise.reject(new Error('EIO: the disk has had enough')) : read(key, range);
  const listener = new EventEmitter() as unknown as Listener;
  const config = {
    timing: testTiming,
    retry: { maxAttempts: 4, baseMs: 1, capMs: 20 },
    worker: { pool: 'dedicated', chunks: 1, modelMemory: 2 ** 30, noticeSeconds: 5, noticeFile: null, once: false },
    pools: [localPool],
  };
  await using worker = new Worker({ ...sluice, config, log: silent, listener });
  const sent = await begin(40);
  const began = performance.now();
  const ended = new Promise<void>((resolve) =>
    worker.on('ended', (_, how) => {
      if (how === 'failed') failures++;
      if (how === 'done') resolve();
    }),
  );
  await worker.start();
  await ended;
  // 250, 500 and 1000 ms.
  expect(performance.now() - began).toBeGreaterThan(1_700);
  expect(await drive(sent)).toBe('completed');
  expect(await checkAll(sluice.db, sluice.storage, [sent])).toEqual([]);
});

test('a full disk ends no batch: taking it in and finalizing it wait, and no try is counted', async () => {
  const { storage, db } = sluice;
  const put = storage.put.bind(storage);
  const full = (wanted: string) => {
    storage.put = (key, ...rest) => (key.includes(wanted) ? Promise.reject(new StorageFull(new Error('ENOSPC'))) : put(key, ...rest));
  };
  const { id } = await createBatch(sluice.client, [chatLine('a'), chatLine('b')]);
  const standing = () =>
    db.one<{ no: number; tries: number; soon: boolean }>(
      sql`select no, tries, token is null and leased_until < now() + interval '10 seconds' as soon from batches where id = ${id}`,
    );
  const due = () => db.run(sql`update batches set leased_until = null where id = ${id}`);
  full('/index.');
  for (let i = 0; i < 7; i++) {
    await expect(takeIn()).rejects.toThrow('no room left');
    expect(await standing()).toMatchObject({ tries: 0, soon: true });
    await due();
  }
  storage.put = put;
  expect((await takeIn())?.result).toBe('in_progress');
  const sent = { id, customIds: ['a', 'b'], no: (await standing()).no };
  for (const lease of await leaseAll()) await settleLines(sent, lease, [...eachLine(lease.lines)]);
  full('/files/');
  await expect(finalize()).rejects.toThrow('no room left');
  expect(await standing()).toMatchObject({ tries: 0, soon: true });
  await due();
  storage.put = put;
  expect((await finalize())?.result).toBe('completed');
  expect(await checkAll(db, storage, [sent])).toEqual([]);
});
