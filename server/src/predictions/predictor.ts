import { randomBytes } from 'node:crypto';
import type { Keep } from '../cache/asking.ts';
import { bypassed, cacheHeaders } from '../cache/policy.ts';
import { sampleOf } from '../cache/worth.ts';
import { LoadError, type Executor, type ExecutorContext, type Json, type JsonObject, type Outcome } from '../executors/executor.ts';
import { checkTensors, invalidInput, type Tensor } from '../executors/onnx/tensor.ts';
import type { Port } from '../executors/onnx/wire.ts';
import { openExecutor } from '../executors/registry.ts';
import { ApiError } from '../lib/errors.ts';
import { newExchangeId } from '../lib/ids.ts';
import type { Logger } from '../lib/log.ts';
import { didYouMean } from '../lib/suggest.ts';
import { answers, modelKey, type Models, type ModelSpec } from '../models/models.ts';
import type { Storage } from '../storage/storage.ts';
import type { Answer, Ask, Question } from './ask.ts';
import type { Inferred, InferOptions, Infers, Times } from './infer.ts';
import { readInputs, wholeOf, type Form } from './inputs.ts';
import type { Facts, Layout } from './layout.ts';
import { Loaded } from './loaded.ts';
import { openServed } from './open.ts';
import { questionBytes, sampleOfQuestion } from './question.ts';
import { outputsText } from './reply.ts';
import type { Served } from './served.ts';

export interface PredictSettings {
  /** Bytes that the models' processes may hold together. */
  memory: number;
  /** Rows that may wait for one model. */
  queueRows: number;
  /** Milliseconds for which rows wait for others to share a run with. */
  delayMs: number;
  /** Milliseconds after which an answer is of no use, unless the request says. */
  timeoutMs: number;
}

export const defaultSettings: PredictSettings = { memory: 2_000_000_000, queueRows: 4_096, delayMs: 0, timeoutMs: 30_000 };

export interface PredictorOptions {
  models: Models;
  /** Where the files of registered models are. */
  storage?: Pick<Storage, 'stream' | 'put'>;
  log: Logger;
  /** A folder of this process's own, for children's empty working directories. */
  scratch: string;
  /** The descriptor of the host's features of molecules. */
  features?: number | null;
  settings?: Partial<PredictSettings>;
  /** What vetting found out about a version; null where nothing is known. */
  factsOf?: (model: ModelSpec) => Promise<Facts | null>;
  /** Called before a model is loaded. */
  onLoad?: () => void;
  /** How a model that is not ONNX is opened; `openExecutor` unless a test counts. */
  open?: (model: ModelSpec, context: ExecutorContext) => Promise<Executor>;
}

/** What a prediction asks beside the model. */
export interface Wish {
  inputs?: unknown;
  outputs?: readonly string[];
  timeout_ms?: number;
  skip_cache?: boolean;
}

export interface Predicted {
  /** The reply's JSON text. */
  body: string;
  /** Null where nothing was computed for it. */
  times: Times | null;
  /** What the cache had to do with it; absent where there is none. */
  headers?: Record<string, string>;
}

/** Somebody who waits for an answer, and may leave. */
export interface Waiting {
  /** Called when they left. */
  onGone: (left: () => void) => void;
}

/** Milliseconds for which a model that did not load is not tried again: a load may cost a process and seconds. */
const loadAgainMs = 5_000;

const never = new AbortController().signal;

/** What `echo`'s `crash` does here: in a worker it ends the process, which the API must not. */
const crash = (): void => {
  throw new Error('sluice_echo asked for a crash; the API does not crash for it.');
};

const predictUrl = '/v1/predict';

/** An outcome that is no answer, on its way past the cache. */
class Unanswered extends Error {
  readonly outcome: Outcome;

  constructor(outcome: Outcome) {
    super('no answer');
    this.outcome = outcome;
  }
}

const late = (ms: number): ApiError => new ApiError('request_timeout', `The model did not answer within ${Math.round(ms)} ms.`);

