import type { Identity } from '../auth/identity.ts';
import { metadataJson } from '../batches/create.ts';
import type { Db } from '../db/db.ts';
import { none, sql } from '../db/sql.ts';
import { ApiError } from '../lib/errors.ts';
import { quotasOf, scopes, type Quotas } from '../policy/quotas.ts';
import { retrySeconds, sayExceeded } from '../quotas/exceeded.ts';
import { exceededByQueueing } from '../quotas/quotas.ts';
import type { Announcer } from './announce.ts';
import type { Kept } from './bodies.ts';
import type { JobRow } from './rows.ts';
import { prioritySeconds } from './state.ts';

/** A job to be written down; what was asked of it is checked. */
export interface NewJob {
  id: string;
  identity: Identity;
  model: string;
  endpoint: string;
  body: Kept;
  priority: number;
  /** Seconds since the epoch. */
  deadline: number | null;
  timeoutMs: number | null;
  softTimeoutMs: number | null;
  maxAttempts: number | null;
  metadata: Record<string, string> | null;
  retryOf: string | null;
  requestId: string | null;
  idempotencyKey: string | null;
  idempotencyHash: string | null;
}

interface Waiting {
  job: NewJob;
  resolve: (row: JobRow | null) => void;
  reject: (error: unknown) => void;
}

/** Statements under way at once: while one waits for the disk, the next gathers. */
const most = 2;
const groupSize = 500;

/**
 * Writes submissions down, those of the same moment in one statement: alone each would wait for a commit of its own,
 * and a thousand a second would keep the disk busy with nothing else.
 */
export class Submissions {
  readonly #db: Db;
  readonly #quotas: Quotas;
  readonly #announcer: Announcer;
  readonly #waiting: Waiting[] = [];
  #writing = 0;
  #due = false;

  constructor(db: Db, quotas: Quotas, announcer: Announcer) {
    this.#db = db;
    this.#quotas = quotas;
    this.#announcer = announcer;
  }

  /** Resolves once it is durable; null where another job has its idempotency key. */
  add(job: NewJob): Promise<JobRow | null> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject });
      if (this.#due || this.#writing >= most) return;
      this.#due = true;
      setImmediate(() => {
        this.#due = false;
        this.#write();
      });
    });
  }

  #write(): void {
    if (this.#waiting.length === 0 || this.#writing >= most) return;
    const group = this.#waiting.splice(0, groupSize);
    this.#writing++;
    this.#insert(group)
      .catch((error: unknown) => group.forEach(({ reject }) => reject(error)))
      .finally(() => {
        this.#writing--;
        this.#write();
      });
  }

  async #insert(group: readonly Waiting[]): Promise<void> {
    const limited = group.filter(({ job }) => isLimited(this.#quotas, job.identity.tenant));
    const free = limited.length === 0 ? group : group.filter((waiting) => !limited.includes(waiting));
    const written = free.length === 0 ? [] : await insertJobs(this.#db, jobsOf(free));
    this.#answer(free, written);
    // Those of one user at a time: each takes the lock that a limit needs.
    for (const [, own] of Map.groupBy(limited, ({ job }) => `${job.identity.tenant} ${job.identity.user}`)) await this.#insertLimited(own);
  }

  async #insertLimited(group: readonly Waiting[]): Promise<void> {
    const { identity } = group[0]!.job;
    const { taken, rows, refusal } = await this.#db.transaction(async (tx) => {
      const use = await exceededByQueueing(tx, this.#quotas, identity, group.length);
      const room = use === null ? group.length : Math.max(0, use.limit - use.used);
      const taken = group.slice(0, room);
      const rows = taken.length === 0 ? [] : await insertJobs(tx, jobsOf(taken));
      const seconds = retrySeconds(null);
      const refusal =
        use && new ApiError('quota_exceeded', sayExceeded(use, group.length - room), { headers: { 'retry-after': String(seconds) } });
      return { taken, rows, refusal };
    });
    this.#answer(taken, rows);
    for (const { reject } of group.slice(taken.length)) reject(refusal);
  }

  #answer(group: readonly Waiting[], rows: readonly JobRow[]): void {
    if (rows.length > 0) this.#announcer.queued();
    const found = new Map(rows.map((row) => [row.id, row]));
    for (const { job, resolve } of group) resolve(found.get(job.id) ?? null);
  }
}

