import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { named, type Kept } from '../../artifacts/artifacts.ts';
import { messageOf } from '../../lib/errors.ts';
import type { ModelSpec } from '../../models/models.ts';
import { BadRequest } from '../bad-request.ts';
import type { Executor, ExecutorContext, Failure, JsonObject, Outcome, RunSignals, Task } from '../executor.ts';
import { runLimited } from '../limited.ts';
import { Slots } from '../slots.ts';
import { keepOutputs, logName, written, type Found } from './collect.ts';
import { environmentOf } from './environment.ts';
import type { CommandOptions } from './options.ts';
import { runProgram, type Ended } from './program.ts';

type Limits = Pick<CommandOptions, 'env' | 'pass_env' | 'gpu_env' | 'timeout_ms' | 'cpu_seconds' | 'memory_mb' | 'max_concurrency'>;

export type Failed = Pick<Failure, 'kind' | 'code' | 'message' | 'needs'>;

/** What a tool made of a request: numbers and files; or why it did not, with the files there are all the same. */
export type Made = { outputs: JsonObject; files: Found[] } | { failed: Failed; files: Found[] };

/** How a request of one tool is written, run and read. */
export interface Adapter<Request> {
  /** Throws `BadRequest` with the field. */
  read(body: JsonObject): Request;
  /**
   * Runs the tool in `dir`, an empty folder of the request's own, by as many calls of `run` as it has stages.
   *
   * @param run `what`: the program and its first arguments, as the operator wrote them
   */
  make(request: Request, dir: string, run: (what: readonly string[], args: readonly string[]) => Promise<Ended>): Promise<Made>;
  /** What the answer depends on besides the model; null: chance too. */
  identity?(request: Request): unknown;
  /** Recorded with each result. */
  about: JsonObject;
}

const defaultTimeoutMs = 6 * 3_600_000;

/** A tool that is run for each request, by its adapter. What it says in all of its stages is one log. */
class Adapted<Request> implements Executor {
  readonly model: ModelSpec;
  readonly #context: ExecutorContext;
  readonly #limits: Limits;
  readonly #adapter: Adapter<Request>;
  readonly #slots: Slots;
  readonly #ended = new AbortController();
  readonly #prefix = randomBytes(6).toString('hex');
  #count = 0;

  constructor(model: ModelSpec, context: ExecutorContext, limits: Limits, adapter: Adapter<Request>) {
    this.model = model;
    this.#context = context;
    this.#limits = limits;
    this.#adapter = adapter;
    this.#slots = new Slots(limits.max_concurrency ?? 1, context.shares);
  }

