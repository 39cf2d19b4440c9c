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

/** The cache, as one request has it. */
export interface Keep {
  /** Whether it is looked up; one that is not is counted as asked past the cache. `sample`: from `sampleOf`. */
  looksUp(sample: number): boolean;
  /** The answer: kept, being computed for somebody else, or computed now. */
  through(asked: Asked, compute: (signal: AbortSignal) => Promise<Computed>, signal: AbortSignal): Promise<Answered>;
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

  /** Of one request; costs nothing until it is asked. */
  about({ identity: { tenant, user }, model, policy }: Asking): Keep {
    const { cache, scope, dedup } = this.#options;
    const about = { tenant, model: `${model.name}@${model.version}`, ...(policy !== undefined && { policy }) };
    return {
      looksUp: (sample) => cache.looksUp(about, sample),
      through: async ({ input, identity }, compute, signal) => {
        const digest = await this.#digest(model);
        const key = answerKey(digest, input, scopeOf(scope, tenant, user));
        const inBatches =
          identity !== undefined && identity !== null && dedup.mode !== 'off' && pays(model.executor, priorOf(model), false, dedup);
        const settled = inBatches ? { key: answerKey(digest, identity), scope: scopeOf(dedup.scope, tenant, user) } : undefined;
        return cache.through({ key, ...about, ...(settled && { settled }) }, compute, signal);
      },
    };
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
