import { correct, lift, type Account } from '../policy/accounts.ts';
import { guardSeconds, type Demand, type Guard } from '../policy/market.ts';
import { defaultAgeing, takeTurn, type Backlog, type Desk, type Turn } from '../policy/turns.ts';
import type { Controller, Progress } from './controllers.ts';
import type { Running } from './fleet.ts';
import type { Options } from './options.ts';
import type { Arrival } from './workload.ts';

/** A batch in the world. */
export interface Item {
  readonly arrival: Arrival;
  readonly entry: Backlog;
  /** Requests in a chunk. */
  readonly perChunk: number;
  queued: number;
  settled: number;
  admitted: boolean;
  endedAt: number | null;
  /** How often it entered the deadline class. */
  escalations: number;
  wasAtRisk: boolean;
}

/** What is queued, what is served, and who is charged for it: the simulator's stand-in for the queue's tables. */
export class Ledger {
  readonly items: Item[];
  readonly live: number[] = [];
  readonly accounts = new Map<string, Account>();
  readonly desk: Desk & { backlog: Backlog[]; atRisk: Map<string, number> };
  /** Batches that have not ended and were not refused. */
  open: number;
  readonly #index: Map<string, number>;
  readonly #cap: number | null;
  #lastCounter = 0;

  constructor(options: Options, controller: Controller, guard: Guard) {
    this.items = options.workload.map((arrival) => newItem(arrival, controller.order, options.chunk));
    this.open = this.items.length;
    this.#index = new Map(this.items.map(({ arrival }, index) => [arrival.batch, index]));
    this.#cap = options.tenantCap;
    this.desk = {
      now: 0,
      order: controller.order === 'fair' ? 'fair' : 'strict_priority',
      ageing: defaultAgeing,
      backlog: [],
      accounts: this.accounts,
      users: new Map(),
      atRisk: new Map(),
      tail: controller.order === 'fair' && options.policy !== 'spot_only' ? guardSeconds(guard) + guard.request : 0,
      lanes: null,
    };
  }

  enter(index: number): void {
    const item = this.items[index]!;
    const { tenant, weight } = item.arrival;
    const waiting = new Set(this.desk.backlog.filter(({ chunks }) => chunks > 0).map((entry) => entry.tenant));
    const account = this.accounts.get(tenant) ?? { counter: 0, weight, running: 0, cap: this.#cap };
    this.accounts.set(tenant, account);
    if (!waiting.has(tenant))
      account.counter = lift(
        account.counter,
        [...waiting].map((other) => this.accounts.get(other)!.counter),
        this.#lastCounter,
      );
    this.live.push(index);
    this.desk.backlog.push(item.entry);
    count(item);
  }

  /** Books the turn; what the worker then runs. */
  claim(turn: Turn): { batch: number; item: Item; requests: number; charged: number } {
    const batch = this.#index.get(turn.batch)!;
    const item = this.items[batch]!;
    takeTurn(this.desk, item.entry);
    const requests = Math.min(item.perChunk, item.queued);
    item.queued -= requests;
    count(item);
    this.#lastCounter = this.accounts.get(turn.tenant)!.counter;
    return { batch, item, requests, charged: turn.work };
  }

  /**
   * Ends a running chunk with so many of its requests settled.
   *
   * @returns the requests that are left of it
   */
  settle({ batch, requests, charged }: Running, settled: number, now: number): number {
    const item = this.items[batch]!;
    const account = this.accounts.get(item.arrival.tenant)!;
    item.settled += settled;
    item.entry.running -= 1;
    account.running -= 1;
    account.counter = correct(account.counter, account.weight, charged, settled * item.arrival.estimate);
    if (item.settled >= item.arrival.requests) this.#end(batch, now);
    return requests - settled;
  }

  giveBack(batch: number, requests: number): void {
    const item = this.items[batch]!;
    item.queued += requests;
    count(item);
  }

  /** Writes down who is at risk now, in which order. */
  rank(atRisk: readonly string[]): void {
    this.desk.atRisk = new Map(atRisk.map((batch, place) => [batch, place]));
    for (const index of this.live) {
      const item = this.items[index]!;
      const risk = this.desk.atRisk.has(item.arrival.batch);
      if (risk && !item.wasAtRisk) item.escalations += 1;
      item.wasAtRisk = risk;
    }
  }

  /** @param underway requests of running chunks that are through, by batch: a chunk settles in parts */
  demands(underway: ReadonlyMap<number, number>): (Demand & Progress)[] {
    return this.live.map((index) => {
      const { arrival, settled, admitted } = this.items[index]!;
      const requests = arrival.requests - settled - (underway.get(index) ?? 0);
      const whole = arrival.requests * arrival.estimate;
      const work = requests * arrival.estimate;
      return {
        batch: arrival.batch,
        deadline: dueAt(arrival),
        work,
        requests,
        width: arrival.maxConcurrent,
        admitted,
        arrivedAt: arrival.at,
        whole,
      };
    });
  }

  #end(index: number, now: number): void {
    const item = this.items[index]!;
    item.endedAt = now;
    this.open -= 1;
    this.live.splice(this.live.indexOf(index), 1);
    this.desk.backlog.splice(this.desk.backlog.indexOf(item.entry), 1);
  }
}

export const dueAt = ({ at, window }: Pick<Arrival, 'at' | 'window'>): number => at + window;

const count = (item: Item): void => {
  item.entry.chunks = Math.ceil(item.queued / item.perChunk);
};

const newItem = (arrival: Arrival, order: Controller['order'], chunk: number): Item => {
  const { batch, tenant, lane, at, estimate, requests, maxConcurrent } = arrival;
  const perChunk = Math.max(1, Math.floor(chunk / estimate));
  // A plainer system's order is one of fixed priorities.
  const priority = { fair: arrival.priority, fifo: 0, edf: -dueAt(arrival) }[order];
  const work = Math.min(perChunk, requests) * estimate;
  const entry = {
    batch,
    tenant,
    user: null,
    lane,
    priority,
    createdAt: at,
    deadline: dueAt(arrival),
    chunks: 0,
    running: 0,
    width: maxConcurrent,
    takes: 1,
    work,
  };
  return { arrival, entry, perChunk, queued: requests, settled: 0, admitted: false, endedAt: null, escalations: 0, wasAtRisk: false };
};
