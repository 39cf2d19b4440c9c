import { LRUCache } from 'lru-cache';
import { Flights } from './flights.ts';
import type { SharedTier } from './redis.ts';
import type { SettledQuestion, SettledTier } from './settled.ts';
import { Worth } from './worth.ts';

/**
 * Answers by key, for those who ask one request at a time: memory first, then Redis, then what batches have answered.
 *
 * Promise: an answer is given only to who may see it (the tenant, or the user, is part of the key), only for the very
 * model version that gave it (its digest is part of the key), and only while it is younger than its time to live. A
 * failure is never kept. Who asks while the same is being computed waits for that. A second tier that is slow or away
 * costs nothing but its hits.
 */
export interface Answer {
  status: number;
  /** The reply's JSON text. */
  body: string;
  /** When it was computed, in milliseconds since the epoch. */
  at: number;
}

/** What was computed; `keep: false` goes to those who wait for it, and nowhere else. */
export interface Computed {
  answer: Answer;
  keep: boolean;
}

export type CacheState = 'HIT' | 'MISS' | 'BYPASS';

export interface Question {
  /** From `answerKey`. */
  key: string;
  /** Whose answers these are: part of the key already, and what a reset names. */
  tenant: string;
  /** `name@version`, for figures and for purges. */
  model: string;
  /** `none`: neither looked up nor kept: see `looksUp`. `fresh`: computed anew, and kept. */
  policy?: 'none' | 'fresh';
  /** Where to look last: a batch may have answered it. */
  settled?: SettledQuestion;
}

type Tier = 'memory' | 'redis' | 'batch';

export interface Answered {
  answer: Answer;
  state: CacheState;
  /** Where a hit came from. */
  from: Tier | 'flight' | null;
}

export interface CacheOptions {
  /** Bytes of keys and bodies kept in memory. */
  maxBytes: number;
  /** Seconds an answer is good for. */
  ttlSeconds: number;
  /** Null: memory only. */
  redis: SharedTier | null;
  /** Null: what batches have answered is not looked at. */
  settled?: SettledTier | null;
}

interface Kept {
  answer: Answer;
  tenant: string;
  model: string;
}

export interface Counts {
  hits: { memory: number; redis: number; batch: number; flight: number };
  misses: number;
  bypasses: number;
}

export const sumOf = (all: readonly Counts[]): Counts => {
  const total = noCounts();
  for (const { hits, misses, bypasses } of all) {
    for (const tier of ['memory', 'redis', 'batch', 'flight'] as const) total.hits[tier] += hits[tier];
    total.misses += misses;
    total.bypasses += bypasses;
  }
  return total;
};

export interface CacheHolds {
  entries: number;
  bytes: number;
  maxBytes: number;
  ttlSeconds: number;
  redis: 'off' | 'ok' | 'away';
  models: { model: string; counts: Counts; bypassed: boolean }[];
}

const noCounts = (): Counts => ({ hits: { memory: 0, redis: 0, batch: 0, flight: 0 }, misses: 0, bypasses: 0 });

/** What an entry costs beside its body: the key, the record and its place in the list. */
const overhead = 400;

export class AnswerCache {
  readonly #memory: LRUCache<string, Kept>;
  readonly #redis: SharedTier | null;
  readonly #settled: SettledTier | null;
  readonly #ttlMs: number;
  readonly #flights = new Flights<Computed>();
  readonly #worth = new Worth();
  /** By tenant, then by model. */
  readonly #counts = new Map<string, Map<string, Counts>>();
  readonly #maxBytes: number;

