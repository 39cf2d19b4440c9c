import { Child, lastLine, type ChildSettings, type Loss } from '../executors/onnx/child-process.ts';
import { sliceOf } from '../executors/onnx/tensor.ts';
import type { Frame } from '../lib/frames.ts';
import { ApiError, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { Ask, type Answer, type Part, type Question } from './ask.ts';
import type { ModelFigures } from './figures.ts';
import { keyOf, type Layout } from './layout.ts';
import { decode, encode, shares, type Run } from './messages.ts';
import { Pace } from './pace.ts';
import { Queue } from './queue.ts';

/** Milliseconds of work that a message holds: several runs where they are short, since a message costs about 0.1. */
const messageMs = 10;
/** Runs that a message holds at most. */
const messageRuns = 64;
/** Milliseconds that a process may go on with what nobody waits for any more, before it is killed for it. */
const grace = 500;
/** Milliseconds between two looks at time-outs. */
const lookMs = 20;
/** Milliseconds for which a model whose process did not start is not tried again. */
const againMs = 5_000;
/** Milliseconds for which requests that are being read already are waited for. */
const gatherMs = 2;
/** How often a part that had not begun may lose its process. */
const losses = 3;

export interface ServedSettings extends ChildSettings {
  replicas: number;
  /** Milliseconds that one run may take. */
  runMs: number;
  /** Milliseconds for which rows wait for company. */
  delayMs: number;
  /** Rows that may wait. */
  queueRows: number;
  /** Rows after which a process gives way to a new one. */
  recycleAfter: number;
}

interface Message {
  runs: readonly Run[];
  /** Runs that are answered. */
  done: number;
  sentAt: number;
}

interface Replica {
  child: Child;
  message: Message | null;
  /** The progress it last showed, and when that was new. */
  step: number;
  movedAt: number;
  /** When nobody waited for its message any more. */
  abandonedAt: number | null;
  timedOut: boolean;
  retiring: boolean;
}

/**
 * A model that is loaded: a queue, and processes that take from it whatever waits when they are free, rows that may
 * share a run together. Each process has one message at a time, so that it is known what is lost with it.
 */
export class Served {
  readonly layout: Layout;
  readonly figures: ModelFigures;
  readonly pace = new Pace();
  readonly #settings: ServedSettings;
  readonly #placed: AsyncDisposable;
  readonly #log: Logger;
  readonly #queue = new Queue();
  readonly #replicas = new Set<Replica>();
  readonly #starting = new Set<Promise<void>>();
  readonly #leaving = new Set<Promise<void>>();
  readonly #ended = new AbortController();
  readonly #plain: boolean;
  #most: number;
  #due = false;
  /** Questions ever. */
  #asked = 0;
  #delay: NodeJS.Timeout | null = null;
  #watch: NodeJS.Timeout | null = null;
  #failedAt = -Infinity;
  /** Questions without an answer yet. */
  open = 0;
  usedAt = performance.now();

  /** `first` has shown that the model loads; `placed`: its file, which new processes need as well. */
  constructor(settings: ServedSettings, layout: Layout, figures: ModelFigures, log: Logger, first: Child, placed: AsyncDisposable) {
    this.#settings = settings;
    this.#placed = placed;
    this.layout = layout;
    this.figures = figures;
    this.#log = log;
    this.#most = layout.maxRows;
    this.#plain = layout.axes === null;
    this.#adopt(first);
    for (let i = 1; i < settings.replicas; i++) this.#start();
  }

  get pids(): number[] {
    return [...this.#replicas].map(({ child }) => child.pid);
  }

  get memory(): number {
    let bytes = 0;
    for (const { child } of this.#replicas) bytes += child.memory;
    return bytes;
  }

  /** Rows that wait. */
  get waiting(): number {
    return this.#queue.rows;
  }

  /** Puts a question into the queue. Throws `model_overloaded` where it cannot be answered in time. */
  ask(question: Question, timeoutMs: number): Ask {
    if (this.#ended.signal.aborted) throw new ApiError('unavailable', 'The model is being unloaded.', { headers: { 'retry-after': '1' } });
    this.#admit(question.rows, timeoutMs);
    const ask = new Ask(question, timeoutMs, this.#settled);
    this.open++;
    this.#asked++;
    this.usedAt = ask.askedAt;
    this.#queue.add(ask.split(this.#parts(question), (name) => this.layout.axes?.outputs[name] ?? null));
    this.#pumpSoon();
    this.#look();
    return ask;
  }

  /** Nobody waits for it any more. */
  cancel(ask: Ask): void {
    if (!ask.ended) ask.fail(new ApiError('invalid_request', 'The client went away before the answer.', { status: 499 }));
  }

  /** Ends its processes; what waits fails. */
  async end(): Promise<void> {
    this.#ended.abort();
    if (this.#watch) clearInterval(this.#watch);
    if (this.#delay) clearTimeout(this.#delay);
    const closing = new ApiError('unavailable', 'The model is being unloaded.', { headers: { 'retry-after': '1' } });
    this.#failAll(closing);
    for (const { message } of this.#replicas) for (const { parts } of message?.runs ?? []) for (const { ask } of parts) ask.fail(closing);
    await Promise.all([...this.#replicas].map(({ child }) => child.end()));
    await Promise.all([...this.#starting, ...this.#leaving]);
    this.#replicas.clear();
    await this.#placed[Symbol.asyncDispose]();
  }

  readonly #settled = (ask: Ask, answer: Answer | ApiError): void => {
    this.open--;
    if (answer instanceof ApiError) this.figures.refused(answer);
    else this.figures.answered(ask.rows, answer);
  };

  /** Rows for which no others are waited for: they fill a run, or a message of single ones. */
  get #enough(): number {
    return this.#most > 1 ? this.#most : messageRuns;
  }

  /** Rows that processes work on, and whether one of them has nothing to do. */
  #underWay(): { rows: number; free: boolean } {
    let [rows, free] = [0, false];
    for (const { message, retiring } of this.#replicas) {
      if (message) for (const run of message.runs.slice(message.done)) rows += run.rows;
      else if (!retiring) free = true;
    }
    return { rows, free };
  }

  /** Milliseconds that `rows` take all processes together, by what was measured; null where nothing was. */
  #estimate(rows: number): number | null {
    const most = Math.max(1, this.#most);
    const [whole, rest] = [Math.floor(rows / most), rows % most];
    const [run, last] = [this.pace.of(most), rest > 0 ? this.pace.of(rest) : 0];
    if (run === null || last === null) return null;
    return (whole * run + last) / Math.max(1, this.#replicas.size);
  }

  #admit(rows: number, timeoutMs: number): void {
    const waits = this.#queue.rows;
    const busy = this.#underWay();
    if (waits === 0 && busy.free) return;
    const ms = this.#estimate(waits + busy.rows + rows);
    const full = waits > 0 && waits + rows > this.#settings.queueRows;
    if (!full && (ms === null || ms <= timeoutMs)) return;
    const seconds = Math.max(1, Math.ceil((ms ?? 1000) / 1000));
    const reason = full
      ? `${waits} rows wait already, of ${this.#settings.queueRows} that may (predict.queue_rows)`
      : `its queue takes about ${Math.ceil(ms ?? 0)} ms, and the answer is wanted within ${Math.ceil(timeoutMs)} ms`;
    const error = new ApiError('model_overloaded', `The model is asked for more than it can answer: ${reason}.`, {
      headers: { 'retry-after': String(seconds) },
    });
    this.figures.refused(error);
    throw error;
  }

  #parts({ tensors, smiles, rows, apart, alone = false, outputs }: Question): Omit<Part, 'ask' | 'losses'>[] {
    const key = alone || this.#plain ? null : smiles ? '' : keyOf(this.layout, tensors, outputs);
    const size = this.#most > 1 && key !== null ? this.#most : apart ? 1 : rows;
    if (rows <= size) return [{ tensors, smiles, rows, key }];
    const parts: Omit<Part, 'ask' | 'losses'>[] = [];
    for (let from = 0; from < rows; from += size) {
      const to = Math.min(rows, from + size);
      const cut = tensors.map((tensor) => {
        const axis = this.layout.axes?.inputs[tensor.name] ?? null;
        return axis === null ? tensor : sliceOf(tensor, axis, from, to);
      });
      parts.push({ tensors: cut, smiles: smiles?.slice(from, to) ?? null, rows: to - from, key });
    }
    return parts;
  }

  /**
   * Once a turn of the event loop has brought nothing new: requests that are here already, and only have to be read,
   * share a message and a run. That takes no time where there are none, and is not waited for where there are too many.
   */
  #pumpSoon(): void {
    if (this.#due) return;
    this.#due = true;
    const began = performance.now();
    let seen = this.#asked;
    const turn = (): void => {
      if (this.#asked !== seen && this.#queue.rows < this.#enough && performance.now() - began < gatherMs) {
        seen = this.#asked;
        setImmediate(turn);
        return;
      }
      this.#due = false;
      this.#pump();
    };
    setImmediate(turn);
  }

  #pump(): void {
    if (this.#ended.signal.aborted || this.#queue.empty) return;
    if (this.#replicas.size === 0) {
      if (this.#starting.size > 0) return;
      if (performance.now() - this.#failedAt > againMs) this.#start();
      else this.#failAll(new ApiError('model_not_ready', 'The model could not be loaded.', { headers: { 'retry-after': '5' } }));
      return;
    }
    const { delayMs } = this.#settings;
    const early = delayMs > 0 && this.#queue.rows < this.#most ? delayMs - (performance.now() - (this.#queue.since ?? 0)) : 0;
    if (early > 0) {
      this.#delay ??= setTimeout(() => {
        this.#delay = null;
        this.#pump();
      }, early);
      return;
    }
    let free = 0;
    for (const { message, retiring } of this.#replicas) if (!message && !retiring) free++;
    for (const replica of this.#replicas) {
      if (replica.message || replica.retiring) continue;
      if (!this.#feed(replica, free--)) return;
    }
  }

  #feed(replica: Replica, free: number): boolean {
    // Short work is not worth a second process; long work is shared out among those that are free.
    const all = this.#estimate(this.#queue.rows);
    const most = all !== null && all > 1 ? Math.min(this.#most, Math.max(1, Math.ceil(this.#queue.rows / free))) : this.#most;
    const runs: Run[] = [];
    let ms = 0;
    const now = performance.now();
    while (runs.length < messageRuns && ms < messageMs / free) {
      const parts = this.#queue.take(most);
      if (parts.length === 0) break;
      const rows = parts.reduce((sum, part) => sum + part.rows, 0);
      for (const { ask } of parts) ask.started(now);
      runs.push({ parts, rows });
      ms += this.pace.of(rows) ?? messageMs;
    }
    if (runs.length === 0) return false;
    const { head, bytes } = encode(runs, this.layout);
    replica.message = { runs, done: 0, sentAt: now };
    replica.movedAt = now;
    replica.abandonedAt = null;
    replica.child.sendRuns(
      head,
      runs.reduce((sum, { rows }) => sum + rows, 0),
      bytes,
    );
    return true;
  }

  #adopt(child: Child): void {
    const replica: Replica = { child, message: null, step: 0, movedAt: 0, abandonedAt: null, timedOut: false, retiring: false };
    this.#replicas.add(replica);
    child.listen(
      (frame) => this.#answered(replica, frame),
      (loss) => this.#lost(replica, loss),
    );
  }

  #start(): void {
    const starting = Child.start(this.#settings, this.#ended.signal)
      .then(async (child) => {
        if (this.#ended.signal.aborted) return await child.end();
        this.#adopt(child);
        this.#pump();
      })
      .catch((error: unknown) => {
        if (this.#ended.signal.aborted) return;
        this.#failedAt = performance.now();
        this.#log.error({ err: messageOf(error) }, 'a process for a model did not start');
        if (this.#replicas.size > 0 || this.#starting.size > 1) return;
        this.#failAll(
          new ApiError('model_not_ready', `The model could not be loaded: ${messageOf(error)}`, { headers: { 'retry-after': '5' } }),
        );
      })
      .finally(() => this.#starting.delete(starting));
    this.#starting.add(starting);
  }

  #failAll(error: ApiError): void {
    for (let parts = this.#queue.take(1); parts.length > 0; parts = this.#queue.take(1)) for (const { ask } of parts) ask.fail(error);
  }

  /** What a process answered; one that talks nonsense is killed, whatever made it do so. */
  #decoded(replica: Replica, frame: Frame): ReturnType<typeof decode> | null {
    try {
      return decode(frame);
    } catch (error) {
      this.#log.error({ err: messageOf(error) }, 'a process of a model gave an answer that cannot be read');
      replica.child.kill();
      return null;
    }
  }

  #answered(replica: Replica, frame: Frame): void {
    const { message } = replica;
    if (!message) return;
    const answer = this.#decoded(replica, frame);
    if (!answer) return;
    const { first, results } = answer;
    message.done = first + results.length;
    replica.movedAt = performance.now();
    if (message.done >= message.runs.length) {
      replica.message = null;
      if (replica.child.rows >= this.#settings.recycleAfter) this.#replace(replica);
      // A full run is sent on before the answers are written, so that the process goes on meanwhile.
      if (this.#queue.rows >= this.#enough) this.#pump();
      else if (!this.#queue.empty) this.#pumpSoon();
    }
    results.forEach((result, i) => {
      const run = message.runs[first + i];
      if (!run) return;
      if ('error' in result) return this.#failedRun(run, result.error);
      this.pace.add(Math.max(1, run.rows), result.ms);
      this.figures.sizes.observe(run.rows);
      const all = shares(run, result.outputs, result.failed, this.layout.axes?.outputs ?? null);
      if (all === null) {
        this.#log.warn('the outputs of a model do not have as many rows as its inputs: its rows run alone from now on');
        this.#most = 1;
        this.#alone(run);
      } else for (const { part, outputs, failed } of all) part.ask.answer(part, outputs, failed, result.ms);
    });
  }

  /** One of them may have spoilt it for the others: each runs by itself. */
  #alone({ parts }: Run): void {
    for (const part of parts) part.key = null;
    this.#queue.again(parts);
    this.#pumpSoon();
  }

  #failedRun(run: Run, words: string): void {
    if (run.parts.length > 1) return this.#alone(run);
    // What the runtime says of memory is about this machine; all else is about the values it was given.
    const error = /allocat|out of memory/i.test(words)
      ? new ApiError('executor_error', `The model ran out of memory on this request: ${lastLine(words)}`)
      : new ApiError('invalid_input', `The model cannot be run on these inputs: ${lastLine(words)}`, { param: 'inputs' });
    for (const { ask } of run.parts) ask.fail(error);
  }

  #replace(replica: Replica): void {
    replica.retiring = true;
    this.#replicas.delete(replica);
    const leaving = replica.child.end().finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
    this.#start();
  }

  #lost(replica: Replica, { row, words }: Loss): void {
    this.#replicas.delete(replica);
    const { message, timedOut } = replica;
    if (this.#ended.signal.aborted) return;
    this.#log.warn({ words: lastLine(words), timedOut }, 'a process of a model was lost');
    const again: Part[] = [];
    message?.runs.slice(message.done).forEach((run, i) => {
      const begun = message.done + i === row;
      if (begun && !timedOut) for (const { ask } of run.parts) ask.fail(lostError(words));
      else if (begun && run.parts.length === 1) run.parts[0]!.ask.fail(this.#lateError());
      else {
        for (const part of run.parts) {
          // One of those that hung together may have done it: each has its time alone.
          if (begun) part.key = null;
          else part.losses++;
          again.push(part);
        }
      }
    });
    const worn = again.filter((part) => part.losses >= losses);
    for (const part of worn) part.ask.fail(lostError(words));
    this.#queue.again(again.filter((part) => part.losses < losses));
    // One that died at rest comes back with the next question: it might die again and again.
    if (message || !this.#queue.empty) this.#start();
  }

  #lateError(): ApiError {
    return new ApiError('request_timeout', `The model gave no answer within ${this.#settings.runMs} ms.`);
  }

  /** Watches time-outs while there is anything to watch. */
  #look(): void {
    this.#watch ??= setInterval(() => {
      const now = performance.now();
      for (const part of this.#queue) expire(part, now);
      let busy = !this.#queue.empty;
      for (const replica of this.#replicas) {
        const { message } = replica;
        if (!message) continue;
        busy = true;
        const wanted = message.runs.slice(message.done).some(({ parts }) => parts.some((part) => !expire(part, now)));
        replica.abandonedAt = wanted ? null : (replica.abandonedAt ?? now);
        const { step } = replica.child.progress();
        if (step !== replica.step) [replica.step, replica.movedAt] = [step, now];
        else if (now - replica.movedAt > this.#settings.runMs) replica.timedOut = true;
        if (replica.timedOut || (replica.abandonedAt !== null && now - replica.abandonedAt > grace)) replica.child.kill();
      }
      if (!busy && this.#watch) {
        clearInterval(this.#watch);
        this.#watch = null;
      }
    }, lookMs);
  }
}

const lostError = (words: string): ApiError =>
  new ApiError('executor_lost', `The model's process ended while it worked on this request${words ? `: ${lastLine(words)}` : '.'}`, {
    headers: { 'retry-after': '1' },
  });

/** Whether nobody waits for it any more, be it that its time is up. */
const expire = ({ ask }: Part, now: number): boolean => {
  if (!ask.ended && now >= ask.deadline)
    ask.fail(new ApiError('request_timeout', `The model did not answer within ${Math.round(ask.deadline - ask.askedAt)} ms.`));
  return ask.ended;
};
