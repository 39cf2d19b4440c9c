import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { errors } from '@sluice/contract';
import { llmInput } from '../../cache/llm-input.ts';
import { messageOf } from '../../lib/errors.ts';
import type { ModelSpec } from '../../models/models.ts';
import type { Exchange, Executor, ExecutorContext, ExecutorKind, Forwarded, Outcome, RunSignals, Task } from '../executor.ts';
import { runLimited } from '../limited.ts';
import { commonOptions, readOptions, whole } from '../options.ts';
import { Slots } from '../slots.ts';
import { codeOfStatus, retryableStatus } from '../status.ts';
import { replyTo } from './replies.ts';
import { scriptOf, type Script } from './script.ts';
import { streamed } from './stream.ts';

export const echoOptions = { ...commonOptions, max_concurrency: whole(1, 1_000_000) };

const never = new AbortController().signal;

/** Tasks answered between two turns of the event loop: about 2 ms, so that heartbeats and signals are never late. */
const group = 256;

/**
 * Answers with what it was sent, in the endpoint's own shape, as fast as the process goes; `body.sluice_echo` scripts
 * delays, failures, sizes and crashes. Only delayed tasks take a slot and a timer.
 */
class Echo implements Executor {
  readonly model: ModelSpec;
  readonly #context: ExecutorContext;
  readonly #slots: Slots;
  readonly #ended = new AbortController();
  readonly #prefix = randomBytes(6).toString('hex');
  #count = 0;

  constructor(model: ModelSpec, context: ExecutorContext) {
    this.model = model;
    this.#context = context;
    this.#slots = new Slots(readOptions(echoOptions, model.options).max_concurrency ?? 1000, context.shares);
  }

  async *run(tasks: readonly Task[], given: RunSignals): AsyncGenerator<Outcome[]> {
    const signals = { ...given, abort: AbortSignal.any([given.abort, this.#ended.signal]) };
    const delayed: Task[] = [];
    for (let at = 0; at < tasks.length; at += group) {
      if (signals.stop.aborted || signals.abort.aborted) return;
      const outcomes: Outcome[] = [];
      const startedAt = Date.now();
      for (const task of tasks.slice(at, at + group)) {
        const script = scriptOf(task.body);
        if (typeof script !== 'string' && script.delay_ms > 0) delayed.push(task);
        else {
          signals.started?.(task.line);
          outcomes.push(this.#answer(task, script, startedAt));
        }
      }
      if (outcomes.length > 0) yield outcomes;
      await new Promise(setImmediate);
    }
    yield* runLimited(delayed, signals, this.#slots, (task, ended) => this.#later(task, ended));
  }

  async forward({ url, body }: Exchange, ended: AbortSignal): Promise<Forwarded> {
    const task = { line: 1, customId: '', url, body, attempt: 1 };
    for await (const [outcome] of this.run([task], { stop: never, abort: ended }))
      if (outcome?.ok) {
        const { status, body: text, usage } = outcome;
        const events = body['stream'] === true ? streamed(url, text, body) : null;
        const headers = { 'content-type': events ? 'text/event-stream; charset=utf-8' : 'application/json' };
        return { ok: true, status, headers, body: events ? Readable.from(events) : text, usage: Promise.resolve(usage) };
      } else if (outcome) {
        const { status, body: text } = outcome;
        return status !== undefined && text !== undefined
          ? { ok: true, status, headers: { 'content-type': 'application/json' }, body: text }
          : outcome;
      }
    return { ok: false, kind: 'cancelled', code: 'unavailable', message: 'Cancelled before the answer.' };
  }

  identity({ url, body }: Pick<Task, 'url' | 'body'>): string | null {
    const script = scriptOf(body);
    return typeof script === 'string' || script.crash ? null : llmInput(url, body);
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

  #later(task: Task, ended: AbortSignal): Promise<Outcome> {
    const startedAt = Date.now();
    const script = scriptOf(task.body);
    if (typeof script === 'string') return Promise.resolve(this.#answer(task, script, startedAt));
    return new Promise((resolve) => {
      const answer = () => {
        ended.removeEventListener('abort', cancel);
        resolve(this.#answer(task, script, startedAt));
      };
      const timer = setTimeout(answer, script.delay_ms);
      const cancel = () => {
        clearTimeout(timer);
        resolve({
          line: task.line,
          startedAt,
          ms: Date.now() - startedAt,
          ok: false,
          kind: 'cancelled',
          code: 'batch_cancelled',
          message: 'Cancelled before the answer.',
        });
      };
      ended.addEventListener('abort', cancel, { once: true });
    });
  }

  #answer(task: Task, script: Script | string, startedAt: number): Outcome {
    const timing = { line: task.line, startedAt, ms: Math.max(0, Date.now() - startedAt) };
    if (typeof script === 'string') return { ...timing, ...failure(400, script) };
    const { status, fail_times, bytes, crash } = script;
    const spent = fail_times !== null && task.attempt > fail_times;
    if (crash && !spent) return { ...timing, ...this.#crash() };
    if (fail_times !== null && !spent) {
      const failed = failure(status !== null && status >= 400 ? status : 500, `Attempt ${task.attempt} fails, as sluice_echo asked.`);
      return { ...timing, ...failed, kind: 'retryable' };
    }
    if (status !== null && status >= 400 && !spent) return { ...timing, ...failure(status, `Status ${status}, as sluice_echo asked.`) };
    const { body, usage } = replyTo(task, this.model, this.#prefix + (this.#count++).toString(16).padStart(8, '0'));
    return {
      ...timing,
      ok: true,
      status: status !== null && status < 400 ? status : 200,
      body: padded(body, bytes),
      ...(usage ? { usage } : {}),
    };
  }

  /** In a worker this call does not come back. */
  #crash() {
    let message = 'sluice_echo asked for a crash.';
    try {
      this.#context.crash();
    } catch (error) {
      message = messageOf(error);
    }
    return { ok: false, kind: 'permanent', code: 'executor_error', message } as const;
  }
}

const failure = (status: number, message: string) => {
  const code = status === 400 ? 'invalid_request' : codeOfStatus(status);
  const body = JSON.stringify({ error: { message, type: errors[code].type, param: null, code } });
  return { ok: false, kind: retryableStatus(status) ? 'retryable' : 'permanent', code, message, status, body } as const;
};

/** The same object with a field more, so that its text has `bytes` bytes; never shorter than it is. */
const padded = (body: string, bytes: number): string => {
  const missing = bytes - Buffer.byteLength(body) - ',"padding":""'.length;
  return bytes === 0 || missing < 0 ? body : `${body.slice(0, -1)},"padding":"${'x'.repeat(missing)}"}`;
};

export const echoKind: ExecutorKind = {
  kind: 'echo',
  open: async (model, context) => new Echo(model, context),
};
