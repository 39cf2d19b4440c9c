/** Wrong keys that one address may send at once, and the seconds after which it may send another. */
const burst = 10;
const secondsEach = 6;

/** Who guesses keys is slowed down: by address, in this process. */
export class WrongKeys {
  readonly #addresses = new Map<string, { left: number; at: number }>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Seconds that the address has to wait; 0: it may try. */
  wait(address: string): number {
    const left = this.#left(address);
    return left >= 1 ? 0 : Math.ceil((1 - left) * secondsEach);
  }

  count(address: string): void {
    // Whoever has many addresses must not fill the memory: what has recovered is as good as never seen.
    if (this.#addresses.size >= 10_000)
      for (const each of this.#addresses.keys()) if (this.#left(each) >= burst) this.#addresses.delete(each);
    if (this.#addresses.size >= 20_000) this.#addresses.clear();
    this.#addresses.set(address, { left: this.#left(address) - 1, at: this.#now() });
  }

  #left(address: string): number {
    const known = this.#addresses.get(address);
    return known === undefined ? burst : Math.min(burst, known.left + (this.#now() - known.at) / 1_000 / secondsEach);
  }
}
