import { Breaker } from './breaker.ts';

/**
 * The breakers of one process, one for each upstream: what a server does to the calls of one model it would do to those of
 * another, and each that finds out for itself is one more that keeps it down.
 */
export class Breakers {
  readonly #all = new Map<string, Breaker>();

  /** @param url the address of a model, of which the origin and the path count; what stands behind them may be a key */
  at(url: URL): Breaker {
    const address = url.origin + url.pathname.replace(/\/+$/, '');
    const known = this.#all.get(address) ?? new Breaker();
    this.#all.set(address, known);
    return known;
  }
}
