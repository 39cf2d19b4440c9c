/**
 * Every option of the configuration, once: the loader, the start-up errors, `--help` and `docs/configuration.md` all
 * read this table. `limits.max_lines` is `limits: {max_lines: …}` in `sluice.yaml`, `SLUICE_LIMITS__MAX_LINES` in the
 * environment and `--limits-max-lines` as a flag.
 */
export interface Option {
  key: string;
  kind: 'text' | 'path' | 'integer' | 'number' | 'bytes' | 'flag';
  /** null: absent, or worked out at the start, as `about` says. */
  default: string | number | boolean | null;
  about: string;
  min?: number;
  max?: number;
  choices?: readonly string[];
  /** Never printed; may also be read from the file that `<VARIABLE>_FILE` names. */
  secret?: true;
  /** A shorter flag. */
  alias?: string;
}

const GB = 1_000_000_000;
const MB = 1_000_000;

export const options: readonly Option[] = [
  { key: 'host', kind: 'text', default: '127.0.0.1', about: 'Address the API listens on.' },
  { key: 'port', kind: 'integer', default: 8080, min: 0, max: 65_535, about: 'Port the API listens on; 0 picks a free one.' },
  {
    key: 'health_port',
    kind: 'integer',
    default: null,
    min: 0,
    max: 65_535,
    about:
      'Port of /health and /metrics in the roles `scheduler` and `worker`, where they run apart; 0 is off. Absent: a free one, which the log names.',
  },
  { key: 'data_dir', kind: 'path', default: '.sluice', about: 'Folder of files, results and the embedded database.' },
  {
    key: 'database_url',
    kind: 'text',
    default: null,
    secret: true,
    about: 'PostgreSQL 15 or newer: `postgres://user:password@host:port/name`. Absent: an embedded one in the data directory.',
  },
  {
    key: 'api_key',
    kind: 'text',
    default: null,
    secret: true,
    about: 'The key of tenant `default`, user `admin`. Where there is no key at all, one is made and kept in the data directory.',
  },
  { key: 'limits.max_lines', kind: 'integer', default: 10_000_000, min: 1, max: 2_147_483_647, about: 'Lines a batch may have.' },
  { key: 'limits.max_file_bytes', kind: 'bytes', default: 50 * GB, min: 1, about: 'Bytes a file may have.' },
  { key: 'limits.max_line_bytes', kind: 'bytes', default: 16 * MB, min: 1024, max: 512 * MB, about: 'Bytes a line may have.' },
  { key: 'limits.max_errors', kind: 'integer', default: 1000, min: 1, max: 100_000, about: "Errors kept in a failed batch's `errors`." },
  {
    key: 'limits.openai',
    kind: 'flag',
    default: false,
    about: "OpenAI's own limits: 50,000 lines, 200 MB, one model a file, a window of 24h.",
  },
  { key: 'timing.lease_seconds', kind: 'integer', default: 30, min: 2, max: 3600, about: 'Seconds a lease lasts without a heartbeat.' },
  { key: 'timing.heartbeat_seconds', kind: 'integer', default: 5, min: 1, max: 1200, about: 'Seconds between two heartbeats.' },
  { key: 'timing.poll_min_ms', kind: 'integer', default: 250, min: 1, max: 60_000, about: 'Milliseconds an idle worker first waits.' },
  { key: 'timing.poll_max_ms', kind: 'integer', default: 10_000, min: 1, max: 600_000, about: 'Milliseconds it doubles up to.' },
  {
    key: 'timing.sweep_seconds',
    kind: 'integer',
    default: 5,
    min: 1,
    max: 600,
    about: 'Seconds between two sweeps for expired leases, deadlines and batches whose events were lost.',
  },
  {
    key: 'timing.cancel_grace_seconds',
    kind: 'integer',
    default: 600,
    min: 0,
    max: 86_400,
    about: 'Seconds that requests in flight get to finish after a cancel.',
  },
  {
    key: 'timing.settle_ms',
    kind: 'integer',
    default: 1500,
    min: 10,
    max: 60_000,
    about: 'Milliseconds after which a chunk under way writes down what it has.',
  },
  {
    key: 'worker.pool',
    kind: 'text',
    default: 'dedicated',
    alias: 'pool',
    about: 'Name of the pool a worker belongs to; where nobody says and none is called so, the first that is dedicated.',
  },
  {
    key: 'worker.notice_seconds',
    kind: 'integer',
    default: 30,
    min: 0,
    max: 86_400,
    about: 'Seconds until a worker that is told to stop may be gone: what fits is finished, the rest goes back to the queue, uncharged.',
  },
  {
    key: 'worker.notice_file',
    kind: 'path',
    default: null,
    about: 'A file whose coming tells a worker that its machine will be taken away; a number in it is the seconds left.',
  },
  {
    key: 'worker.once',
    kind: 'flag',
    default: false,
    alias: 'once',
    about: 'A worker ends when nothing is left to do: for fleets of jobs.',
  },
  { key: 'worker.chunks', kind: 'integer', default: 2, min: 1, max: 64, about: 'Chunks a worker holds at once.' },
  {
    key: 'worker.model_memory',
    kind: 'bytes',
    default: 2 * GB,
    min: 16 * MB,
    about: "Bytes of memory a worker's models may hold together.",
  },
  {
    key: 'worker.memory',
    kind: 'bytes',
    default: null,
    min: 16 * MB,
    about: "Bytes of memory a worker has for requests whose model declares `request_memory_mb`. Absent: the machine's or container's.",
  },
  {
    key: 'worker.gpus',
    kind: 'integer',
    default: 0,
    min: 0,
    max: 1024,
    about: 'GPUs a worker has for requests whose model declares `request_gpus`.',
  },
  {
    key: 'worker.vetting',
    kind: 'flag',
    default: true,
    about: 'A worker vets uploaded model files too, one at a time, in a process of their own.',
  },
  {
    key: 'schedule.mode',
    kind: 'text',
    default: 'balanced',
    choices: ['balanced', 'cautious', 'dedicated_only', 'spot_only'],
    about: 'How money and deadlines are weighed: when work leaves spot workers for dedicated ones.',
  },
  {
    key: 'schedule.order',
    kind: 'text',
    default: 'fair',
    choices: ['fair', 'strict_priority'],
    about: 'Who is next: tenants in turn, then priority with its age; or the highest priority, then the oldest.',
  },
  {
    key: 'schedule.admission',
    kind: 'text',
    default: 'flag',
    choices: ['refuse', 'flag', 'off'],
    about: 'What happens to a batch whose deadline cannot be promised: it fails, runs with a warning, or nobody asks.',
  },
  { key: 'registry.max_bytes', kind: 'bytes', default: 2 * GB, min: 1, about: "Bytes an uploaded model's file may have." },
  {
    key: 'registry.upstreams',
    kind: 'text',
    default: null,
    about:
      'Host names and ranges of addresses, with commas between, that models registered through the API may be served from: `vllm.internal, *.models.internal:8000, 10.0.0.0/8`. Absent: none. Models declared in `sluice.yaml` may be anywhere.',
  },
  {
    key: 'sources.hosts',
    kind: 'text',
    default: null,
    about:
      'Host names and ranges of addresses, with commas between, that inputs named by a URL may be fetched from although they are private: `data.internal:8443, 10.0.0.0/8`. Absent: public hosts only.',
  },
  {
    key: 'sources.s3_buckets',
    kind: 'text',
    default: null,
    about:
      'Buckets, and folders in them, that inputs may be read from: `molecules, shared/screens/, lab-{tenant}`; {tenant} stands for whoever asks. Absent: none.',
  },
  { key: 'sources.s3_endpoint', kind: 'text', default: null, about: "Where S3 answers. Absent: Amazon's own." },
  { key: 'sources.s3_region', kind: 'text', default: null, about: 'Region of S3. Absent: us-east-1.' },
  {
    key: 'sources.s3_access_key',
    kind: 'text',
    default: null,
    secret: true,
    about: 'Access key for S3. Absent: as the environment of the process has it.',
  },
  { key: 'sources.s3_secret_key', kind: 'text', default: null, secret: true, about: 'Its secret.' },
  {
    key: 'kubernetes.url',
    kind: 'text',
    default: 'https://kubernetes.default.svc',
    about: 'Where the API of Kubernetes answers, for pools with `fleet: kubernetes`; NODE_EXTRA_CA_CERTS must name its certificate.',
  },
  { key: 'kubernetes.namespace', kind: 'text', default: null, about: "Namespace of the workers. Absent: the service account's own." },
  {
    key: 'kubernetes.deployment',
    kind: 'text',
    default: 'sluice-worker-{pool}',
    about: "Name of a pool's Deployment; {pool} stands for the pool's name.",
  },
  {
    key: 'kubernetes.token_file',
    kind: 'path',
    default: '/var/run/secrets/kubernetes.io/serviceaccount/token',
    about: "The service account's token.",
  },
  {
    key: 'redis_url',
    kind: 'text',
    default: null,
    secret: true,
    about: 'Redis that shares answers between processes: `redis://user:password@host:6379/0`. Absent, or away: memory alone.',
  },
  {
    key: 'tracking.mlflow_url',
    kind: 'text',
    default: null,
    about: 'An MLflow server, such as `http://mlflow.internal:5000`: each screen becomes a run there, once its results are gathered.',
  },
  { key: 'tracking.experiment', kind: 'text', default: 'sluice', about: 'Of which experiment; it is made where there is none.' },
  { key: 'tracking.token', kind: 'text', default: null, secret: true, about: "That server's token." },
  {
    key: 'tracking.public_url',
    kind: 'text',
    default: null,
    about: 'The address of this Sluice as people reach it: runs link to their results.',
  },
  {
    key: 'oip.max_bytes',
    kind: 'bytes',
    default: 128 * MB,
    min: 1024,
    max: 2 * GB,
    about: 'Bytes a request of the Open Inference Protocol (`/v2`) may have.',
  },
  {
    key: 'cache.max_bytes',
    kind: 'bytes',
    default: 128 * MB,
    min: 0,
    about: 'Bytes of memory for answers to single requests; 0: none is kept.',
  },
  { key: 'cache.ttl_seconds', kind: 'integer', default: 3600, min: 0, max: 31_536_000, about: 'Seconds such an answer is good for.' },
  {
    key: 'cache.scope',
    kind: 'text',
    default: 'tenant',
    choices: ['user', 'tenant'],
    about: 'Who is given an answer that was computed for another: nobody but the same user, or all of the tenant.',
  },
  {
    key: 'chemistry.features_bytes',
    kind: 'bytes',
    default: 256 * MB,
    min: 0,
    max: 1_000 * GB,
    about:
      'Bytes of disk, in the data directory, for features of molecules, so that each is computed once on this host: 256 MB hold 740,000. 0: none are kept.',
  },
  { key: 'workers', kind: 'integer', default: 1, min: 0, max: 256, about: 'Worker processes that `sluice start` runs.' },
  {
    key: 'predict.memory',
    kind: 'bytes',
    default: 2 * GB,
    min: 16 * MB,
    about: 'Bytes of memory that the models which answer at once may hold together; the one used longest ago makes room.',
  },
  {
    key: 'predict.queue_rows',
    kind: 'integer',
    default: 4096,
    min: 1,
    max: 10_000_000,
    about: 'Rows that may wait for one model; what comes on top of them is told when to try again.',
  },
  {
    key: 'predict.delay_ms',
    kind: 'integer',
    default: 0,
    min: 0,
    max: 10_000,
    about: 'Milliseconds for which a row waits for others to share a run with. 0: only for a process that is at work.',
  },
  {
    key: 'predict.timeout_ms',
    kind: 'integer',
    default: 30_000,
    min: 1,
    max: 86_400_000,
    about: 'Milliseconds after which an answer is of no use, unless the request says.',
  },
  {
    key: 'predict.records',
    kind: 'text',
    default: 'meta',
    choices: ['none', 'meta', 'full'],
    about:
      'What is kept of predictions at once: nothing; who, when, which version, how long; or what was asked and answered too. A model may say otherwise.',
  },
  {
    key: 'predict.record_days',
    kind: 'integer',
    default: 30,
    min: 1,
    max: 36_500,
    about: 'Days for which records of predictions are kept, where the model does not say.',
  },
  {
    key: 'job_retention_days',
    kind: 'integer',
    default: 30,
    min: 0,
    max: 36_500,
    about: 'Days after which a job that has ended is deleted, with its answer; 0: never.',
  },
  {
    key: 'dedup.mode',
    kind: 'text',
    default: 'exact',
    choices: ['off', 'exact'],
    about: 'Whether requests that are the same share one answer, in batches that do not say.',
  },
  {
    key: 'dedup.scope',
    kind: 'text',
    default: 'tenant',
    choices: ['user', 'tenant', 'global'],
    about: "Who shares answers across batches. `global` gives a tenant the answers of others', without saying whose.",
  },
  {
    key: 'dedup.ttl_seconds',
    kind: 'integer',
    default: 604_800,
    min: 1,
    max: 31_536_000,
    about: 'Seconds for which an answer may be given again.',
  },
  { key: 'dedup.max_bytes', kind: 'bytes', default: 10 * GB, min: 1, about: 'Bytes of answers a scope keeps; the oldest are forgotten.' },
  {
    key: 'dedup.min_ms',
    kind: 'number',
    default: 0.2,
    min: 0,
    max: 3_600_000,
    about: "Milliseconds of a worker's time from which on a model's answers are kept, unless a batch asks for it.",
  },
  {
    key: 'dedup.semantic_model',
    kind: 'text',
    default: null,
    about: 'The embedding model by which batches with `dedup: semantic` find similar requests. Absent: there are no such batches.',
  },
  {
    key: 'dedup.semantic_threshold',
    kind: 'number',
    default: 0.95,
    min: 0,
    max: 1,
    about: 'The least cosine of two requests that share an answer.',
  },
  { key: 'portal.name', kind: 'text', default: 'Sluice', about: 'What pages call this server.' },
  {
    key: 'portal.session_hours',
    kind: 'number',
    default: 24,
    min: 0.01,
    max: 720,
    about: 'Hours without use after which a browser is signed out; after 30 days it is in any case.',
  },
  {
    key: 'portal.live_max_hz',
    kind: 'number',
    default: 2,
    min: 0,
    max: 10,
    about: 'Updates a second that a page shows by itself; 0: none.',
  },
  {
    key: 'portal.grafana_url',
    kind: 'text',
    default: null,
    about: 'Where Grafana is: pages link to its dashboards. Absent: they do not.',
  },
  { key: 'retry.max_attempts', kind: 'integer', default: 4, min: 1, max: 100, about: 'Attempts a request gets, the first included.' },
  { key: 'retry.base_ms', kind: 'integer', default: 500, min: 1, max: 3_600_000, about: 'Milliseconds the first pause is drawn from.' },
  { key: 'retry.cap_ms', kind: 'integer', default: 60_000, min: 1, max: 86_400_000, about: 'Milliseconds no pause exceeds.' },
  {
    key: 'log.level',
    kind: 'text',
    default: 'info',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    about: 'The least level that is logged.',
  },
  { key: 'log.pretty', kind: 'flag', default: null, about: 'Lines for people instead of JSON. Absent: on a terminal only.' },
];

