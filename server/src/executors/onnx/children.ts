import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { Child, lastLine, type ChildSettings, type Loss } from './child-process.ts';
import { resultOf, type Result } from './outputs.ts';
import type { SliceHead } from './wire.ts';
import { retryParts, type Slice } from './slices.ts';

/** Milliseconds that a child should be busy with one slice: long beside a round trip, short beside a time-out. */
const target = 100;
/** Slices a child holds: one it works on, one that waits, so that it never does. */
const depth = 2;
/** Milliseconds that a child may go on with a slice nobody wants any more. */
const grace = 500;

export interface Work {
  /** The next slice of at most `most` rows, or null. */
  next(most: number): Slice | null;
  /** What to send for it, having settled (and taken out of the slice) the tasks that cannot be sent. */
  encode(slice: Slice): { head: SliceHead; bytes: Uint8Array | null };
  done(slice: Slice, result: Result): void;
}

export interface ChildrenSettings extends ChildSettings {
  processes: number;
  /** Rows a slice may have. */
  most: number;
  /** Milliseconds without a step. */
  timeoutMs: number;
  /** Rows after which a child gives way to a new one. */
  recycleAfter: number;
}

interface Member {
  child: Child;
  slices: Slice[];
  /** The progress it last showed, and when that was new. */
  step: number;
  movedAt: number;
  abandonedAt: number | null;
  timedOut: boolean;
  retiring: boolean;
}

/** The processes of one model: keeps each busy, watches them, and replaces those that die, hang or grow old. */
export class Children {
  readonly #settings: ChildrenSettings;
  readonly #work: Work;
  readonly #log: Logger;
  readonly #members = new Set<Member>();
  readonly #again: Slice[] = [];
  readonly #ended = new AbortController();
  readonly #starting = new Set<Promise<void>>();
  readonly #leaving = new Set<Promise<void>>();
  #watch: NodeJS.Timeout | null = null;
  #most: number;
  /** Milliseconds a row takes, smoothed. */
  #pace: number | null = null;
  #size: number;

  constructor(settings: ChildrenSettings, work: Work, log: Logger) {
    this.#settings = settings;
    this.#work = work;
    this.#log = log;
    this.#most = settings.most;
    this.#size = Math.min(16, settings.most);
  }

