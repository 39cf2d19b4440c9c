import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ApiKey } from './auth/identity.ts';
import type { DedupSettings } from './policy/dedup.ts';
import { keyText, readDeclared, type Declared } from './declared.ts';
import { messageOf } from './lib/errors.ts';
import { didYouMean } from './lib/suggest.ts';
import type { ModelSpec } from './models/models.ts';
import type { DeclaredRoute } from './models/recommended.ts';
import { localPool, type PoolConfig } from './policy/pools.ts';
import { noQuotas, type Quotas } from './policy/quotas.ts';
import { flagOf, options, parse, pathOf, variableOf, type Option, type Value } from './options.ts';

export interface Limits {
  /** Lines a batch may have. */
  maxLines: number;
  /** Bytes a file may have. */
  maxFileBytes: number;
  /** Bytes a line may have. */
  maxLineBytes: number;
  /** Errors kept in a failed batch's `errors.data`; the whole list is a file. */
  maxErrors: number;
  /** OpenAI's own limits: 50,000 lines, 200 MB, one model a file, window 24h. */
  openai: boolean;
}

export interface Timing {
  /** Seconds a lease lasts without a heartbeat. */
  leaseSeconds: number;
  /** Seconds between two heartbeats. */
  heartbeatSeconds: number;
  /** Milliseconds between two polls while there is work, and the least when there is none. */
  pollMinMs: number;
  pollMaxMs: number;
  /** Seconds between two sweeps for expired leases, deadlines and batches whose events were lost. */
  sweepSeconds: number;
  /** Seconds that requests in flight get to finish after a cancel (mode `stop`). */
  cancelGraceSeconds: number;
  /** Milliseconds after which a chunk settles what it has. */
  settleMs: number;
}

export interface Config {
  /** The `sluice.yaml` that was read; null where there is none. */
  file: string | null;
  host: string;
  port: number;
  /** Of health and metrics in a scheduler or worker that runs apart; 0: none, null: a free one. */
  healthPort: number | null;
  dataDir: string;
  /** Absent: embedded PostgreSQL in the data directory. */
  databaseUrl: string | null;
  keys: readonly ApiKey[];
  models: readonly ModelSpec[];
  /** Models recommended for targets, for every tenant. */
  routes: readonly DeclaredRoute[];
  limits: Limits;
  timing: Timing;
  worker: {
    pool: string;
    /** Seconds that requests in flight get when it is told to stop. */
    noticeSeconds: number;
    /** A file whose coming is such a notice; null: none is watched for. */
    noticeFile: string | null;
    /** It ends when nothing is left to do. */
    once: boolean;
    /** Chunks one worker holds at once. */
    chunks: number;
    /** Bytes of memory its models may hold together. */
    modelMemory: number;
    /** Bytes of memory and GPUs it has for requests that declare what they need; null: what the machine has, and none. */
    memory?: number | null;
    gpus?: number | null;
    /** It vets uploaded model files too. */
    vetting?: boolean;
  };
  /** The pools that workers belong to; at least one of them is dedicated. */
  pools: readonly PoolConfig[];
  /** What users, tenants and all of them may hold at once. */
  quotas: Quotas;
  schedule: {
    mode: 'balanced' | 'cautious' | 'dedicated_only' | 'spot_only';
    order: 'fair' | 'strict_priority';
    admission: 'refuse' | 'flag' | 'off';
  };
  registry: {
    /** Bytes a model's file may have. */
    maxBytes: number;
    /** Addresses that models registered through the API may be served from. */
    upstreams: string | null;
  };
  /** Where inputs named by a URL may be fetched from. */
  sources: {
    /** Hosts and ranges of addresses that may be asked although they are private; null: none. */
    hosts: string | null;
    /** Null: Amazon's own. */
    s3Endpoint: string | null;
    s3Region: string | null;
    /** Null: as the environment of the process has them. */
    s3AccessKey: string | null;
    s3SecretKey: string | null;
    /** What may be read; null: nothing. */
    s3Buckets: string | null;
  };
  /** Where pools with `fleet: kubernetes` are. */
  kubernetes: {
    url: string;
    /** Null: that of the service account. */
    namespace: string | null;
    /** Name of a pool's Deployment; `{pool}` stands for the pool. */
    deployment: string;
    tokenFile: string;
  };
  /** Shares answers between processes; null: each has its own. */
  redisUrl: string | null;
  /** Where screens become runs of an experiment; null: nowhere. */
  tracking: { mlflowUrl: string | null; experiment: string; token: string | null; publicUrl: string | null };
  /** Bytes a request of the Open Inference Protocol may have. */
  oip: { maxBytes: number };
  /** Answers to single requests. */
  cache: { maxBytes: number; ttlSeconds: number; scope: 'user' | 'tenant' };
  /** Bytes of disk for features of molecules; 0: none are kept. */
  chemistry: { featuresBytes: number };
  /** Worker processes that role `all` starts, unless a pool's fleet is local. */
  workers: number;
  /** Predictions at once. */
  predict: {
    /** Bytes that the processes of models may hold together. */
    memory: number;
    /** Rows that may wait for one model. */
    queueRows: number;
    /** Milliseconds for which rows wait for others to share a run with. */
    delayMs: number;
    /** Milliseconds after which an answer is of no use, unless the request says. */
    timeoutMs: number;
    /** What is kept of them, and for how many days, of models that do not say. */
    records: 'none' | 'meta' | 'full';
    recordDays: number;
  };
  /** What pages are told. */
  portal: { name: string; sessionHours: number; liveMaxHz: number; grafanaUrl: string | null };
  /** Days after which ended jobs are deleted; 0: never. */
  jobRetentionDays: number;
  retry: { maxAttempts: number; baseMs: number; capMs: number };
  /** Which requests share an answer. */
  dedup: DedupSettings;
  log: { level: string; pretty: boolean };
}

