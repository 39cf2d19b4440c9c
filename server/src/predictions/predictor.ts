import { randomBytes } from 'node:crypto';
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
import { readInputs, wholeOf } from './inputs.ts';
import type { Facts, Layout } from './layout.ts';
import { Loaded } from './loaded.ts';
import { openServed } from './open.ts';
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
  settings?: Partial<PredictSettings>;
  /** What vetting found out about a version; null where nothing is known. */
  factsOf?: (model: ModelSpec) => Promise<Facts | null>;
  /** How a model that is not ONNX is opened; `openExecutor` unless a test counts. */
  open?: (model: ModelSpec, context: ExecutorContext) => Promise<Executor>;
}

/** What a prediction asks beside the model. */
export interface Wish {
  inputs?: unknown;
  outputs?: readonly string[];
  timeout_ms?: number;
}

export interface Predicted {
  /** The reply's JSON text. */
  body: string;
  times: Times;
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
    const { log, scratch, storage, factsOf } = options;
    const { memory, queueRows, delayMs } = this.#settings;
    const facts = new WeakMap<ModelSpec, Facts | null>();
    this.loaded = new Loaded({
      memory,
      needs: (model) => facts.get(model)?.memoryBytes ?? null,
      open: async (model, figures) => {
        const known = (await factsOf?.(model)) ?? null;
        facts.set(model, known);
        return await openServed(model, figures, known, { ...(storage && { storage }), log, scratch, queueRows, delayMs });
      },
    });
  }

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
  async predict(model: ModelSpec, { inputs, outputs, timeout_ms }: Wish, { onGone }: Waiting): Promise<Predicted> {
    const deadline = performance.now() + (timeout_ms ?? this.#settings.timeoutMs);
    const served = this.loaded.at(model) ?? (await this.#load(model, deadline));
    const { layout } = served;
    const wanted = outputs ? checkOutputs(outputs, layout) : null;
    // A name of the option `outputs` is not one of the model's own: then all are computed, and some are written.
    const fetched = layout.columns === null ? wanted : null;
    const { form, questions } = readInputs(inputs as Json | undefined, layout, fetched);
    const all = await this.#ask(served, questions, deadline, onGone);
    for (const [i, { failed }] of all.entries())
      for (const { row, message } of failed) {
        const path = form === 'row' ? 'inputs' : form === 'rows' ? `inputs[${row + i}]` : 'inputs';
        const own = form === 'tensors' ? message.replace('inputs.smiles', `inputs.smiles[${row}]`) : message.replace(/^inputs/, path);
        throw new ApiError('invalid_input', own, { param: form === 'tensors' ? `inputs.smiles[${row}]` : `${path}.smiles` });
      }
    const rows = all.map((answer, i) => ({ outputs: answer.outputs, rows: questions[i]!.rows }));
    const body = `${this.#head(model)}${outputsText(form, rows, layout, wanted)}}`;
    return { body, times: longest(all) };
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

  /** The one outcome of a model that answers through its executor. */
  async outcome(model: ModelSpec, body: JsonObject, abort: AbortSignal): Promise<Outcome> {
    const executor = await this.#open(model);
    const task = { line: 1, customId: newExchangeId(), url: '/v1/predict', body, attempt: 1 };
    for await (const [outcome] of executor.run([task], { stop: never, abort })) if (outcome) return outcome;
    throw new ApiError('unavailable', 'The request was not started: the server is closing, or leaves an upstream alone that fails.', {
      headers: { 'retry-after': '2' },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const opened = [...this.#opened.values()];
    this.#opened.clear();
    await this.loaded[Symbol.asyncDispose]();
    for (const executor of await Promise.allSettled(opened))
      if (executor.status === 'fulfilled') await executor.value[Symbol.asyncDispose]();
  }

  #head({ name, version }: ModelSpec): string {
    const id = this.#prefix + (this.#count++).toString(16).padStart(8, '0');
    return `{"id":"pred_${id}","object":"prediction","model":${JSON.stringify(name)},"version":${JSON.stringify(version)},"outputs":`;
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
    const { log, scratch, storage, open = openExecutor } = this.#options;
    const key = `${modelKey(model)}#${model.no ?? ''}`;
    let opening = this.#opened.get(key);
    if (!opening) {
      opening = open(model, { log: log.child({ model: modelKey(model) }), scratch, crash, ...(storage && { storage }) });
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
  const total = ({ queueMs, batchMs, computeMs }: Times) => queueMs + batchMs + computeMs;
  return all.map(({ times }) => times).reduce((a, b) => (total(b) > total(a) ? b : a));
};
