import { once } from 'node:events';
import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { isAlive, processesIn } from '../lib/processes.ts';
import type { Logger } from '../lib/log.ts';
import { spawnAs } from './account.ts';
import { makeDataDir, openCluster, type Cluster } from './cluster.ts';

/**
 * Real PostgreSQL as a child process, on 127.0.0.1 only, with a random password.
 *
 * One server to a data directory, always: whatever an earlier, crashed run has left there (a whole server that lost
 * its supervisor; backends that lost their server) is ended first. PostgreSQL itself survives kill -9 at any moment.
 */
export interface Embedded extends AsyncDisposable {
  /** Holds the password: never logged. */
  url: string;
  pid: number;
  /** Resolves when the server has ended, whether asked to or not. */
  ended: Promise<void>;
  stop(): Promise<void>;
}

const MB = 2 ** 20;

const settings = (port: number): Record<string, string | number> => {
  const memory = Math.min(totalmem(), process.constrainedMemory() || Infinity);
  return {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 200,
    shared_buffers: `${Math.round(Math.min(1024, Math.max(256, memory / 8 / MB)))}MB`,
    max_wal_size: '4GB',
    checkpoint_timeout: '15min',
    // A queue's small tables turn over in seconds; the default of a minute never fires in time.
    autovacuum_naptime: '10s',
    synchronous_commit: 'on',
    idle_in_transaction_session_timeout: '60s',
    log_min_messages: 'warning',
    log_checkpoints: 'off',
    log_timezone: 'UTC',
    timezone: 'UTC',
  };
};

/** Milliseconds each way of asking gets: SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one. */
const manners: readonly [NodeJS.Signals, number][] = [
  ['SIGINT', 30_000],
  ['SIGQUIT', 10_000],
  ['SIGKILL', 10_000],
];

const until = async (condition: () => boolean | Promise<boolean>, ms: number): Promise<boolean> => {
  for (const end = Date.now() + ms; !(await condition()); await delay(20)) if (Date.now() > end) return false;
  return true;
};

/** Ends whatever still runs on the cluster. */
const clear = async ({ folder }: Cluster, log: Logger): Promise<void> => {
  const file = join(folder, 'postmaster.pid');
  const written = await readFile(file, 'utf8').catch(() => null);
  const postmaster = written === null ? null : Number.parseInt(written, 10);
  // PostgreSQL's processes all stand in the data directory. Where that cannot be seen, its own file must do.
  const running = (): number[] => processesIn(folder) ?? (postmaster && isAlive(postmaster) ? [postmaster] : []);
  if (running().length > 0) log.warn('a database left by an earlier run is still there; ending it');
  for (const [signal, ms] of manners) {
    const pids = running();
    if (pids.length === 0) break;
    // Backends without their server end by themselves; with it, it ends them.
    const asked = signal === 'SIGKILL' ? pids : pids.filter((pid) => pid === postmaster);
    for (const pid of asked)
      try {
        process.kill(pid, signal);
      } catch {
        // It has just ended.
      }
    await until(() => running().length === 0, ms);
  }
  if (running().length > 0) throw new Error(`processes ${running().join(', ')} hold ${folder} and cannot be ended`);
  // Its number may belong to some other program by now, which PostgreSQL would take for a server.
  if (written !== null) await rm(file, { force: true });
};

const free = async (port: number): Promise<number | null> => {
  const probe = createServer().listen(port, '127.0.0.1');
  try {
    await once(probe, 'listening');
    return (probe.address() as AddressInfo).port;
  } catch {
    return null;
  } finally {
    probe.close();
  }
};

const choosePort = async (file: string): Promise<number> => {
  const kept = Number(await readFile(file, 'utf8').catch(() => '')) || 0;
  const port = (kept && (await free(kept))) || (await free(0))!;
  if (port !== kept) await writeFile(file, String(port));
  return port;
};

/** Opens the log anew when it has grown large; one old one is kept. */
const openLog = async (file: string) => {
  const size = await stat(file).then(
    (s) => s.size,
    () => 0,
  );
  if (size > 10 * MB) await rename(file, `${file}.1`);
  return open(file, 'a', 0o600);
};

const answers = async (url: string): Promise<boolean> => {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch (error) {
    // The server is up and knows another password: waiting will not help.
    if ((error as { code?: string }).code === '28P01')
      throw new Error('the embedded database does not accept its password (the file postgres.password)', { cause: error });
    return false;
  } finally {
    await client.end().catch(() => {});
  }
};

/** Resolves when the database answers. Made in `dataDir` at the first start; under a second after that. */
export const startEmbedded = async ({
  dataDir,
  log,
  durable = true,
}: {
  dataDir: string;
  log: Logger;
  /** False: what is written need not outlive the machine. For tests. */
  durable?: boolean;
}): Promise<Embedded> => {
  const home = await makeDataDir(dataDir);
  const cluster = await openCluster(home);
  await clear(cluster, log);
  for (let attempt = 1; ; attempt++) {
    const port = await choosePort(join(home, 'postgres.port'));
    const server = await launch(cluster, { ...settings(port), ...(!durable && { fsync: 'off' }) }, join(home, 'postgres.log'), log);
    if ('stop' in server) return server;
    // Somebody took the port between our look and its start.
    if (attempt === 5 || !/could not create any TCP|Address already in use/.test(server.failed))
      throw new Error(`the embedded database did not start; ${join(home, 'postgres.log')} says:\n${server.failed}`);
    await rm(join(home, 'postgres.port'), { force: true });
  }
};

/** Where the embedded database of a data directory answers, if it runs; for processes beside the one that started it. */
export const addressOf = async (dataDir: string): Promise<string | null> => {
  const [port, password] = await Promise.all(
    ['port', 'password'].map((name) => readFile(join(dataDir, `postgres.${name}`), 'utf8').catch(() => null)),
  );
  return port && password ? addressAt(Number(port), password.trim()) : null;
};

const addressAt = (port: number, password: string): string => `postgres://sluice:${password}@127.0.0.1:${port}/postgres`;

const launch = async (
  cluster: Cluster,
  given: ReturnType<typeof settings>,
  logFile: string,
  log: Logger,
): Promise<Embedded | { failed: string }> => {
  const output = await openLog(logFile);
  const { size: before } = await output.stat();
  const args = Object.entries(given).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  // A session of its own: Ctrl-C is for the supervisor, which stops the database last.
  const child = spawnAs(cluster.account, cluster.binaries.postgres, ['-D', cluster.folder, ...args], {
    stdio: ['ignore', output.fd, output.fd],
    detached: true,
  });
  const exit = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  await output.close();

  let over = false;
  void exit.then(() => (over = true));
  const url = addressAt(Number(given['port']), cluster.password);
  const since = Date.now();
  let told = false;
  while (!over && !(await answers(url))) {
    // After a crash the log of changes is replayed first, up to 4 GB of it.
    if (Date.now() - since > 5000 && !told) log.info('the embedded database is recovering');
    told = Date.now() - since > 5000;
    await delay(15);
  }
  if (over) return { failed: (await readFile(logFile, 'utf8')).slice(before).trim() };

  const stop = async (): Promise<void> => {
    for (const [signal, ms] of manners) {
      if (over) return;
      child.kill(signal);
      await Promise.race([exit, delay(ms, undefined, { ref: false })]);
    }
  };
  return { url, pid: child.pid!, ended: exit, stop, [Symbol.asyncDispose]: stop };
};
