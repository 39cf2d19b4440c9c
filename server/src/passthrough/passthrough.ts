import type { Exchange, Executor, ExecutorContext, Forwarded } from '../executors/executor.ts';
import { LoadError } from '../executors/executor.ts';
import { openExecutor } from '../executors/registry.ts';
import { Breakers } from '../executors/remote/breakers.ts';
import { ApiError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { modelKey, type Models, type ModelSpec } from '../models/models.ts';

export interface PassthroughOptions {
  models: Models;
  log: Logger;
  /** A folder of this process's own. */
  scratch: string;
  /** How a model is opened; `openExecutor` unless a test says otherwise. */
  open?: (model: ModelSpec, context: ExecutorContext) => Promise<Executor>;
}

/** A version that was deleted and made again is another one. */
const keyOf = (model: ModelSpec): string => `${modelKey(model)}#${model.no ?? ''}`;

/**
 * Models whose calls go on as they are. Each is opened once in this process, so that all requests share its limits: calls at
 * once, connections, and with other models of its upstream the breaker. One that is gone from the registry is closed.
 */
export class Passthrough implements AsyncDisposable {
  readonly #options: PassthroughOptions;
  readonly #opened = new Map<string, Promise<Executor>>();
  readonly #breakers = new Breakers();
  readonly #tidy = () => void this.#closeGone();
  #closed = false;

  constructor(options: PassthroughOptions) {
    this.#options = options;
    options.models.on('changed', this.#tidy);
  }

  /** The reply of one call. Throws an `ApiError` where the model cannot be asked. */
  async forward(model: ModelSpec, exchange: Exchange, ended: AbortSignal): Promise<Forwarded> {
    const executor = await this.#open(model);
    if (!executor.forward)
      throw new ApiError('invalid_value', `The model '${model.name}' answers no calls of this kind.`, { param: 'model' });
    return executor.forward(exchange, ended);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#options.models.off('changed', this.#tidy);
    await this.#close([...this.#opened.keys()]);
  }

  async #open(model: ModelSpec): Promise<Executor> {
    if (this.#closed) throw new ApiError('unavailable', 'The server is closing.', { headers: { 'retry-after': '2' } });
    const { log, scratch, open = openExecutor } = this.#options;
    const key = keyOf(model);
    let opening = this.#opened.get(key);
    if (!opening) {
      opening = open(model, { log: log.child({ model: modelKey(model) }), scratch, breakers: this.#breakers, crash });
      this.#opened.set(key, opening);
      // What could not be opened is tried anew: it costs no process.
      opening.catch(() => this.#opened.delete(key));
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

  async #closeGone(): Promise<void> {
    const there = new Set(this.#options.models.all().map(keyOf));
    await this.#close([...this.#opened.keys()].filter((key) => !there.has(key)));
  }

  async #close(keys: readonly string[]): Promise<void> {
    const opened = keys.flatMap((key) => this.#opened.get(key) ?? []);
    for (const key of keys) this.#opened.delete(key);
    for (const executor of await Promise.allSettled(opened))
      if (executor.status === 'fulfilled') await executor.value[Symbol.asyncDispose]();
  }
}

/** What `echo`'s `crash` does here: in a worker it ends the process, which the API must not. */
const crash = (): void => {
  throw new Error('sluice_echo asked for a crash; the API does not crash for it.');
};
