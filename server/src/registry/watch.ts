import type { Listener } from '../db/listen.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { Loop } from '../lib/loop.ts';
import type { Models } from '../models/models.ts';

/** Milliseconds between two looks, for when a notification was lost: one short statement. */
const everyMs = 30_000;

/** Keeps a process's snapshot of what is registered up to date: at the start, when told, and now and then. */
export class ModelWatch implements AsyncDisposable {
  readonly #models: Models;
  readonly #listener: Listener;
  readonly #loop: Loop;
  readonly #report: (error: unknown) => void;

  /** @param listener with the channel `models` */
  constructor({ models, listener, log }: { models: Models; listener: Listener; log: Logger }) {
    this.#models = models;
    this.#listener = listener;
    this.#report = (error) => log.warn({ reason: messageOf(error) }, 'what is registered could not be read; what was known is served');
    const run = async (): Promise<boolean> => {
      await models.refresh();
      return false;
    };
    this.#loop = new Loop({ name: 'models', run, min: everyMs, max: everyMs, onError: this.#report });
  }

  /** Resolves when the models have been read, or could not be. */
  async start(): Promise<void> {
    this.#listener.on('models', this.#wake);
    this.#listener.on('ready', this.#wake);
    await this.#models.refresh().catch(this.#report);
    this.#loop.start();
  }

  async stop(): Promise<void> {
    this.#listener.off('models', this.#wake);
    this.#listener.off('ready', this.#wake);
    await this.#loop.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  readonly #wake = (): void => this.#loop.wake();
}
