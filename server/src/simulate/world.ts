import { admit } from '../policy/admission.ts';
import type { Market } from '../policy/market.ts';
import { nextTurn } from '../policy/turns.ts';
import { spotSlots, type Up } from './availability.ts';
import { controllers, type Controller } from './controllers.ts';
import { Events } from './events.ts';
import { FairnessMeter } from './fairness.ts';
import { Fleet, type Bill, type Running, type Worker } from './fleet.ts';
import { inspect } from './inspect.ts';
import { dueAt, Ledger } from './ledger.ts';
import type { Options } from './options.ts';
import { seeded, type Random } from './random.ts';
import type { Arrival } from './workload.ts';

type Event =
  | { what: 'arrival'; batch: number }
  | { what: 'tick' }
  | { what: 'ready' | 'finished'; worker: Worker }
  | { what: 'up' | 'notice' | 'down'; slot: number }
  /** The requests of a worker that vanished without a word are found when its lease runs out. */
  | { what: 'lease'; batch: number; requests: number };

export interface BatchResult {
  readonly arrival: Arrival;
  readonly admitted: boolean;
  /** Null: it was refused, or did not end within the horizon. */
  readonly endedAt: number | null;
  /** Seconds after its deadline; 0 when in time or refused. */
  readonly late: number;
  readonly escalations: number;
}

export interface Outcome {
  readonly batches: readonly BatchResult[];
  readonly bill: Bill;
  /** When everything was over. */
  readonly endedAt: number;
  readonly jain: number;
  readonly maxGap: number;
  readonly slots: readonly (readonly Up[])[];
  /** What broke an invariant; only with `check`. */
  readonly broken: readonly string[];
}

/** A batch that is not over so long after the last deadline is given up. */
const patience = 3 * 86_400;

/** Lets the whole workload run, event by event, on a virtual clock. */
export const run = (options: Options): Outcome => new World(options).run();

class World {
  readonly #options: Options;
  readonly #controller: Controller;
  readonly #events = new Events<Event>();
  readonly #fleet: Fleet;
  readonly #ledger: Ledger;
  readonly #slots: readonly Up[][];
  readonly #noise: Random;
  readonly #fairness: FairnessMeter;
  readonly #broken: string[] = [];
  readonly #guard: Market['guard'];
  readonly #until: number;
  #now = 0;
  #preempted = 0;

