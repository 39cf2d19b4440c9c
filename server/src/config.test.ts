import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigError, describeConfig, loadConfig, type Environment, type Flags } from './config.ts';
import { paths } from './declared.ts';
import { pathOptions } from './executors/registry.ts';
import { executorEndpoints, type ExecutorName } from './models/models.ts';
import { flagOf, options, variableOf } from './options.ts';

const folder = (yaml?: string): string => {
  const cwd = mkdtempSync(join(tmpdir(), 'sluice-config-'));
  if (yaml !== undefined) writeFileSync(join(cwd, 'sluice.yaml'), yaml);
  return cwd;
};

const problems = (yaml: string | undefined, env: Environment = {}, flags: Flags = {}): string[] => {
  const cwd = folder(yaml);
  try {
    loadConfig({ cwd, env, flags });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((p) => p.replace(`${cwd}/`, ''));
    throw error;
  }
  return [];
};

test('the defaults', () => {
  const cwd = folder();
  const config = loadConfig({ cwd, env: {} });
  expect(config).toMatchObject({
    host: '127.0.0.1',
    port: 8080,
    dataDir: join(cwd, '.sluice'),
    databaseUrl: null,
    keys: [],
    models: [],
    limits: { maxLines: 10_000_000, maxFileBytes: 50e9, maxLineBytes: 16e6, maxErrors: 1000, openai: false },
    timing: { leaseSeconds: 30, heartbeatSeconds: 5, pollMinMs: 250, pollMaxMs: 10_000, sweepSeconds: 5, settleMs: 1500 },
    worker: { pool: 'dedicated', chunks: 2 },
    workers: 1,
    retry: { maxAttempts: 4, baseMs: 500, capMs: 60_000 },
  });
  expect(() => (config.limits.maxLines = 1)).toThrow(TypeError);
});

test('a flag beats the environment, that the file, that the default', () => {
  const cwd = folder('port: 1001\nhost: 0.0.0.0\nlimits: {max_lines: 11, max_errors: 12}\ndata_dir: d');
  const env = { SLUICE_PORT: '1002', SLUICE_LIMITS__MAX_LINES: '22', SLUICE_LIMITS__OPENAI: 'yes' };
  const config = loadConfig({ cwd, env, flags: { port: '1003' } });
  expect(config).toMatchObject({
    port: 1003,
    host: '0.0.0.0',
    dataDir: join(cwd, 'd'),
    limits: { maxLines: 22, maxErrors: 12, openai: true },
  });
  expect(loadConfig({ cwd, env }).port).toBe(1002);
  expect(loadConfig({ cwd, env: {} }).port).toBe(1001);
});

test('every option can be set by flag and by variable', () => {
  for (const option of options.filter((o) => o.key !== 'data_dir' && o.key !== 'api_key')) {
    const samples: Record<string, string> = {
      database_url: 'postgres://a@b/c',
      redis_url: 'redis://host:6379',
      'portal.grafana_url': 'https://grafana.lab',
    };
    const text = samples[option.key] ?? { bytes: '1GB', integer: '9090' }[option.kind as string] ?? 'true';
    const raw = option.default === null || option.kind === 'flag' ? text : String(option.default);
    expect(problems(undefined, { [variableOf(option)]: raw }), variableOf(option)).toEqual([]);
    expect(problems(undefined, {}, { [flagOf(option)]: raw }), flagOf(option)).toEqual([]);
  }
});

test('the file that SLUICE_CONFIG names is read; paths in it are relative to it', () => {
  const elsewhere = folder('data_dir: data\nmodels: [{name: m, version: "1.0.0", executor: onnx, options: {path: m.onnx}}]');
  const config = loadConfig({ cwd: folder('port: 1'), env: { SLUICE_CONFIG: join(elsewhere, 'sluice.yaml') } });
  expect(config.dataDir).toBe(join(elsewhere, 'data'));
  expect(config.port).toBe(8080);
  expect(config.models[0]?.options['path']).toBe(join(elsewhere, 'm.onnx'));
  expect(problems(undefined, { SLUICE_CONFIG: '/nowhere/sluice.yaml' })).toEqual([expect.stringContaining('cannot be read')]);
});

