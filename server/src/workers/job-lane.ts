import { attemptFolder, jobFolder } from '../artifacts/keys.ts';
import type { Config } from '../config.ts';
import type { Pool } from '../db/db.ts';
import { LoadError, type JsonObject, type Outcome, type Task } from '../executors/executor.ts';
import { parseExactly } from '../formats/exact-json.ts';
import { Announcer } from '../jobs/announce.ts';
import { textOf } from '../jobs/bodies.ts';
import { claimJobs, markSlow, renewJobs, type JobLease, type Rooms } from '../jobs/claim.ts';
import { jobLosses } from '../jobs/state.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { Loop } from '../lib/loop.ts';
import { tracebackOf } from '../lib/traceback.ts';
import { modelKey, type Models, type ModelSpec } from '../models/models.ts';
import type { Storage } from '../storage/storage.ts';
import type { Retry } from './gathering.ts';
import { endOf, type Ending } from './job-end.ts';
import { JobSettler } from './job-settler.ts';
import type { LoadedModels } from './loaded.ts';
import type { SettledPart } from './settler.ts';

export interface LaneDeps {
  db: Pool;
  storage: Storage;
  models: Models;
  config: Pick<Config, 'timing'>;
  log: Logger;
  loaded: LoadedModels;
  workerId: string;
  retryOf: (model: string) => Retry;
  /** Whether the worker has what a request of the model needs. */
  fits: (model: ModelSpec) => boolean;
  /** False while leases may have run out, or nothing may be taken. */
  mayClaim: () => boolean;
  onSettled: (part: SettledPart) => void;
  /** Nothing is held any more, or there was nothing to claim. */
  onRest: () => void;
}

interface Held {
  lease: JobLease;
  abort: AbortController;
  /** Why it is being ended; null while it runs as it should. */
  ending: Ending | null;
  started: boolean;
  /** Its outcome is there, and being written down. */
  over: boolean;
  timers: NodeJS.Timeout[];
}

/** Jobs of a model that a worker holds at once, where the model does not say: enough to keep it busy, as some are always on their way. */
const usual = (model: ModelSpec): number => (model.executor === 'echo' ? 512 : 64);
/** Of a model that has enough to do already: so many wait for it all the same, as each is to start before what it has. */
const beside = 4;
/** Jobs leased by one statement, of each model. */
const most = 256;
/** Tenants whose turns are remembered. */
const tenants = 64;
/** Milliseconds between two claims while jobs come in: those of the meantime are leased together. */
const paceMs = 4;

/**
 * The lane of jobs of a worker, beside its chunks: neither counts for the other's room, so that bulk work never stands
 * before a job. Each job is a run of its own, which can be ended alone; executors start jobs before lines of bulk, and after
 * those of interactive batches.
 */
export class JobLane {
  readonly #deps: LaneDeps;
  readonly #loop: Loop;
  readonly #settler: JobSettler;
  /** By token: a job that was lost may be leased again while the work of the old lease still ends. */
  readonly #held = new Map<number, Held>();
  readonly #counts = new Map<string, number>();
  readonly #retries = new Set<NodeJS.Timeout>();
  #suspects = 0;
  /** Tenants that were served, the last one at the end. */
  readonly #lately = new Set<string>();
  #claimedAt = 0;
  /** The last claim took all there was room for. */
  #full = false;
  #draining = false;
  /** It has looked and found nothing. */
  #rested = false;

  constructor(deps: LaneDeps) {
    this.#deps = deps;
    const { pollMinMs, pollMaxMs } = deps.config.timing;
    const onError = (error: unknown) => deps.log.warn({ worker: deps.workerId, reason: messageOf(error) }, 'jobs could not be claimed');
    this.#loop = new Loop({ name: 'jobs', run: () => this.#claim(), min: pollMinMs, max: pollMaxMs, onError });
    this.#settler = new JobSettler({ ...deps, announcer: new Announcer(deps.db) }, (settled) => {
      for (const { token, part, againMs } of settled) {
        this.#held.delete(token);
        if (part) deps.onSettled(part);
        if (againMs !== null) this.#wakeIn(againMs);
      }
      if (this.#full) this.wake();
      if (this.#held.size === 0) deps.onRest();
    });
  }

  get size(): number {
    return this.#held.size;
  }

