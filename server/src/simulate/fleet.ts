import type { Kind } from '../policy/market.ts';

/** A chunk that a worker runs. */
export interface Running {
  readonly batch: number;
  readonly requests: number;
  readonly startedAt: number;
  /** Seconds that one request takes here. */
  readonly each: number;
  /** What its tenant was charged. */
  readonly charged: number;
}

export interface Worker {
  readonly id: number;
  readonly kind: Kind;
  /** The slot it stands in; −1 for dedicated ones. */
  readonly slot: number;
  readonly startedAt: number;
  ready: boolean;
  draining: boolean;
  gone: boolean;
  running: Running | null;
}

export interface Bill {
  cost: number;
  hours: Record<Kind, number>;
  /** Worker-seconds in which a chunk was run. */
  busy: number;
  starts: Record<Kind, number>;
}

/** What the fleet asks of the world round it. */
export interface FleetPort {
  /** A worker was asked for; it will be ready after its start. */
  launched(worker: Worker): void;
}

interface Price {
  readonly price: number;
}

/**
 * The workers there are, and their bill. A worker is paid for from the moment it is asked for, its start included, to the
 * moment it is gone. Spot workers start only in slots that are up; a wish for more waits for the next slot.
 */
export class Fleet {
  readonly workers = new Set<Worker>();
  readonly bill: Bill = { cost: 0, hours: { spot: 0, dedicated: 0 }, busy: 0, starts: { spot: 0, dedicated: 0 } };
  readonly slots: { up: boolean; worker: Worker | null }[];
  readonly wanted: Record<Kind, number> = { spot: 0, dedicated: 0 };
  readonly #prices: Record<Kind, Price>;
  readonly #port: FleetPort;
  #ids = 0;

  constructor(slots: number, prices: Record<Kind, Price>, port: FleetPort) {
    this.slots = Array.from({ length: slots }, () => ({ up: false, worker: null }));
    this.#prices = prices;
    this.#port = port;
  }

  ready(kind: Kind): number {
    let count = 0;
    for (const worker of this.workers) if (worker.kind === kind && worker.ready && !worker.draining) count += 1;
    return count;
  }

  /** Brings the workers of a kind to `wanted`: those on their way out are kept first, idle ones let go first. */
  aim(kind: Kind, wanted: number, now: number): void {
    this.wanted[kind] = wanted;
    const all = [...this.workers].filter((worker) => worker.kind === kind);
    let count = all.filter(({ draining }) => !draining).length;
    for (const worker of all) {
      // One whose slot got its notice cannot be kept.
      if (count >= wanted || !worker.draining || (worker.slot >= 0 && !this.slots[worker.slot]!.up)) continue;
      worker.draining = false;
      count += 1;
    }
    while (count < wanted && this.#launch(kind, now)) count += 1;
    const rank = (worker: Worker): number => (worker.running ? 2 : Number(!worker.ready));
    for (const worker of count > wanted ? all.filter(({ draining }) => !draining).sort((a, b) => rank(a) - rank(b)) : []) {
      if (count <= wanted) break;
      count -= 1;
      if (worker.running) worker.draining = true;
      else this.remove(worker, now);
    }
  }

  #launch(kind: Kind, now: number): boolean {
    const slot = kind === 'spot' ? this.slots.findIndex(({ up, worker }) => up && worker === null) : -1;
    if (kind === 'spot' && slot < 0) return false;
    const worker: Worker = { id: (this.#ids += 1), kind, slot, startedAt: now, ready: false, draining: false, gone: false, running: null };
    if (slot >= 0) this.slots[slot]!.worker = worker;
    this.workers.add(worker);
    this.bill.starts[kind] += 1;
    this.#port.launched(worker);
    return true;
  }

  remove(worker: Worker, now: number): void {
    if (worker.gone) return;
    worker.gone = true;
    this.workers.delete(worker);
    if (worker.slot >= 0) this.slots[worker.slot]!.worker = null;
    const hours = (now - worker.startedAt) / 3_600;
    this.bill.hours[worker.kind] += hours;
    this.bill.cost += hours * this.#prices[worker.kind].price;
  }
}
