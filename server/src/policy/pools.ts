import type { Kind } from './market.ts';
import type { Lane } from './turns.ts';

/** A class of workers with a price and a promise. */
export interface PoolConfig {
  name: string;
  /** May be taken away at any time: `spot`. */
  preemptible: boolean;
  /** Per worker-hour. */
  price: number;
  minimum: number;
  maximum: number;
  /** Queued requests for which one worker is asked. */
  backlogRatio: number;
  /** Seconds from asking for a worker to its first request. */
  startupSeconds: number;
  /** Who starts and ends its workers as the scheduler wants: processes of `sluice start`, a Deployment, or (absent, `none`) somebody else. */
  fleet?: 'local' | 'kubernetes' | 'none';
  /** What a worker of it has: of memory, and on its largest GPU. Absent: not said, so that none counts as larger or smaller. */
  memoryGb?: number;
  gpuMemoryGb?: number;
  /** Share of its workers' room that each lane is sure of while it has work; absent: `defaultLanes`. */
  lanes?: Readonly<Record<Lane, number>>;
}

/** Whoever waits at a screen comes first in any case; the others are not to stand still for it. */
export const defaultLanes: Readonly<Record<Lane, number>> = { interactive: 0, jobs: 0.2, bulk: 0.2 };

/** The same of all pools of a kind, by how many workers each may have. */
export const lanesOf = (pools: readonly PoolConfig[], kind: Kind): Record<Lane, number> => {
  const own = pools.filter((pool) => kindOf(pool) === kind);
  const most = own.reduce((sum, { maximum }) => sum + maximum, 0);
  const share = (lane: Lane): number =>
    most === 0 ? defaultLanes[lane] : own.reduce((sum, { lanes = defaultLanes, maximum }) => sum + (lanes[lane] * maximum) / most, 0);
  return { interactive: share('interactive'), jobs: share('jobs'), bulk: share('bulk') };
};

export const kindOf = ({ preemptible }: Pick<PoolConfig, 'preemptible'>): Kind => (preemptible ? 'spot' : 'dedicated');

/** Where no dedicated pool is configured: the workers of this machine. */
export const localPool: PoolConfig = {
  name: 'dedicated',
  preemptible: false,
  price: 1,
  minimum: 0,
  maximum: 256,
  backlogRatio: 10,
  startupSeconds: 5,
};