  /** Holds nothing, and found nothing when it looked last. */
  get atRest(): boolean {
    return this.#rested && this.#held.size === 0;
  }

  start(): void {
    this.#loop.start();
  }

  readonly wake = (): void => this.#loop.wake();

  /** Claims nothing more, and gives back what no executor has started. */
  drain(): void {
    this.#draining = true;
    for (const held of this.#held.values()) if (!held.started) this.#end(held, 'given back');
  }

  /** Gives back what runs, too. */
  abort(): void {
    for (const held of this.#held.values()) this.#end(held, 'given back');
  }

  /** Waits for what runs, and until it is written down. */
  async stop(): Promise<void> {
    this.drain();
    await this.#loop.stop();
    for (const timer of this.#retries) clearTimeout(timer);
    if (this.#held.size > 0)
      await new Promise<void>((resolve) => {
        const { onRest } = this.#deps;
        this.#deps.onRest = () => {
          onRest();
          resolve();
        };
      });
    await this.#settler.idle();
  }

  /** Renews the leases, and ends what was cancelled or lost. */
  async beat(): Promise<void> {
    const { db, config, workerId } = this.#deps;
    const before = [...this.#held.values()].filter(({ over }) => !over);
    if (before.length === 0) return;
    const tokens = before.map(({ lease }) => lease.token);
    const found = await renewJobs(db, workerId, tokens, config.timing.leaseSeconds);
    const renewed = new Map(found.map(({ token, cancel }) => [token, cancel]));
    for (const held of before) {
      const cancel = renewed.get(held.lease.token);
      if (cancel === undefined) this.#end(held, 'lost');
      else if (cancel) this.#end(held, 'cancelled');
    }
  }

  async #claim(): Promise<boolean> {
    const { config, db, workerId } = this.#deps;
    const early = paceMs - (performance.now() - this.#claimedAt);
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    if (this.#draining || !this.#deps.mayClaim()) return false;
    const rooms = this.#rooms();
    if (rooms.length === 0) return false;
    const options = { lately: [...this.#lately], suspect: this.#suspects === 0 };
    const leases = await claimJobs(db, workerId, rooms, config.timing.leaseSeconds, options);
    this.#remember(leases);
    // The next one waits only where this one found something: who comes after a rest is served at once.
    if (leases.length > 0) this.#claimedAt = performance.now();
    for (const lease of leases) this.#begin(lease);
    this.#full = rooms.some(({ model, room }) => leases.filter((lease) => lease.model === model).length >= room);
    this.#rested = leases.length === 0;
    if (this.atRest) this.#deps.onRest();
    return false;
  }

  #remember(leases: readonly JobLease[]): void {
    for (const { tenant_id } of leases) {
      this.#lately.delete(tenant_id);
      this.#lately.add(tenant_id);
    }
    for (const tenant of this.#lately) if (this.#lately.size > tenants) this.#lately.delete(tenant);
  }

  /** What is loaded and waits for nothing may take a group; what is busy a few that wait; each no more than it runs at once. */
  #rooms(): Rooms {
    const { models, loaded, fits } = this.#deps;
    return models.all().flatMap((model) => {
      if (!loaded.ready(model) || !fits(model)) return [];
      const key = modelKey(model);
      const own = model.options['max_concurrency'];
      const limit = typeof own === 'number' ? own : usual(model);
      const held = this.#counts.get(key) ?? 0;
      const room = Math.min(most, limit - held, loaded.hungry(model) ? most : beside - this.#waiting(key));
      return room > 0 ? [{ model: key, room }] : [];
    });
  }

  /** Jobs of a model that it holds and no executor has started. */
  #waiting(model: string): number {
    let waiting = 0;
    for (const { lease, started, over } of this.#held.values()) if (lease.model === model && !started && !over) waiting++;
    return waiting;
  }

  #started(held: Held): void {
    held.started = true;
    // It leaves its place among those that wait.
    if (this.#full) this.wake();
  }

  #begin(lease: JobLease): void {
    const held: Held = { lease, abort: new AbortController(), ending: null, started: false, over: false, timers: [] };
    this.#held.set(lease.token, held);
    this.#counts.set(lease.model, (this.#counts.get(lease.model) ?? 0) + 1);
    if (lease.losses >= jobLosses - 1) this.#suspects++;
    if (lease.timeout_ms !== null) held.timers.push(setTimeout(() => this.#end(held, 'timeout'), lease.timeout_ms));
    if (lease.left_ms !== null && lease.left_ms < longestTimer)
      held.timers.push(setTimeout(() => this.#end(held, 'deadline'), Math.max(0, lease.left_ms)));
    if (lease.soft_timeout_ms !== null) held.timers.push(setTimeout(() => this.#slow(held), lease.soft_timeout_ms));
    void this.#run(held);
    if (this.#draining && !held.started) this.#end(held, 'given back');
  }

  async #run(held: Held): Promise<void> {
    const { lease } = held;
    const outcome = await this.#ask(held);
    held.over = true;
    for (const timer of held.timers) clearTimeout(timer);
    this.#counts.set(lease.model, this.#counts.get(lease.model)! - 1);
    if (lease.losses >= jobLosses - 1) this.#suspects--;
    if (held.ending === 'lost') {
      this.#held.delete(lease.token);
      if (this.#held.size === 0) this.#deps.onRest();
      return;
    }
    const retry = this.#deps.retryOf(lease.model);
    if (lease.attempts === 0 && outcome !== null) retry.budget?.request();
    this.#settler.add(lease, endOf(lease, this.#deps.workerId, outcome, held.ending, retry), outcome);
  }

  /** The outcome; null where the executor started nothing. */
  async #ask(held: Held): Promise<Outcome | null> {
    const { lease, abort } = held;
    const { storage, loaded, models } = this.#deps;
    const startedAt = Date.now();
    const failed = (kind: 'retryable' | 'permanent', code: string, error: unknown): Outcome => ({
      line: 1,
      startedAt,
      ms: Date.now() - startedAt,
      ok: false,
      kind,
      code,
      message: messageOf(error),
      ...(error instanceof Error && !(error instanceof LoadError) && { traceback: tracebackOf(error) }),
    });
    try {
      const model = models.keyed(lease.model);
      if (model === null) return failed('permanent', 'model_not_ready', `The model ${lease.model} is not known here.`);
      const text = await textOf(storage, lease.body, lease.body_key);
      if (text === null) return failed('permanent', 'executor_error', 'The body of the job is gone.');
      const task = new JobTask(lease, text);
      const outcomes: Outcome[] = [];
      const signals = { stop: abort.signal, abort: abort.signal, lane: 'jobs' as const, started: () => this.#started(held) };
      await loaded.use(model, async (executor) => {
        for await (const group of executor.run([task], signals)) outcomes.push(...group);
      });
      return outcomes[0] ?? null;
    } catch (error) {
      if (error instanceof LoadError) return failed('permanent', 'model_not_ready', `The model could not be loaded: ${error.message}`);
      return failed('retryable', 'executor_error', error);
    }
  }

  #end(held: Held, why: Ending): void {
    if (held.over || held.ending !== null) return;
    held.ending = why;
    held.abort.abort();
  }

  #slow({ lease }: Held): void {
    const { db, log, workerId } = this.#deps;
    log.warn(
      { worker: workerId, job: lease.id, model: lease.model, ms: lease.soft_timeout_ms },
      'a job runs for longer than its soft limit',
    );
    void markSlow(db, [lease.token]).catch(() => {});
  }

  #wakeIn(ms: number): void {
    if (this.#draining) return;
    const timer = setTimeout(() => {
      this.#retries.delete(timer);
      this.wake();
    }, ms + 1);
    timer.unref();
    this.#retries.add(timer);
  }
}

/** What a timer of Node's can hold. */
const longestTimer = 2 ** 31 - 1;

/** A job as executors take it: its body is parsed when somebody looks. */
class JobTask implements Task {
  readonly line = 1;
  readonly customId: string;
  readonly url: string;
  readonly attempt: number;
  readonly folder: string;
  readonly key: string;
  readonly #text: string;
  #body: JsonObject | null = null;

  constructor(lease: JobLease, text: string) {
    this.customId = lease.id;
    this.url = lease.endpoint;
    this.attempt = lease.attempts + 1;
    this.key = lease.id;
    this.folder = attemptFolder(jobFolder(lease.tenant_id, lease.id), lease.token, this.attempt);
    this.#text = text;
  }

  // It was written from an object.
  get body(): JsonObject {
    return (this.#body ??= parseExactly(this.#text) as JsonObject);
  }
}
