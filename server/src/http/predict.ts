import { errors, Predict, Prediction, type ErrorCode } from '@sluice/contract';
import type { FastifyReply } from 'fastify';
import { LoadError, type Executor, type ExecutorContext, type JsonObject, type Outcome } from '../executors/executor.ts';
import { openExecutor } from '../executors/registry.ts';
import type { App } from '../lib/app.ts';
import { ApiError } from '../lib/errors.ts';
import { newExchangeId } from '../lib/ids.ts';
import type { Logger } from '../lib/log.ts';
import { answers, modelKey, type Models, type ModelSpec } from '../models/models.ts';
import type { Storage } from '../storage/storage.ts';

export interface PredictorOptions {
  models: Models;
  /** Where the files of registered models are. */
  storage?: Pick<Storage, 'stream'>;
  log: Logger;
  /** A folder of this process's own, for children's empty working directories. */
  scratch: string;
  /** How a model is opened; `openExecutor` unless a test counts. */
  open?: (model: ModelSpec, context: ExecutorContext) => Promise<Executor>;
}

/** Milliseconds for which a model that did not load is not tried again: a load may cost a process and seconds. */
const loadAgainMs = 5_000;

const never = new AbortController().signal;

/**
 * Models that answer at once. Each is opened at its first request and kept until the server closes; those that
 * compute do so in processes of their own, so the API's event loop never waits for one.
 */
export class Predictor implements AsyncDisposable {
  readonly #options: PredictorOptions;
  readonly #opened = new Map<string, Promise<Executor>>();
  #closed = false;

  constructor(options: PredictorOptions) {
    this.#options = options;
  }

  /** The one outcome of one request. Throws an `ApiError` where the model cannot be asked. */
  async predict(body: Predict, tenant: string, abort: AbortSignal): Promise<Outcome> {
    const model = await this.#options.models.resolve(body.model, tenant);
    if (!answers(model, '/v1/predict'))
      throw new ApiError('invalid_value', `The model '${body.model}' does not answer at /v1/predict; see its endpoints at /v1/models.`, {
        param: 'model',
      });
    const executor = await this.#open(model);
    const task = { line: 1, customId: newExchangeId(), url: '/v1/predict', body: body as unknown as JsonObject, attempt: 1 };
    for await (const [outcome] of executor.run([task], { stop: never, abort })) if (outcome) return outcome;
    throw new ApiError('unavailable', 'The request was not started: the server is closing, or leaves an upstream alone that fails.', {
      headers: { 'retry-after': '2' },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const opened = [...this.#opened.values()];
    this.#opened.clear();
    for (const executor of await Promise.allSettled(opened))
      if (executor.status === 'fulfilled') await executor.value[Symbol.asyncDispose]();
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

/** What `echo`'s `crash` does here: in a worker it ends the process, which the API must not. */
const crash = (): void => {
  throw new Error('sluice_echo asked for a crash; the API does not crash for it.');
};

const isKnown = (code: string): code is ErrorCode => Object.hasOwn(errors, code);

/** An outcome as the reply it becomes; a failure is the model server's own reply where there is one. */
const answer = (outcome: Outcome, reply: FastifyReply): FastifyReply => {
  if (outcome.ok) return reply.code(outcome.status).type('application/json').send(outcome.body);
  const { status, body, code, message, retryAfterMs } = outcome;
  if (retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(retryAfterMs / 1000));
  if (status !== undefined && body !== undefined) return reply.code(status).type('application/json').send(body);
  throw isKnown(code) && errors[code].status > 0 ? new ApiError(code, message) : new ApiError('executor_error', message);
};

/** `POST /v1/predict`: one request, answered at once, with the same body and answer as a line of a batch. */
export const predictRoutes = (app: App, { predictor }: { predictor: Predictor }): void => {
  app.addHook('onClose', () => predictor[Symbol.asyncDispose]());
  app.post(
    '/v1/predict',
    { schema: { summary: 'Predict now', operationId: 'predict', body: Predict, response: { 200: Prediction } } },
    async (request, reply) => {
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      return answer(await predictor.predict(request.body, request.identity.tenant, gone.signal), reply);
    },
  );
};
