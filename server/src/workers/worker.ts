import { EventEmitter } from 'node:events';
import { closeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { hostname, totalmem } from 'node:os';
import { join } from 'node:path';
import { openFeatureFile } from '../chemistry/feature-cache.ts';
import { defaultDedup } from '../policy/dedup.ts';
import { Vectors } from '../cache/vectors.ts';
import type { Config } from '../config.ts';
import type { Pool } from '../db/db.ts';
import type { Listener } from '../db/listen.ts';
import { prepared, sql, unsynced } from '../db/sql.ts';
import { countLines } from '../formats/lines.ts';
import { Breakers } from '../executors/remote/breakers.ts';
import { usualShares, type Shares } from '../executors/share.ts';
import { newWorkerId } from '../lib/ids.ts';
import type { Logger } from '../lib/log.ts';
import { Loop } from '../lib/loop.ts';
import { messageOf } from '../lib/errors.ts';
import { makeScratch } from '../lib/scratch.ts';
import { Digests } from '../models/digest.ts';
import { modelKey, priorRate, type Models, type ModelSpec } from '../models/models.ts';
import { renew, type Lease } from '../requests/claim.ts';
import { claimTurn, type Claimant, type Claimed } from '../requests/turns.ts';
import { fitting, needsOf } from '../policy/strategy.ts';
import { announceBatches, announceEnd, announceTurns } from '../requests/queue.ts';
import type { Storage } from '../storage/storage.ts';
import { remoteCalls } from './calls.ts';
import { JobLane } from './job-lane.ts';
import { LoadedModels } from './loaded.ts';
import type { Retry } from './gathering.ts';
import { Room, type Narrow } from './narrow.ts';
import { Tally } from './figures.ts';
import { Rates } from './rates.ts';
import { Buffers } from './result-lines.ts';
import { RetryBudget } from './retry-budget.ts';
import { reuseOf, type Reuse } from './reuse.ts';
import { runLease, type Running } from './run.ts';
import { Settler, type SettledPart } from './settler.ts';

export interface WorkerDeps {
  db: Pool;
  storage: Storage;
  models: Models;
  config: Pick<Config, 'timing' | 'retry' | 'worker' | 'pools'> & Partial<Pick<Config, 'dedup' | 'chemistry' | 'dataDir'>>;
  log: Logger;
  /** Channels `chunks`, `coming`, `jobs` and `control`. */
  listener: Listener;
}

interface Events {
  claimed: [lease: Lease];
  settled: [part: SettledPart];
  ended: [lease: Lease, how: 'done' | 'released' | 'lost' | 'failed'];
  /** A write was refused because the lease was lost. */
  fenced: [lease: Lease];
  /** Nothing is left for it to run just now. */
  idle: [];
  drained: [];
  /** It was told to end, and by whom, for the first time. */
  interrupted: [by: Interruption];
}

/** Who told a worker to end: a signal, the notice file, the notice endpoint, or the API. */
export type Interruption = 'signal' | 'file' | 'endpoint' | 'api';

/** It leases only what it knows, and a snapshot forgets no version. */
const known = (models: Models, key: string): ModelSpec => {
  const model = models.keyed(key);
  if (!model) throw new Error(`a lease names the unknown model ${key}`);
  return model;
};

/** Of the notice, what is kept for writing down what was done and giving back the rest. */
const reserve = (seconds: number): number => Math.min(3, seconds / 5);

/** Lines up to which a chunk is a small one, and how many of those may stand in the place of a whole one. */
const few = 32;
const most = 16;

/**
 * A worker: leases chunks, runs them on executors, settles what comes out.
 *
 * Promise: it starts nothing once its leases may have run out by its own clock, and writes nothing without the token
 * of the lease it works under. Stopping it lets what runs finish, and gives the rest back at once. A worker that is
 * killed loses what it has not settled, which is a second or two of work; its chunks go to others when the lease ends.
 */
export class Worker extends EventEmitter<Events> implements AsyncDisposable {
  readonly id = newWorkerId();
  readonly #deps: WorkerDeps;
  readonly #claims: Loop;
  readonly #heartbeat: Loop;
  /** By token: a chunk that was lost may be leased again while the work of the old lease still ends. */
  readonly #running = new Map<number, Running & { ending: Promise<void> }>();
  readonly #rates: Rates;
  readonly #tally = new Tally();
  /** By model. */
  readonly #budgets = new Map<string, RetryBudget>();
  readonly #buffers = new Buffers();
  readonly #digests = new Digests();
  readonly #vectors: Vectors;
  #loaded: LoadedModels | null = null;
  /** The snapshot whose models its row names. */
  #told: readonly ModelSpec[] = [];
  #jobs: JobLane | null = null;
  #scratch = '';
  /** The descriptor of the host's features of molecules. */
  #features: number | null = null;
  #renewedAt = 0;
  /** Ends the work when its leases may have run out. */
  #expiry: NodeJS.Timeout | null = null;
  /** Chunks in a row that could not be run, and until when nothing is claimed for it. */
  #failures = 0;
  #pausedUntil = 0;
  #draining = false;
  /** Interactive batches have turns, as far as it was told. */
  #interactive = true;
  /** There was no chunk to claim when it looked last. */
  #idle = false;
  /** Ends what still runs when the notice is over. */
  #notice: NodeJS.Timeout | null = null;
  #noticeEnds = Infinity;
  #started = false;
  readonly #kind: 'spot' | 'dedicated';
  /** What each lane is sure of, of a model's room. */
  readonly #shares: Shares;
  readonly #room: Room;

  constructor(deps: WorkerDeps) {
    super();
    this.#deps = deps;
    this.#vectors = new Vectors(deps.db);
    const { timing, pools, worker } = deps.config;
    const own = pools.find(({ name }) => name === worker.pool);
    this.#kind = own?.preemptible ? 'spot' : 'dedicated';
    this.#shares = own?.lanes ?? usualShares;
    this.#room = new Room(this.#has);
    this.#rates = new Rates(this.#kind);
    const onError = (error: unknown) => deps.log.warn({ worker: this.id, reason: messageOf(error) }, 'the queue could not be reached');
    this.#claims = new Loop({ name: 'claim', run: () => this.#claim(), min: timing.pollMinMs, max: timing.pollMaxMs, onError });
    const beat = timing.heartbeatSeconds * 1_000;
    this.#heartbeat = new Loop({ name: 'heartbeat', run: () => this.#beat(), min: beat, max: beat, onError });
  }

  get leases(): number {
    return this.#running.size;
  }

  /** What it has for requests that declare what they need. */
  get #has(): { memoryBytes: number; gpus: number } {
    const { memory, gpus } = this.#deps.config.worker;
    // Of a container that is limited, what it may have.
    return { memoryBytes: memory ?? Math.min(totalmem(), process.constrainedMemory() || Infinity), gpus: gpus ?? 0 };
  }

  /** A model of which not one request fits is not offered. */
  #fits({ options }: ModelSpec): boolean {
    const needs = needsOf(options);
    return needs === null || fitting(needs, { ...this.#has, concurrency: 1 }) > 0;
  }

  async start(): Promise<void> {
    if (this.#started) return;
    this.#started = true;
    const { db, config, models, log, listener } = this.#deps;
    this.#scratch = await makeScratch('worker');
    if (config.chemistry && config.dataDir !== undefined)
      this.#features = openFeatureFile({ folder: join(config.dataDir, 'features'), bytes: config.chemistry.featuresBytes }, log);
    const crash = () => process.kill(process.pid, 'SIGKILL');
    this.#loaded = new LoadedModels(
      {
        log,
        storage: this.#deps.storage,
        scratch: this.#scratch,
        calls: remoteCalls(db),
        features: this.#features,
        shares: this.#shares,
        breakers: new Breakers(),
        crash,
      },
      config.worker.modelMemory,
    );
    await db.run(sql`
      insert into workers (id, pool, kind, host, pid, models, room_bytes, room_gpus)
      values (${this.id}, ${config.worker.pool}, ${this.#kind}, ${hostname()}, ${process.pid},
        ${this.#served() ?? []}::text[], ${this.#has.memoryBytes}, ${this.#has.gpus})`);
    this.#renewed(performance.now());
    this.#jobs = new JobLane({
      ...this.#deps,
      loaded: this.#loaded,
      workerId: this.id,
      retryOf: (model) => this.#retryOf(model),
      fits: (model) => this.#fits(model),
      mayClaim: () => !this.#stale(),
      onSettled: this.#settled,
      onRest: () => this.#rest(),
    });
    listener.on('jobs', this.#jobs.wake);
    listener.on('ready', this.#jobs.wake);
    models.on('changed', this.#jobs.wake);
    listener.on('chunks', this.#announced);
    listener.on('coming', this.#prepare);
    listener.on('ready', this.#wake);
    listener.on('control', this.#attend);
    models.on('changed', this.#wake);
    models.on('changed', this.#attend);
    this.#heartbeat.start();
    this.#claims.start();
    this.#jobs.start();
  }

  /** Takes nothing more, lets what runs finish, gives the rest back; waits for all of it. */
  async stop(): Promise<void> {
    if (!this.#started) return;
    this.#started = false;
    const { db, listener, models } = this.#deps;
    this.drain('signal');
    listener.off('chunks', this.#announced);
    listener.off('coming', this.#prepare);
    listener.off('ready', this.#wake);
    listener.off('control', this.#attend);
    if (this.#jobs) {
      listener.off('jobs', this.#jobs.wake).off('ready', this.#jobs.wake);
      models.off('changed', this.#jobs.wake);
    }
    models.off('changed', this.#wake);
    models.off('changed', this.#attend);
    await this.#claims.stop();
    await Promise.all([...this.#running.values()].map(({ ending }) => ending));
    await this.#jobs?.stop();
    await this.#heartbeat.stop();
    await this.#tally.report(db).catch(() => {});
    if (this.#expiry) clearTimeout(this.#expiry);
    if (this.#notice) clearTimeout(this.#notice);
    await this.#loaded?.[Symbol.asyncDispose]();
    if (this.#features !== null) closeSync(this.#features);
    await rm(this.#scratch, { recursive: true, force: true });
    await db.run(sql`update workers set state = 'stopped', seen_at = now() where id = ${this.id}`).catch(() => {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /**
   * Takes nothing more, gives back at once what has not started, lets what runs go on while the notice lasts and gives
   * back what has not ended then; no attempt is charged. Emits `drained` when nothing runs any more. Asked again, only a
   * shorter notice counts.
   *
   * @param seconds until the process may be gone; as configured where nobody says
   */
  drain(by: Interruption, seconds: number = this.#deps.config.worker.noticeSeconds): void {
    const ends = performance.now() + (seconds - reserve(seconds)) * 1_000;
    if (ends < this.#noticeEnds) {
      this.#noticeEnds = ends;
      if (this.#notice) clearTimeout(this.#notice);
      this.#notice = setTimeout(() => this.abort(), ends - performance.now());
    }
    if (this.#draining) return;
    this.#draining = true;
    for (const { stop } of this.#running.values()) stop.abort('drained');
    this.#jobs?.drain();
    void this.#deps.db
      .run(sql`update workers set state = 'draining', interrupted_by = ${by} where id = ${this.id} and state = 'ready'`)
      .catch(() => {});
    this.emit('interrupted', by);
    this.#rest();
  }

  /** Ends what runs too, without waiting for it to finish by itself. */
  abort(): void {
    for (const { abort } of this.#running.values()) abort.abort();
    this.#jobs?.abort();
  }

  /** Says so where nothing runs any more, neither chunks nor jobs. */
  #rest(): void {
    if (this.#running.size > 0 || (this.#jobs !== null && this.#jobs.size > 0)) return;
    if (this.#draining) this.emit('drained');
    else if (this.#idle && this.#jobs?.atRest) this.emit('idle');
  }

  readonly #settled = (part: SettledPart): void => {
    this.#tally.add(part);
    this.emit('settled', part);
  };

  readonly #wake = (): void => this.#claims.wake();
  readonly #announced = (whose: string): void => {
    if (whose === 'interactive') this.#interactive = true;
    this.#claims.wake();
  };
  /** Where it has nothing to do, it loads what will be asked for while the input is checked. */
  readonly #prepare = (models: string): void => void this.#load(models.split(' '));
  async #load(keys: readonly string[]): Promise<void> {
    for (const model of keys.flatMap((key) => this.#deps.models.keyed(key) ?? [])) {
      if (this.#draining || this.#running.size > 0 || (this.#jobs?.size ?? 0) > 0) return;
      if (this.#fits(model)) await this.#loaded?.prepare(model);
    }
  }
  readonly #attend = (): void => this.#heartbeat.wake();

  async #claim(): Promise<boolean> {
    if (this.#draining || this.#stale() || performance.now() < this.#pausedUntil) return false;
    const models = this.#deps.models.all().filter((model) => this.#loaded!.ready(model) && this.#fits(model));
    const [soon, others] = [this.#wanted(models, 'interactive'), this.#wanted(models, 'others')];
    const any = models.filter((model) => soon.has(model) && others.has(model));
    if (any.length > 0) {
      const claimed = await this.#take(any);
      this.#idle = claimed === 'idle';
      if (!this.#idle) return true;
      this.#rest();
    }
    // What somebody waits for does not wait for what is there already, which executors start after it, nor keeps that away.
    const more = models.filter((model) => this.#interactive && soon.has(model) && !others.has(model));
    if (more.length > 0) {
      this.#interactive = (await this.#take(more, 'interactive')) !== 'idle';
      if (this.#interactive) return true;
    }
    const rest = models.filter((model) => others.has(model) && !soon.has(model));
    return rest.length > 0 && (await this.#take(rest, 'others')) !== 'idle';
  }

  async #take(models: readonly ModelSpec[], only?: Claimant['only']): Promise<Claimed> {
    const { config, db } = this.#deps;
    const claimant = { id: this.id, kind: this.#kind, pool: config.worker.pool, models: models.map(modelKey), only };
    const claimed = await claimTurn(db, claimant, config.timing.leaseSeconds);
    if (typeof claimed === 'string') return claimed;
    this.#idle = false;
    this.#begin(claimed);
    return claimed;
  }

  /**
   * The models it would take chunks of. Interactive ones have places of their own. There are as many as configured; chunks of
   * a few lines, which retries come in, ride along: were they counted, two slow requests would be all that a worker does at
   * a time. Two chunks of a model keep it busy while one of them settles; more only while it has nothing to do.
   */
  #wanted(models: readonly ModelSpec[], whose: 'interactive' | 'others'): Set<ModelSpec> {
    const { chunks } = this.#deps.config.worker;
    const leases = [...this.#running.values()]
      .map(({ lease }) => lease)
      .filter(({ lane }) => (lane === 'interactive') === (whose === 'interactive'));
    const whole = leases.filter(({ lines }) => countLines(lines) > few).length;
    if (whole >= chunks || leases.length >= chunks * most) return new Set();
    const held = (key: string): number => leases.filter(({ model }) => model === key).length;
    return new Set(models.filter((model) => held(modelKey(model)) < 2 || this.#loaded!.hungry(model)));
  }

  #begin(lease: Lease): void {
    const { config, log, models } = this.#deps;
    const [stop, abort] = [new AbortController(), new AbortController()];
    // A batch that may have only so much in flight says nothing of how fast the worker is.
    const measured = lease.width === null && lease.strategy !== 'sequential';
    const model = known(models, lease.model);
    const reuse = this.#reuse(lease, model);
    const settler = new Settler(
      {
        ...this.#deps,
        keep: reuse?.keep ?? null,
        workerId: this.id,
        leaseSeconds: config.timing.leaseSeconds,
        retry: { ...this.#retryOf(lease.model), ...(lease.maxAttempts !== null && { maxAttempts: lease.maxAttempts }) },
        settleMs: config.timing.settleMs,
        buffers: this.#buffers,
      },
      lease,
      abort.signal,
      (part) => {
        if (measured) this.#rates.settled(lease.model, part.ms);
        else this.#rates.took(lease.model, part.ms);
        this.#settled(part);
        if (part.retried > 0) void announceBatches(this.#deps.db);
      },
    );
    const running: Running = { lease, model, settler, stop, abort, narrow: this.#narrow(lease, model), reuse };
    if (measured) this.#rates.begin(lease.model);
    this.emit('claimed', lease);
    const ending = runLease({ ...this.#deps, loaded: this.#loaded! }, running)
      .then((how) => {
        this.#failures = 0;
        if (how === 'lost') this.emit('fenced', lease);
        // A chunk that ends may be its batch's last.
        if (how === 'done' || how === 'released') void announceEnd(this.#deps.db, lease.batchNo);
        // A batch that may have only so much in flight has room again.
        if (how === 'released' || lease.width !== null) void announceTurns(this.#deps.db);
        this.emit('ended', lease, how);
      })
      .catch((error: unknown) => {
        // It is the first in the queue again: without a pause it would be taken up and fail thousands of times a minute.
        this.#pausedUntil = performance.now() + Math.min(10_000, 250 * 2 ** this.#failures++);
        log.error(
          { worker: this.id, batch: lease.batchId, chunk: lease.chunkId, reason: messageOf(error) },
          'a chunk could not be run; it goes back to the queue',
        );
        this.emit('ended', lease, 'failed');
      })
      .finally(() => {
        this.#running.delete(lease.token);
        if (measured) this.#rates.end(lease.model);
        this.#claims.wake();
        if (this.#draining) this.#rest();
      });
    this.#running.set(lease.token, { ...running, ending });
    // It was being claimed when the stop came.
    if (this.#draining) stop.abort('drained');
  }

  /** Answers that a lease may be given, and gives; null where there is nothing to gain. */
  #reuse(lease: Lease, model: ModelSpec): Reuse | null {
    const { config } = this.#deps;
    const shared = { loaded: this.#loaded!, digests: this.#digests, vectors: this.#vectors, settings: config.dedup ?? defaultDedup };
    return reuseOf({ ...this.#deps, ...shared }, lease, model);
  }

  /** How narrow a lease is to be run: null where its lines fit in what its batch may have in flight, and nothing else limits it. */
  #narrow(lease: Lease, { options }: ModelSpec): Narrow | null {
    const needs = lease.strategy === 'resource_aware' ? needsOf(options) : null;
    const inOrder = lease.strategy === 'sequential';
    if (needs === null && !inOrder && (lease.width === null || countLines(lease.lines) <= lease.width)) return null;
    return { width: () => lease.width ?? Infinity, inOrder, room: needs && { of: this.#room, needs } };
  }

  /** How requests of a model are repeated: as configured for all, unless its own options say otherwise. */
  #retryOf(key: string): Retry {
    const { config, models } = this.#deps;
    const { executor, options } = known(models, key);
    // In proportion to what a worker is expected to do: ten retries a second are a storm to a language model, and nothing to echo.
    const floor = Math.max(10, priorRate[executor] / 10);
    const budget = this.#budgets.get(key) ?? new RetryBudget(floor);
    this.#budgets.set(key, budget);
    const own = options['max_attempts'];
    return { ...config.retry, ...(typeof own === 'number' && { maxAttempts: own }), budget };
  }

  async #beat(): Promise<boolean> {
    const { config, db } = this.#deps;
    const asked = performance.now();
    const before = [...this.#running.values()];
    const tokens = before.map(({ lease }) => lease.token);
    await this.#jobs?.beat();
    const held = tokens.length > 0 ? await renew(db, this.id, tokens, config.timing.leaseSeconds) : [];
    const asks = await db.maybe<{ drain: boolean }>(
      prepared(sql`
      update workers set seen_at = now(), models = coalesce(${this.#served()}::text[], models),
        loaded = ${JSON.stringify(this.#roster())}::jsonb, held_bytes = ${process.memoryUsage.rss()}
      from ${unsynced} where id = ${this.id} returning drain_requested_at is not null as drain`),
    );
    if (asks?.drain === true) this.drain('api');
    this.#renewed(asked);
    // It may not have heard of them.
    this.#interactive = true;
    for (const running of before) {
      const { lease, stop, abort, settler } = running;
      if (settler.state !== 'open' || !this.#running.has(lease.token)) continue;
      const now = held.find((h) => h.token === lease.token);
      if (now) lease.width = now.width;
      const order = now?.order ?? 'abort';
      if (order === 'abort') abort.abort();
      else if (order === 'stop' && !stop.signal.aborted) this.#end(running);
    }
    await this.#rates.report(db);
    await this.#tally.report(db);
    return false;
  }

  /** The models it can run, where others than were told of last; null: the same. */
  #served(): string[] | null {
    const all = this.#deps.models.all();
    if (all === this.#told) return null;
    this.#told = all;
    return all.filter((model) => this.#fits(model)).map(modelKey);
  }

  /** What it has in memory, for those who watch. */
  #roster(): { model: string; held_bytes: number; rate: number | null }[] {
    return (this.#loaded?.roster() ?? []).map((entry) => ({ ...entry, rate: this.#rates.last(entry.model) }));
  }

  /** Starts no more of a lease; what runs gets the grace, and is then aborted. */
  #end({ stop, abort }: Running): void {
    stop.abort();
    const timer = setTimeout(() => abort.abort(), this.#deps.config.timing.cancelGraceSeconds * 1_000);
    timer.unref();
  }

  /** A timer and not the next heartbeat's business: that one may be waiting for a database that hangs. */
  #renewed(at: number): void {
    this.#renewedAt = at;
    if (this.#expiry) clearTimeout(this.#expiry);
    this.#expiry = setTimeout(() => this.abort(), Math.max(0, at + this.#trust - performance.now()));
  }

  /** Whether the leases may have run out, by this process's own clock. */
  #stale(): boolean {
    return performance.now() - this.#renewedAt > this.#trust;
  }

  /** Milliseconds after a renewal for which the leases are believed in. */
  get #trust(): number {
    return this.#deps.config.timing.leaseSeconds * 900;
  }
}
