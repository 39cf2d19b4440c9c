import type { Identity } from '../auth/identity.ts';
import { digestOf } from '../models/digest.ts';
import { priorOf, type ModelSpec } from '../models/models.ts';
import { pays, scopeOf, type DedupSettings } from '../policy/dedup.ts';
import type { AnswerCache, Answered, Computed, Question } from './answers.ts';
import { answerKey } from './key.ts';

/** Who asks a model, and how. */
export interface Asking {
  identity: Identity;
  model: ModelSpec;
  policy: Question['policy'];
}

/** What is asked, in the types in which the model sees it. */
export interface Asked {
  /** All that the answer depends on beside the model. */
  input: string | Uint8Array;
  /** The same as workers have it, where a batch may have asked it: its answers are as good. */
  identity?: string | Uint8Array | null;
}

export interface AskingOptions {
  cache: AnswerCache;
  /** Who is given an answer that was computed for another. */
  scope: 'user' | 'tenant';
  dedup: DedupSettings;
}

/** Asks models by way of the cache: one question of one model version, by whom it may be shared with, is computed once. */
export class AskingCache {
  readonly #options: AskingOptions;
  /** By version; a declared model's file is digested when it is first asked, as it is loaded then. */
  readonly #digests = new WeakMap<ModelSpec, Promise<string>>();

  constructor(options: AskingOptions) {
    this.#options = options;
  }

  async through(
    { identity, model, policy }: Asking,
    asked: Asked,
    compute: (signal: AbortSignal) => Promise<Computed>,
    signal: AbortSignal,
  ): Promise<Answered> {
    const { cache, scope, dedup } = this.#options;
    const { tenant, user } = identity;
    const shown = `${model.name}@${model.version}`;
    if (policy === 'none') return cache.through({ key: '', tenant, model: shown, policy }, compute, signal);
    const digest = await this.#digest(model);
    const key = answerKey(digest, asked.input, scopeOf(scope, tenant, user));
    const inBatches =
      asked.identity !== undefined && asked.identity !== null && dedup.mode !== 'off' && pays(model.executor, priorOf(model), false, dedup);
    return cache.through(
      {
        key,
        tenant,
        model: shown,
        ...(policy !== undefined && { policy }),
        ...(inBatches && { settled: { key: answerKey(digest, asked.identity!), scope: scopeOf(dedup.scope, tenant, user) } }),
      },
      compute,
      signal,
    );
  }

  #digest(model: ModelSpec): Promise<string> {
    let digest = this.#digests.get(model);
    if (digest === undefined) {
      digest = digestOf(model);
      this.#digests.set(model, digest);
      digest.catch(() => this.#digests.delete(model));
    }
    return digest;
  }
}
