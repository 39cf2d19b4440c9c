import type { Kind } from './market.ts';

/** Queued requests that one worker is asked for. */
export const defaultRatio: Readonly<Record<Kind, number>> = { spot: 5, dedicated: 10 };

/** The backlog rule: ceil(queued / ratio). With the ratio of 5: 0 → 0, 5 → 1, 6 → 2, 25 → 5. */
export const backlogWorkers = (queued: number, ratio: number): number => Math.ceil(Math.max(0, queued) / Math.max(1, ratio));

export interface Desired {
  readonly workers: number;
  readonly rule: 'backlog' | 'deadlines' | 'minimum' | 'maximum';
  /** In words, for the pool's page and `explain`. */
  readonly reason: string;
}

export interface DesiredInput {
  /** Requests queued for this pool. */
  readonly queued: number;
  /** Queued requests per worker. */
  readonly ratio: number;
  readonly min: number;
  readonly max: number;
  /** What the deadline policy asks of this pool, and why. */
  readonly target: number;
  readonly reason: string;
}

/** Desired workers of a pool: the larger of the backlog rule and the deadline policy, between minimum and maximum. */
export const desiredWorkers = ({ queued, ratio, min, max, target, reason }: DesiredInput): Desired => {
  const backlog = backlogWorkers(queued, ratio);
  const asked = Math.max(backlog, target);
  const why = backlog > target ? `${queued} requests are queued, one worker for each ${ratio}` : reason;
  const workers = Math.max(min, Math.min(max, asked));
  if (asked > max) return { workers, rule: 'maximum', reason: `${asked} were wanted (${why}), and ${max} is the pool's maximum` };
  if (asked < min) return { workers, rule: 'minimum', reason: `${min} is the pool's minimum` };
  return { workers, rule: backlog > target ? 'backlog' : 'deadlines', reason: why };
};

/** A pool among others of its kind. */
export interface PoolPrice {
  readonly name: string;
  readonly price: number;
  /** Work per second of one of its workers. */
  readonly rate: number;
  readonly min: number;
  readonly max: number;
}

/** Divides a target over the pools of one kind: minima first, then the cheapest per unit of work. */
export const spread = (workers: number, pools: readonly PoolPrice[]): Map<string, number> => {
  const shares = new Map(pools.map(({ name, min, max }) => [name, Math.min(min, max)]));
  let left = workers - [...shares.values()].reduce((sum, share) => sum + share, 0);
  for (const { name, max } of [...pools].sort((a, b) => a.price / a.rate - b.price / b.rate || (a.name < b.name ? -1 : 1))) {
    const more = Math.max(0, Math.min(left, max - shares.get(name)!));
    shares.set(name, shares.get(name)! + more);
    left -= more;
  }
  return shares;
};
