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

/** The batches of one tenant that have not ended, in the order in which they are served; `none` ends the line. */
interface Line {
  readonly weight: number;
  first: number;
  last: number;
  /** The first that could still be given more in this step. */
  next: number;
}

const none = -1;

/**
 * Seconds until each batch ends when `capacity` (work a second) is shared by weight; Infinity without capacity. From one end
 * to the next all speeds stay as they are, so that there are as many steps as batches; each looks at every tenant.
 */
const flow = (queue: readonly Queued[], capacity: number, market: Market, factor: number): number[] => {
  const ends = queue.map(({ work }) => (work > 0 ? Infinity : 0));
  if (!(capacity > 0)) return ends;
  const left = Float64Array.from(queue, ({ work }) => work * factor);
  const rate = Math.max(market.dedicated?.rate ?? 0, market.spot?.rate ?? 0);
  const most = Float64Array.from(queue, (entry) => Math.max(1, usableWorkers(entry, market.concurrency)) * rate);
  const after = new Int32Array(queue.length).fill(none);
  const before = new Int32Array(queue.length).fill(none);
  const lines = new Map<string, Line>();
  queue.forEach(({ tenant, weight }, index) => {
    if (!(left[index]! > 0)) return;
    const line = lines.get(tenant);
    if (line === undefined) lines.set(tenant, { weight, first: index, last: index, next: none });
    else [after[line.last], before[index], line.last] = [index, line.last, index];
  });
  const filling = { most, after, speeds: new Float64Array(queue.length) };
  let waiting = [...lines.values()];
  let time = 0;
  while (waiting.length > 0) {
    const running = shareCapacity(waiting, filling, capacity);
    let step = Infinity;
    for (const index of running) step = Math.min(step, left[index]! / filling.speeds[index]!);
    if (!Number.isFinite(step)) break;
    time += step;
    let emptied = false;
    for (const index of running) {
      left[index]! -= filling.speeds[index]! * step;
      filling.speeds[index] = 0;
      if (left[index]! > 1e-6) continue;
      ends[index] = time;
      const [earlier, later] = [before[index]!, after[index]!];
      if (later !== none) before[later] = earlier;
      if (earlier !== none) after[earlier] = later;
      else {
        lines.get(queue[index]!.tenant)!.first = later;
        emptied ||= later === none;
      }
    }
    if (emptied) waiting = waiting.filter(({ first }) => first !== none);
  }
  return ends;
};

/**
 * Sets the speed of each running batch: tenants by weight, a tenant's batches in order, no batch above its width (progressive
 * filling). Speeds are 0 before.
 *
 * @returns the batches that run
 */
const shareCapacity = (
  waiting: readonly Line[],
  { most, after, speeds }: { most: Float64Array; after: Int32Array; speeds: Float64Array },
  capacity: number,
): number[] => {
  const running: number[] = [];
  for (const line of waiting) line.next = line.first;
  let open = waiting;
  let left = capacity;
  while (open.length > 0 && left > capacity * 1e-9) {
    let total = 0;
    for (const { weight } of open) total += weight;
    const share = left / total;
    let full = false;
    left = 0;
    for (const line of open) {
      let own = share * line.weight;
      while (own > 0 && line.next !== none) {
        const index = line.next;
        const given = Math.min(own, most[index]! - speeds[index]!);
        if (speeds[index] === 0 && given > 0) running.push(index);
        speeds[index]! += given;
        own -= given;
        if (speeds[index]! < most[index]! - 1e-12) break;
        line.next = after[index]!;
      }
      left += own;
      full ||= line.next === none;
    }
    if (full) open = open.filter(({ next }) => next !== none);
  }
  return running;
};

/** The verdict on a batch that has ended. */
export const slaOf = ({ endedAt, deadline }: { endedAt: number; deadline: number }): 'met' | 'breached' =>
  endedAt <= deadline ? 'met' : 'breached';
