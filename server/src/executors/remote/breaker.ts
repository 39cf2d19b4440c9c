/** Milliseconds over which failures are weighed against all calls, and calls below which that says nothing. */
const windowMs = 30_000;
const leastCalls = 20;
/** Milliseconds a breaker stays open at most between two probes. */
const capMs = 60_000;

/** What a model says of the breaker of its upstream. */
export interface BreakerLimits {
  /** Failures in a row that open it; 0: it never opens. */
  failures: number;
  /** Milliseconds it is open the first time; twice as long after each probe that fails. */
  openMs: number;
}

/**
 * Leaves an upstream alone that is down. Closed, it opens after so many failures in a row, or when more than half of
 * the calls of the last half minute failed; open, it lets nothing through until its time is up, and then one call:
 * the probe. If that succeeds it closes, otherwise it is open again, for longer.
 * Source: Nygard, "Release It!", 2007, "Circuit Breaker".
 *
 * One per upstream and process (`Breakers`), since workers may reach an upstream by different ways. Its models may have limits
 * of their own: those of the model whose call it was hold.
 */
export class Breaker {
  readonly #now: () => number;
  readonly #random: () => number;
  #state: 'closed' | 'open' | 'probing' = 'closed';
  #until = 0;
  /** Times it has opened since it was last closed. */
  #times = 0;
  #row = 0;
  /** Calls and failures of this window and the one before. */
  #windows = { at: 0, now: [0, 0] as [number, number], before: [0, 0] as [number, number] };
  #opened = new AbortController();

  constructor({ now = () => performance.now(), random = Math.random }: { now?: () => number; random?: () => number } = {}) {
    [this.#now, this.#random] = [now, random];
  }

  /** Aborts when it opens; another one each time it has closed. */
  get opened(): AbortSignal {
    return this.#opened.signal;
  }

  /** Whether a call that came now would go through. */
  get passes(): boolean {
    return this.#state === 'closed' || (this.#state === 'open' && this.#now() >= this.#until);
  }

  /** How to go through: with any number of calls, with one that probes, or not at all. A probe must be ended by `leave`. */
  enter(): 'closed' | 'probe' | 'open' {
    if (this.#state === 'closed') return 'closed';
    if (!this.passes) return 'open';
    this.#state = 'probing';
    return 'probe';
  }

  /** The probe is over. One that never came to a call leaves the place to the next. */
  leave(): void {
    if (this.#state === 'probing') this.#state = 'open';
  }

  /** How a call went. Says whether the breaker opened or closed by it. */
  record(failed: boolean, limits: BreakerLimits, retryAfterMs = 0): 'opened' | 'closed' | null {
    // Calls that were under way when it opened say nothing new.
    if (this.#state === 'open' || limits.failures === 0) return null;
    if (this.#state === 'probing') {
      if (failed) return this.#open(limits, retryAfterMs);
      this.#state = 'closed';
      [this.#times, this.#row] = [0, 0];
      this.#windows = { at: this.#now(), now: [0, 0], before: [0, 0] };
      this.#opened = new AbortController();
      return 'closed';
    }
    this.#row = failed ? this.#row + 1 : 0;
    const [calls, failures] = this.#count(failed);
    const mostly = calls >= leastCalls && failures * 2 > calls;
    return this.#row >= limits.failures || mostly ? this.#open(limits, retryAfterMs) : null;
  }

  #open({ openMs }: BreakerLimits, retryAfterMs: number): 'opened' {
    // Half of it is jitter: workers that opened together should not probe together.
    const pause = Math.min(capMs, openMs * 2 ** Math.min(16, this.#times++)) * (0.5 + this.#random() / 2);
    this.#until = this.#now() + Math.max(pause, Math.min(capMs, retryAfterMs));
    this.#state = 'open';
    this.#opened.abort();
    return 'opened';
  }

  #count(failed: boolean): [number, number] {
    const windows = this.#windows;
    const now = this.#now();
    if (now - windows.at >= windowMs / 2) {
      windows.before = now - windows.at >= windowMs ? [0, 0] : windows.now;
      windows.now = [0, 0];
      windows.at = now;
    }
    windows.now[0]++;
    if (failed) windows.now[1]++;
    return [windows.now[0] + windows.before[0], windows.now[1] + windows.before[1]];
  }
}
