import { EventEmitter } from 'node:events';
import type { Config } from '../config.ts';
import type { Pool } from '../db/db.ts';
import type { Listener } from '../db/listen.ts';
import { sql } from '../db/sql.ts';
import { closeEnding, expireDue, finalizeNext } from '../batches/finalize.ts';
import { intakeNext, type Intake } from '../batches/intake.ts';
import { dropOldEnds, foldCounts } from '../batches/counts.ts';
import type { TableDeps } from '../batches/table-input.ts';
import { sweepMilestones } from '../batches/milestones.ts';
import { nextDue } from '../bulk/lease.ts';
import { runNext, type Outcome } from '../bulk/run.ts';
import { sweepFiles, sweepOrphans } from '../files/expire.ts';
import { sweepSegments } from '../batches/garbage.ts';
import { Announcer } from '../jobs/announce.ts';
import { dropOldJobs, expireJobs, rescueJobs, sweepJobObjects } from '../jobs/sweep.ts';
import { expireResults, trimResults } from '../cache/results.ts';
import { defaultDedup } from '../policy/dedup.ts';
import { trimVectors } from '../cache/vectors.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { Loop } from '../lib/loop.ts';
import type { Models } from '../models/models.ts';
import { classOf, newSpread } from '../policy/spread.ts';
import { dropOldFigures } from '../requests/figures.ts';
import { addSpread, countInterruptions } from '../requests/measured.ts';
import { admission } from './admission.ts';
import { beliefs, tailOf } from './beliefs.ts';
import { round, type ControllerOptions } from './controller.ts';
import { readEstimates, unmeasured, type Estimates } from './estimates.ts';
import { plan } from './planner.ts';
import { gatherNext, type Gathered } from '../screens/gather.ts';
import { Mlflow } from '../screens/mlflow.ts';
import { executorOf } from '../screens/records.ts';
import { trackNext } from '../screens/track.ts';
import { sweepModelFiles } from '../registry/files.ts';
import { sweepTables, TableChore, type MadeTable } from '../results/chore.ts';
import { rescueVettings } from '../registry/vetting.ts';
import { ways } from '../policy/larger.ts';
import { announceChunks, gatherDue, letGo, rescue, rescuePage } from '../requests/queue.ts';
import type { Storage } from '../storage/storage.ts';

export interface SchedulerDeps {
  db: Pool;
  storage: Storage;
  models: Models;
  config: Pick<Config, 'timing' | 'limits' | 'pools' | 'schedule'> &
    Partial<Pick<Config, 'jobRetentionDays' | 'quotas' | 'dedup' | 'tracking'>>;
  log: Logger;
  /** How tables are read. */
  tables?: TableDeps;
  /** Channels `batches` and `turns`. */
  listener: Listener;
}

interface Events {
  intake: [intake: Intake & { seconds: number }];
  finalized: [ended: { batchId: string; result: string; bytes: number; seconds: number }];
  rescued: [leases: number];
  bulk: [slice: { operation: string; action: string; outcome: Outcome }];
  controlled: [escalated: string[]];
  /** Workers that were told to end, or are lost. */
  interrupted: [workers: { pool: string; by: string; count: number }[]];
  /** The results of a screen were gathered into files. */
  gathered: [screen: Gathered];
  /** It became a run of an experiment, or could not. */
  tracked: [screen: { batchId: string; run: string | null; error: string | null }];
  swept: [];
  /** A table of results was made, or cannot be. */
  table: [made: MadeTable];
  /** The process that makes one. */
  building: [pid: number];
}

/**
 * Keeps batches moving: takes in what was created, queues retries that are due, takes back what dead workers held,
 * expires what is late, finalizes what is through. Each loop polls, so that a lost notification costs a wait and never
 * a batch; every move is guarded in its own statement, so any number of schedulers may run.
 */
