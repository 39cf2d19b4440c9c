import type { Readable } from 'node:stream';
import type { Kept } from '../artifacts/artifacts.ts';
import type { ModelSpec } from '../models/models.ts';
import type { Logger } from '../lib/log.ts';
import type { Memory } from '../policy/larger.ts';
import type { Lane } from '../policy/turns.ts';
import type { Storage } from '../storage/storage.ts';
import type { Breakers } from './remote/breakers.ts';
import type { Shares } from './share.ts';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** One request, handed to an executor. */
export interface Task {
  /** 1-based within its batch; also what its outcome names. */
  line: number;
  customId: string;
  /** The endpoint: `/v1/chat/completions`. */
  url: string;
  body: JsonObject;
  /** Which attempt this is, from 1. */
  attempt: number;
  /** The request's or job's id, the same under whatever lease it runs; absent: nobody would know it again. */
  key?: string | undefined;
  /** Where in storage the files go that it leaves; absent: it has no place for any. */
  folder?: string | undefined;
}

export interface Usage {
  input_tokens: number;
  cached_tokens: number;
  output_tokens: number;
  reasoning_tokens: number;
}

interface Timing {
  line: number;
  /** Milliseconds since the epoch at which the attempt began. */
  startedAt: number;
  /** How long it took, in milliseconds. */
  ms: number;
  /** Files that it left in storage, its log among them, also where it failed. */
  artifacts?: readonly Kept[];
}

/** It worked: `body` is the reply's JSON text, on one line. */
export interface Success extends Timing {
  ok: true;
  status: number;
  body: string;
  /** The upstream's own id of the call, where it has one. */
  requestId?: string;
  usage?: Usage;
}

/**
 * It did not. `retryable`: another attempt may go better. `permanent`: it will not. `cancelled`: the caller aborted
 * it; nothing is charged. With `status` and `body` it is a reply over HTTP (kept in the error file as such); without,
 * `code` and `message` say what happened.
 */
export interface Failure extends Timing {
  ok: false;
  kind: 'retryable' | 'permanent' | 'cancelled';
  code: string;
  message: string;
  status?: number;
  body?: string;
  requestId?: string;
  /** What it ran out of: the next attempt is better made where there is more of it. */
  needs?: Memory;
  /** What the upstream asked us to wait, in milliseconds. */
  retryAfterMs?: number;
  /** Where in the executor it happened, where that can be said: no secrets, no paths of the machine. */
  traceback?: string;
}

export type Outcome = Success | Failure;

/** A call to be answered as it is, by where the model is served. */
export interface Exchange {
  /** The endpoint: `/v1/chat/completions`. */
  url: string;
  body: JsonObject;
}

/** The reply as it comes, an error of the upstream's included; or why there is none. */
export type Forwarded =
  | {
      ok: true;
      status: number;
      headers: Record<string, string>;
      body: Readable | string;
      /** What was used, once the body has ended; undefined where it did not say. */
      usage?: Promise<Usage | undefined>;
    }
  | Omit<Failure, 'line' | 'startedAt' | 'ms'>;

export interface RunSignals {
  /** Start no further task; let those under way finish. */
  stop: AbortSignal;
  /** End those under way too. */
  abort: AbortSignal;
  /** Told of each task right before it starts, in the same breath: after `stop` it is told of no more. */
  started?: (line: number) => void;
  /** Where these tasks wait for room: see `Slots`; absent: bulk. */
  lane?: Lane;
}

/**
 * One model, loaded in one worker.
 *
 * `run` yields outcomes as they come, in any order and in groups of any size. Each task gets at most one outcome; a
 * task without one was never started (after `stop`) and costs nothing. It never throws for what a task does: that is
 * an outcome. Several runs may be under way at once; they share the model's concurrency.
 * Implementations pass `conformance.ts`.
 */
export interface Executor extends AsyncDisposable {
  readonly model: ModelSpec;
  run(tasks: readonly Task[], signals: RunSignals): AsyncIterable<Outcome[]>;
  /**
   * One call, whose reply goes on as it comes, streamed where it asks for that. It shares the model's limits with `run`;
   * `ended` aborts it, also while its body is read. Without it: the model answers no such calls.
   */
  forward?(exchange: Exchange, ended: AbortSignal): Promise<Forwarded>;
  /**
   * What the model is asked by a request, in the types in which it sees it: two requests of one identity are one question, and
   * may share an answer. Null: this one is more than a question, or none at all. Without it: answers are never shared.
   */
  identity?(request: Pick<Task, 'url' | 'body'>): string | Uint8Array | null;
  /** Whether it would start more tasks at once, were they there: false keeps the worker from leasing more of them. */
  hungry(): boolean;
  /**
   * False while it would start no task at all, however few it has: the worker then claims none, and gives back those in
   * hand. Without it: always true.
   */
  ready?(): boolean;
  /** Bytes of memory its processes hold, for the worker's limit; 0 where it has none of its own. */
  memory(): number;
}

/** Calls that a server elsewhere has accepted and not answered yet, by the attempt of the request they are for. */
export interface RemoteCalls {
  find(key: string): Promise<{ id: string } | null>;
  keep(key: string, call: { id: string; model: string }): Promise<void>;
  /** A token by which the server may report the end of the call that is about to be made; null where it cannot. */
  announce(key: string, model: string): Promise<string | null>;
  /** Whether its end was reported. */
  told(key: string): Promise<boolean>;
  forget(key: string): Promise<void>;
}

export interface ExecutorContext {
  log: Logger;
  /** Where the files of registered models are; without it they cannot be opened. */
  storage?: Pick<Storage, 'stream' | 'put'>;
  /** A folder of this process's own, for children's empty working directories. */
  scratch: string;
  /** The descriptor of the host's features of molecules (`openFeatureFile`); without it each is computed. */
  features?: number | null;
  /** Calls under way at servers elsewhere, as all workers know them; absent: a crash costs them. */
  calls?: RemoteCalls;
  /** Of all models of this process; absent: the model has a breaker of its own. */
  breakers?: Breakers;
  /** What each lane is sure of, of the room of a model; absent: as where a pool does not say. */
  shares?: Shares;
  /** What `echo`'s `crash` does. In a worker: kill the process. In the API: throw. */
  crash: () => void;
}

/** A way to run models. `open` loads one, and rejects with a `LoadError` that says why where it cannot. */
export interface ExecutorKind {
  readonly kind: string;
  open(model: ModelSpec, context: ExecutorContext): Promise<Executor>;
  /** What is wrong with a request, with the field, where that can be told without running it. */
  problemOf?(body: JsonObject): string | null;
}

/** The model cannot be loaded; its requests fail with this reason. */
export class LoadError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LoadError';
  }
}