/**
 * Models that answer at once. Each is loaded at its first request; those that compute do so in processes of their own,
 * so the API's event loop never waits for one. ONNX models are `Served`; others answer through their executor.
 */
export class Predictor implements Infers, AsyncDisposable {
  readonly loaded: Loaded;
  readonly #options: PredictorOptions;
  readonly #settings: PredictSettings;
  readonly #opened = new Map<string, Promise<Executor>>();
  readonly #prefix = randomBytes(6).toString('hex');
  #count = 0;
  #closed = false;

  constructor(options: PredictorOptions) {
    this.#options = options;
    this.#settings = { ...defaultSettings, ...options.settings };
    const { log, scratch, storage, features = null, factsOf, onLoad } = options;
    const { memory, queueRows, delayMs } = this.#settings;
    const facts = new WeakMap<ModelSpec, Facts | null>();
    options.models.on('changed', this.#prune);
    this.loaded = new Loaded({
      memory,
      needs: (model) => facts.get(model)?.memoryBytes ?? null,
      open: async (model, figures) => {
        onLoad?.();
        const known = (await factsOf?.(model)) ?? null;
        facts.set(model, known);
        return await openServed(model, figures, known, { ...(storage && { storage }), log, scratch, features, queueRows, delayMs });
      },
    });
  }

  /** What was archived or deleted gives its memory back. */
  readonly #prune = (): void => {
    const { models } = this.#options;
    this.loaded.prune((model) => models.find(`${model.name}@${model.version}`, model.tenant ?? '') === model);
  };

  /** The model that `reference` means, where it answers here. */
  async model(reference: string, tenant: string): Promise<ModelSpec> {
    const { models } = this.#options;
    const model = models.find(reference, tenant) ?? (await models.resolve(reference, tenant));
    if (!answers(model, '/v1/predict'))
      throw new ApiError('invalid_value', `The model '${reference}' does not answer at /v1/predict; see its endpoints at /v1/models.`, {
        param: 'model',
      });
    return model;
  }