  run(tasks: readonly Task[], given: RunSignals): AsyncIterable<Outcome[]> {
    const signals = { ...given, abort: AbortSignal.any([given.abort, this.#ended.signal]) };
    return runLimited(tasks, signals, this.#slots, (task, ended) => this.#attempt(task, ended));
  }

  identity({ body }: Pick<Task, 'body'>): string | null {
    try {
      const identity = this.#adapter.identity?.(this.#adapter.read(body)) ?? null;
      return identity === null ? null : JSON.stringify(identity);
    } catch {
      return null;
    }
  }

  hungry(): boolean {
    return this.#slots.free;
  }

  memory(): number {
    return 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
  }

  async #attempt(task: Task, signal: AbortSignal): Promise<Outcome> {
    const startedAt = Date.now();
    const dir = await mkdtemp(join(this.#context.scratch, `${this.model.executor}-`));
    try {
      const answer = await this.#answer(task, dir, signal);
      return { ...answer, line: task.line, startedAt, ms: Date.now() - startedAt };
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }

  async #answer(task: Task, dir: string, signal: AbortSignal): Promise<Answer> {
    let request: Request;
    try {
      request = this.#adapter.read(task.body);
    } catch (error) {
      if (error instanceof BadRequest) return { ok: false, kind: 'permanent', code: 'invalid_request', message: error.message };
      throw error;
    }
    let log = '';
    let over: Failed | null = null;
    const { timeout_ms: timeoutMs = defaultTimeoutMs, cpu_seconds: cpuSeconds = null, memory_mb: memoryMb = null } = this.#limits;
    const until = Date.now() + timeoutMs;
    const made = await this.#adapter.make(request, dir, async ([program, ...first], args) => {
      const settings = { program: program!, args: [...first, ...args], dir, env: environmentOf(this.#limits, dir), cpuSeconds, memoryMb };
      const ended = await runProgram({ ...settings, timeoutMs: Math.max(1, until - Date.now()) }, signal);
      log += ended.log;
      over ??= overBy(ended, timeoutMs);
      return ended;
    });
    if (signal.aborted) return cancelled;
    try {
      const artifacts = await this.#keep(task, dir, made.files, log, signal);
      const failed = over ?? ('failed' in made ? made.failed : null);
      if (failed !== null || 'failed' in made) return { ok: false, ...failed!, artifacts };
      return { ok: true, status: 200, body: JSON.stringify(this.#reply(made.outputs, artifacts)), artifacts };
    } catch (error) {
      if (signal.aborted) return cancelled;
      return { ok: false, kind: 'retryable', code: 'executor_error', message: `Its files could not be kept: ${messageOf(error)}` };
    }
  }

  async #keep(task: Task, dir: string, files: Found[], log: string, signal: AbortSignal): Promise<Kept[]> {
    const { storage } = this.#context;
    if (storage === undefined || task.folder === undefined) return [];
    const { name: model, version } = this.model;
    const about = { custom_id: task.customId, model, version, attempt: task.attempt, ...this.#adapter.about };
    const said = [await written(dir, `.${logName}`, log), await written(dir, '.metadata.json', JSON.stringify(about, null, 2))];
    return keepOutputs(storage, task.folder, [...files, ...said], signal);
  }

  #reply(outputs: JsonObject, artifacts: readonly Kept[]): JsonObject {
    const id = `pred_${this.#prefix}${(this.#count++).toString(16).padStart(8, '0')}`;
    const { name: model, version } = this.model;
    return { id, object: 'prediction', model, version, outputs, ...(artifacts.length > 0 && { artifacts: named(artifacts) }) };
  }
}

type Answer = ({ ok: true; status: number; body: string } | ({ ok: false } & Failed)) & { artifacts?: readonly Kept[] };

const cancelled: Answer = { ok: false, kind: 'cancelled', code: 'batch_cancelled', message: 'Cancelled before it was predicted.' };

/** What ended a stage from outside, whatever it has left. */
const overBy = ({ error, by, signal }: Ended, timeoutMs: number): Failed | null => {
  if (error !== null) return { kind: 'permanent', code: 'executor_error', message: `The program could not be started: ${error}` };
  if (by === 'timeout')
    return {
      kind: 'retryable',
      code: 'request_timeout',
      message: `The prediction took longer than its time-out of ${timeoutMs / 1000} s.`,
    };
  if (signal === 'SIGXCPU') return { kind: 'permanent', code: 'executor_error', message: 'The program used up its processor time.' };
  return null;
};

export const openAdapted = <Request>(model: ModelSpec, context: ExecutorContext, limits: Limits, adapter: Adapter<Request>): Executor =>
  new Adapted(model, context, limits, adapter);

/** Why a stage ended badly, by what it said. @param stage its name, as people know it */
export const failureBy = ({ code, signal, log }: Pick<Ended, 'code' | 'signal' | 'log'>, stage: string): Failed => {
  const last = log.trimEnd().split('\n').at(-1)?.trim() ?? '';
  const said = last === '' ? '' : ` It said last: ${last.slice(0, 500)}`;
  if (/OutOfMemoryError|out of memory/i.test(log))
    return {
      kind: 'retryable',
      code: 'out_of_memory',
      needs: 'gpu_memory',
      message: `${stage} ran out of memory; it may fit on a larger GPU, or with fewer samples.${said}`,
    };
  return {
    kind: 'retryable',
    code: 'executor_error',
    message: `${stage} left no result (${signal === null ? `exit code ${code}` : `signal ${signal}`}).${said}`,
  };
};