export class Scheduler extends EventEmitter<Events> implements AsyncDisposable {
  readonly #deps: SchedulerDeps;
  /** As last read. */
  #estimates: Estimates = unmeasured;
  readonly #announcer: Announcer;
  readonly #startedAt = performance.now();
  #trims = 0;
  readonly #loops: {
    turns: Loop;
    controller: Loop;
    intake: Loop;
    retries: Loop;
    finalize: Loop;
    bulk: Loop;
    screens: Loop;
    sweep: Loop;
    chores: Loop;
    garbage: Loop;
    tables: Loop;
  };
  readonly #tables: TableChore;
  #nextPlan: NodeJS.Timeout | null = null;
  /** Milliseconds until the next waiting request is due. */
  #nextDue: NodeJS.Timeout | null = null;
  #nextSlice: NodeJS.Timeout | null = null;

  constructor(deps: SchedulerDeps) {
    super();
    this.#deps = deps;
    this.#announcer = new Announcer(deps.db);
    this.#tables = new TableChore({
      ...deps,
      leaseSeconds: deps.config.timing.leaseSeconds,
      onProcess: (pid) => this.emit('building', pid),
    });
    const { pollMinMs, pollMaxMs, sweepSeconds } = deps.config.timing;
    const loop = (name: string, run: (signal: AbortSignal) => Promise<boolean>, min = pollMinMs, max = pollMaxMs): Loop =>
      new Loop({
        name,
        run,
        min,
        max,
        onError: (error) => deps.log.error({ loop: name, reason: messageOf(error) }, 'a round of the scheduler failed'),
      });
    const sweep = sweepSeconds * 1_000;
    this.#loops = {
      turns: loop('turns', () => this.#turns()),
      controller: loop('controller', () => this.#control(), sweep, sweep),
      intake: loop('intake', (signal) => this.#intake(signal)),
      retries: loop('retries', () => this.#retries()),
      finalize: loop('finalize', (signal) => this.#finalize(signal)),
      bulk: loop('bulk', (signal) => this.#bulk(signal)),
      screens: loop('screens', (signal) => this.#gather(signal)),
      sweep: loop('sweep', () => this.#sweep(), sweep, sweep),
      chores: loop('chores', () => this.#chores(), 60_000, 60_000),
      garbage: loop('garbage', () => this.#garbage(), day, day),
      tables: loop('tables', (signal) => this.#makeTable(signal)),
    };
  }

  start(): void {
    this.#deps.listener.on('batches', this.#wake);
    this.#deps.listener.on('turns', this.#replan);
    this.#deps.listener.on('ready', this.#wake);
    for (const loop of Object.values(this.#loops)) loop.start();
  }

  async stop(): Promise<void> {
    this.#deps.listener.off('batches', this.#wake);
    this.#deps.listener.off('turns', this.#replan);
    if (this.#nextPlan) clearTimeout(this.#nextPlan);
    this.#deps.listener.off('ready', this.#wake);
    if (this.#nextDue) clearTimeout(this.#nextDue);
    await Promise.all(Object.values(this.#loops).map((loop) => loop.stop()));
    if (this.#nextSlice) clearTimeout(this.#nextSlice);
    await this.#tables[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  readonly #wake = (): void => {
    this.#loops.intake.wake();
    this.#loops.retries.wake();
    this.#loops.finalize.wake();
    this.#loops.bulk.wake();
    this.#loops.tables.wake();
  };

  readonly #replan = (): void => this.#loops.turns.wake();

  #policy(): ControllerOptions {
    return beliefs(this.#deps, this.#estimates);
  }

  /** One round of the policy: targets, risks, forecasts. */
  async #control(): Promise<boolean> {
    const { db, log } = this.#deps;
    this.#estimates = await readEstimates(db);
    const { escalated, rewidened } = await round(db, this.#policy());
    if (escalated.length > 0) log.info({ batches: escalated }, 'work moves to dedicated workers');
    if (escalated.length > 0 || rewidened) this.#replan();
    this.emit('controlled', escalated);
    return false;
  }

  /** Plans the next turns, and wakes the workers to take them; again soon while something waits. */
  async #turns(): Promise<boolean> {
    const { config, db } = this.#deps;
    const began = performance.now();
    const policy = this.#policy();
    const { turns, interactive, waiting } = await plan(db, {
      order: config.schedule.order,
      pools: config.pools,
      tailOf: (model) => tailOf(this.#deps, this.#estimates, model),
      ...(config.quotas && { quotas: config.quotas }),
      leaseSeconds: config.timing.leaseSeconds,
      costOf: (model) => 1 / policy.rateOf(model).rate,
    });
    if (turns > 0) await announceChunks(db, interactive);
    if (this.#nextPlan) clearTimeout(this.#nextPlan);
    // Thousands of batches take a while to plan, and are to leave most of the time to others.
    const pause = Math.max(replanMs, 10 * (performance.now() - began));
    this.#nextPlan = waiting > 0 ? setTimeout(this.#replan, pause) : null;
    return false;
  }

  async #intake(signal: AbortSignal): Promise<boolean> {
    const { config, log } = this.#deps;
    const started = performance.now();
    const intake = await intakeNext(
      {
        ...this.#deps,
        limits: config.limits,
        ...(config.quotas && { quotas: config.quotas }),
        ...(config.dedup && { dedup: config.dedup }),
        leaseSeconds: config.timing.leaseSeconds,
        admit: admission(config.schedule.admission, this.#policy()),
      },
      signal,
    );
    if (intake === null) return false;
    const seconds = (performance.now() - started) / 1_000;
    log.info({ batch: intake.batch.id, result: intake.result, lines: intake.lines, seconds }, 'intake');
    this.emit('intake', { ...intake, seconds });
    this.#replan();
    this.#loops.finalize.wake();
    return true;
  }

  async #retries(): Promise<boolean> {
    const { chunks, nextMs } = await gatherDue(this.#deps.db, { ways: ways(this.#deps.config.pools) });
    if (chunks > 0) this.#replan();
    if (this.#nextDue) clearTimeout(this.#nextDue);
    // Not to the millisecond: those that are due close together become one chunk.
    this.#nextDue =
      nextMs === null
        ? null
        : setTimeout(
            () => this.#loops.retries.wake(),
            Math.min(Math.max(nextMs, this.#deps.config.timing.pollMinMs), this.#deps.config.timing.pollMaxMs),
          );
    return false;
  }

  async #finalize(signal: AbortSignal): Promise<boolean> {
    const { config, db, log } = this.#deps;
    await closeEnding(db);
    const started = performance.now();
    const ended = await finalizeNext({ ...this.#deps, leaseSeconds: config.timing.leaseSeconds }, signal);
    if (ended === null) return false;
    const seconds = (performance.now() - started) / 1_000;
    const took = newSpread();
    took[classOf(1_000 * seconds)]! += 1;
    await addSpread(db, 'finalize', '', took).catch(() => {});
    log.info({ batch: ended.batch.id, result: ended.result, bytes: ended.bytes, seconds }, 'finalized');
    if (ended.batch.kind === 'screen') this.#loops.screens.wake();
    this.emit('finalized', { batchId: ended.batch.id, result: ended.result, bytes: ended.bytes, seconds });
    this.#loops.tables.wake();
    return true;
  }

  /** The next table of results. */
  async #makeTable(signal: AbortSignal): Promise<boolean> {
    const made = await this.#tables.next(signal);
    if (made === null) return false;
    const { log } = this.#deps;
    if (made.reason === undefined) log.info(made, 'table of results');
    else log.warn(made, 'a table of results could not be made');
    this.emit('table', made);
    return true;
  }

  /** Gathers what a screen came to, after its end and apart from it. */
  async #gather(signal: AbortSignal): Promise<boolean> {
    const { config, log, models } = this.#deps;
    const started = performance.now();
    const gathered = await gatherNext({ ...this.#deps, leaseSeconds: config.timing.leaseSeconds, executorOf: executorOf(models) }, signal);
    if (gathered === null) return this.#track();
    const seconds = (performance.now() - started) / 1_000;
    log.info({ batch: gathered.batchId, result: gathered.result, ligands: gathered.ligands, seconds }, 'screen gathered');
    this.emit('gathered', gathered);
    return gathered.result === 'gathered';
  }

  /** A gathered screen as a run of an experiment, where the operator has a tracker. */
  async #track(): Promise<boolean> {
    const { config, db, log } = this.#deps;
    const { mlflowUrl, experiment = 'sluice', token = null, publicUrl = null } = config.tracking ?? {};
    if (!mlflowUrl) return false;
    const tracked = await trackNext({ db, mlflow: new Mlflow({ url: mlflowUrl, experiment, token }), publicUrl });
    if (tracked === null) return false;
    if (tracked.error === null) log.info({ batch: tracked.batchId, run: tracked.run }, 'screen tracked');
    else log.warn({ batch: tracked.batchId, reason: tracked.error }, 'a screen could not be tracked; it is tried again');
    this.emit('tracked', tracked);
    return tracked.error === null;
  }

  /** A slice of the bulk operation whose turn it is; where none is, a wait until the pace of one allows the next. */
  async #bulk(signal: AbortSignal): Promise<boolean> {
    const { config, db, log } = this.#deps;
    const { quotas } = config;
    const ran = await runNext({ ...this.#deps, leaseSeconds: config.timing.leaseSeconds, ...(quotas && { quotas }) }, signal);
    if (ran !== null) {
      const { operation, outcome } = ran;
      if (outcome !== 'more') log.info({ operation: operation.id, outcome }, 'bulk operation');
      this.emit('bulk', { operation: operation.id, action: operation.action, outcome });
      return true;
    }
    if (this.#nextSlice) clearTimeout(this.#nextSlice);
    const ms = await nextDue(db);
    this.#nextSlice =
      ms === null || signal.aborted ? null : setTimeout(() => this.#loops.bulk.wake(), Math.min(ms, config.timing.pollMaxMs));
    return false;
  }

  async #sweep(): Promise<boolean> {
    const { config, db, log } = this.#deps;
    const interrupted = await countInterruptions(db, config.timing.leaseSeconds);
    if (interrupted.length > 0) this.emit('interrupted', interrupted);
    // A page at a time, so that no claim waits long for a row; where a thousand workers were lost at once, all the pages.
    let rescued = 0;
    for (let page = rescuePage; page === rescuePage;) {
      page = await rescue(db);
      rescued += page;
      if (page > 0) this.emit('rescued', page);
    }
    if (rescued > 0) {
      log.warn({ leases: rescued }, 'leases ran out; their chunks went back to the queue');
      this.#replan();
    }
    const free = await letGo(db, config.pools, config.timing.leaseSeconds);
    if (free > 0) {
      log.warn({ chunks: free }, 'no worker came to the larger pool that these waited for; any may run them now');
      this.#replan();
    }
    if ((await expireDue(db)) > 0 || rescued > 0) this.#loops.finalize.wake();
    const lost = await rescueJobs(db, this.#announcer);
    if (lost > 0) log.warn({ jobs: lost }, 'leases of jobs ran out');
    await expireJobs(db, this.#announcer);
    await sweepMilestones(db);
    await foldCounts(db);
    const unvetted = await rescueVettings(db);
    if (unvetted > 0) log.warn({ versions: unvetted }, 'workers that vetted models are lost');
    this.emit('swept');
    return false;
  }

  async #chores(): Promise<boolean> {
    const { db, storage, log } = this.#deps;
    await sweepFiles({ db, storage, log });
    await sweepTables(db, storage);
    await this.#forget();
    await dropOldFigures(db);
    await dropOldEnds(db);
    const days = this.#deps.config.jobRetentionDays ?? 0;
    if (days > 0) await dropOldJobs(db, storage, days);
    await db.run(sql`delete from remote_calls where created_at < now() - interval '8 days'`);
    await db.run(sql`delete from workers where seen_at < now() - interval '1 day'`);
    return false;
  }

  /** Answers that are too old, or too many. Their sum is a look at all of them, so that is made more seldom. */
  async #forget(): Promise<void> {
    const { config, db, log } = this.#deps;
    const done = { expired: await expireResults(db), trimmed: 0, vectors: 0 };
    if (this.#trims++ % trimEvery === 0) {
      done.trimmed = await trimResults(db, (config.dedup ?? defaultDedup).maxBytes);
      done.vectors = await trimVectors(db);
    }
    if (done.expired + done.trimmed + done.vectors > 0) log.info(done, 'forgot answers that were kept for others');
  }

  /** Bytes nobody knows of, left by processes that died; finding them means listing what is stored. */
  async #garbage(): Promise<boolean> {
    const { db, storage, log } = this.#deps;
    // Not at the start: a process that keeps dying would do nothing else.
    if (performance.now() - this.#startedAt < day / 2) return false;
    const before = new Date(Date.now() - day);
    const done = {
      segments: await sweepSegments(db, storage),
      files: await sweepOrphans({ db, storage }, before),
      jobs: await sweepJobObjects(db, storage, before),
      models: await sweepModelFiles({ db, storage }, before),
    };
    if (Object.values(done).some((count) => count > 0)) log.info(done, 'removed what nothing refers to');
    return false;
  }
}

/** Rounds of chores between two looks at how much is kept. */
const trimEvery = 10;

/** Milliseconds between two plans while something waits. */
const replanMs = 500;

const day = 24 * 3_600_000;
