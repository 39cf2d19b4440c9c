import { EventEmitter } from 'node:events';

export interface LoopOptions {
  name: string;
  /** Does one round; says whether it found work. Errors are counted and reported, never thrown on. */
  run: (signal: AbortSignal) => Promise<boolean>;
  /** Milliseconds between rounds while there is work, and the least while there is none. */
  min: number;
  /** Milliseconds an idle loop backs off to, doubling from `min`. */
  max: number;
  onError?: (error: unknown) => void;
}

/**
 * A round, again and again: at once while there is work, then from `min` doubling to `max` while there is none, and
 * at once again when woken. `start` and `stop` are safe twice and in any order; `stop` waits for the round under way.
 * Emits `round` (whether it found work) and `failed` (the error); tests listen instead of sleeping.
 */
export class Loop extends EventEmitter<{ round: [worked: boolean]; failed: [error: unknown] }> implements AsyncDisposable {
  readonly #options: LoopOptions;
  #running: Promise<void> | null = null;
  #controller = new AbortController();
  #wake: (() => void) | null = null;
  #woken = false;

  constructor(options: LoopOptions) {
    super();
    this.#options = options;
  }

  start(): void {
    if (this.#running) return;
    this.#controller = new AbortController();
    this.#running = this.#go(this.#controller.signal);
  }

  /** Starts the next round at once, or right after the one under way. */
  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  async stop(): Promise<void> {
    this.#controller.abort();
    this.#wake?.();
    await this.#running;
    this.#running = null;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #go(signal: AbortSignal): Promise<void> {
    const { run, min, max, onError } = this.#options;
    let pause = min;
    while (!signal.aborted) {
      this.#woken = false;
      let worked = false;
      try {
        worked = await run(signal);
        this.emit('round', worked);
      } catch (error) {
        if (signal.aborted) return;
        this.emit('failed', error);
        onError?.(error);
      }
      pause = worked || this.#woken ? min : Math.min(max, pause * 2);
      if (!worked && !this.#woken) await this.#sleep(pause, signal);
      if (this.#woken) pause = min;
    }
  }

  #sleep(ms: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    // Spread by a tenth, so that many processes do not ask in step.
    const timer = setTimeout(resolve, ms * (0.9 + Math.random() * 0.2));
    this.#wake = resolve;
    if (signal.aborted) resolve();
    return promise.finally(() => {
      clearTimeout(timer);
      this.#wake = null;
    });
  }
}