/** What is wrong with the configuration, all of it. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `the configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map((p) => `  ${p}`).join('\n')}`,
    );
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

export type Flags = Readonly<Record<string, Value>>;
export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that are the command line's or the tests', not options. */
const otherVariables = ['SLUICE_CONFIG', 'SLUICE_URL'];
const foreign = /^SLUICE_(TEST|BENCH)_/;
/** Kubernetes tells every pod about a Service named `sluice` in variables like these, `SLUICE_PORT=tcp://10.0.0.7:8080` among them. */
const isServiceLink = (name: string, value: string): boolean =>
  /^SLUICE_(\w+_)?(SERVICE_(HOST|PORT)(_\w+)?|PORT(_\d+_(TCP|UDP)(_\w+)?)?)$/.test(name) &&
  (/^(tcp|udp):/.test(value) || !/^SLUICE_PORT$/.test(name)) &&
  name !== 'SLUICE_HEALTH_PORT';

/** What each source says of each option, the strongest first. */
type Sources = (option: Option) => { raw: unknown; where: string; relativeTo: string } | undefined;

const sources = (flags: Flags, env: Environment, cwd: string, declared: Declared | null, report: (problem: string) => void): Sources => {
  const secretFile = (variable: string): string | undefined => {
    const file = env[`${variable}_FILE`];
    if (!file) return undefined;
    try {
      return readFileSync(resolve(cwd, file), 'utf8').trim();
    } catch (error) {
      report(`${variable}_FILE: cannot be read: ${messageOf(error)}.`);
      return undefined;
    }
  };
  return (option) => {
    const variable = variableOf(option);
    const flag = [flagOf(option), option.alias].find((name) => name !== undefined && flags[name] !== undefined);
    if (flag) return { raw: flags[flag], where: `--${flag}`, relativeTo: cwd };
    const value = env[variable];
    if (value && !isServiceLink(variable, value)) {
      if (option.secret && env[`${variable}_FILE`]) report(`${variable} and ${variable}_FILE are both set; unset one of them.`);
      return { raw: value, where: variable, relativeTo: cwd };
    }
    const secret = option.secret ? secretFile(variable) : undefined;
    if (secret !== undefined) return { raw: secret, where: `${variable}_FILE`, relativeTo: cwd };
    const found = declared?.values.get(option.key);
    return found && declared ? { ...found, relativeTo: declared.folder } : undefined;
  };
};

/**
 * The configuration: a flag is stronger than the environment, that than `sluice.yaml`, that than the default.
 * Throws a `ConfigError` that names every problem at once. Executors' own options are checked in `roles`.
 */