  constructor(options: Options) {
    this.#options = options;
    const { coldStart, tick, lease, chunk, finalize, pools, workload } = options;
    this.#controller = controllers[options.policy](options.factor);
    this.#guard = { coldStart, tick, lease, request: chunk / Math.min(pools.dedicated.rate, pools.spot.rate), finalize };
    const random = seeded(options.seed);
    this.#noise = random.fork('noise');
    this.#until = Math.max(0, ...workload.map(dueAt)) + patience;
    this.#slots = spotSlots(options.availability, pools.spot.slots, this.#until, random.fork('spot'));
    const launched = (worker: Worker): void => this.#events.add(this.#now + coldStart, { what: 'ready', worker });
    this.#fleet = new Fleet(pools.spot.slots, pools, { launched });
    this.#ledger = new Ledger(options, this.#controller, this.#guard);
    this.#fairness = new FairnessMeter(this.#ledger.accounts);
    for (const [batch, { at }] of workload.entries()) this.#events.add(at, { what: 'arrival', batch });
    for (const [slot, ups] of this.#slots.entries()) this.#announce(slot, ups);
    this.#events.add(0, { what: 'tick' });
  }

  #announce(slot: number, ups: readonly Up[]): void {
    for (const { from, to } of ups) {
      this.#events.add(from, { what: 'up', slot });
      if (this.#options.notice > 0) this.#events.add(Math.max(from, to - this.#options.notice), { what: 'notice', slot });
      this.#events.add(to, { what: 'down', slot });
    }
  }

  run(): Outcome {
    const least = this.#controller.scales ? this.#options.pools.dedicated.min : Infinity;
    for (let next = this.#events.next(); next !== undefined && next.at <= this.#until; next = this.#events.next()) {
      this.#now = this.#ledger.desk.now = next.at;
      this.#handle(next.event);
      if (this.#ledger.open === 0 && this.#fleet.workers.size <= least) break;
    }
    for (const worker of this.#fleet.workers) this.#fleet.remove(worker, this.#now);
    const ran = (admitted: boolean): boolean => admitted || this.#options.admission !== 'refuse';
    return {
      batches: this.#ledger.items.map(({ arrival, admitted, endedAt, escalations }) => {
        const late = ran(admitted) ? Math.max(0, (endedAt ?? this.#until) - dueAt(arrival)) : 0;
        return { arrival, admitted, endedAt, late, escalations };
      }),
      bill: this.#fleet.bill,
      endedAt: this.#now,
      ...this.#fairness.result(),
      slots: this.#slots,
      broken: this.#broken,
    };
  }

  #handle(event: Event): void {
    switch (event.what) {
      case 'arrival':
        return this.#arrive(event.batch);
      case 'tick':
        return this.#tick();
      case 'ready':
        if (event.worker.gone) return;
        event.worker.ready = true;
        return this.#serve(event.worker);
      case 'finished':
        return this.#finish(event.worker);
      case 'up':
        this.#fleet.slots[event.slot]!.up = true;
        return this.#fleet.aim('spot', this.#fleet.wanted.spot, this.#now);
      case 'notice':
        return this.#warn(event.slot);
      case 'down':
        return this.#takeAway(event.slot);
      case 'lease':
        this.#ledger.giveBack(event.batch, event.requests);
        return this.#serveIdle();
    }
  }

  #arrive(index: number): void {
    const item = this.#ledger.items[index]!;
    const { batch, requests, estimate, maxConcurrent: width } = item.arrival;
    const candidate = { batch, deadline: dueAt(item.arrival), work: requests * estimate, requests, width };
    const { admission: mode, factor } = this.#options;
    const answer = admit({ now: this.#now, mode, market: this.#market(), demands: this.#demands(), candidate, factor });
    item.admitted = answer.admitted;
    if (answer.result === 'window_not_feasible') this.#ledger.open -= 1;
    else this.#ledger.enter(index);
    this.#serveIdle();
  }

  #tick(): void {
    this.#events.add(this.#now + this.#options.tick, { what: 'tick' });
    const { dead, check } = this.#options;
    if (!dead || this.#now < dead.from || this.#now >= dead.to) this.#decide();
    this.#serveIdle();
    this.#fairness.sample(this.#ledger.desk, this.#now);
    if (check && this.#broken.length < 20) this.#broken.push(...inspect(this.#ledger, this.#fleet, this.#now));
  }

  #decide(): void {
    const spotUp = this.#fleet.slots.some(({ up }) => up);
    const decision = this.#controller.decide({ now: this.#now, market: this.#market(), demands: this.#demands(), spotUp });
    this.#ledger.rank(decision.atRisk);
    this.#fleet.aim('spot', decision.spot, this.#now);
    this.#fleet.aim('dedicated', decision.dedicated, this.#now);
  }

  #market(): Market {
    const { coldStart, pools } = this.#options;
    const { hours } = this.#fleet.bill;
    const known = { coldStart, measured: true };
    return {
      spot: { ...known, min: 0, max: pools.spot.slots, price: pools.spot.price, rate: pools.spot.rate, ready: this.#fleet.ready('spot') },
      dedicated: { ...known, ...pools.dedicated, ready: this.#fleet.ready('dedicated') },
      preemptions: hours.spot > 0 ? this.#preempted / hours.spot : 0,
      concurrency: 1,
      guard: this.#guard,
    };
  }

  #demands() {
    const underway = new Map<number, number>();
    for (const { running } of this.#fleet.workers)
      if (running) underway.set(running.batch, (underway.get(running.batch) ?? 0) + this.#through(running));
    return this.#ledger.demands(underway);
  }

  /** Requests of a running chunk that are through. */
  #through({ requests, startedAt, each }: Running): number {
    return Math.min(requests, Math.floor((this.#now - startedAt) / each + 1e-9));
  }

  #serveIdle(): void {
    for (const worker of this.#fleet.workers) if (worker.ready && !worker.draining && worker.running === null) this.#serve(worker);
  }

  #serve(worker: Worker): void {
    const next = nextTurn(this.#ledger.desk, worker.kind);
    if (next === null) return;
    const { batch, item, requests, charged } = this.#ledger.claim(next);
    const { noise, pools } = this.#options;
    // Lognormal with a mean of 1.
    const factor = noise > 0 ? this.#noise.lognormal(Math.exp(-(noise ** 2) / 2), noise) : 1;
    const each = (item.arrival.seconds * factor) / pools[worker.kind].rate;
    worker.running = { batch, requests, startedAt: this.#now, each, charged };
    this.#events.add(this.#now + requests * each, { what: 'finished', worker });
  }

  /** Ends a worker's chunk with so many of its requests settled; returns the rest. */
  #settle(worker: Worker, running: Running, settled: number): number {
    worker.running = null;
    this.#fleet.bill.busy += this.#now - running.startedAt;
    return this.#ledger.settle(running, settled, this.#now);
  }

  #finish(worker: Worker): void {
    if (worker.gone || worker.running === null) return;
    this.#settle(worker, worker.running, worker.running.requests);
    if (worker.draining) this.#fleet.remove(worker, this.#now);
    else this.#serve(worker);
    // A tenant or batch at its limit may go on.
    if (this.#options.tenantCap !== null || this.#ledger.desk.backlog.some(({ width }) => width !== null)) this.#serveIdle();
  }

  /** The notice: no new chunk; an idle worker goes at once. */
  #warn(slot: number): void {
    const place = this.#fleet.slots[slot]!;
    place.up = false;
    if (place.worker === null) return;
    place.worker.draining = true;
    if (place.worker.running === null) this.#lose(place.worker);
  }

  #takeAway(slot: number): void {
    const place = this.#fleet.slots[slot]!;
    place.up = false;
    if (place.worker) this.#lose(place.worker);
  }

  #lose(worker: Worker): void {
    this.#preempted += 1;
    const { running } = worker;
    if (running) {
      const requests = this.#settle(worker, running, Math.min(running.requests - 1, this.#through(running)));
      if (this.#options.notice > 0) this.#ledger.giveBack(running.batch, requests);
      else this.#events.add(this.#now + this.#options.lease, { what: 'lease', batch: running.batch, requests });
    }
    this.#fleet.remove(worker, this.#now);
    this.#serveIdle();
  }
}
