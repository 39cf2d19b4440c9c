import { access, constants, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { dirname } from 'node:path';
import pg from 'pg';
import { ConfigError, type Config } from '../config.ts';
import { makeDataDir } from '../db/cluster.ts';
import { addressOf } from '../db/embedded.ts';
import { migrations } from '../db/migrate.ts';
import { checkOptions, pathOptions } from '../executors/registry.ts';
import { messageOf } from '../lib/errors.ts';
import { holderOf } from '../lib/lock.ts';
import { modelKey } from '../models/models.ts';
import { openDisk } from '../storage/disk.ts';
import { storageRoot } from './setup.ts';

/** One thing looked at. `todo` says what to do; null where nothing is wrong. */
export interface Check {
  name: string;
  ok: boolean;
  found: string;
  todo: string | null;
}

const good = (name: string, found: string): Check => ({ name, ok: true, found, todo: null });
const bad = (name: string, found: string, todo: string): Check => ({ name, ok: false, found, todo });

const leastNode = 24;
/** Below this a batch of any size fills the disk. */
const leastFree = 1e9;

const node = (): Check => {
  const major = Number.parseInt(process.versions.node, 10);
  return major >= leastNode
    ? good('node', process.version)
    : bad(
        'node',
        process.version,
        `Node ${leastNode} or newer is needed: start through npm, which uses the one this project brings along.`,
      );
};

const dataDir = async (config: Config): Promise<Check> => {
  try {
    await makeDataDir(config.dataDir);
    await access(config.dataDir, constants.W_OK | constants.X_OK);
  } catch (error) {
    return bad(
      'data directory',
      messageOf(error),
      'Give it to the user Sluice runs as, or choose another one: --data-dir, SLUICE_DATA_DIR.',
    );
  }
  const { bavail, bsize } = await statfs(config.dataDir);
  const free = `${((bavail * bsize) / 1e9).toFixed(1)} GB free in ${config.dataDir}`;
  return bavail * bsize < leastFree
    ? bad('data directory', free, 'Free some space: delete finished batches or files nobody needs.')
    : good('data directory', free);
};

const storage = async (config: Config): Promise<Check> => {
  try {
    const disk = await openDisk(await storageRoot(config));
    await disk.check();
    return good('storage', `${disk.root} can be written`);
  } catch (error) {
    return bad(
      'storage',
      messageOf(error),
      'Give the folder `storage` of the data directory to the user Sluice runs as, and see that the disk is not full.',
    );
  }
};

const database = async (url: string | null): Promise<Check> => {
  if (!url) return good('database', 'embedded; it starts with `sluice start`');
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => {});
  try {
    await client.connect();
    const version = Number((await client.query<{ v: string }>("select current_setting('server_version_num') as v")).rows[0]!.v);
    const exists = (await client.query<{ t: string | null }>("select to_regclass('migrations')::text as t")).rows[0]!.t !== null;
    const done = exists ? (await client.query<{ n: number }>('select count(*)::int as n from migrations')).rows[0]!.n : 0;
    const known = (await migrations()).length;
    const name = `PostgreSQL ${Math.floor(version / 10_000)}`;
    if (version < 150_000) return bad('database', `${name} is too old`, 'Use PostgreSQL 15 or newer.');
    if (done < known) return bad('database', `${name}, ${known - done} migrations have not been run`, 'Run `sluice migrate`.');
    if (done > known) return bad('database', `${name}, migrated by a newer Sluice`, 'Start the newer one.');
    return good('database', `${name}, up to date`);
  } catch (error) {
    return bad('database', messageOf(error), 'See that it runs, and that SLUICE_DATABASE_URL has its host, port, user and password.');
  } finally {
    await client.end().catch(() => {});
  }
};

const port = async ({ host, port }: Config): Promise<Check> => {
  const server = createServer().listen(port, host);
  try {
    await once(server, 'listening');
    return good('port', `${port} of ${host} is free`);
  } catch (error) {
    return bad(
      'port',
      `${port} of ${host}: ${messageOf(error)}`,
      'Stop the program that has it, or choose another one: --port, SLUICE_PORT.',
    );
  } finally {
    server.close();
  }
};

const models = async (config: Config): Promise<Check[]> =>
  Promise.all(
    config.models.map(async (model): Promise<Check> => {
      const name = `model ${modelKey(model)}`;
      const problems = checkOptions(model);
      if (problems.length > 0) return bad(name, problems.join(' '), `Mend its options in ${config.file}.`);
      for (const [option, kind] of Object.entries(pathOptions(model.executor))) {
        const file = model.options[option];
        if (typeof file !== 'string') continue;
        const found = await stat(file).then(
          (s) => (kind === 'folder' ? s.isDirectory() : s.isFile()),
          () => false,
        );
        if (!found)
          return bad(
            name,
            `there is no ${kind} ${file}`,
            `Mend its ${option} in ${config.file}; it is relative to ${dirname(config.file ?? '.')}.`,
          );
      }
      return good(name, model.executor);
    }),
  );

/** What is wrong with this installation, as seen from this machine. `load` reads the configuration. */
export const checkInstallation = async (load: () => Config): Promise<Check[]> => {
  let config: Config;
  try {
    config = load();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [node(), ...error.problems.map((problem) => bad('configuration', problem, 'See docs/configuration.md.'))];
  }
  const folder = await dataDir(config);
  const checks = [node(), good('configuration', config.file ?? 'defaults; there is no sluice.yaml'), folder];
  if (folder.ok) {
    const holder = await holderOf(config.dataDir);
    checks.push(
      holder ? good('running', `process ${holder.pid} since ${holder.since}${holder.url ? `, at ${holder.url}` : ''}`) : await port(config),
      await storage(config),
      await database(config.databaseUrl ?? (holder ? await addressOf(config.dataDir) : null)),
    );
  }
  return [...checks, ...(await models(config))];
};