test('secrets come from files too', () => {
  const cwd = folder();
  writeFileSync(join(cwd, 'key'), 'sk-one\n');
  writeFileSync(join(cwd, 'url'), 'postgres://u:p@h/d\n');
  const config = loadConfig({ cwd, env: { SLUICE_API_KEY_FILE: 'key', SLUICE_DATABASE_URL_FILE: 'url' } });
  expect(config.keys).toEqual([{ key: 'sk-one', tenant: 'default', user: 'admin', role: 'admin' }]);
  expect(config.databaseUrl).toBe('postgres://u:p@h/d');
  expect(problems(undefined, { SLUICE_API_KEY_FILE: '/nowhere' })).toEqual([
    expect.stringContaining('SLUICE_API_KEY_FILE: cannot be read'),
  ]);
  expect(problems(undefined, { SLUICE_API_KEY_FILE: '/dev/null', SLUICE_API_KEY: 'a' })[0]).toContain('both set');
});

test('keys map to tenants and users', () => {
  const cwd = folder('keys:\n  - {key: sk-a, tenant: lab, user: ann, role: admin}\n  - {key_file: bob.key, tenant: lab, user: bob}\n');
  writeFileSync(join(cwd, 'bob.key'), 'sk-b\n');
  expect(loadConfig({ cwd, env: { SLUICE_API_KEY: 'sk-root' } }).keys).toEqual([
    { key: 'sk-root', tenant: 'default', user: 'admin', role: 'admin' },
    { key: 'sk-a', tenant: 'lab', user: 'ann', role: 'admin' },
    { key: 'sk-b', tenant: 'lab', user: 'bob' },
  ]);
  expect(problems('keys: [{key: a, tenant: "a b", user: x}]')).toEqual([
    "sluice.yaml:1: tenant must be a name of 1 to 64 letters, digits, '.', '_' or '-'.",
  ]);
  expect(problems('keys: [{key: a, tenant: t, user: x, role: root}]')).toEqual(['sluice.yaml:1: role must be user or admin.']);
  expect(problems('keys: [{tenant: a, user: x}]')[0]).toContain('either key or key_file');
  expect(problems('keys: [{key: a, tenant: t, user: x}, {key: a, tenant: u, user: x}]')).toEqual(['keys: two entries have the same key.']);
});

test('an unknown key is an error with its place and a suggestion, and all problems come together', () => {
  expect(
    problems(
      'prot: 1\nlimits:\n  max_line: 3\nlog: {lvel: info}\nkeys:\n  - {kee: a, key: b, tenant: t, user: u}',
      { SLUICE_PORTT: '1', SLUICE_LIMITS_MAX_LINES: '2' },
      { 'data-dri': 'x' },
    ),
  ).toEqual([
    'sluice.yaml:1: unknown option prot. Did you mean port?',
    'sluice.yaml:3: unknown option limits.max_line. Did you mean max_lines?',
    'sluice.yaml:4: unknown option log.lvel. Did you mean level?',
    'sluice.yaml:6: unknown option kee in keys. Did you mean key?',
    'unknown flag --data-dri. Did you mean --data-dir?',
    'unknown variable SLUICE_PORTT in the environment. Did you mean SLUICE_PORT?',
    'unknown variable SLUICE_LIMITS_MAX_LINES in the environment. Did you mean SLUICE_LIMITS__MAX_LINES?',
  ]);
});

test('programs and files of models are meant from the folder of the file, names of programs are not', () => {
  const options = (given: string) =>
    loadConfig({ cwd: folder(`models: [{name: m, version: "1.0.0", executor: boltz, options: {${given}}}]`), env: {} }).models[0]!.options;
  const { program, cache } = options('program: bin/boltz, cache: weights');
  expect([program, cache]).toEqual([expect.stringMatching(/^\/.*\/bin\/boltz$/), expect.stringMatching(/^\/.*\/weights$/)]);
  expect(options('program: boltz')['program']).toBe('boltz');
  for (const executor of Object.keys(executorEndpoints) as ExecutorName[])
    expect(
      Object.keys(pathOptions(executor)).filter((name) => !paths.has(name)),
      executor,
    ).toEqual([]);
});

