import { hostname } from 'node:os';
import type { Config } from '../config.ts';
import { openPool, type Pool } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { Autoscaler } from '../fleet/autoscaler.ts';
import { LocalFleet } from '../fleet/local.ts';
import type { Logger } from '../lib/log.ts';
import type { PoolConfig } from '../policy/pools.ts';
import type { Child } from './child.ts';

type Make = (role: 'worker', name: string, options: { pool: string; onEnd: (child: Child) => void }) => Child;

/** Chunks that the workers of this machine hold, by process. */
export const heldHere = async (db: Pool): Promise<Map<number, number>> => {
  const rows = await db.many<{ pid: number; held: number }>(sql`
    select w.pid, count(c.id)::int as held from workers w left join chunks c on c.worker_id = w.id and c.state = 'leased'
    where w.host = ${hostname()} and w.state <> 'stopped' group by 1`);
  return new Map(rows.map(({ pid, held }) => [pid, held]));
};

/** Starts and ends worker processes of this supervisor as the scheduler wants them, for the pools whose fleet is local. */
export const keepLocalFleet = (
  config: Config,
  pools: readonly PoolConfig[],
  databaseUrl: () => string,
  make: Make,
  log: Logger,
): AsyncDisposable => {
  // The embedded database may come back at another address.
  let opened: { url: string; db: Pool } | null = null;
  const db = (): Pool => {
    const url = databaseUrl();
    if (opened?.url === url) return opened.db;
    void opened?.db.end().catch(() => {});
    const pool = openPool({
      url,
      name: 'autoscaler',
      max: 1,
      onError: (error) => log.warn(`the autoscaler lost its connection: ${error.message}`),
    });
    opened = { url, db: pool };
    return pool;
  };
  const fleet = new LocalFleet({
    spawn: (pool, name) => {
      const { promise: ended, resolve } = Promise.withResolvers<void>();
      const child = make('worker', name, { pool, onEnd: () => resolve() });
      const ready = child.start();
      ready.catch(() => {});
      return {
        get pid() {
          return child.pid;
        },
        ready,
        ended,
        stop: () => void child.stop(),
      };
    },
    heldBy: () => heldHere(db()),
    onDeath: (name) => log.warn({ child: name }, 'a worker ended; another is started if it is wanted'),
  });
  const scaling = new Autoscaler({
    db,
    fleets: new Map(pools.map(({ name }) => [name, fleet])),
    log,
    everySeconds: config.timing.sweepSeconds,
    // A process is quick to start: what the policy holds is enough, and a little more against the edges of rounds.
    holdSeconds: 2 * config.timing.sweepSeconds,
  });
  scaling.start();
  return {
    async [Symbol.asyncDispose]() {
      await scaling.stop();
      await fleet[Symbol.asyncDispose]();
      await opened?.db.end();
    },
  };
};