export const loadConfig = ({
  flags = {},
  env = process.env,
  cwd = process.cwd(),
}: { flags?: Flags; env?: Environment; cwd?: string } = {}): Config => {
  const problems: string[] = [];
  const report = (problem: string): void => void problems.push(problem);

  const named = (flags['config'] ?? env['SLUICE_CONFIG']) || undefined;
  const file = named
    ? resolve(cwd, String(named))
    : ['sluice.yaml', 'sluice.yml'].map((name) => resolve(cwd, name)).find((f) => existsSync(f));
  const declared = file ? readDeclared(file, report) : null;

  const flagNames = ['config', ...options.flatMap((o) => [flagOf(o), ...(o.alias ? [o.alias] : [])])];
  for (const name of Object.keys(flags))
    if (!flagNames.includes(name))
      report(
        `unknown flag --${name}.${didYouMean(
          `--${name}`,
          flagNames.map((f) => `--${f}`),
        )}`,
      );
  const variables = [...otherVariables, ...options.flatMap((o) => [variableOf(o), ...(o.secret ? [`${variableOf(o)}_FILE`] : [])])];
  for (const [name, value] of Object.entries(env))
    if (name.startsWith('SLUICE_') && !variables.includes(name) && !foreign.test(name) && !isServiceLink(name, value ?? ''))
      report(`unknown variable ${name} in the environment.${didYouMean(name, variables)}`);

  const config: Record<string, unknown> = {};
  const find = sources(flags, env, cwd, declared, report);
  let apiKey: string | null = null;
  const said = new Set<string>();
  for (const option of options) {
    const found = find(option);
    if (found) said.add(option.key);
    const parsed = found ? parse(option, found.raw) : { value: option.default };
    if ('problem' in parsed) {
      report(`${found!.where}: ${option.key} ${parsed.problem}${option.secret ? '' : `, not ${JSON.stringify(found!.raw)}`}.`);
      continue;
    }
    const value = option.kind === 'path' ? resolve(found?.relativeTo ?? cwd, String(parsed.value)) : parsed.value;
    if (option.key === 'api_key') apiKey = value as string | null;
    else set(config, pathOf(option), value);
  }
  const result = config as unknown as Config;
  result.file = file ?? null;
  result.log.pretty ??= process.stderr.isTTY;
  result.keys = [
    ...(apiKey === null ? [] : [{ key: apiKey, tenant: 'default', user: 'admin', role: 'admin' as const }]),
    ...(declared?.keys ?? []),
  ];
  result.models = declared?.models ?? [];
  result.routes = declared?.routes ?? [];
  result.quotas = declared?.quotas ?? noQuotas;
  const pools = declared?.pools ?? [];
  result.pools = pools.some((pool) => !pool.preemptible) ? pools : [localPool, ...pools];
  if (!said.has('worker.pool') && !result.pools.some(({ name }) => name === result.worker.pool))
    result.worker.pool = result.pools.find((pool) => !pool.preemptible)!.name;
  if (problems.length === 0) problems.push(...contradictions(result, apiKey));
  if (problems.length > 0) throw new ConfigError(problems);
  return freeze(result);
};

/** What is wrong only together. */
const contradictions = ({ timing, retry, keys, databaseUrl, worker, pools, redisUrl, portal }: Config, apiKey: string | null): string[] => [
  ...(timing.heartbeatSeconds * 2 > timing.leaseSeconds
    ? ['timing.heartbeat_seconds must be at most half of timing.lease_seconds, or one late heartbeat loses every lease.']
    : []),
  ...(timing.pollMinMs > timing.pollMaxMs ? ['timing.poll_min_ms must not be above timing.poll_max_ms.'] : []),
  ...(retry.baseMs > retry.capMs ? ['retry.base_ms must not be above retry.cap_ms.'] : []),
  ...(pools.some(({ name }) => name === worker.pool)
    ? []
    : [`worker.pool must be one of the pools: ${pools.map(({ name }) => name).join(', ')}.`]),
  ...(new Set(pools.map(({ name }) => name)).size === pools.length ? [] : ['pools: two entries have the same name.']),
  ...(apiKey === null || keyText.test(apiKey) ? [] : ['api_key must be text of visible ASCII characters, without spaces.']),
  ...(new Set(keys.map(({ key }) => key)).size === keys.length ? [] : ['keys: two entries have the same key.']),
  ...(redisUrl === null || (/^rediss?:\/\//.test(redisUrl) && URL.canParse(redisUrl))
    ? []
    : ['redis_url must look like redis://host:6379 or rediss://user:password@host:6379/0.']),
  ...(portal.grafanaUrl === null || (/^https?:\/\//.test(portal.grafanaUrl) && URL.canParse(portal.grafanaUrl))
    ? []
    : ['portal.grafana_url must look like https://grafana.example.org.']),
  ...(databaseUrl === null || (/^postgres(ql)?:\/\//.test(databaseUrl) && URL.canParse(databaseUrl))
    ? []
    : ['database_url must look like postgres://user:password@host:5432/name.']),
];

const set = (target: Record<string, unknown>, [head, ...rest]: string[], value: unknown): void => {
  if (rest.length === 0) target[head!] = value;
  else set((target[head!] ??= {}) as Record<string, unknown>, rest, value);
};

const freeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(freeze);
    Object.freeze(value);
  }
  return value;
};

/** The configuration as it may be shown: keys, passwords and upstream keys are replaced. */
export const describeConfig = (config: Config): Record<string, unknown> => ({
  ...config,
  databaseUrl: config.databaseUrl?.replace(/\/\/[^@/]*@/, '//[redacted]@') ?? null,
  redisUrl: config.redisUrl?.replace(/\/\/[^@/]*@/, '//[redacted]@') ?? null,
  tracking: { ...config.tracking, token: config.tracking.token === null ? null : '[redacted]' },
  keys: config.keys.map((key) => ({ ...key, key: '[redacted]' })),
  sources: {
    ...config.sources,
    s3AccessKey: config.sources.s3AccessKey && '[redacted]',
    s3SecretKey: config.sources.s3SecretKey && '[redacted]',
  },
  models: config.models.map((model) => ({
    ...model,
    options: Object.fromEntries(
      Object.entries(model.options).map(([name, value]) => [name, /(^|_)(key|token|secret|password)$/.test(name) ? '[redacted]' : value]),
    ),
  })),
});