test('columns of outputs are read, and what is no title or unit is refused where it was written', () => {
  const model = (columns: string) => `models:\n  - name: m\n    version: "1.0.0"\n    executor: echo\n    output_columns: ${columns}`;
  const { models } = loadConfig({ env: {}, cwd: folder(model('{logS: {title: Solubility, unit: log10(mol/L)}}')) });
  expect(models[0]!.outputColumns).toEqual({ logS: { title: 'Solubility', unit: 'log10(mol/L)' } });
  expect(problems(model('{logS: {unit: 3}}'))).toEqual([
    'sluice.yaml:5: model m: output_columns.logS must have a title, a unit or both, as text, and nothing else.',
  ]);
});

test('a schema of a model is read, and one that is none is refused where it was written', () => {
  const model = (schema: string) => `models:\n  - name: m\n    version: "1.0.0"\n    executor: echo\n    schema: ${schema}`;
  const { models } = loadConfig({ cwd: folder(model('{type: object, required: [x]}')), env: {} });
  expect(models[0]!.schema).toEqual({ type: 'object', required: ['x'] });
  expect(problems(model('text'))).toEqual(['sluice.yaml:5: model m: schema must be a mapping: a JSON Schema of the inputs.']);
  expect(problems(model('\n      type: object\n      properties:\n        x:\n          minimum: low'))).toEqual([
    'sluice.yaml:9: model m: schema.properties.x.minimum must be number.',
  ]);
  expect(problems(model('{$ref: "#/$defs/none"}'))).toEqual([
    "sluice.yaml:5: model m: schema can't resolve reference #/$defs/none from id #.",
  ]);
});

test('wrong values are refused where they were written', () => {
  expect(
    problems('port: x\nlimits: {max_file_bytes: lots}\nlog: {level: loud}\nhost: [a]', {
      SLUICE_WORKERS: '-1',
      SLUICE_LIMITS__OPENAI: 'maybe',
    }),
  ).toEqual([
    'sluice.yaml:4: host must be a single value.',
    'sluice.yaml:1: port must be a whole number, not "x".',
    'sluice.yaml:2: limits.max_file_bytes must be a number of bytes, such as 16000000 or 16MB, not "lots".',
    'SLUICE_LIMITS__OPENAI: limits.openai must be true or false, not "maybe".',
    'SLUICE_WORKERS: workers must be a whole number, not "-1".',
    'sluice.yaml:3: log.level must be one of trace, debug, info, warn, error, fatal, silent, not "loud".',
  ]);
  expect(problems('port: 70000')).toEqual(['sluice.yaml:1: port must be at most 65535, not 70000.']);
  expect(problems('timing: {lease_seconds: 8}')).toEqual([expect.stringContaining('at most half')]);
  expect(problems('database_url: mysql://x')).toEqual([expect.stringContaining('database_url must look like')]);
  expect(problems('a: [')).not.toEqual([]);
  expect(problems('- a')).toEqual(['sluice.yaml: must be a mapping of options to values.']);
  expect(problems('')).toEqual([]);
});

test('bytes may carry a unit', () => {
  expect(loadConfig({ cwd: folder(), env: { SLUICE_LIMITS__MAX_LINE_BYTES: '32MiB' } }).limits.maxLineBytes).toBe(32 * 2 ** 20);
  expect(loadConfig({ cwd: folder('limits: {max_file_bytes: 1.5GB}'), env: {} }).limits.maxFileBytes).toBe(1.5e9);
});

