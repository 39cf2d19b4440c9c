import { setMaxListeners } from 'node:events';
import { Readable } from 'node:stream';
import { Pool, type Dispatcher } from 'undici';
import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { modelKey, type ModelSpec } from '../../models/models.ts';
import type { ExecutorContext, Failure, Forwarded, Outcome, RunSignals, Success, Task } from '../executor.ts';
import { runLimited } from '../limited.ts';
import { codeOfStatus, retryableStatus } from '../status.ts';
import { Aimd } from './aimd.ts';
import { Breaker, type BreakerLimits } from './breaker.ts';
import { headersOf, type RemoteOptions } from './options.ts';
import { errorBodyOf, objectOf, retryAfterOf, wordsOf } from './reply.ts';
import { redactor, secretsOf } from './secrets.ts';
import { bytesOf, GivenUp, Watch, type Patience } from './watch.ts';

export type Untimed<T> = T extends unknown ? Omit<T, 'line' | 'startedAt' | 'ms'> : never;

/** One call: `path` comes after the path of the address. */
export interface Call {
  path: string;
  method?: 'GET';
  headers?: Record<string, string>;
  body?: string | Buffer;
}

/** A reply that is a success, as a whole. */
export interface Reply {
  status: number;
  headers: Dispatcher.ResponseData['headers'];
  bytes: Buffer;
}

/** Calls that may wait for a slot, for each that may be under way: who comes later is told to come again. */
const waitingPerSlot = 8;

/** Headers of a reply that its client is given: what it holds, and when to ask again. */
const kept = ['content-type', 'content-encoding', 'retry-after', 'retry-after-ms', 'x-should-retry'];

/**
 * A server elsewhere that serves one model: connections, as many calls at once as it bears, the breaker of its address for
 * when it is down, time-outs, and its key, which is never seen again. What is sent and how a reply is read is the executor's.
 */
export class Remote implements AsyncDisposable {
  readonly #model: string;
  readonly #pool: Pool;
  readonly #prefix: string;
  readonly #query: string;
  readonly #headers: Record<string, string>;
  readonly #patience: Patience;
  readonly #aimd: Aimd;
  readonly #breaker: Breaker;
  readonly #limits: BreakerLimits;
  readonly #log: Logger;
  readonly #ended = new AbortController();
  readonly #redact: (text: string) => string;
  /** For what goes to a client as it came: the address is nobody's business either. */
  readonly #redactAddress: (text: string) => string;
  /** Takes the key out of a reply that is a success. */
  readonly redactReply: (text: string) => string;

