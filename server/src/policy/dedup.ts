export type DedupMode = 'off' | 'exact' | 'semantic';

export interface DedupSettings {
  /** Of a batch that does not say. */
  mode: 'off' | 'exact';
  /** Who shares answers. */
  scope: 'user' | 'tenant' | 'global';
  /** Seconds an answer may be given again. */
  ttlSeconds: number;
  /** Bytes of answers that one scope keeps. */
  maxBytes: number;
  /** Milliseconds of a worker a request must take for its answer to be worth keeping. */
  minMs: number;
  /** The embedding model that similar requests are found with; null: none are. */
  semanticModel: string | null;
  /** The least cosine of two requests that may share an answer. */
  semanticThreshold: number;
}

export const defaultDedup: DedupSettings = {
  mode: 'exact',
  scope: 'tenant',
  ttlSeconds: 7 * 86_400,
  maxBytes: 10_000_000_000,
  minMs: 0.2,
  semanticModel: null,
  semanticThreshold: 0.95,
};

/** What a batch said of it when it was created. */
export interface DedupOptions {
  dedup?: string;
  dedup_sampled?: boolean;
}

export const modeOf = ({ dedup }: DedupOptions, settings: DedupSettings): DedupMode => {
  if (dedup === undefined) return settings.mode;
  return dedup === 'off' || dedup === 'semantic' ? dedup : 'exact';
};

/**
 * Whether it pays to go out of one's way for a repeated request: to bring together lines that lie far apart, to keep a row
 * for each answer and look for it. That costs a tenth of a millisecond, more than a quick model takes to answer; where the
 * model is somebody else's, its answers are paid for. `echo` is for trying things out, and answers itself unless it is told
 * not to. A batch that asks for it in so many words gets it.
 *
 * @param rate requests a second of one worker
 */
export const pays = (executor: string, rate: number, asked: boolean, { minMs }: Pick<DedupSettings, 'minMs'>): boolean =>
  asked || (executor !== 'echo' && (elsewhere.has(executor) || 1_000 / rate >= minMs));

const elsewhere: ReadonlySet<string> = new Set(['openai', 'oip', 'http']);

/** Whose answers a batch may be given, and who may be given its own. */
export const scopeOf = (scope: DedupSettings['scope'], tenant: string, user: string): string =>
  scope === 'global' ? 'global' : scope === 'tenant' ? `tenant:${tenant}` : `user:${tenant}/${user}`;
