import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { lastLine, RdkitProcess, type Loss, type ProcessSettings } from './process.ts';

export interface PoolSettings extends ProcessSettings {
  log: Logger;
  processes: number;
  /** Milliseconds that one row may take. */
  timeoutMs: number;
  /** Rows after which a process gives way to a new one: RDKit's memory creeps. */
  recycleAfter: number;
  /** Milliseconds without work after which the processes end. */
  idleMs: number;
}

/** Rows that somebody waits for. */
interface Job {
  operation: string;
  options: object;
  rows: readonly string[];
  results: unknown[];
  /** The first row that no slice has taken yet. */
  at: number;
  open: number;
  /** What to say of a row that RDKit broke on. */
  failed: (message: string) => unknown;
  done: (error?: Error) => void;
  urgent: boolean;
  ended: boolean;
}

/** Processes that may be killed over one row before it is blamed. */
const mostKills = 3;

/** Consecutive rows of a job that go to a process together. */
interface Slice {
  job: Job;
  from: number;
  to: number;
  /** How often a process was lost over it, or over a larger slice that held it. */
  losses: number;
}

interface Member {
  child: RdkitProcess;
  slices: Slice[];
  /** The progress it last showed, and when that was new. */
  step: number;
  movedAt: number;
  timedOut: boolean;
  retiring: boolean;
}

export interface RunOptions {
  operation: string;
  options: object;
  failed: (message: string) => unknown;
  /** Somebody waits at a screen: before all that is not. */
  urgent?: boolean;
  signal?: AbortSignal;
}

/** Milliseconds that a slice should take: long beside a message, short beside what somebody at a screen notices. */
const target = 30;
/**
 * Milliseconds of a processor's time that starting a process costs: less work than that does not need another one. It is
 * counted in what callers have handed over, so that who has much must hand over much at a time.
 */
const startMs = 500;
/** Milliseconds a row takes, before any was seen. */
const usualPace = 0.5;
/** Slices that a process holds: one that it works on, one that waits, so that it never does. */
const depth = 2;
/** Characters of the rows of one message. */
const characters = 1 << 20;

/** Processes with RDKit: keeps them busy, watches them, and replaces those that die, hang or grow old. */
export class Pool {
  readonly #settings: PoolSettings;
  readonly #members = new Set<Member>();
  readonly #jobs = new Set<Job>();
  readonly #urgent = new Set<Job>();
  #again: Slice[] = [];
  readonly #starting = new Set<Promise<void>>();
  readonly #leaving = new Set<Promise<void>>();
  /** Milliseconds a row takes, by operation, smoothed. */
  readonly #pace = new Map<string, number>();
  #watch: NodeJS.Timeout | null = null;
  #idle: NodeJS.Timeout | null = null;
  #ended = false;

  constructor(settings: PoolSettings) {
    this.#settings = settings;
  }

