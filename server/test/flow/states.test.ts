import { batchStatuses, type BatchStatus } from '@sluice/contract';
import fc from 'fast-check';
import { expect } from 'vitest';
import { cancelBatch, patchBatch } from '../../src/batches/change.ts';
import { createBatch } from '../../src/batches/create.ts';
import { closeEnding, expireDue, finalizeNext } from '../../src/batches/finalize.ts';
import { intakeNext } from '../../src/batches/intake.ts';
import { getBatch } from '../../src/batches/read.ts';
import type { BatchRow } from '../../src/batches/rows.ts';
import { mayMove, terminal } from '../../src/batches/state.ts';
import type { Db } from '../../src/db/db.ts';
import { sql } from '../../src/db/sql.ts';
import type { Outcome, Task } from '../../src/executors/executor.ts';
import { createFile } from '../../src/files/files.ts';
import { findFile } from '../../src/files/queries.ts';
import { ApiError } from '../../src/lib/errors.ts';
import { Models, modelKey } from '../../src/models/models.ts';
import { attemptsOf, claim, release, type Lease } from '../../src/requests/claim.ts';
import { gatherDue, rescue } from '../../src/requests/queue.ts';
import { openMemory } from '../../src/storage/memory.ts';
import { Settler } from '../../src/workers/settler.ts';
import { readTasks } from '../../src/workers/tasks.ts';
import { chatLine, jsonl } from '../support/requests.ts';
import { test } from '../support/database.ts';
import { testLimits } from '../support/sluice.ts';

/**
 * A batch under everything that can happen to it, in any order: it only makes the moves of `batches/state.ts`, ends
 * where none leads on, and then every line is in one of its files, once, and the counts say so. The statements' guards
 * and the schema's CHECKs are what is tried here, so nothing of the loops that call them in a better order is.
 */
const me = { tenant: 'default', user: 'tester' };
const models = new Models([{ name: 'other', version: '1.0.0', executor: 'echo', options: {} }]);
const never = new AbortController().signal;

class Trial {
  readonly #storage: ReturnType<typeof openMemory>;
  readonly #held: Lease[] = [];
  /** Happens before the next object is written. */
  #meanwhile: (() => Promise<unknown>) | null = null;
  readonly #db: Db;
  readonly id: string;
  readonly ids: string[];