const isLimited = (quotas: Quotas, tenant: string): boolean => {
  const limits = quotasOf(quotas, tenant);
  return scopes.some((scope) => limits[scope].maxQueuedRequests !== null);
};

const jobsOf = (group: readonly Waiting[]): NewJob[] => group.map(({ job }) => job);

const insertJobs = async (db: Db, jobs: readonly NewJob[]): Promise<JobRow[]> => {
  const column = <T>(of: (job: NewJob) => T): T[] => jobs.map(of);
  // The index that decides on conflicts is looked into only where somebody gave a key.
  const keyed = jobs.some(({ idempotencyKey }) => idempotencyKey !== null);
  const rows = await db.many<{ id: string; now: number }>(sql`
    insert into jobs as j (id, tenant_id, created_by, model, endpoint, body, body_key, priority, turn_at, deadline, timeout_ms,
      soft_timeout_ms, max_attempts, metadata, retry_of, request_id, idempotency_key, idempotency_hash)
    select n.id, n.tenant, n.by, n.model, n.endpoint, n.body, n.body_key, n.priority,
      now() - make_interval(secs => n.priority * ${prioritySeconds}::int), to_timestamp(n.deadline), n.timeout_ms, n.soft_timeout_ms,
      n.max_attempts, n.metadata::jsonb, n.retry_of, n.request_id, n.key, n.hash
    from unnest(${column(({ id }) => id)}::text[], ${column(({ identity }) => identity.tenant)}::text[],
      ${column(({ identity }) => identity.user)}::text[], ${column(({ model }) => model)}::text[],
      ${column(({ endpoint }) => endpoint)}::text[], ${column(({ body }) => body.text)}::text[], ${column(({ body }) => body.key)}::text[],
      ${column(({ priority }) => priority)}::smallint[], ${column(({ deadline }) => deadline)}::float8[],
      ${column(({ timeoutMs }) => timeoutMs)}::int[], ${column(({ softTimeoutMs }) => softTimeoutMs)}::int[],
      ${column(({ maxAttempts }) => maxAttempts)}::smallint[], ${column(({ metadata }) => metadataJson(metadata))}::text[],
      ${column(({ retryOf }) => retryOf)}::text[], ${column(({ requestId }) => requestId)}::text[],
      ${column(({ idempotencyKey }) => idempotencyKey)}::text[], ${column(({ idempotencyHash }) => idempotencyHash)}::text[])
      n (id, tenant, by, model, endpoint, body, body_key, priority, deadline, timeout_ms, soft_timeout_ms, max_attempts, metadata,
        retry_of, request_id, key, hash)
    ${keyed ? sql`on conflict (tenant_id, idempotency_key) where idempotency_key is not null do nothing` : none}
    returning j.id, extract(epoch from j.created_at)::float8 as now`);
  const written = new Map(rows.map(({ id, now }) => [id, now]));
  return jobs.flatMap((job) => (written.has(job.id) ? [rowOf(job, written.get(job.id)!)] : []));
};

/** The row as it was written: read back it would cost as much again as it took to write. */
const rowOf = (job: NewJob, now: number): JobRow => ({
  id: job.id,
  model: job.model,
  endpoint: job.endpoint,
  created_by: job.identity.user,
  state: 'queued',
  priority: job.priority,
  turn_at: now - job.priority * prioritySeconds,
  deadline: job.deadline,
  timeout_ms: job.timeoutMs,
  soft_timeout_ms: job.softTimeoutMs,
  slow: false,
  cancel_requested: false,
  attempts: 0,
  max_attempts: job.maxAttempts,
  worker_id: null,
  request_id: job.requestId,
  status_code: null,
  error: null,
  usage: null,
  history: [],
  metadata: job.metadata,
  retry_of: job.retryOf,
  inference_ms: null,
  created_at: now,
  started_at: null,
  ended_at: null,
});
