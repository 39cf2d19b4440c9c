interface Flight<T> {
  result: Promise<T>;
  abort: AbortController;
  waiting: number;
}

/** Work under way, by key: who asks for what is being done already waits for it instead of doing it again. */
export class Flights<T> {
  readonly #flights = new Map<string, Flight<T>>();

  /**
   * The result of the work under `key`: that which is under way, or `work` begun now. The work ends early when nobody
   * waits for it any more, and not when the one who began it goes.
   */
  async join(key: string, work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<{ value: T; joined: boolean }> {
    signal.throwIfAborted();
    let flight = this.#flights.get(key);
    const joined = flight !== undefined;
    flight ??= this.#begin(key, work);
    flight.waiting++;
    const gone = Promise.withResolvers<never>();
    const leave = (): void => gone.reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    try {
      return { value: await Promise.race([flight.result, gone.promise]), joined };
    } finally {
      signal.removeEventListener('abort', leave);
      if (--flight.waiting === 0) {
        if (this.#flights.get(key) === flight) this.#flights.delete(key);
        flight.abort.abort();
      }
    }
  }

  #begin(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const abort = new AbortController();
    const result = work(abort.signal);
    const flight: Flight<T> = { result, abort, waiting: 0 };
    this.#flights.set(key, flight);
    const land = (): void => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    // Both ways: nobody may be left waiting for it.
    result.then(land, land);
    return flight;
  }
}