  get pids(): number[] {
    return [...this.#members].map(({ child }) => child.pid);
  }

  get memory(): number {
    return [...this.#members].reduce((sum, { child }) => sum + child.memory, 0);
  }

  /** One result a row, in order. Rejects only where no process can be started, the pool has ended, or `signal` aborts. */
  run(rows: readonly string[], { operation, options, failed, urgent = false, signal }: RunOptions): Promise<unknown[]> {
    if (rows.length === 0) return Promise.resolve([]);
    signal?.throwIfAborted();
    if (this.#ended) return Promise.reject(new Error('the pool has ended'));
    return new Promise((resolve, reject) => {
      const aborted = () => job.done(signal!.reason as Error);
      const jobs = urgent ? this.#urgent : this.#jobs;
      const results = Array.from<unknown>({ length: rows.length });
      const done = (error?: Error) => {
        if (job.ended) return;
        job.ended = true;
        jobs.delete(job);
        signal?.removeEventListener('abort', aborted);
        if (error) reject(error);
        else resolve(results);
      };
      const job: Job = { operation, options, rows, results, at: 0, open: rows.length, failed, done, urgent, ended: false };
      jobs.add(job);
      signal?.addEventListener('abort', aborted, { once: true });
      this.#pump();
    });
  }

  async end(): Promise<void> {
    this.#ended = true;
    for (const job of [...this.#jobs, ...this.#urgent]) job.done(new Error('the pool has ended'));
    if (this.#watch) clearInterval(this.#watch);
    if (this.#idle) clearTimeout(this.#idle);
    await Promise.all(this.#starting);
    await Promise.all([...this.#members].map(({ child }) => child.end()));
    await Promise.all(this.#leaving);
    this.#members.clear();
  }

  /** Sends slices while there are some and processes have room: those without any first. */
  #pump(): void {
    if (this.#ended) return;
    if (this.#idle) clearTimeout(this.#idle);
    this.#idle = null;
    for (let held = 0; held < depth; held++) {
      for (const member of this.#members) {
        if (member.slices.length !== held || member.retiring) continue;
        const slice = this.#next();
        if (!slice) {
          this.#rest();
          return;
        }
        this.#send(member, slice);
      }
    }
    const working = [...this.#members].filter(({ retiring }) => !retiring).length + this.#starting.size;
    if (working < Math.min(this.#settings.processes, Math.ceil(this.#waiting() / startMs))) this.#start();
  }

  /** Milliseconds that what no process has been given will take. */
  #waiting(): number {
    let sum = 0;
    for (const { job, from, to } of this.#again) sum += (to - from) * this.#paceOf(job);
    for (const jobs of [this.#urgent, this.#jobs]) for (const job of jobs) sum += (job.rows.length - job.at) * this.#paceOf(job);
    return sum;
  }

  #paceOf({ operation }: Job): number {
    return this.#pace.get(operation) ?? usualPace;
  }

  #next(): Slice | null {
    while (this.#again.length > 0) {
      const slice = this.#again.shift()!;
      if (!slice.job.ended) return slice;
    }
    const [job] = this.#urgent.size > 0 ? this.#urgent : this.#jobs;
    if (!job) return null;
    const pace = this.#pace.get(job.operation);
    const left = job.rows.length - job.at;
    // The last rows are shared out, so that no process waits for another's long slice.
    const most = Math.min(pace === undefined ? 16 : Math.max(1, Math.round(target / pace)), Math.ceil(left / this.#settings.processes));
    let to = job.at;
    for (let size = 0; to < job.at + most && size < characters; to++) size += job.rows[to]!.length;
    const slice = { job, from: job.at, to, losses: 0 };
    job.at = to;
    const jobs = job.urgent ? this.#urgent : this.#jobs;
    // To the end of the line: jobs take turns.
    jobs.delete(job);
    if (to < job.rows.length) jobs.add(job);
    return slice;
  }

  #send(member: Member, slice: Slice): void {
    if (member.slices.length === 0) member.movedAt = Date.now();
    member.slices.push(slice);
    const { operation, options, rows } = slice.job;
    member.child.send({ operation, options, rows: rows.slice(slice.from, slice.to) });
    this.#watch ??= setInterval(() => this.#look(), Math.min(250, this.#settings.timeoutMs / 4)).unref();
  }

  #start(): void {
    const starting = RdkitProcess.start(this.#settings)
      .then((child) => {
        this.#adopt(child);
        this.#starting.delete(starting);
        this.#pump();
      })
      .catch((error: unknown) => {
        this.#starting.delete(starting);
        this.#settings.log.error({ err: messageOf(error) }, 'a process with RDKit did not start');
        // None is left and none will come.
        if (this.#members.size > 0 || this.#starting.size > 0) return;
        const jobs = new Set([...this.#jobs, ...this.#urgent, ...this.#again.map(({ job }) => job)]);
        this.#again = [];
        for (const job of jobs) job.done(error as Error);
      });
    this.#starting.add(starting);
  }

  #adopt(child: RdkitProcess): void {
    const member: Member = { child, slices: [], step: 0, movedAt: 0, timedOut: false, retiring: false };
    this.#members.add(member);
    child.listen(
      ({ ms, results }) => this.#answer(member, ms, results),
      (loss) => this.#lost(member, loss),
    );
  }

  #answer(member: Member, ms: number, results: readonly unknown[]): void {
    const slice = member.slices.shift();
    if (!slice) return;
    const { job, from } = slice;
    member.movedAt = Date.now();
    const pace = Math.max(ms, 0.01) / results.length;
    const before = this.#pace.get(job.operation);
    this.#pace.set(job.operation, before === undefined ? pace : 0.7 * before + 0.3 * pace);
    if (member.child.rows >= this.#settings.recycleAfter && !member.retiring) {
      member.retiring = true;
      if (!this.#ended) this.#start();
    }
    if (member.retiring && member.slices.length === 0) this.#retire(member);
    // Before the results are read: the process goes on while this one does.
    this.#pump();
    for (const [index, result] of results.entries()) job.results[from + index] = result;
    this.#settle(job, results.length);
  }

  #settle(job: Job, count: number): void {
    job.open -= count;
    if (job.open === 0) job.done();
  }

  #retire(member: Member): void {
    this.#members.delete(member);
    const leaving = member.child.end().finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }

  #lost(member: Member, loss: Loss): void {
    this.#members.delete(member);
    if (this.#ended) return;
    this.#settings.log.warn({ words: lastLine(loss.words), timedOut: member.timedOut }, 'a process with RDKit was lost');
    const [slice, ...behind] = member.slices;
    this.#again.unshift(...(slice ? this.#blame(slice, member.timedOut, loss) : []), ...behind);
    this.#pump();
  }

  /** Gives up on the row that lost a process, if it surely was that row; returns what to try again. */
  #blame({ job, from, to, losses }: Slice, timedOut: boolean, { row, sure, words }: Loss): Slice[] {
    const at = Math.min(from + row, to - 1);
    const again: Slice[] = [];
    if (at > from) again.push({ job, from, to: at, losses: 0 });
    if (at + 1 < to) again.push({ job, from: at + 1, to, losses: 0 });
    // It need not have been the row: somebody killed the process, or the machine slept. It is tried again, alone: once where
    // it took too long, more often where the process was killed, which may hit the same row twice.
    if (sure || losses >= (timedOut ? 1 : mostKills)) {
      job.results[at] = job.failed(
        timedOut
          ? `RDKit was not done with it within ${this.#settings.timeoutMs} ms.`
          : `RDKit broke on it${words.trim() === '' ? '.' : `: ${lastLine(words)}`}`,
      );
      this.#settle(job, 1);
    } else again.push({ job, from: at, to: at + 1, losses: losses + 1 });
    return again;
  }

  /** Kills processes that are silent for too long. */
  #look(): void {
    const now = Date.now();
    for (const member of this.#members) {
      if (member.slices.length === 0) continue;
      const { step } = member.child.progress();
      if (step !== member.step) [member.step, member.movedAt] = [step, now];
      if (now - member.movedAt <= this.#settings.timeoutMs) continue;
      member.timedOut = true;
      member.child.kill();
    }
    // All that there are may be at a row that none of them comes back from: others need not wait for that.
    const stuck = [...this.#members].every(({ slices, movedAt }) => slices.length > 0 && now - movedAt > startMs);
    if (stuck && this.#starting.size === 0 && this.#members.size < this.#settings.processes && this.#waiting() > 0) this.#start();
  }

  /** Nothing is left to send: once nothing is under way either, the processes may end. */
  #rest(): void {
    if ([...this.#members].some(({ slices }) => slices.length > 0) || this.#starting.size > 0) return;
    if (this.#watch) clearInterval(this.#watch);
    this.#watch = null;
    this.#idle = setTimeout(() => {
      for (const member of this.#members) this.#retire(member);
    }, this.#settings.idleMs).unref();
  }
}