  /** Takes over the child that has shown that the model loads, and starts the others beside the work. */
  begin(first: Child): void {
    this.#adopt(first);
    for (let i = 1; i < this.#settings.processes; i++) this.#start();
  }

  /** Rows of a slice as they are cut now. */
  get size(): number {
    return this.#size;
  }

  get pids(): number[] {
    return [...this.#members].map(({ child }) => child.pid);
  }

  get memory(): number {
    return [...this.#members].reduce((sum, { child }) => sum + child.memory, 0);
  }

  /** Sends slices while there are some and children have room: those without any first. */
  pump(): void {
    if (this.#members.size === 0 && this.#starting.size === 0 && !this.#ended.signal.aborted) this.#start();
    for (let held = 0; held < depth; held++) {
      for (const member of this.#members) {
        if (member.slices.length !== held || member.retiring) continue;
        if (!this.#feed(member)) return;
      }
    }
  }

  async end(): Promise<void> {
    this.#ended.abort();
    if (this.#watch) clearInterval(this.#watch);
    await Promise.all([...this.#members].map(({ child }) => child.end()));
    await Promise.all([...this.#starting, ...this.#leaving]);
    this.#members.clear();
  }

  #feed(member: Member): boolean {
    while (true) {
      const slice = this.#again.shift() ?? this.#work.next(this.#size);
      if (!slice) return false;
      if (slice.run.ended) continue;
      const { head, bytes } = this.#work.encode(slice);
      if (slice.tasks.length === 0) continue;
      if (member.slices.length === 0) member.movedAt = Date.now();
      member.slices.push(slice);
      member.child.send(head, bytes);
      this.#watch ??= setInterval(() => this.#look(), Math.min(250, this.#settings.timeoutMs / 4));
      return true;
    }
  }

  #start(): void {
    const starting = Child.start(this.#settings, this.#ended.signal)
      .then(async (child) => {
        if (this.#ended.signal.aborted) {
          await child.end();
          return;
        }
        this.#adopt(child);
        this.pump();
      })
      .catch((error: unknown) => {
        if (this.#ended.signal.aborted) return;
        this.#log.error({ err: messageOf(error), path: this.#settings.path }, 'a process for a model did not start');
        if (this.#members.size === 0 && this.#starting.size === 1) this.#giveUp(messageOf(error));
      })
      .finally(() => this.#starting.delete(starting));
    this.#starting.add(starting);
  }

  #retire(member: Member): void {
    this.#members.delete(member);
    const leaving = member.child.end().finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }

  /** No process is left and none will come: what waits can only be tried elsewhere. */
  #giveUp(message: string): void {
    for (let slice = this.#again.shift() ?? this.#work.next(1000); slice; slice = this.#again.shift() ?? this.#work.next(1000))
      for (const task of slice.tasks) slice.run.fail(task, 'retryable', 'executor_error', message);
  }

  #adopt(child: Child): void {
    const member: Member = { child, slices: [], step: 0, movedAt: 0, abandonedAt: null, timedOut: false, retiring: false };
    this.#members.add(member);
    child.listen(
      (frame) => this.#result(member, resultOf(frame)),
      (loss) => this.#lost(member, loss),
    );
  }

  #result(member: Member, result: Result): void {
    const slice = member.slices.shift();
    if (!slice) return;
    member.movedAt = Date.now();
    member.abandonedAt = null;
    const pace = Math.max(result.head.ms, 0.5) / slice.tasks.length;
    this.#pace = this.#pace === null ? pace : 0.7 * this.#pace + 0.3 * pace;
    this.#size = Math.max(1, Math.min(this.#most, this.#size * 2, Math.round(target / this.#pace)));
    if (member.child.rows >= this.#settings.recycleAfter && !member.retiring) {
      member.retiring = true;
      this.#start();
    }
    if (member.retiring && member.slices.length === 0) this.#retire(member);
    // Sent on before the results are read: the child goes on while this process writes outcomes.
    this.pump();
    this.#work.done(slice, result);
  }

  #lost(member: Member, { row, words }: Loss): void {
    this.#members.delete(member);
    const [slice, ...behind] = member.slices;
    this.#again.unshift(...behind);
    if (slice) this.#blame(member, slice, row, words);
    if (this.#ended.signal.aborted) return;
    this.#log.warn({ path: this.#settings.path, words: lastLine(words), timedOut: member.timedOut }, 'a process of a model was lost');
    if (!member.retiring) this.#start();
    this.pump();
  }

  #blame(member: Member, slice: Slice, row: number, words: string): void {
    if (slice.run.ended) return;
    const parts = retryParts(slice, row);
    if (parts) {
      // A batch that was too much for a child, without one row that was: cut smaller ones from now on.
      if (row < 0 && slice.tasks.length > 1) this.#size = this.#most = Math.max(1, slice.tasks.length >> 1);
      this.#again.unshift(...parts);
      return;
    }
    const task = slice.tasks[0]!;
    if (member.timedOut)
      slice.run.fail(task, 'permanent', 'request_timeout', `The model gave no result within ${this.#settings.timeoutMs} ms.`);
    else
      slice.run.fail(
        task,
        'permanent',
        'executor_error',
        `The model's process ended on this request${words ? `: ${lastLine(words)}` : '.'}`,
      );
  }

  /** Kills the children that are silent for too long, or busy with what nobody wants. */
  #look(): void {
    const now = Date.now();
    let busy = false;
    for (const member of this.#members) {
      const slice = member.slices[0];
      if (!slice) continue;
      busy = true;
      const { step } = member.child.progress();
      if (step !== member.step) [member.step, member.movedAt] = [step, now];
      if (slice.run.ended) member.abandonedAt ??= now;
      if (now - member.movedAt > this.#settings.timeoutMs) member.timedOut = true;
      if (member.timedOut || (member.abandonedAt !== null && now - member.abandonedAt > grace)) member.child.kill();
    }
    if (!busy && this.#watch) {
      clearInterval(this.#watch);
      this.#watch = null;
    }
  }
}
