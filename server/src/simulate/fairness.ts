import type { Account } from '../policy/accounts.ts';
import { eligible, type Desk } from '../policy/turns.ts';

/**
 * How even the service was. Two tenants are compared only while both have work that any worker may take and no deadline is
 * at risk, because only then does the policy promise anything. What the deadline class was charged before is made up for in
 * that time: the gap of a pair is therefore how far its difference has grown beyond what it was at the start.
 */
export class FairnessMeter {
  readonly #accounts: ReadonlyMap<string, Account>;
  /** Of each pair: the difference with which it began. */
  readonly #pairs = new Map<string, number>();
  /** Service over weight, and seconds, of each tenant while it had work waiting. */
  readonly #rates = new Map<string, { served: number; seconds: number }>();
  #before: { at: number; counters: Map<string, number> } = { at: 0, counters: new Map() };
  #gap = 0;

  constructor(accounts: ReadonlyMap<string, Account>) {
    this.#accounts = accounts;
  }

  sample(desk: Desk, now: number): void {
    const counters = new Map<string, number>();
    if (desk.atRisk.size === 0 && this.#accounts.size > 1)
      for (const entry of desk.backlog)
        if (eligible(desk, entry, 'spot')) counters.set(entry.tenant, this.#accounts.get(entry.tenant)!.counter);
    const tenants = [...counters.keys()].sort();
    const present = new Set<string>();
    for (const [index, one] of tenants.entries()) {
      this.#rate(one, counters.get(one)!, now);
      for (const other of tenants.slice(index + 1)) {
        const name = `${one} ${other}`;
        present.add(name);
        const difference = Math.abs(counters.get(one)! - counters.get(other)!);
        const start = this.#pairs.get(name);
        if (start === undefined) this.#pairs.set(name, difference);
        else this.#gap = Math.max(this.#gap, difference - start);
      }
    }
    for (const name of this.#pairs.keys()) if (!present.has(name)) this.#pairs.delete(name);
    this.#before = { at: now, counters };
  }

  #rate(tenant: string, counter: number, now: number): void {
    const before = this.#before.counters.get(tenant);
    if (before === undefined) return;
    const rate = this.#rates.get(tenant) ?? { served: 0, seconds: 0 };
    rate.served += counter - before;
    rate.seconds += now - this.#before.at;
    this.#rates.set(tenant, rate);
  }

  /** Jain's index of the tenants' service rates while waiting (1: all alike); the largest service gap of a pair, in worker-seconds. */
  result(): { jain: number; maxGap: number } {
    const rates = [...this.#rates.values()].filter(({ seconds }) => seconds > 0).map(({ served, seconds }) => served / seconds);
    const sum = rates.reduce((total, rate) => total + rate, 0);
    const squares = rates.reduce((total, rate) => total + rate * rate, 0);
    return { jain: squares === 0 ? 1 : (sum * sum) / (rates.length * squares), maxGap: this.#gap };
  }
}