test('models are checked', () => {
  const declare = (models: string) => problems(`models:\n${models}`);
  expect(declare('  - {name: m, version: 1.0, executor: echo}')).toEqual([
    'sluice.yaml:2: model m: version must be semantic and in quotes, such as "1.0.0", not 1.',
  ]);
  expect(declare('  - {name: m, version: 1.0.0, executor: ecko}')).toEqual([
    expect.stringMatching(/^sluice.yaml:2: model m: executor must be one of echo, openai, .*onnx\. Did you mean echo\?$/),
  ]);
  expect(declare('  - {name: m, version: 1.0.0, executor: echo}\n  - {name: m, version: 1.0.0, executor: echo}')).toEqual([
    'sluice.yaml:3: model m: m@1.0.0 is declared twice.',
  ]);
  expect(declare('  - {name: echo, version: 1.0.0, executor: echo}')[0]).toContain('always there');
  expect(declare('  - {name: ../x, version: 1.0.0, executor: echo}')[0]).toContain('name must be');
  expect(declare('  - {name: m, version: 1.0.0, executor: echo, options: 3}')[0]).toContain('options must be a mapping');
  expect(declare('  - m')[0]).toContain('each of models must be a mapping');
  expect(problems('models: 3')[0]).toContain('models must be a list');
});

test('what Kubernetes says of a Service named sluice is not ours', () => {
  const env = {
    SLUICE_PORT: 'tcp://10.0.0.7:8080',
    SLUICE_SERVICE_HOST: '10.0.0.7',
    SLUICE_PORT_8080_TCP_ADDR: '10.0.0.7',
    SLUICE_API_SERVICE_PORT: '1',
  };
  expect(loadConfig({ cwd: folder(), env }).port).toBe(8080);
  expect(loadConfig({ cwd: folder(), env: { SLUICE_HEALTH_PORT: '9090', SLUICE_PORT: '81' } })).toMatchObject({
    healthPort: 9090,
    port: 81,
  });
});

test('what is shown holds no secret', () => {
  const yaml =
    'keys: [{key: s3cret, tenant: t, user: u}]\nmodels: [{name: m, version: 1.0.0, executor: openai, options: {base_url: "http://x", api_key: s3cret}}]';
  const config = loadConfig({ cwd: folder(yaml), env: { SLUICE_DATABASE_URL: 'postgres://u:s3cret@h/d', SLUICE_API_KEY: 's3cret2' } });
  expect(JSON.stringify(describeConfig(config))).not.toContain('s3cret');
});

test('quotas: what is not said is any number, and mistakes are pointed at', () => {
  const cwd = folder(`quotas:
  global: {max_in_flight: 5000}
  tenant: {max_batches: 50, max_queued_bytes: 10GB}
  tenants:
    lab: {max_batches: null, max_queued_requests: 7}
`);
  const any = { maxBatches: null, maxQueuedRequests: null, maxInFlight: null, maxQueuedBytes: null };
  expect(loadConfig({ cwd, env: {} }).quotas).toEqual({
    global: { ...any, maxInFlight: 5000 },
    tenant: { ...any, maxBatches: 50, maxQueuedBytes: 10e9 },
    user: any,
    tenants: { lab: { maxBatches: null, maxQueuedRequests: 7 } },
  });
  expect(loadConfig({ cwd: folder('port: 1'), env: {} }).quotas).toEqual({ global: any, tenant: any, user: any, tenants: {} });
  const found = problems(`quotas:
  tennant: {}
  user: {max_batch: 3, max_in_flight: 0}
  tenant: 5
  tenants:
    "no name": {}
    lab: {max_queued_bytes: lots}
`);
  expect(found.map((problem) => problem.replace(/^.*?:(?=\d)/, ''))).toEqual([
    '2: unknown option quotas.tennant. Did you mean tenant?',
    '3: unknown option quotas.user.max_batch. Did you mean max_batches?',
    '3: quotas.user.max_in_flight must be at least 1, not 0.',
    '4: quotas.tenant must be a mapping.',
    "6: quotas.tenants: a tenant is named by 1 to 64 letters, digits, '.', '_' or '-'.",
    '7: quotas.tenants.lab.max_queued_bytes must be a number of bytes, such as 16000000 or 16MB, not "lots".',
  ]);
});

test('workers belong to the first dedicated pool, where none has the usual name and nobody says', () => {
  const pools = 'pools:\n  - { name: cheap, preemptible: true }\n  - { name: big }\n  - { name: small }';
  expect(loadConfig({ cwd: folder(pools), env: {} }).worker.pool).toBe('big');
  expect(loadConfig({ cwd: folder(pools), env: { SLUICE_WORKER__POOL: 'cheap' } }).worker.pool).toBe('cheap');
  expect(() => loadConfig({ cwd: folder(pools), env: { SLUICE_WORKER__POOL: 'dedicated' } })).toThrow(
    'worker.pool must be one of the pools',
  );
});

