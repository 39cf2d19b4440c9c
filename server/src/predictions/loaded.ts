import { LoadError } from '../executors/executor.ts';
import { ApiError } from '../lib/errors.ts';
import { modelKey, type ModelSpec } from '../models/models.ts';
import { ModelFigures } from './figures.ts';
import type { Served } from './served.ts';

/** Milliseconds for which a model that did not load is not tried again: a load costs a process and seconds. */
const loadAgainMs = 5_000;
/** Bytes that a model is taken to need until one process of it was measured. */
const guess = 160_000_000;

export interface LoadedOptions {
  /** Bytes that the models' processes may hold together. */
  memory: number;
  open: (model: ModelSpec, figures: ModelFigures) => Promise<Served>;
  /** Bytes that a model is known to need; null where nothing is known. */
  needs?: (model: ModelSpec) => number | null;
}

interface Entry {
  model: ModelSpec;
  opening: Promise<Served>;
  /** Null until it is loaded. */
  served: Served | null;
  /** Bytes it is taken to hold until then. */
  reserved: number;
  pinned: boolean;
}

export interface LoadedModel {
  model: ModelSpec;
  state: 'loading' | 'loaded';
  pinned: boolean;
  memory: number;
  pids: number[];
  waiting: number;
}

/** One version as this process knows it: a version that was deleted and made again is another. */
const idOf = (model: ModelSpec): string => `${modelKey(model)}#${model.no ?? ''}`;

/**
 * The models that are loaded. Where memory is short, the one that was used longest ago makes room: its processes end,
 * which is what gives memory back. One that is pinned, or has a question open, stays.
 */
export class Loaded implements AsyncDisposable {
  readonly #options: LoadedOptions;
  readonly #entries = new Map<string, Entry>();
  /** By the model's own object, which stays the same while the version does. */
  readonly #quick = new WeakMap<ModelSpec, Served>();
  readonly #figures = new Map<string, ModelFigures>();
  readonly #measured = new Map<string, number>();
  readonly #ending = new Set<Promise<void>>();
  #closed = false;

  constructor(options: LoadedOptions) {
    this.#options = options;
  }

  /** What each version was asked since this process began. */
  get figures(): Iterable<ModelFigures> {
    return this.#figures.values();
  }

  figuresOf(model: ModelSpec): ModelFigures {
    const key = modelKey(model);
    const figures = this.#figures.get(key) ?? new ModelFigures(model);
    this.#figures.set(key, figures);
    return figures;
  }

  list(): LoadedModel[] {
    return [...this.#entries.values()].map(({ model, served, pinned, reserved }) => ({
      model,
      state: served ? 'loaded' : 'loading',
      pinned,
      memory: served?.memory ?? reserved,
      pids: served?.pids ?? [],
      waiting: served?.waiting ?? 0,
    }));
  }

  /** Bytes that the models hold now. */
  get memory(): number {
    let bytes = 0;
    for (const { served, reserved } of this.#entries.values()) bytes += served?.memory ?? reserved;
    return bytes;
  }

  /** The model where it is loaded already. */
  at(model: ModelSpec): Served | null {
    return this.#quick.get(model) ?? null;
  }

  /** The model, loaded at its first use. Throws an `ApiError` where it cannot be. */
  async get(model: ModelSpec): Promise<Served> {
    if (this.#closed) throw new ApiError('unavailable', 'The server is closing.', { headers: { 'retry-after': '2' } });
    const id = idOf(model);
    const known = this.#entries.get(id);
    if (known) return await explained(model, known.opening);
    const reserved = this.#options.needs?.(model) ?? this.#measured.get(id) ?? guess;
    this.#makeRoom(reserved);
    const opening = this.#options.open(model, this.figuresOf(model));
    const entry: Entry = { model, opening, served: null, reserved, pinned: model.options['pinned'] === true && model.tenant === undefined };
    this.#entries.set(id, entry);
    opening.then(
      (served) => {
        // It may have been unloaded while it was being loaded.
        if (this.#entries.get(id) !== entry) return;
        entry.served = served;
        this.#quick.set(model, served);
        this.#measured.set(id, served.memory);
        this.#shrink(0);
      },
      () => {
        entry.reserved = 0;
        setTimeout(() => this.#entries.get(id) === entry && this.#entries.delete(id), loadAgainMs).unref();
      },
    );
    return await explained(model, opening);
  }

  /** Ends its processes; false where it was not loaded. What waits for it fails, to be tried again. */
  async unload(model: ModelSpec): Promise<boolean> {
    const id = idOf(model);
    const entry = this.#entries.get(id);
    if (!entry) return false;
    await this.#end(id, entry);
    return true;
  }

  /** Unloads what is not served any more and has nothing to do. */
  prune(isServed: (model: ModelSpec) => boolean): void {
    for (const [id, entry] of this.#entries) if (entry.served?.open === 0 && !isServed(entry.model)) void this.#end(id, entry);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#entries].map(([id, entry]) => this.#end(id, entry)));
    await Promise.all(this.#ending);
  }

  async #end(id: string, entry: Entry): Promise<void> {
    this.#entries.delete(id);
    this.#quick.delete(entry.model);
    const ending = entry.opening
      .then(
        async (served) => {
          this.#measured.set(id, served.memory || (this.#measured.get(id) ?? guess));
          await served.end();
        },
        () => {},
      )
      .finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
    await ending;
  }

  /** Unloads what was used longest ago until `bytes` more fit; false where what is left may not go. */
  #shrink(bytes: number): boolean {
    while (this.memory + bytes > this.#options.memory) {
      let oldest: { id: string; entry: Entry; usedAt: number } | null = null;
      for (const [id, entry] of this.#entries) {
        const { served, pinned } = entry;
        if (!served || pinned || served.open > 0) continue;
        if (!oldest || served.usedAt < oldest.usedAt) oldest = { id, entry, usedAt: served.usedAt };
      }
      // The last one stays, however large: it is what somebody wants.
      if (!oldest || (bytes === 0 && this.#entries.size === 1)) return false;
      void this.#end(oldest.id, oldest.entry);
    }
    return true;
  }

  #makeRoom(bytes: number): void {
    if (this.#shrink(bytes)) return;
    const held = this.memory;
    if (held === 0) return;
    throw new ApiError(
      'model_overloaded',
      `The model would need ${mb(bytes)} MB; models that are pinned or at work hold ${mb(held)} of the ${mb(this.#options.memory)} MB there are (predict.memory).`,
      { headers: { 'retry-after': '2' } },
    );
  }
}

const mb = (bytes: number): number => Math.round(bytes / 1e6);

const explained = async (model: ModelSpec, opening: Promise<Served>): Promise<Served> => {
  try {
    return await opening;
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    throw new ApiError('model_not_ready', `The model '${model.name}@${model.version}' could not be loaded: ${error.message}`, {
      cause: error,
      headers: { 'retry-after': '5' },
    });
  }
};
