import { setFlagsFromString } from 'node:v8';
import type { Config } from '../config.ts';
import { openPool, whenReachable, type Pool } from '../db/db.ts';
import { Listener, type Channel } from '../db/listen.ts';
import { sql } from '../db/sql.ts';
import { migrations } from '../db/migrate.ts';
import { messageOf } from '../lib/errors.ts';
import { createLogger, type Logger } from '../lib/log.ts';
import { Models } from '../models/models.ts';
import { registrySource } from '../registry/snapshot.ts';
import { ModelWatch } from '../registry/watch.ts';
import { openDisk, type Disk } from '../storage/disk.ts';
import { healthServer, type Health } from '../telemetry/health.ts';
import { createMetrics, figuresOf, render, type Metrics, type Source } from '../telemetry/metrics.ts';
import { openLink, type Link } from './link.ts';
import { checkModels, findDatabase, storageRoot, version, waiting, withApiKey } from './setup.ts';
import { aborted, endOnSurprise, stopSignal } from './signals.ts';

export type RoleName = 'api' | 'scheduler' | 'worker';

/** What every role is built from. */
export interface Parts {
  config: Config;
  db: Pool;
  storage: Disk;
  models: Models;
  listener: Listener;
  log: Logger;
  metrics: Metrics;
  health: Health;
}

export interface Running {
  /** Resolves when it has nothing more to do, and the process should end by itself. */
  ended?: Promise<void>;
  /** Where it serves, if it does. */
  url?: string;
  stop(): Promise<void>;
}

export interface Role {
  name: RoleName;
  /** What its listener listens on. */
  channels: Channel[];
  /** Connections to the database it may open. */
  connections: number;
  /** Milliseconds a statement may take, where a lease (in milliseconds) hangs on it; absent: as a client would wait. */
  statementTimeout?: (lease: number) => number;
  /** Its statements find their rows by indexes (`PoolOptions.indexed`). */
  indexed?: boolean;
  /** Serves health and metrics by itself. */
  serves: boolean;
  start(parts: Parts): Promise<Running>;
}

/** The database answers and has every table this program knows of. */
const checkDatabase = async (db: Pool): Promise<void> => {
  const known = (await migrations()).length;
  const { done } = await db.one<{ done: number }>(sql`select count(*)::int as done from migrations`);
  if (done < known) throw new Error(`${known - done} migrations have not been run: \`sluice migrate\``);
};

/** Runs a role as this process, by itself or under the supervisor, until it is told to stop. Returns the exit code. */
export const runRole = async (role: Role, { supervised, load }: { supervised: boolean; load: () => Config }): Promise<number> => {
  // The space for young objects stays at the few MB it begins with. What passes through here dies at once, so a larger
  // one collects no faster, and V8 would let it grow to 100 MB in every process.
  setFlagsFromString('--semi-space-growth-factor=1');
  const signal = stopSignal({ supervised });
  const link = supervised ? await openLink() : null;
  const given = link?.config ?? load();
  checkModels(given);
  const log = createLogger({ ...given.log, base: { role: link?.name ?? role.name } });
  endOnSurprise(log);
  const stop = AbortSignal.any(link ? [signal, link.stop] : [signal]);
  // Told before what is open is closed, which may take its time or fail as well.
  const failed = (error: unknown): number => {
    log.fatal(explain(error, given));
    return 1;
  };
  try {
    await using open = new AsyncDisposableStack();
    const code = await serve(role, given, { log, stop, link, open }).catch(failed);
    if (code !== 0) return code;
  } catch (error) {
    return failed(error);
  }
  log.info('stopped');
  return 0;
};

/** Starts the role, and stops it when it is told to or has come to its end. */
const serve = async (
  role: Role,
  given: Config,
  { log, stop, link, open }: { log: Logger; stop: AbortSignal; link: Link | null; open: AsyncDisposableStack },
): Promise<number> => {
  const parts = await openParts(role, given, log, stop, link, open);
  const running = await role.start(parts);
  const { host, healthPort } = parts.config;
  if (!role.serves && !link && healthPort !== 0) {
    const server = open.use(await healthServer({ host, port: healthPort ?? 0, health: parts.health }));
    log.info(`health and metrics at ${server.url}`);
  }
  link?.ready(running.url ?? null);
  log.info(running.url ? `ready at ${running.url}` : 'ready');
  await Promise.race([aborted(stop), ...(running.ended ? [running.ended] : [])]);
  log.info('stopping');
  await running.stop();
  return 0;
};

const openParts = async (
  role: Role,
  given: Config,
  log: Logger,
  stop: AbortSignal,
  link: Link | null,
  open: AsyncDisposableStack,
): Promise<Parts> => {
  const name = link?.name ?? role.name;
  const databaseUrl = await findDatabase(given);
  const config: Config = { ...(role.name === 'api' ? await withApiKey(given) : given), databaseUrl };
  const metrics = createMetrics({ version: await version(), role: role.name });
  const db = open.use(
    openPool({
      url: databaseUrl,
      name,
      max: role.connections,
      indexed: role.indexed ?? false,
      ...(role.statementTimeout && { statementTimeout: role.statementTimeout(given.timing.leaseSeconds * 1_000) }),
      onError: (error) => log.warn(`a connection to the database was lost: ${error.message}`),
    }),
  );
  await whenReachable(() => db.one(sql`select 1`), { onWait: waiting(log), stop });
  const storage = await openDisk(await storageRoot(config));
  const listener = open.use(new Listener(databaseUrl, role.channels));
  listener.on('lost', (error) => log.warn(`the listening connection was lost: ${error.message}`));
  await listener.start();
  const models = new Models(config.models, registrySource(db));
  await open.use(new ModelWatch({ models, listener, log })).start();

  const source = async (): Promise<Source> => ({ role: role.name, process: name, figures: await figuresOf(metrics) });
  link?.onMeasure(() => figuresOf(metrics));
  const health: Health = {
    dependencies: [
      { name: 'database', check: () => checkDatabase(db) },
      { name: 'storage', check: () => storage.check() },
    ],
    stopping: stop,
    metrics: async () => render([await source(), ...(role.serves && link ? await link.others() : [])]),
  };
  return { config, db, storage, models, listener, log, metrics, health };
};

/** The words of a failed start, with what to do about the usual ones. */
export const explain = (error: unknown, config: Pick<Config, 'host' | 'port'>): string => {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (code === 'EADDRINUSE')
    return `port ${config.port} of ${config.host} is in use by another program; choose another with --port or SLUICE_PORT.`;
  if (code === 'EACCES' && (error as NodeJS.ErrnoException).syscall === 'listen')
    return `port ${config.port} is not ours to use; choose one above 1023.`;
  if (code === 'EADDRNOTAVAIL') return `${config.host} is no address of this machine; change --host or SLUICE_HOST.`;
  return messageOf(error);
};
