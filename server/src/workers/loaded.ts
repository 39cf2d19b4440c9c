import { messageOf } from '../lib/errors.ts';
import { LoadError, type Executor, type ExecutorContext } from '../executors/executor.ts';
import { openExecutor } from '../executors/registry.ts';
import { modelKey, type ModelSpec } from '../models/models.ts';

interface Entry {
  opening: Promise<Executor>;
  executor: Executor | null;
  /** Chunks that use it just now. */
  users: number;
  usedAt: number;
}

/** How long a model that failed to load is left alone; its requests fail at once meanwhile. */
const failureMs = 30_000;

/** A version that was deleted and registered again is another model, of the same name. */
const slotOf = (model: ModelSpec): string => `${modelKey(model)}${model.no === undefined ? '' : `#${model.no}`}`;

/**
 * The models one worker has in memory. One that nobody uses makes room, least recently used first, when all of them
 * together hold more than the worker may.
 */
export class LoadedModels implements AsyncDisposable {
  readonly #context: ExecutorContext;
  readonly #limit: number;
  readonly #entries = new Map<string, Entry>();
  readonly #failures = new Map<string, { error: LoadError; until: number }>();

  /** @param limit bytes its models may hold together */
  constructor(context: ExecutorContext, limit: number) {
    this.#context = context;
    this.#limit = limit;
  }

  /** Runs `work` with the model loaded. Rejects with a `LoadError` where it cannot be. */
  async use<T>(model: ModelSpec, work: (executor: Executor) => Promise<T>): Promise<T> {
    const entry = this.#entry(model);
    entry.users++;
    try {
      return await work(await entry.opening);
    } finally {
      entry.users--;
      entry.usedAt = performance.now();
      await this.#makeRoom();
    }
  }

  /**
   * Loads a model that will be used soon, where no other is loading and there is room without unloading one. That it cannot be is
   * no failure of anybody's: it is tried again when it is used.
   */
  async prepare(model: ModelSpec): Promise<void> {
    const loading = [...this.#entries.values()].some(({ executor }) => executor === null);
    if (loading || this.#held() >= this.#limit / 2) return;
    await this.#entry(model).opening.catch(() => this.#failures.delete(slotOf(model)));
  }

  /** Whether the model would start more tasks at once; one that is not loaded would. */
  hungry(model: ModelSpec): boolean {
    const entry = this.#entries.get(slotOf(model));
    return entry === undefined || (entry.executor !== null && entry.executor.hungry());
  }

  /** Whether the model starts tasks at all just now; one that is not loaded would. */
  ready(model: ModelSpec): boolean {
    return this.#entries.get(slotOf(model))?.executor?.ready?.() ?? true;
  }

  /** Those that are loaded, and the bytes of memory of each; 0 where it has no process of its own. */
  roster(): { model: string; held_bytes: number }[] {
    return [...this.#entries.values()].flatMap(({ executor }) =>
      executor === null ? [] : [{ model: modelKey(executor.model), held_bytes: executor.memory() }],
    );
  }

  names(): string[] {
    return [...this.#entries].filter(([, entry]) => entry.executor !== null).map(([name]) => name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.allSettled(entries.map(async (entry) => (await entry.opening)[Symbol.asyncDispose]()));
  }

  #entry(model: ModelSpec): Entry {
    const key = slotOf(model);
    const found = this.#entries.get(key);
    if (found) return found;
    const failure = this.#failures.get(key);
    if (failure && failure.until > performance.now())
      return { opening: Promise.reject(failure.error), executor: null, users: 0, usedAt: 0 };
    const entry: Entry = { opening: this.#open(model, key), executor: null, users: 0, usedAt: performance.now() };
    entry.opening.then(
      (executor) => (entry.executor = executor),
      () => this.#entries.delete(key),
    );
    this.#entries.set(key, entry);
    return entry;
  }

  async #open(model: ModelSpec, key: string): Promise<Executor> {
    try {
      const executor = await openExecutor(model, this.#context);
      this.#failures.delete(key);
      return executor;
    } catch (error) {
      const reason = error instanceof LoadError ? error : new LoadError(messageOf(error), { cause: error });
      this.#context.log.error({ model: key, reason: reason.message }, 'a model could not be loaded');
      this.#failures.set(key, { error: reason, until: performance.now() + failureMs });
      throw reason;
    }
  }

  #held(): number {
    return [...this.#entries.values()].reduce((sum, entry) => sum + (entry.executor?.memory() ?? 0), 0);
  }

  async #makeRoom(): Promise<void> {
    while (this.#held() > this.#limit) {
      const [idlest] = [...this.#entries]
        .filter(([, e]) => e.users === 0 && e.executor !== null && e.executor.memory() > 0)
        .sort(([, a], [, b]) => a.usedAt - b.usedAt);
      if (idlest === undefined) return;
      const [key, { executor }] = idlest;
      this.#entries.delete(key);
      this.#context.log.info({ model: key }, 'unloaded, to make room');
      await executor?.[Symbol.asyncDispose]();
    }
  }
}