export const variableOf = (option: Option): string => `SLUICE_${option.key.toUpperCase().replace('.', '__')}`;
export const flagOf = (option: Option): string => option.key.replaceAll(/[._]/g, '-');
/** Where it lies in the configuration: `limits.max_lines` is `['limits', 'maxLines']`. */
export const pathOf = (option: Option): string[] =>
  option.key.split('.').map((part) => part.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()));

const units: Record<string, number> = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

export type Value = string | number | boolean;

const number = (option: Option, raw: unknown): number | null => {
  if (typeof raw === 'number') return raw;
  if (typeof raw !== 'string') return null;
  const match = /^(\d[\d_]*(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(raw.trim());
  const unit = match && units[match[2]!.toUpperCase()];
  if (!match || unit === undefined || unit === null || (option.kind !== 'bytes' && match[2] !== '')) return null;
  return Number(match[1]!.replaceAll('_', '')) * unit;
};

/** The value of one option as it was written, or what is wrong with it. */
export const parse = (option: Option, raw: unknown): { value: Value } | { problem: string } => {
  if (option.kind === 'flag') {
    if (typeof raw === 'boolean') return { value: raw };
    if (/^(true|1|yes|on)$/i.test(String(raw))) return { value: true };
    if (/^(false|0|no|off)$/i.test(String(raw))) return { value: false };
    return { problem: 'must be true or false' };
  }
  if (option.kind === 'text' || option.kind === 'path') {
    // YAML reads `8080` as a number; a name or key may well consist of digits.
    const text = typeof raw === 'number' ? String(raw) : raw;
    if (typeof text !== 'string' || text === '') return { problem: 'must be text' };
    if (option.choices && !option.choices.includes(text)) return { problem: `must be one of ${option.choices.join(', ')}` };
    return { value: text };
  }
  const value = number(option, raw);
  if (option.kind === 'number' && value === null) return { problem: 'must be a number' };
  if (value === null || (option.kind !== 'number' && !Number.isSafeInteger(value)))
    return { problem: option.kind === 'bytes' ? 'must be a number of bytes, such as 16000000 or 16MB' : 'must be a whole number' };
  if (value < (option.min ?? 0)) return { problem: `must be at least ${option.min ?? 0}` };
  if (value > (option.max ?? Infinity)) return { problem: `must be at most ${option.max}` };
  return { value };
};
