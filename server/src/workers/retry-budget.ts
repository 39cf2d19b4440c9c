/** Retries for each request, and the milliseconds over which both are counted. */
const share = 0.1;
const windowMs = 10_000;
/** A retry waits no longer than this for its turn: it is spread out, not given up. */
const mostMs = 15 * 60_000;

/**
 * Keeps retries from becoming the load that makes requests fail. A model's retries may be a tenth of its requests, and a
 * floor besides, for models that run few; those beyond it come due one after the other at that rate, and none is dropped.
 * A debt, and not a window that is full: so a thousand failures at once are spread over the time they may take, where a
 * window would let all of them go at its end.
 * Source of the budget in place of a count: Finagle's RetryBudget, after Google's "Site Reliability Engineering", 2016,
 * chapter 21.
 */
export class RetryBudget {
  readonly #floor: number;
  /** Retries that may go at once; below zero: those promised ahead. */
  #balance: number;
  #at: number | null = null;
  #requests = { since: 0, now: 0, before: 0 };

  /** @param floor retries a second that are always allowed */
  constructor(floor: number) {
    this.#floor = floor;
    this.#balance = (floor * windowMs) / 1000;
  }

  /** A request had its first attempt. */
  request(now = performance.now()): void {
    this.#tick(now);
    this.#requests.now++;
    this.#add(share);
  }

  /** One more retry: the milliseconds it has to wait at least. */
  retry(now = performance.now()): number {
    this.#tick(now);
    this.#balance--;
    return this.#balance >= 0 ? 0 : Math.min(mostMs, (-this.#balance / this.#income) * 1000);
  }

  /** Retries a second, at the rate of requests there is. */
  get #income(): number {
    return this.#floor + (share * (this.#requests.now + this.#requests.before) * 1000) / (2 * windowMs);
  }

  #add(retries: number): void {
    this.#balance = Math.min((this.#income * windowMs) / 1000, this.#balance + retries);
  }

  #tick(now: number): void {
    const requests = this.#requests;
    if (this.#at === null) requests.since = now;
    this.#add((this.#floor * (now - (this.#at ?? now))) / 1000);
    this.#at = now;
    if (now - requests.since < windowMs) return;
    requests.before = now - requests.since < 2 * windowMs ? requests.now : 0;
    [requests.since, requests.now] = [now, 0];
  }
}
