import type { CreateJob } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import type { Listener } from '../db/listen.ts';
import { sql } from '../db/sql.ts';
import { ApiError } from '../lib/errors.ts';
import { newJobId } from '../lib/ids.ts';
import type { Models } from '../models/models.ts';
import { noQuotas, type Quotas } from '../policy/quotas.ts';
import type { Storage } from '../storage/storage.ts';
import { Announcer } from './announce.ts';
import { bodyKey, keep, textOf } from './bodies.ts';
import { prepareJob, type CreateOptions } from './create.ts';
import { getJob, type AnsweredRow } from './read.ts';
import { jobColumns, type JobRow } from './rows.ts';
import { Submissions, type NewJob } from './submit.ts';
import { jobEnded } from './state.ts';
import { Waiters, type Wait } from './wait.ts';

export interface DeskDeps {
  db: Db;
  storage: Storage;
  models: Models;
  /** Channel `jobEnds`. */
  listener: Listener;
  quotas?: Quotas;
}

export interface Submitted {
  job: JobRow;
  /** False: an earlier one with the same idempotency key. */
  created: boolean;
  /** Where it was waited for and has ended. */
  answered: AnsweredRow | null;
}

/** For how long somebody waits, and how a wait is handed to them, so that they can leave. */
export interface Patience {
  ms: number;
  begin: (wait: Wait) => Wait;
}

/** Jobs as one process of the API handles them: submissions and waits of many clients share statements. */
export class JobDesk implements AsyncDisposable {
  readonly announcer: Announcer;
  readonly waiters: Waiters;
  readonly #deps: DeskDeps;
  readonly #submissions: Submissions;

  constructor(deps: DeskDeps) {
    this.#deps = deps;
    this.announcer = new Announcer(deps.db);
    this.waiters = new Waiters(deps.db, deps.listener);
    this.#submissions = new Submissions(deps.db, deps.quotas ?? noQuotas, this.announcer);
  }

  /**
   * Submits one request, and waits for its end where that is asked. The same idempotency key gives the job it made
   * before; with another body it is a mistake.
   */
  async create(identity: Identity, given: CreateJob, options: CreateOptions & { wait?: Patience | null } = {}): Promise<Submitted> {
    const job = await prepareJob(this.#deps, identity, given, options);
    return this.#submit(job, options.wait ?? null);
  }

  /** A new job that asks the same, linked to the one that has ended. */
  async retry(identity: Identity, id: string, requestId: string): Promise<Submitted> {
    const { db, storage } = this.#deps;
    const row = await getJob(db, identity, id);
    if (row.ended_at === null) throw new ApiError('conflict', `The job '${id}' is ${row.state}; only a job that has ended can be retried.`);
    const source = await db.one<{ model: string; body: string | null; body_key: string | null }>(
      sql`select model, body, body_key from jobs where id = ${id} and tenant_id = ${identity.tenant}`,
    );
    const body = await textOf(storage, source.body, source.body_key);
    if (body === null) throw new ApiError('conflict', `The body of the job '${id}' is gone.`);
    const again = newJobId();
    return this.#submit(
      {
        id: again,
        identity,
        model: source.model,
        endpoint: row.endpoint,
        body: await keep(storage, bodyKey(identity.tenant, again), body),
        priority: row.priority,
        deadline: null,
        timeoutMs: row.timeout_ms,
        softTimeoutMs: row.soft_timeout_ms,
        maxAttempts: row.max_attempts,
        metadata: row.metadata,
        retryOf: id,
        requestId,
        idempotencyKey: null,
        idempotencyHash: null,
      },
      null,
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.waiters[Symbol.asyncDispose]();
  }

  async #submit(job: NewJob, wait: Patience | null): Promise<Submitted> {
    const { db, storage } = this.#deps;
    const { tenant } = job.identity;
    // Before it is written down: it may have ended by the time the statement is answered.
    const waiting = wait && wait.begin(this.waiters.wait(job.id, tenant, wait.ms, { look: false }));
    try {
      const row = await this.#submissions.add(job);
      if (row !== null) return submitted(row, true, (await waiting?.seen) ?? null);
    } catch (error) {
      waiting?.leave();
      if (job.body.key !== null) await storage.delete(job.body.key).catch(() => {});
      throw error;
    }
    waiting?.leave();
    if (job.body.key !== null) await storage.delete(job.body.key);
    const earlier = await db.one<JobRow & { idempotency_hash: string }>(sql`
      select ${jobColumns}, j.idempotency_hash from jobs j
      where j.tenant_id = ${tenant} and j.idempotency_key = ${job.idempotencyKey}`);
    if (earlier.idempotency_hash !== job.idempotencyHash)
      throw new ApiError(
        'idempotency_mismatch',
        `The Idempotency-Key '${job.idempotencyKey}' was used before for ${earlier.id}, with another body.`,
      );
    const seen = wait && (await wait.begin(this.waiters.wait(earlier.id, tenant, wait.ms)).seen);
    return submitted(earlier, false, seen);
  }
}

/** @param seen as the wait saw it last: it may still run */
const submitted = (job: JobRow, created: boolean, seen: AnsweredRow | null): Submitted => ({
  job: seen ?? job,
  created,
  answered: seen !== null && jobEnded(seen.state) ? seen : null,
});