  constructor({ maxBytes, ttlSeconds, redis, settled = null }: CacheOptions) {
    this.#ttlMs = ttlSeconds * 1_000;
    this.#maxBytes = maxBytes;
    this.#redis = redis;
    this.#settled = settled;
    this.#memory = new LRUCache<string, Kept>({
      maxSize: Math.max(1, maxBytes),
      // One answer may not push out all others.
      maxEntrySize: Math.max(1, Math.floor(maxBytes / 8)),
      sizeCalculation: ({ answer }) => answer.body.length + overhead,
      ttl: this.#ttlMs,
    });
  }

  /**
   * Whether a question is looked up at all: not where the request wants none, nothing is kept, or hardly any question of
   * the model comes twice. One that is not is counted here, and asked past the cache.
   *
   * @param sample from `sampleOf`
   */
  looksUp({ tenant, model, policy }: Pick<Question, 'tenant' | 'model' | 'policy'>, sample: number): boolean {
    const looks = policy !== 'none' && this.#ttlMs > 0 && (policy !== undefined || this.#worth.looksUp(model, sample));
    if (!looks) this.#countsOf({ tenant, model }).bypasses++;
    return looks;
  }

  /**
   * The answer to a question that is looked up: kept, being computed for somebody else, or computed now by `compute`,
   * whose signal aborts when nobody waits for it any more. Rejects as `compute` does, or with the reason of `signal`.
   */
  async through(question: Question, compute: (signal: AbortSignal) => Promise<Computed>, signal: AbortSignal): Promise<Answered> {
    const { key, model, policy } = question;
    const counts = this.#countsOf(question);
    if (policy === undefined) {
      const from = await this.#find(question);
      if (from !== null) {
        counts.hits[from.tier]++;
        this.#worth.saw(model, true);
        return { answer: from.answer, state: 'HIT', from: from.tier };
      }
    }
    const { value, joined } = await this.#flights.join(policy === 'fresh' ? `${key} fresh` : key, compute, signal);
    this.#worth.saw(model, joined);
    if (joined) {
      counts.hits.flight++;
      return { answer: value.answer, state: 'HIT', from: 'flight' };
    }
    counts.misses++;
    if (value.keep) this.#keep(question, value.answer);
    return { answer: value.answer, state: 'MISS', from: null };
  }

  /** Forgets the answers of a model version. */
  purge(model: string): void {
    for (const [key, kept] of this.#memory.entries()) if (kept.model === model) this.#memory.delete(key);
    this.#redis?.forget({ model });
  }

  /** Forgets a tenant's answers. */
  reset(tenant: string): void {
    for (const [key, kept] of this.#memory.entries()) if (kept.tenant === tenant) this.#memory.delete(key);
    this.#redis?.forget({ tenant });
  }

  /** What is kept in memory, of all tenants. */
  held(): { entries: number; bytes: number; redis: 'off' | 'ok' | 'away' } {
    return { entries: this.#memory.size, bytes: this.#memory.calculatedSize, redis: this.#redis?.state ?? 'off' };
  }

  /** Counts since the process began, those of one tenant; entries and bytes are of all. */
  figures(tenant: string): CacheHolds {
    return {
      ...this.held(),
      maxBytes: this.#maxBytes,
      ttlSeconds: this.#ttlMs / 1_000,
      models: [...(this.#counts.get(tenant) ?? [])].map(([model, counts]) => ({ model, counts, bypassed: this.#worth.bypassed(model) })),
    };
  }

  /** Counts since the process began, of all tenants together, by model. */
  totals(): { model: string; counts: Counts }[] {
    const totals = new Map<string, Counts>();
    for (const models of this.#counts.values())
      for (const [model, counts] of models) totals.set(model, sumOf([totals.get(model) ?? noCounts(), counts]));
    return [...totals].map(([model, counts]) => ({ model, counts }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#redis?.[Symbol.asyncDispose]();
  }

  async #find(question: Question): Promise<{ answer: Answer; tier: Tier } | null> {
    const kept = this.#memory.get(question.key);
    if (kept !== undefined) return { answer: kept.answer, tier: 'memory' };
    if (this.#redis?.state === 'ok') {
      const answer = await this.#redis.get(question);
      if (answer !== null && answer.at + this.#ttlMs > Date.now()) {
        this.#remember(question, answer);
        return { answer, tier: 'redis' };
      }
    }
    if (question.settled === undefined || this.#settled === null) return null;
    // A database in trouble must not fail what a model could answer.
    const answer = await this.#settled.get(question.settled).catch(() => null);
    if (answer === null) return null;
    this.#remember(question, answer);
    return { answer, tier: 'batch' };
  }

  #keep(question: Question, answer: Answer): void {
    this.#remember(question, answer);
    this.#redis?.set(question, answer, this.#ttlMs);
  }

  #remember({ key, tenant, model }: Question, answer: Answer): void {
    this.#memory.set(key, { answer, tenant, model }, { ttl: Math.max(1, answer.at + this.#ttlMs - Date.now()) });
  }

  #countsOf({ tenant, model }: Pick<Question, 'tenant' | 'model'>): Counts {
    let models = this.#counts.get(tenant);
    if (models === undefined) this.#counts.set(tenant, (models = new Map()));
    let counts = models.get(model);
    if (counts === undefined) models.set(model, (counts = noCounts()));
    return counts;
  }
}