  constructor(
    model: ModelSpec,
    url: URL,
    options: RemoteOptions,
    { log, shares, breakers }: Pick<ExecutorContext, 'log' | 'shares' | 'breakers'>,
  ) {
    const most = options.max_concurrency ?? 64;
    this.#model = modelKey(model);
    this.#log = log;
    this.#prefix = url.pathname.replace(/\/+$/, '');
    this.#query = url.search;
    this.#patience = { firstByteMs: options.first_byte_timeout_ms ?? 600_000, totalMs: options.total_timeout_ms ?? 900_000 };
    this.#headers = headersOf(options);
    const secrets = secretsOf(this.#headers);
    this.#redact = redactor(secrets, 4);
    this.redactReply = redactor(secrets, 12);
    const address = [url.origin, url.host, ...(/[.:]/.test(url.hostname) ? [url.hostname] : [])];
    this.#redactAddress = redactor([...secrets, ...address], 4);
    this.#aimd = new Aimd(most, shares);
    this.#limits = { failures: options.breaker_failures ?? 10, openMs: options.breaker_open_ms ?? 1000 };
    // One that never opens does not mind what other models of the upstream meet with.
    this.#breaker = (this.#limits.failures > 0 && breakers?.at(url)) || new Breaker();
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

  get hungry(): boolean {
    return this.#aimd.slots.free;
  }

  get ready(): boolean {
    return this.#breaker.passes;
  }

  /**
   * While the breaker is open nothing starts, and tasks stay without an outcome: they go back to the queue as they came.
   * An outcome, however retryable, would charge them an attempt for a call that was never made, and an upstream that is
   * down for a minute would use up the attempts of everything queued.
   */
  async *run(
    tasks: readonly Task[],
    signals: RunSignals,
    attempt: (task: Task, ended: AbortSignal) => Promise<Outcome>,
  ): AsyncGenerator<Outcome[]> {
    if (tasks.length === 0) return;
    const abort = AbortSignal.any([signals.abort, this.#ended.signal]);
    const runSome = (some: readonly Task[], stop: AbortSignal) => runLimited(some, { ...signals, stop, abort }, this.#aimd.slots, attempt);
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

  /** One attempt at a task: one call, whose reply `read` judges where it is a success. */
  async attempt(task: Task, ended: AbortSignal, call: Call, read: (reply: Reply) => Untimed<Success> | Untimed<Failure>): Promise<Outcome> {
    const startedAt = Date.now();
    const began = performance.now();
    const outcome = await this.#ask(call, ended, read);
    this.#adapt(outcome, began);
    this.#judge(outcome);
    return { ...outcome, line: task.line, startedAt, ms: Math.max(0, Date.now() - startedAt) };
  }

  /**
   * One call whose reply goes on as it comes, byte for byte, no faster than it is read. It takes a slot as a task does;
   * `part` sees what passes, `done` is told once that it ended, and whether as a whole.
   */
  async forward(call: Call, ended: AbortSignal, part: (bytes: Buffer) => void, done: (whole: boolean) => void): Promise<Forwarded> {
    const { slots } = this.#aimd;
    const busy = (message: string): Forwarded => ({ ok: false, kind: 'retryable', code: 'unavailable', message, retryAfterMs: 1000 });
    if (slots.waiting >= this.#aimd.most * waitingPerSlot) return busy('Too many requests wait for this model already.');
    const over = AbortSignal.any([ended, this.#ended.signal]);
    if (!(await slots.take(over, 'interactive')))
      return { ok: false, kind: 'cancelled', code: 'unavailable', message: 'Cancelled before it was begun.' };
    const way = this.#breaker.enter();
    if (way === 'open') {
      slots.give('interactive');
      return busy('The upstream of this model fails, and is left alone for a while.');
    }
    const began = performance.now();
    const watch = new Watch(over, this.#patience);
    const settle = once((outcome: Untimed<Success> | Untimed<Failure>) => {
      watch.end();
      slots.give('interactive');
      this.#adapt(outcome, began);
      // How it began was judged when it did; a probe must not last as long as a stream does.
      if (!outcome.ok) this.#judge(outcome);
      if (way === 'probe') this.#breaker.leave();
      done(outcome.ok);
    });
    const lost = (error: unknown): Untimed<Failure> => {
      const failure = this.#failed(watch.why(error));
      // The words of a broken connection hold the address.
      return failure.code === 'upstream_error' && failure.kind === 'retryable'
        ? { ...failure, message: 'The upstream of this model could not be reached, or broke off.' }
        : failure;
    };
    try {
      const reply = await this.#request(call, watch.signal);
      watch.begun();
      const { statusCode: status } = reply;
      const headers = Object.fromEntries(
        kept.flatMap((name) => (typeof reply.headers[name] === 'string' ? [[name, reply.headers[name]]] : [])),
      );
      if (status < 200 || status > 299) {
        const bytes = await bytesOf(reply);
        settle(this.#refused(reply, bytes));
        return { ok: true, status, headers, body: this.#redactAddress(bytes.toString()) };
      }
      const success = { ok: true, status, body: '' } as const;
      this.#judge(success);
      // It may be given up before anybody has begun to read it.
      reply.body.on('error', () => {});
      watch.signal.addEventListener('abort', () => settle(lost(null)), { once: true });
      return { ok: true, status, headers, body: Readable.from(passing(reply.body, part, settle, success, lost), { objectMode: false }) };
    } catch (error) {
      const failure = lost(error);
      settle(failure);
      return failure;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    if (!this.#pool.destroyed) await this.#pool.destroy();
  }

  #request({ path, method, headers, body }: Call, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    return this.#pool.request({
      path: this.#prefix + path + this.#query,
      method: method ?? 'POST',
      headers: { ...headers, ...this.#headers },
      ...(body === undefined ? {} : { body }),
      signal,
    });
  }

  async #ask(
    call: Call,
    ended: AbortSignal,
    read: (reply: Reply) => Untimed<Success> | Untimed<Failure>,
  ): Promise<Untimed<Success> | Untimed<Failure>> {
    const watch = new Watch(ended, this.#patience);
    try {
      const reply = await this.#request(call, watch.signal);
      watch.begun();
      const bytes = await bytesOf(reply);
      const { statusCode: status, headers } = reply;
      const id = [headers['x-request-id'] ?? ''].flat()[0]!;
      const outcome = status < 200 || status > 299 ? this.#refused(reply, bytes) : read({ status, headers, bytes });
      return id === '' ? outcome : { ...outcome, requestId: this.#redact(id).slice(0, 200) };
    } catch (error) {
      return this.#failed(watch.why(error));
    } finally {
      watch.end();
    }
  }

  /** A reply that is no success. */
  #refused({ statusCode: status, headers }: Dispatcher.ResponseData, bytes: Buffer): Untimed<Failure> {
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
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  }

  #failed(error: unknown): Untimed<Failure> {
    const message = this.#redact(messageOf(error)).slice(0, 500);
    if (error instanceof GivenUp) {
      if (error.reason === 'cancelled') return { ok: false, kind: 'cancelled', code: 'batch_cancelled', message };
      if (error.reason === 'request_timeout') return { ok: false, kind: 'retryable', code: 'request_timeout', message };
      return { ok: false, kind: 'permanent', code: 'upstream_error', message };
    }
    const code = (error as NodeJS.ErrnoException | null)?.code ?? '';
    if (code === 'UND_ERR_CONNECT_TIMEOUT')
      return { ok: false, kind: 'retryable', code: 'request_timeout', message: 'The upstream did not accept a connection in time.' };
    return { ok: false, kind: 'retryable', code: 'upstream_error', message: `The call to the upstream failed: ${message || code}` };
  }

  /** Tells the breaker. What the upstream refuses by its own judgement, 429 included, shows that it is there. */
  #judge(outcome: Untimed<Success> | Untimed<Failure>): void {
    if (!outcome.ok && outcome.kind === 'cancelled') return;
    const down = !outcome.ok && outcome.kind === 'retryable' && outcome.status !== 429 && outcome.status !== 409;
    const turned = this.#breaker.record(down, this.#limits, outcome.ok ? 0 : outcome.retryAfterMs);
    if (turned === 'opened')
      this.#log.warn({ model: this.#model, reason: outcome.ok ? '' : outcome.message }, 'the upstream fails and is left alone for a while');
    else if (turned === 'closed') this.#log.info({ model: this.#model }, 'the upstream answers again');
  }

  #adapt(outcome: Untimed<Success> | Untimed<Failure>, began: number): void {
    if (outcome.ok) this.#aimd.went();
    else if (outcome.status === 429 || outcome.status === 503 || outcome.code === 'request_timeout') {
      if (this.#aimd.overloaded(began))
        this.#log.debug({ model: this.#model, limit: this.#aimd.slots.limit, code: outcome.code }, 'fewer calls to the upstream at once');
    }
  }
}

const once = <T>(act: (value: T) => void): ((value: T) => void) => {
  let done = false;
  return (value) => {
    if (!done) act(value);
    done = true;
  };
};

/** The parts of a body, each handed on as it is; ends the call, however it ends. */
async function* passing(
  body: AsyncIterable<Buffer>,
  part: (bytes: Buffer) => void,
  settle: (outcome: Untimed<Success> | Untimed<Failure>) => void,
  success: Untimed<Success>,
  lost: (error: unknown) => Untimed<Failure>,
): AsyncGenerator<Buffer> {
  let outcome: Untimed<Success> | Untimed<Failure> = {
    ok: false,
    kind: 'cancelled',
    code: 'batch_cancelled',
    message: 'The client left before the reply was whole.',
  };
  try {
    for await (const bytes of body) {
      part(bytes);
      yield bytes;
    }
    outcome = success;
  } catch (error) {
    outcome = lost(error);
    throw new Error(outcome.message, { cause: error });
  } finally {
    settle(outcome);
  }
}