test('lanes of a pool: what is not named is reserved nothing, and mistakes are pointed at', () => {
  const config = loadConfig({ cwd: folder('pools:\n  - { name: spot, preemptible: true, lanes: { bulk: 0.3 } }'), env: {} });
  expect(config.pools.find(({ name }) => name === 'spot')!.lanes).toEqual({ interactive: 0, jobs: 0, bulk: 0.3 });
  expect(
    problems(
      'pools:\n  - { name: a, lanes: { bulk: 0.7, jobs: 0.7 } }\n  - { name: b, lanes: { fast: 1 } }\n  - { name: c, lanes: { bulk: 2 } }',
    ),
  ).toEqual([
    'sluice.yaml:2: pool a: lanes: the shares must not add up to more than 1.',
    'sluice.yaml:3: pool b: lanes: unknown lane fast; there are interactive, jobs, bulk.',
    'sluice.yaml:4: pool c: lanes.bulk must be a number from 0 to 1.',
  ]);
});

test('what workers of a pool have is known where it is said', () => {
  const [sized, unsaid] = loadConfig({
    cwd: folder('pools:\n  - { name: dedicated, memory_gb: 64, gpu_memory_gb: 24.5 }\n  - { name: other }'),
    env: {},
  }).pools;
  expect(sized).toMatchObject({ memoryGb: 64, gpuMemoryGb: 24.5 });
  expect(unsaid).not.toHaveProperty('memoryGb');
  expect(problems('pools:\n  - { name: dedicated, gpu_memory_gb: many }')).toEqual([
    'sluice.yaml:2: pool dedicated: gpu_memory_gb must be a number of at least 0.',
  ]);
});

test('what a worker has for requests that declare what they need', () => {
  expect(loadConfig({ cwd: folder('worker: { memory: 8GB, gpus: 2 }'), env: {} }).worker).toMatchObject({ memory: 8e9, gpus: 2 });
  expect(loadConfig({ cwd: folder(), env: {} }).worker).toMatchObject({ memory: null, gpus: 0 });
});

test('routes: models recommended for a target, with weights and dates, and mistakes are pointed at', () => {
  const cwd = folder(`routes:
  - target: solubility
    note: Both, so that they can be compared
    models:
      - aqsol-logs@1.0.0
      - {model: huuskonen-logs, weight: 2, from: 2026-12-01, until: 2027-01-01T06:00Z}
  - {target: solubility, series: amides, models: [aqsol-logs@champion]}`);
  expect(loadConfig({ cwd, env: {} }).routes).toEqual([
    {
      target: 'solubility',
      series: null,
      note: 'Both, so that they can be compared',
      models: [
        { model: 'aqsol-logs@1.0.0', weight: 1, valid_from: null, valid_until: null },
        { model: 'huuskonen-logs', weight: 2, valid_from: 1796083200, valid_until: 1798783200 },
      ],
    },
    {
      target: 'solubility',
      series: 'amides',
      note: null,
      models: [{ model: 'aqsol-logs@champion', weight: 1, valid_from: null, valid_until: null }],
    },
  ]);
  expect(
    problems(`routes:
  - {target: "a b", models: [x]}
  - {target: empty, models: []}
  - {target: late, models: [{model: x, from: soon, wieght: 1}]}
  - {target: twice, models: [x]}
  - {target: twice, models: [y]}`),
  ).toEqual([
    "sluice.yaml:2: route a b: target must be 1 to 64 letters, digits, '.', '_' or '-', with a letter or digit first.",
    'sluice.yaml:3: route empty: models must be a list with at least one model.',
    'sluice.yaml:4: route late: unknown option wieght of a model. Did you mean weight?',
    'sluice.yaml:4: route late: from of x must be a date such as 2026-12-01 or 2026-12-01T06:00Z.',
    'sluice.yaml:6: route twice: is declared twice.',
  ]);
});
