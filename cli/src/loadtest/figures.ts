/** What one kind of call came to. */
export interface Figures {
  operation: string;
  calls: number;
  succeeded: number;
  /** Calls a second that succeeded. */
  rate: number;
  /** Milliseconds of those that succeeded; null where none did. */
  ms: { p50: number; p90: number; p95: number; p99: number; max: number } | null;
  /** How many failed, by class: `timeout`, `network`, `not_sent`, `429 rate_limited`. */
  errors: Record<string, number>;
}

/** By nearest rank: the smallest value that `share` of them do not exceed. */
export const percentile = (sorted: readonly number[], share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!;

/** Counts calls of one kind. */
export class Tally {
  readonly #ms: number[] = [];
  readonly #errors = new Map<string, number>();

  went(ms: number): void {
    this.#ms.push(ms);
  }

  failed(kind: string): void {
    this.#errors.set(kind, (this.#errors.get(kind) ?? 0) + 1);
  }

  add(other: Tally): void {
    for (const ms of other.#ms) this.#ms.push(ms);
    for (const [kind, n] of other.#errors) this.#errors.set(kind, (this.#errors.get(kind) ?? 0) + n);
  }

  figures(operation: string, seconds: number): Figures {
    const sorted = this.#ms.toSorted((a, b) => a - b);
    const errors = Object.fromEntries([...this.#errors].sort(([, a], [, b]) => b - a));
    const rounded = (share: number) => Math.round(percentile(sorted, share) * 100) / 100;
    return {
      operation,
      calls: sorted.length + [...this.#errors.values()].reduce((sum, n) => sum + n, 0),
      succeeded: sorted.length,
      rate: Math.round((sorted.length / seconds) * 10) / 10,
      ms: sorted.length === 0 ? null : { p50: rounded(0.5), p90: rounded(0.9), p95: rounded(0.95), p99: rounded(0.99), max: rounded(1) },
      errors,
    };
  }
}
