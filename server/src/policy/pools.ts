import type { Kind } from './market.ts';

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
}

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
