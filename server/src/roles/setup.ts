import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, type Config } from '../config.ts';
import { keepSecret, makeDataDir } from '../db/cluster.ts';
import { addressOf } from '../db/embedded.ts';
import { checkOptions } from '../executors/registry.ts';
import { holderOf } from '../lib/lock.ts';
import type { Logger } from '../lib/log.ts';
import { modelKey } from '../models/models.ts';
import { parseHosts } from '../tables/addresses.ts';
import { parseUpstreams } from '../registry/upstreams.ts';

/** The executors' own options, which the configuration's reader cannot know: it stands outside the rooms. */
export const checkModels = (config: Config): void => {
  const problems = [
    ...config.models.flatMap((model) => checkOptions(model).map((problem) => `${config.file}: model ${modelKey(model)}: ${problem}`)),
    ...parseUpstreams(config.registry.upstreams ?? '').problems.map((problem) => `registry.upstreams: ${problem}`),
    ...parseHosts(config.sources.hosts ?? '').problems.map((problem) => `sources.hosts: ${problem}`),
  ];
  if (problems.length > 0) throw new ConfigError(problems);
};

export const apiKeyFile = (config: Config): string => join(config.dataDir, 'api-key');

/** Where no key is configured, one is made and kept, readable by us alone; printed when it is made, and never again. */
export const withApiKey = async (config: Config): Promise<Config> => {
  if (config.keys.length > 0) return config;
  await makeDataDir(config.dataDir);
  const { value, made } = await keepSecret(apiKeyFile(config), () => `sk-${randomBytes(24).toString('base64url')}`);
  // Straight to the terminal: a log would be collected, and keys do not belong there.
  if (made) process.stderr.write(`\nYour API key, printed this once (it is kept in ${apiKeyFile(config)}):\n\n    ${value}\n\n`);
  return { ...config, keys: [{ key: value, tenant: 'default', user: 'admin', role: 'admin' }] };
};

/** The folder of bodies, closed to others. */
export const storageRoot = async (config: Config): Promise<string> => {
  const root = join(await makeDataDir(config.dataDir), 'storage');
  await mkdir(root, { recursive: true, mode: 0o700 });
  return root;
};

/** For a role that runs apart: the database that is configured, or the embedded one of a Sluice that runs here. */
export const findDatabase = async (config: Config): Promise<string> => {
  if (config.databaseUrl) return config.databaseUrl;
  const running = (await holderOf(config.dataDir)) ? await addressOf(config.dataDir) : null;
  if (!running)
    throw new Error(
      'there is no database: set SLUICE_DATABASE_URL (or database_url in sluice.yaml), or run `sluice start`, which brings one along.',
    );
  return running;
};

/** What is said once by a start that waits for the database. */
export const waiting =
  (log: Logger) =>
  (error: Error): void =>
    log.warn({ reason: error.message }, 'the database cannot be reached yet; waiting for it');

export const version = async (): Promise<string> =>
  (JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version;
