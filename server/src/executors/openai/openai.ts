import { readFileSync } from 'node:fs';
import { setMaxListeners } from 'node:events';
import { Pool, type Dispatcher } from 'undici';
import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import type { ModelSpec } from '../../models/models.ts';
import {
  LoadError,
  type Executor,
  type ExecutorKind,
  type Failure,
  type Outcome,
  type RunSignals,
  type Success,
  type Task,
} from '../executor.ts';
import { runLimited } from '../limited.ts';
import { readOptions } from '../options.ts';
import { codeOfStatus, retryableStatus } from '../status.ts';
import { Aimd } from './aimd.ts';
import { Breaker } from './breaker.ts';
import { header, openaiOptions } from './options.ts';
import { errorBodyOf, objectOf, oneLine, retryAfterOf, usageOf, wordsOf } from './reply.ts';
import { redactor, secretsOf } from './secrets.ts';

const megabyte = 1024 * 1024;
/** Bytes a reply may have. */
const largest = 64 * megabyte;

/** Why an attempt was given up before its reply was whole. */
class GivenUp extends Error {
  readonly reason: 'cancelled' | 'request_timeout' | 'too_large';

  constructor(reason: GivenUp['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

type Untimed<T> = T extends unknown ? Omit<T, 'line' | 'startedAt' | 'ms'> : never;

/** One OpenAI-compatible upstream: an attempt is one call; whether there is another is the queue's to say. */
export class OpenAI implements Executor {
  readonly model: ModelSpec;
  readonly #pool: Pool;
  readonly #prefix: string;
  readonly #query: string;
  readonly #headers: Record<string, string>;
  readonly #upstreamModel: string;
  readonly #firstByteMs: number;
  readonly #totalMs: number;
  readonly #aimd: Aimd;
  readonly #breaker: Breaker;
  readonly #log: Logger;
  readonly #ended = new AbortController();
  readonly #redact: (text: string) => string;
  readonly #redactReply: (text: string) => string;

  constructor(model: ModelSpec, log: Logger) {
    const options = readOptions(openaiOptions, model.options);
    const url = new URL(options.base_url!);
    const most = options.max_concurrency ?? 64;
    this.model = model;
    this.#log = log;
    // With or without /v1: each task's url begins with it.
    this.#prefix = url.pathname.replace(/\/+$/, '').replace(/\/v1$/, '');
    this.#query = url.search;
    this.#upstreamModel = options.upstream_model ?? model.name;
    this.#firstByteMs = options.first_byte_timeout_ms ?? 600_000;
    this.#totalMs = options.total_timeout_ms ?? 900_000;
    const key = options.api_key_file ? keyOf(options.api_key_file) : options.api_key;
    this.#headers = {
      'content-type': 'application/json',
      accept: 'application/json',
      'user-agent': 'sluice',
      ...(key ? { authorization: `Bearer ${key}` } : {}),
      ...lowerCase(options.headers ?? {}),
    };
    const secrets = secretsOf(this.#headers);
    this.#redact = redactor(secrets, 4);
    this.#redactReply = redactor(secrets, 12);
    this.#aimd = new Aimd(most);
    this.#breaker = new Breaker({ failures: options.breaker_failures ?? 10, openMs: options.breaker_open_ms ?? 1000 });
    this.#pool = new Pool(url.origin, {
      connections: most,
      pipelining: 1,
      connect: { timeout: options.connect_timeout_ms ?? 10_000 },
      keepAliveTimeout: 30_000,
      // Ours are exact, and know which of them it was; these tick every half second.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    setMaxListeners(0, this.#ended.signal);
  }

  /** How many calls there are, how many there may be now, and how many at most; for the metrics. */
  get concurrency(): { used: number; limit: number; most: number } {
    return { used: this.#aimd.slots.used, limit: this.#aimd.slots.limit, most: this.#aimd.most };
  }

  /**
   * While the breaker is open nothing starts, and tasks stay without an outcome: they go back to the queue as they came.
   * An outcome, however retryable, would charge them an attempt for a call that was never made, and an upstream that is
   * down for a minute would use up the attempts of everything queued.
   */
  async *run(tasks: readonly Task[], signals: RunSignals): AsyncGenerator<Outcome[]> {
    if (tasks.length === 0) return;
    const abort = AbortSignal.any([signals.abort, this.#ended.signal]);
    const runSome = (some: readonly Task[], stop: AbortSignal) =>
      runLimited(some, { ...signals, stop, abort }, this.#aimd.slots, (task, ended) => this.#attempt(task, ended));
    const way = this.#breaker.enter();
    if (way === 'open') return;
    if (way === 'probe') {
      try {
        yield* runSome(tasks.slice(0, 1), signals.stop);
      } finally {
        this.#breaker.leave();
      }
    }
    yield* runSome(way === 'probe' ? tasks.slice(1) : tasks, AbortSignal.any([signals.stop, this.#breaker.opened]));
  }

  hungry(): boolean {
    return this.#aimd.slots.free;
  }

  ready(): boolean {
    return this.#breaker.passes;
  }

  memory(): number {
    return 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    if (!this.#pool.destroyed) await this.#pool.destroy();
  }

  async #attempt(task: Task, ended: AbortSignal): Promise<Outcome> {
    const startedAt = Date.now();
    const began = performance.now();
    const giveUp = new AbortController();
    const cancel = () => giveUp.abort(new GivenUp('cancelled', 'Cancelled before the upstream had answered.'));
    const late = (ms: number, what: string) =>
      setTimeout(() => giveUp.abort(new GivenUp('request_timeout', `The upstream ${what} within ${ms} ms.`)), ms);
    const total = late(this.#totalMs, 'had not answered in full');
    const firstByte = late(this.#firstByteMs, 'had not begun to answer');
    ended.addEventListener('abort', cancel, { once: true });
    if (ended.aborted) cancel();
    let outcome: Untimed<Success> | Untimed<Failure>;
    try {
      const reply = await this.#pool.request({
        path: this.#prefix + task.url + this.#query,
        method: 'POST',
        headers: this.#headers,
        body: this.#bodyOf(task),
        signal: giveUp.signal,
      });
      clearTimeout(firstByte);
      outcome = this.#read(reply, await bytesOf(reply));
    } catch (error) {
      outcome = this.#failed(giveUp.signal.aborted ? giveUp.signal.reason : error);
    } finally {
      clearTimeout(total);
      clearTimeout(firstByte);
      ended.removeEventListener('abort', cancel);
    }
    this.#adapt(outcome, began);
    this.#judge(outcome);
    return { ...outcome, line: task.line, startedAt, ms: Math.max(0, Date.now() - startedAt) };
  }

  #bodyOf(task: Task): string {
    const { stream: _, stream_options: __, ...body } = task.body;
    return JSON.stringify({ ...body, model: this.#upstreamModel });
  }

  #read(reply: Dispatcher.ResponseData, bytes: Buffer): Untimed<Success> | Untimed<Failure> {
    const { statusCode: status, headers } = reply;
    const id = [headers['x-request-id'] ?? ''].flat()[0]!;
    const requestId = id === '' ? {} : { requestId: this.#redact(id).slice(0, 200) };
    if (status < 200 || status > 299) {
      const text = this.#redact(bytes.toString());
      const json = objectOf(text);
      const retryAfterMs = retryAfterOf(headers);
      return {
        ok: false,
        kind: retryableStatus(status) ? 'retryable' : 'permanent',
        code: codeOfStatus(status),
        message: `The upstream answered ${status}: ${wordsOf(json, text) || 'nothing more'}`,
        status,
        body: errorBodyOf(json, text),
        ...requestId,
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      };
    }
    const text = textOf(bytes);
    const json = text === null ? null : objectOf(text);
    if (text === null || !json) {
      const message = `The upstream answered ${status} with what is not a JSON object (${bytes.length} bytes).`;
      return { ok: false, kind: 'retryable', code: 'upstream_error', message, ...requestId };
    }
    const usage = usageOf(json);
    return { ok: true, status, body: this.#redactReply(oneLine(text)), ...requestId, ...(usage ? { usage } : {}) };
  }

  #failed(error: unknown): Untimed<Failure> {
    const message = this.#redact(messageOf(error)).slice(0, 500);
    if (error instanceof GivenUp) {
      if (error.reason === 'cancelled') return { ok: false, kind: 'cancelled', code: 'batch_cancelled', message };
      if (error.reason === 'request_timeout') return { ok: false, kind: 'retryable', code: 'request_timeout', message };
      return { ok: false, kind: 'permanent', code: 'upstream_error', message };
    }
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code === 'UND_ERR_CONNECT_TIMEOUT')
      return { ok: false, kind: 'retryable', code: 'request_timeout', message: 'The upstream did not accept a connection in time.' };
    return { ok: false, kind: 'retryable', code: 'upstream_error', message: `The call to the upstream failed: ${message || code}` };
  }

  /** Tells the breaker. What the upstream refuses by its own judgement, 429 included, shows that it is there. */
  #judge(outcome: Untimed<Success> | Untimed<Failure>): void {
    if (!outcome.ok && outcome.kind === 'cancelled') return;
    const down = !outcome.ok && outcome.kind === 'retryable' && outcome.status !== 429 && outcome.status !== 409;
    const turned = this.#breaker.record(down, outcome.ok ? 0 : outcome.retryAfterMs);
    if (turned === 'opened')
      this.#log.warn(
        { model: this.model.name, reason: outcome.ok ? '' : outcome.message },
        'the upstream fails and is left alone for a while',
      );
    else if (turned === 'closed') this.#log.info({ model: this.model.name }, 'the upstream answers again');
  }

  #adapt(outcome: Untimed<Success> | Untimed<Failure>, began: number): void {
    if (outcome.ok) this.#aimd.went();
    else if (outcome.status === 429 || outcome.status === 503 || outcome.code === 'request_timeout') {
      if (this.#aimd.overloaded(began))
        this.#log.debug(
          { model: this.model.name, limit: this.#aimd.slots.limit, code: outcome.code },
          'fewer calls to the upstream at once',
        );
    }
  }
}

const lowerCase = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

const keyOf = (path: string): string => {
  let key: string;
  try {
    key = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new LoadError(`option 'api_key_file': ${messageOf(error)}`);
  }
  if (!header.is(key)) throw new LoadError(`option 'api_key_file': ${path} must hold one line of plain characters`);
  return key;
};

/** UTF-8, or null where it is not. */
const textOf = (bytes: Buffer): string | null => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
};

const bytesOf = async ({ body, headers }: Dispatcher.ResponseData): Promise<Buffer> => {
  const tooLarge = () => new GivenUp('too_large', `The upstream's reply is larger than ${largest / megabyte} MB.`);
  const parts: Buffer[] = [];
  let size = 0;
  if (Number(headers['content-length']) > largest) {
    body.on('error', () => {}).destroy();
    throw tooLarge();
  }
  for await (const part of body as AsyncIterable<Buffer>) {
    size += part.length;
    // Leaving the loop ends the connection.
    if (size > largest) throw tooLarge();
    parts.push(part);
  }
  return Buffer.concat(parts);
};

export const openaiKind: ExecutorKind = {
  kind: 'openai',
  open: async (model, context) => new OpenAI(model, context.log),
};