  /** Answers a prediction by an ONNX model. Throws an `ApiError` that the client may see. */
  async predict(model: ModelSpec, { inputs, outputs, timeout_ms }: Wish, { onGone }: Waiting, keep?: Keep): Promise<Predicted> {
    const deadline = performance.now() + (timeout_ms ?? this.#settings.timeoutMs);
    const served = this.loaded.at(model) ?? (await this.#load(model, deadline));
    const { layout } = served;
    const wanted = outputs ? checkOutputs(outputs, layout) : null;
    // A name of the option `outputs` is not one of the model's own: then all are computed, and some are written.
    const fetched = layout.columns === null ? wanted : null;
    const { form, questions } = readInputs(inputs as Json | undefined, layout, fetched);
    const compute = async (whenGone: Waiting['onGone']): Promise<{ body: string; times: Times }> => {
      const all = await this.#ask(served, questions, deadline, whenGone);
      refuseFailed(all, form);
      const rows = all.map((answer, i) => ({ outputs: answer.outputs, rows: questions[i]!.rows }));
      return { body: `${this.#head(model)}${outputsText(form, rows, layout, wanted)}}`, times: longest(all) };
    };
    if (keep === undefined) return await compute(onGone);
    if (!keep.looksUp(sampleOfQuestion(questions))) return { ...(await compute(onGone)), headers: bypassed };
    const gone = new AbortController();
    onGone(() => gone.abort());
    let times: Times | null = null;
    const [{ smiles } = { smiles: null }] = questions;
    const identity = form === 'row' && wanted === null && smiles ? `smiles ${smiles[0]}` : null;
    const answered = await keep.through(
      { input: questionBytes(form, questions, wanted), identity },
      async (signal) => {
        const computed = await compute((left) => signal.addEventListener('abort', left, { once: true }));
        times = computed.times;
        return { answer: { status: 200, body: computed.body, at: Date.now() }, keep: true };
      },
      gone.signal,
    );
    return {
      body: answered.state === 'HIT' ? this.#anew(answered.answer.body) : answered.answer.body,
      times,
      headers: cacheHeaders(answered),
    };
  }

  async infer(model: ModelSpec, inputs: readonly Tensor[], { outputs, signal, timeoutMs }: InferOptions): Promise<Inferred> {
    const deadline = performance.now() + (timeoutMs ?? this.#settings.timeoutMs);
    const served = this.loaded.at(model) ?? (await this.#load(model, deadline));
    const { layout } = served;
    if (layout.smiles)
      throw new ApiError('invalid_value', `The model '${model.name}' takes SMILES, not tensors; ask it at /v1/predict.`, {
        param: 'model',
      });
    const wanted =
      outputs && outputs.length > 0
        ? checkNames(
            outputs,
            layout.outputs.map(({ name }) => name),
          )
        : null;
    const question = wholeOf(checkTensors(inputs, layout.inputs), layout, wanted);
    const [answer] = await this.#ask(served, [question], deadline, (left) => signal?.addEventListener('abort', left, { once: true }));
    return { outputs: answer!.outputs, times: answer!.times };
  }

  async portsOf(model: ModelSpec): Promise<{ inputs: Port[]; outputs: Port[] }> {
    const served = this.loaded.at(model) ?? (await this.#load(model, performance.now() + 60_000));
    return { inputs: [...served.layout.inputs], outputs: [...served.layout.outputs] };
  }

  /** The one outcome of a model that answers through its executor, and what the cache had to do with it. */
  async outcome(
    model: ModelSpec,
    body: JsonObject,
    abort: AbortSignal,
    keep?: Keep,
  ): Promise<{ outcome: Outcome; headers: Record<string, string> }> {
    const executor = await this.#open(model);
    // A script is for trying out what a model may do, each time it is asked.
    const scripted = model.executor === 'echo' && body['sluice_echo'] !== undefined;
    const { model: _, skip_cache: __, timeout_ms: ___, ...question } = body;
    const input = keep === undefined || scripted ? null : (executor.identity?.({ url: predictUrl, body: question }) ?? null);
    if (keep === undefined || input === null) return { outcome: await this.#outcome(executor, body, abort), headers: bypassed };
    if (!keep.looksUp(sampleOf(input))) return { outcome: await this.#outcome(executor, body, abort), headers: bypassed };
    let own: Outcome | null = null;
    try {
      const answered = await keep.through(
        { input, identity: input },
        async (signal) => {
          const outcome = await this.#outcome(executor, body, signal);
          own = outcome;
          if (!outcome.ok) throw new Unanswered(outcome);
          return { answer: { status: outcome.status, body: outcome.body, at: Date.now() }, keep: outcome.status === 200 };
        },
        abort,
      );
      const { status, body: text } = answered.answer;
      const now = Date.now();
      return {
        outcome: own ?? { ok: true, line: 1, startedAt: now, ms: 0, status, body: this.#anew(text) },
        headers: cacheHeaders(answered),
      };
    } catch (error) {
      if (error instanceof Unanswered) return { outcome: error.outcome, headers: bypassed };
      throw error;
    }
  }

  async #outcome(executor: Executor, body: JsonObject, abort: AbortSignal): Promise<Outcome> {
    const task = { line: 1, customId: newExchangeId(), url: predictUrl, body, attempt: 1 };
    for await (const [outcome] of executor.run([task], { stop: never, abort })) if (outcome) return outcome;
    throw new ApiError('unavailable', 'The request was not started: the server is closing, or leaves an upstream alone that fails.', {
      headers: { 'retry-after': '2' },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#options.models.off('changed', this.#prune);
    const opened = [...this.#opened.values()];
    this.#opened.clear();
    await this.loaded[Symbol.asyncDispose]();
    for (const executor of await Promise.allSettled(opened))
      if (executor.status === 'fulfilled') await executor.value[Symbol.asyncDispose]();
  }

  /** A kept answer as one of its own: each prediction has its id. */
  #anew(body: string): string {
    return body.replace(/^\{"id":"[^"]*"/, `{"id":"${this.#newId()}"`);
  }

  #newId(): string {
    return `pred_${this.#prefix}${(this.#count++).toString(16).padStart(8, '0')}`;
  }

  #head({ name, version }: ModelSpec): string {
    return `{"id":"${this.#newId()}","object":"prediction","model":${JSON.stringify(name)},"version":${JSON.stringify(version)},"outputs":`;
  }

  /** The load counts towards the time-out of who waits for it; it goes on for those who come next. */
  async #load(model: ModelSpec, deadline: number): Promise<Served> {
    const left = deadline - performance.now();
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(late(left)), left);
    });
    try {
      return await Promise.race([this.loaded.get(model), timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #ask(served: Served, questions: readonly Question[], deadline: number, onGone: Waiting['onGone']): Promise<Answer[]> {
    const asks: Ask[] = [];
    const drop = () => {
      for (const ask of asks) served.cancel(ask);
    };
    try {
      for (const question of questions) asks.push(served.ask(question, deadline - performance.now()));
      onGone(drop);
      const [only] = asks;
      return only && asks.length === 1 ? [await only.promise] : await Promise.all(asks.map(({ promise }) => promise));
    } catch (error) {
      drop();
      for (const { promise } of asks) promise.catch(() => {});
      throw error;
    }
  }

  async #open(model: ModelSpec): Promise<Executor> {
    if (this.#closed) throw new ApiError('unavailable', 'The server is closing.', { headers: { 'retry-after': '2' } });
    const { log, scratch, storage, features = null, open = openExecutor } = this.#options;
    const key = `${modelKey(model)}#${model.no ?? ''}`;
    let opening = this.#opened.get(key);
    if (!opening) {
      opening = open(model, { log: log.child({ model: modelKey(model) }), scratch, features, crash, ...(storage && { storage }) });
      this.#opened.set(key, opening);
      opening.catch(() => {
        setTimeout(() => this.#opened.delete(key), loadAgainMs).unref();
      });
    }
    try {
      return await opening;
    } catch (error) {
      if (!(error instanceof LoadError)) throw error;
      throw new ApiError('model_not_ready', `The model '${model.name}@${model.version}' could not be loaded: ${error.message}`, {
        cause: error,
      });
    }
  }
}

/** Molecules that are none fail the whole request: it is one answer. */
const refuseFailed = (all: readonly Answer[], form: Form): void => {
  if (all.every(({ failed }) => failed.length === 0)) return;
  for (const [i, { failed }] of all.entries())
    for (const { row, message } of failed) {
      const path = form === 'row' ? 'inputs' : form === 'rows' ? `inputs[${row + i}]` : 'inputs';
      const own = form === 'tensors' ? message.replace('inputs.smiles', `inputs.smiles[${row}]`) : message.replace(/^inputs/, path);
      throw new ApiError('invalid_input', own, { param: form === 'tensors' ? `inputs.smiles[${row}]` : `${path}.smiles` });
    }
};

const checkNames = (wanted: readonly string[], known: readonly string[]): string[] => {
  wanted.forEach((name, i) => {
    if (!known.includes(name))
      throw invalidInput(
        `outputs[${i}]`,
        `is '${name}', which this model does not give; it gives ${known.join(', ')}.${didYouMean(name, known)}`,
      );
  });
  return [...new Set(wanted)];
};

const checkOutputs = (wanted: readonly string[], { columns, outputs }: Layout): string[] => {
  if (wanted.length === 0) throw invalidInput('outputs', 'is empty: it names no output.');
  return checkNames(wanted, columns ?? outputs.map(({ name }) => name));
};

/** Of questions that were answered side by side, the one that took longest. */
const longest = (all: readonly Answer[]): Times => {
  if (all.length === 1) return all[0]!.times;
  const total = ({ queueMs, batchMs, computeMs }: Times) => queueMs + batchMs + computeMs;
  return all.map(({ times }) => times).reduce((a, b) => (total(b) > total(a) ? b : a));
};