  constructor(db: Db, storage: ReturnType<typeof openMemory>, id: string, ids: string[]) {
    this.#db = db;
    this.#storage = {
      ...storage,
      put: async (key, bytes, options) => {
        const meanwhile = this.#meanwhile;
        this.#meanwhile = null;
        await meanwhile?.();
        return storage.put(key, bytes, options);
      },
    };
    this.id = id;
    this.ids = ids;
  }

  static async begin(db: Db, lines: number, valid: boolean): Promise<Trial> {
    const storage = openMemory();
    const ids = Array.from({ length: lines }, (_, i) => `id-${i}`);
    const content = jsonl(ids.map((id, i) => chatLine(id, { model: valid ? (i % 3 === 0 ? 'other' : 'echo') : 'nobody' })));
    const input = await createFile({ db, storage }, me, { filename: 'x', purpose: 'batch', bytes: [content] });
    const { batch } = await createBatch(db, me, { input_file_id: input.id, endpoint: '/v1/chat/completions', completion_window: '24h' });
    return new Trial(db, storage, batch.id, ids);
  }

  get #deps() {
    return { db: this.#db, storage: this.#storage, models, limits: testLimits, leaseSeconds: 60 };
  }

  row(): Promise<BatchRow> {
    return getBatch(this.#db, me, this.id);
  }

  intake = () => intakeNext(this.#deps, never);
  /** Two at once: one has the lease. */
  finalize = () => Promise.all([finalizeNext(this.#deps, never), finalizeNext(this.#deps, never)]);
  close = () => closeEnding(this.#db);
  cancel = (mode: 'stop' | 'abort') =>
    cancelBatch(this.#db, me, this.id, mode).catch((error: unknown) => {
      if (!(error instanceof ApiError && error.status === 409)) throw error;
    });
  change = () =>
    patchBatch(this.#db, me, this.id, { priority: 9, completion_window: '48h' }).catch((error: unknown) => {
      if (!(error instanceof ApiError && error.status === 409)) throw error;
    });

  /** Intake or finalizing stalls for longer than its lease; others go on, and then it comes back. */
  async stall(work: 'intake' | 'finalize', others: 'intake' | 'finalize' | 'cancel'): Promise<void> {
    this.#meanwhile = async () => {
      await this.#db.run(
        sql`update batches set leased_until = now() - interval '1 second' where id = ${this.id} and leased_until is not null`,
      );
      await (others === 'cancel' ? this.cancel('stop') : this[others]());
    };
    await this[work]();
    this.#meanwhile = null;
  }

  async expire(): Promise<void> {
    await this.#db.run(sql`update batches set deadline = now() where id = ${this.id}`);
    await expireDue(this.#db);
  }

  /** What waits is due, and queued again. */
  async due(): Promise<void> {
    await this.#db.run(sql`update waiting set not_before = now()`);
    await gatherDue(this.#db);
  }

  async claim(): Promise<boolean> {
    const lease = await claim(this.#db, { id: 'worker', models: models.all().map(modelKey) }, 60);
    if (lease) this.#held.push(lease);
    return lease !== null;
  }

  /** Settles some lines of a lease, each as its digit says; then gives it back, or keeps it. */
  async settle(digits: readonly number[], keep: boolean): Promise<void> {
    const lease = this.#held.shift();
    if (!lease) return;
    const settler = new Settler(
      {
        db: this.#db,
        storage: this.#storage,
        workerId: 'worker',
        leaseSeconds: 60,
        retry: { maxAttempts: 2, baseMs: 0, capMs: 0 },
        settleMs: 60_000,
      },
      lease,
      never,
      () => {},
    );
    const attempts = lease.retry ? await attemptsOf(this.#db, lease) : new Map<number, number>();
    for await (const tasks of readTasks(this.#storage, lease, attempts)) {
      const outcomes = tasks.flatMap((task, i) => outcomeOf(task, digits[i % digits.length]!));
      await settler.add(new Map(tasks.map((task) => [task.line, task])), outcomes);
    }
    await settler.flush();
    if (settler.state !== 'open') return;
    if (!keep) await release(this.#db, lease);
  }

  /** The worker dies, and its leases run out. What it still sends is refused. */
  async lose(): Promise<void> {
    await this.#db.run(sql`update chunks set leased_until = now() - interval '1 second' where state = 'leased'`);
    await rescue(this.#db);
  }

  /** What the loops do, until there is nothing to do. */
  async finish(): Promise<BatchRow> {
    for (let round = 0; round < 100; round++) {
      const row = await this.row();
      if (terminal(row.status)) return row;
      await this.intake();
      await this.close();
      await this.due();
      await this.lose();
      while (await this.claim());
      while (this.#held.length > 0) await this.settle([0], false);
      await this.finalize();
    }
    throw new Error(`${this.id} does not end: ${JSON.stringify(await this.row())}`);
  }

  async lines(file: string | null): Promise<string[]> {
    if (file === null) return [];
    const { storage_key } = (await findFile(this.#db, me, file))!;
    const text = (await this.#storage.read(storage_key)).toString('utf8');
    expect(text).not.toBe('');
    return text
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { custom_id: string }).custom_id);
  }

  async moves(): Promise<BatchStatus[]> {
    const rows = await this.#db.many<{ type: string }>(sql`
      select e.type from events e join batches b on b.no = e.batch_no where b.id = ${this.id} order by e.number`);
    const statuses = rows.map(({ type }) => (type === 'batch.created' ? 'validating' : type.slice('batch.'.length)));
    return statuses.filter((status): status is BatchStatus => (batchStatuses as readonly string[]).includes(status));
  }
}

const outcomeOf = ({ line }: Task, digit: number): Outcome[] => {
  const timing = { line, startedAt: Date.now(), ms: 1 };
  const failed = { ...timing, ok: false as const, code: 'upstream_error', message: 'no' };
  return [
    [{ ...timing, ok: true as const, status: 200, body: '{}' }],
    [{ ...failed, kind: 'retryable' as const, status: 500, body: '{}' }],
    [{ ...failed, kind: 'permanent' as const }],
    [{ ...failed, kind: 'cancelled' as const }],
    [],
  ][digit]!;
};

type Step = [name: string, act: (trial: Trial) => Promise<unknown>];
const act = (name: string, does: Step[1]): Step => [name, does];

const settling = fc.tuple(fc.array(fc.nat(4), { minLength: 1, maxLength: 5 }), fc.boolean());
const names = ['intake', 'finalize', 'close', 'due', 'lose', 'change', 'expire'] as const;
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(act('claim', (trial) => trial.claim())) },
  {
    weight: 4,
    arbitrary: settling.map(([digits, keep]) => act(`settle ${digits.join('')} ${keep}`, (trial) => trial.settle(digits, keep))),
  },
  ...names.map((name) => ({
    weight: name === 'intake' || name === 'due' ? 3 : 1,
    arbitrary: fc.constant(act(name, (trial) => trial[name]())),
  })),
  ...(['intake', 'finalize'] as const).map((work) => ({
    weight: 1,
    arbitrary: fc
      .constantFrom(work, 'cancel' as const)
      .map((others) => act(`stall ${work} ${others}`, (trial) => trial.stall(work, others))),
  })),
  {
    weight: 1,
    arbitrary: fc.constantFrom('stop' as const, 'abort' as const).map((mode) => act(`cancel ${mode}`, (trial) => trial.cancel(mode))),
  },
);

const check = async (trial: Trial): Promise<void> => {
  const row = await trial.finish();
  const moves = await trial.moves();
  for (let i = 1; i < moves.length; i++)
    if (!mayMove(moves[i - 1]!, moves[i]!)) throw new Error(`${moves[i - 1]} → ${moves[i]} is no move: ${moves.join(', ')}`);
  expect(moves.at(-1)).toBe(row.status);
  const { total, completed, failed, cancelled, expired } = row;
  expect(completed + failed + cancelled + expired).toBe(total);
  const [output, errors] = [await trial.lines(row.output_file_id), await trial.lines(row.error_file_id)];
  expect([output.length, errors.length]).toEqual([completed, total - completed]);
  expect([...output, ...errors].sort()).toEqual(total === 0 ? [] : trial.ids.toSorted());
};

const [intake, lease, half, whole, expire, finalize] = [
  act('intake', (trial) => trial.intake()),
  act('claim', (trial) => trial.claim()),
  act('half', (trial) => trial.settle([0, 1, 4], true)),
  act('whole', (trial) => trial.settle([0, 2], true)),
  act('expire', (trial) => trial.expire()),
  act('finalize', (trial) => trial.finalize()),
];
const cancel = act('cancel', (trial) => trial.cancel('stop'));
/** Tried each time, whatever the dice say. */
const endings = [
  [],
  [cancel, finalize],
  [intake, lease, half, cancel, finalize],
  [intake, lease, half, expire, finalize],
  [intake, lease, half, expire, cancel, finalize],
  [intake, lease, cancel, half, cancel],
  ...(['cancel', 'intake'] as const).map((others) => [act(`stall ${others}`, (trial) => trial.stall('intake', others))]),
  ...(['cancel', 'finalize'] as const).map((others) => [
    intake,
    lease,
    lease,
    whole,
    whole,
    act(`stall ${others}`, (trial) => trial.stall('finalize', others)),
  ]),
];

test('whatever happens to a batch, it ends where it may, with every line in one place', { timeout: 240_000 }, async ({ db }) => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 7 }), fc.nat(9), fc.array(step, { maxLength: 25 }), async (lines, luck, steps) => {
      const trial = await Trial.begin(db, lines, luck > 0);
      for (const [, does] of steps) {
        const { status: before } = await trial.row();
        await does(trial);
        const { status: after } = await trial.row();
        // A step makes one move, or two: to finalizing and on. Or three: of two that finalize one is first, a cancellation
        // comes in between, and the other ends what is cancelled now.
        if (before !== after && !mayMove(before, after))
          expect([
            ['in_progress', 'completed'],
            ['in_progress', 'cancelled'],
          ]).toContainEqual([before, after]);
      }
      await check(trial);
    }),
    { numRuns: 60, examples: endings.map((steps) => [5, 1, steps]) },
  );
});

test('the schema refuses rows that no move leads to', async ({ db }) => {
  const trial = await Trial.begin(db, 2, true);
  await trial.intake();
  const wrong = [
    sql`status = 'completed'`,
    sql`status = 'completed', completed_at = now()`,
    sql`status = 'completed', completed_at = now(), completed = 1, cancelled = 1`,
    sql`status = 'expired', expired_at = now(), completed = 1`,
    sql`status = 'cancelled', cancelled_at = now(), completed = 2`,
    sql`status = 'cancelling'`,
    sql`status = 'failed'`,
    sql`completed_at = now()`,
    sql`sealed = false`,
    sql`output_file_id = 'file-x'`,
    sql`status = 'done'`,
  ];
  for (const change of wrong)
    await expect(db.run(sql`update batches set ${change} where id = ${trial.id}`)).rejects.toThrow(/check constraint/);
  await check(trial);
});
