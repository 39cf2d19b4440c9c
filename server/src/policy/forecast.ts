import { guardSeconds, usableWorkers, type Demand, type Market } from './market.ts';
import type { Targets } from './targets.ts';

export interface Queued extends Demand {
  readonly tenant: string;
  /** The tenant's weight. */
  readonly weight: number;
}

export interface Forecast {
  readonly batch: string;
  /** When it ends as things are; null: nothing moves it now. */
  readonly p50: number | null;
  /** When it ends if the work is larger by the safety factor and spot workers come back no faster than they are lost. */
  readonly p90: number | null;
  /** `met` and `breached` are for batches that have ended: `slaOf`. */
  readonly sla: 'on_track' | 'at_risk';
}

export interface ForecastInput {
  readonly now: number;
  readonly market: Market;
  readonly targets: Pick<Targets, 'spot' | 'dedicated' | 'atRisk' | 'escalated'>;
  /** In the order in which each tenant is served (`ranking` of its batches). */
  readonly queue: readonly Queued[];
  /** Safety factor on work. */
  readonly factor: number;
}

/**
 * When each batch will end. Work is let flow like water: the tenants share the capacity by their weights, each serves its
 * batches in its order, what one cannot use the others get. An admitted batch is never forecast later than the guarantee
 * holds for: once it comes near, the dedicated workers take over.
 */
export const forecast = (input: ForecastInput): Forecast[] => {
  const { now, market, targets, queue, factor } = input;
  const spot = { ready: market.spot?.ready ?? 0, rate: market.spot?.rate ?? 0, target: targets.spot, start: market.spot?.coldStart ?? 0 };
  const own = { ready: market.dedicated?.ready ?? 0, rate: market.dedicated?.rate ?? 0, target: targets.dedicated };
  // Of a spot worker that is lost `preemptions` times an hour, this share of the time is work.
  const up = 1 / (1 + (market.preemptions * spot.start) / 3_600);
  const dedicated = Math.max(own.ready, own.target) * own.rate;
  const likely = Math.max(spot.ready, Math.min(spot.target, market.spot?.max ?? 0)) * spot.rate * up + dedicated;
  const cautious = spot.ready * spot.rate * up * up + dedicated;
  const wait = spot.ready + own.ready > 0 ? 0 : targets.dedicated > 0 ? (market.dedicated?.coldStart ?? 0) : spot.start;

  const typical = flow(queue, likely, market, 1);
  const late = flow(queue, cautious, market, factor);
  const promised = (market.dedicated?.max ?? 0) > 0 && own.rate > 0;
  const margin = guardSeconds(market.guard) - market.guard.coldStart;
  const risk = new Set(targets.atRisk);
  return queue.map((entry, index) => {
    const safe = promised && entry.admitted ? Math.max(now, entry.deadline - margin) : Infinity;
    const p50 = Math.min(now + wait + typical[index]!, safe);
    const p90 = Math.max(p50, Math.min(now + wait + late[index]!, safe));
    const at = (time: number): number | null => (Number.isFinite(time) ? time : null);
    return { batch: entry.batch, p50: at(p50), p90: at(p90), sla: risk.has(entry.batch) || p90 > entry.deadline ? 'at_risk' : 'on_track' };
  });
};

/** Seconds until each batch ends when `capacity` (work a second) is shared by weight; Infinity without capacity. */
const flow = (queue: readonly Queued[], capacity: number, market: Market, factor: number): number[] => {
  const ends = queue.map(({ work }) => (work > 0 ? Infinity : 0));
  if (!(capacity > 0)) return ends;
  const left = queue.map(({ work }) => work * factor);
  const rate = Math.max(market.dedicated?.rate ?? 0, market.spot?.rate ?? 0);
  const most = queue.map((entry) => Math.max(1, usableWorkers(entry, market.concurrency)) * rate);
  const waiting = new Map<string, number[]>();
  queue.forEach(({ tenant }, index) => {
    if (left[index]! > 0) waiting.set(tenant, [...(waiting.get(tenant) ?? []), index]);
  });
  let time = 0;
  while (waiting.size > 0) {
    const speeds = shareCapacity(queue, waiting, most, capacity);
    let step = Infinity;
    for (const [index, speed] of speeds) if (speed > 0) step = Math.min(step, left[index]! / speed);
    if (!Number.isFinite(step)) break;
    time += step;
    for (const [index, speed] of speeds) {
      left[index]! -= speed * step;
      if (left[index]! > 1e-6) continue;
      ends[index] = time;
      const { tenant } = queue[index]!;
      const rest = waiting.get(tenant)!.filter((other) => other !== index);
      if (rest.length > 0) waiting.set(tenant, rest);
      else waiting.delete(tenant);
    }
  }
  return ends;
};

/** The speed of each running batch: tenants by weight, a tenant's batches in order, no batch above its width (progressive filling). */
const shareCapacity = (
  queue: readonly Queued[],
  waiting: ReadonlyMap<string, readonly number[]>,
  most: readonly number[],
  capacity: number,
): Map<number, number> => {
  const speeds = new Map<number, number>();
  let left = capacity;
  let tenants = [...waiting.values()].map((batches) => ({ batches, weight: queue[batches[0]!]!.weight, next: 0 }));
  while (tenants.length > 0 && left > capacity * 1e-9) {
    const total = tenants.reduce((sum, { weight }) => sum + weight, 0);
    const share = left / total;
    left = 0;
    for (const tenant of tenants) {
      let own = share * tenant.weight;
      while (own > 0 && tenant.next < tenant.batches.length) {
        const index = tenant.batches[tenant.next]!;
        const given = Math.min(own, most[index]! - (speeds.get(index) ?? 0));
        speeds.set(index, (speeds.get(index) ?? 0) + given);
        own -= given;
        if (speeds.get(index)! >= most[index]! - 1e-12) tenant.next += 1;
        else break;
      }
      left += own;
    }
    tenants = tenants.filter(({ batches, next }) => next < batches.length);
  }
  return speeds;
};

/** The verdict on a batch that has ended. */
export const slaOf = ({ endedAt, deadline }: { endedAt: number; deadline: number }): 'met' | 'breached' =>
  endedAt <= deadline ? 'met' : 'breached';
