import type { PoolConfig } from './pools.ts';

/** What a request ran out of. */
export const memories = ['memory', 'gpu_memory'] as const;
export type Memory = (typeof memories)[number];

type Sized = Pick<PoolConfig, 'name' | 'memoryGb' | 'gpuMemoryGb'>;

const gigabytes = ({ memoryGb, gpuMemoryGb }: Sized, memory: Memory): number | null =>
  (memory === 'memory' ? memoryGb : gpuMemoryGb) ?? null;

/**
 * Where a request may fit that ran out of memory: of the pools with more of it, the one with the least. Null where there
 * is none, or where it is not known how much the pool has that it ran in: another might be smaller.
 *
 * @param ran name of the pool it ran in
 */
export const larger = <P extends Sized>(pools: readonly P[], ran: string, memory: Memory): P | null => {
  const own = pools.find(({ name }) => name === ran);
  const had = own === undefined ? null : gigabytes(own, memory);
  if (had === null) return null;
  let best: { pool: P; has: number } | null = null;
  for (const pool of pools) {
    const has = gigabytes(pool, memory);
    if (has !== null && has > had && (best === null || has < best.has)) best = { pool, has };
  }
  return best?.pool ?? null;
};

/** A way from a pool to a larger one, as the rows of requests that wait are held against it. */
export interface Way {
  ran: string;
  memory: Memory;
  to: string;
  /** In words, for whoever looks at a request. */
  reason: string;
}

/** Every way there is between these pools. */
export const ways = (pools: readonly Sized[]): Way[] =>
  pools.flatMap((own) =>
    memories.flatMap((memory): Way[] => {
      const to = larger(pools, own.name, memory);
      if (to === null) return [];
      const what = memory === 'memory' ? 'memory' : 'GPU memory';
      const reason = `it ran out of ${what} in ${own.name}, which has ${gigabytes(own, memory)} GB; ${to.name} has ${gigabytes(to, memory)} GB`;
      return [{ ran: own.name, memory, to: to.name, reason }];
    }),
  );
