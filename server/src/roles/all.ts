import type { Config } from '../config.ts';
import { whenReachable } from '../db/db.ts';
import { migrate } from '../db/migrate.ts';
import { makeDataDir } from '../db/cluster.ts';
import { startEmbedded, type Embedded } from '../db/embedded.ts';
import { backoff } from '../lib/backoff.ts';
import { messageOf } from '../lib/errors.ts';
import { lockDataDir } from '../lib/lock.ts';
import { createLogger, type Logger } from '../lib/log.ts';
import { Child } from './child.ts';
import { keepLocalFleet } from './local-fleet.ts';
import { explain } from './role.ts';
import { checkModels, storageRoot, waiting, withApiKey } from './setup.ts';
import { aborted, endOnSurprise, stopSignal } from './signals.ts';

/**
 * Everything on one machine: a small supervisor that holds the data directory, runs the embedded database, and keeps
 * one child process per role alive. It stops in the order in which work flows: the API takes nothing more, the workers
 * finish what runs, the scheduler writes it down, the database comes last.
 *
 * When it is killed, its children notice that the channel is gone and stop; the database they leave is ended by the
 * next start.
 */
export const runAll = async (load: () => Config): Promise<number> => {
  const began = performance.now();
  const children: Child[] = [];
  const stop = stopSignal({ force: () => children.forEach((child) => child.kill()) });
  const given = load();
  checkModels(given);
  const log = createLogger({ ...given.log, base: { role: 'sluice' } });
  endOnSurprise(log);
  try {
    await using open = new AsyncDisposableStack();
    const dataDir = await makeDataDir(given.dataDir);
    const lock = open.use(await lockDataDir(dataDir));
    await storageRoot(given);
    const keyed = await withApiKey(given);
    const database = given.databaseUrl
      ? { url: given.databaseUrl }
      : open.use(await keepEmbedded(dataDir, log, () => children.forEach((child) => child.kill())));
    const run = await whenReachable(() => migrate(database.url), { onWait: waiting(log), stop });
    if (run.length > 0) log.info({ migrations: run }, 'the database is up to date');

    const make = (
      role: 'api' | 'scheduler' | 'worker',
      name: string = role,
      { pool = keyed.worker.pool, onEnd }: { pool?: string; onEnd?: (child: Child) => void } = {},
    ): Child => {
      const child: Child = new Child({
        role,
        name,
        log,
        config: () => ({ ...keyed, worker: { ...keyed.worker, pool }, databaseUrl: database.url }),
        ...(onEnd && {
          onEnd: () => {
            children.splice(children.indexOf(child), 1);
            onEnd(child);
          },
        }),
        others: async (asking) =>
          (await Promise.all(children.filter((c) => c.name !== asking).map((c) => c.measure()))).filter((s) => s !== null),
      });
      children.push(child);
      return child;
    };
    const scheduler = open.use(make('scheduler'));
    const local = given.pools.filter((pool) => pool.fleet === 'local');
    const count = local.length > 0 ? 0 : given.workers;
    const workers = Array.from({ length: count }, (_, i) => make('worker', count === 1 ? 'worker' : `worker-${i + 1}`));
    open.defer(async () => void (await Promise.all(workers.map((worker) => worker.stop()))));
    const api = open.use(make('api'));

    const starting = Promise.all(children.map((child) => child.start()));
    const urls = await Promise.race([starting, aborted(stop).then(() => null)]);
    if (urls) {
      if (local.length > 0) open.use(keepLocalFleet(given, local, () => database.url, make, log));
      const url = urls.at(-1)!;
      await lock.announce(url);
      log.info(`Sluice is ready at ${url} after ${((performance.now() - began) / 1000).toFixed(1)} s (API: ${url}/docs, data: ${dataDir})`);
      await aborted(stop);
    } else starting.catch(() => {});
    log.info('stopping');
    void api;
    void scheduler;
  } catch (error) {
    log.fatal(explain(error, given));
    return 1;
  }
  log.info('stopped');
  return 0;
};

/** The embedded database, started again when it dies; `moved` is called when it then has another address. */
const keepEmbedded = async (dataDir: string, log: Logger, moved: () => void): Promise<{ readonly url: string } & AsyncDisposable> => {
  let server: Embedded = await startEmbedded({ dataDir, log });
  let stopping = false;
  let deaths = 0;
  const watch = async (): Promise<void> => {
    while (!stopping) {
      await server.ended;
      if (stopping) return;
      log.error('the embedded database ended; starting it again');
      const { url } = server;
      try {
        server = await startEmbedded({ dataDir, log });
        deaths = 0;
        log.info('the embedded database answers again');
        if (server.url !== url) moved();
      } catch (error) {
        const pause = backoff(++deaths, { base: 500, cap: 15_000 });
        log.error({ reason: messageOf(error), again_in_ms: Math.round(pause) }, 'the embedded database does not start');
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  };
  const watching = watch();
  return {
    get url() {
      return server.url;
    },
    async [Symbol.asyncDispose]() {
      stopping = true;
      await server.stop();
      await watching;
      await server.stop();
    },
  };
};
