/**
 * Another queue on the same PostgreSQL doing the same work: every request is echoed and its result line kept. The
 * settings are the best that were found for each (see FIGURES.md), not the defaults.
 *
 * Two processes, as in production: `add` puts the requests in, `work` runs them. Told `go`, the first says when they
 * are all in; the second says when the last result is committed.
 */
import { makeWorkerUtils, runTaskList, Logger, type WorkerPool, type WorkerUtils } from 'graphile-worker';
import pg from 'pg';
import { PgBoss } from 'pg-boss';
import type { JsonObject } from '../src/executors/executor.ts';
import { replyTo } from '../src/executors/echo/replies.ts';
import { echo } from '../src/models/models.ts';
import { requestText } from './work.ts';

export type PeerName = 'graphile-worker' | 'pg-boss';
export interface PeerJob {
  peer: PeerName;
  part: 'add' | 'work';
  database: string;
  requests: number;
  bytes: number;
  /** Requests are worked on while others are still being added; else only once all of them are in. */
  overlap: boolean;
}

interface Request {
  custom_id: string;
  url: string;
  body: JsonObject;
}

interface Side {
  /** Resolves when it is ready for the first round. */
  open(): Promise<void>;
  /** One round. */
  run(): Promise<void>;
  /** Makes the next round start from empty, vacuumed tables. */
  clean?(): Promise<void>;
}

let made = 0;

/** The line Sluice would write for it. */
const resultLine = ({ custom_id: customId, url, body }: Request): string => {
  const id = (made++).toString(16).padStart(32, '0');
  const reply = replyTo({ line: 1, customId, url, body, attempt: 1 }, echo, id.slice(12));
  return `{"id":"batch_req_${id}","custom_id":${JSON.stringify(customId)},"response":{"status_code":200,"request_id":"req_${id}","body":${reply.body}},"error":null}`;
};

const requestsOf = (job: PeerJob): Request[] =>
  Array.from({ length: job.requests }, (_, i) => JSON.parse(requestText(i + 1, job.bytes)) as Request);

const logger = new Logger(() => () => {});

/** Rows of results a statement. */
const page = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));

const graphileAdd = (job: PeerJob): Side => {
  const requests = requestsOf(job);
  let utils: WorkerUtils;
  return {
    async open() {
      utils = await makeWorkerUtils({ pgPool: new pg.Pool({ connectionString: job.database, max: 4 }), logger });
    },
    async run() {
      for (const part of page(requests, 5_000)) await utils.addJobs(part.map((payload) => ({ identifier: 'echo', payload })));
    },
  };
};

const graphileWork = (job: PeerJob): Side => {
  const pool = new pg.Pool({ connectionString: job.database, max: 10 });
  pool.on('error', (error) => process.stderr.write(`${String(error)}\n`));
  pool.on('connect', (client) => client.on('error', () => {}));
  let stored = 0;
  let through: () => void = () => {};
  let running: WorkerPool;
  let waiting: { id: string; line: string; done: () => void; fail: (error: unknown) => void }[] = [];
  // One INSERT for all the results of a tick.
  const store = async (): Promise<void> => {
    const rows = waiting;
    waiting = [];
    try {
      await pool.query('insert into results (id, line) select * from unnest($1::bigint[], $2::text[])', [
        rows.map((r) => r.id),
        rows.map((r) => r.line),
      ]);
    } catch (error) {
      for (const { fail } of rows) fail(error);
      return;
    }
    for (const { done } of rows) done();
    stored += rows.length;
    if (stored === job.requests) through();
  };
  const begin = (): void => {
    // Not awaited: it is a promise of its own end.
    running = runTaskList(
      {
        pgPool: pool,
        logger,
        concurrency: 1_000,
        preset: { worker: { localQueue: { size: 2_000 }, completeJobBatchDelay: 0 } },
      },
      {
        echo: (payload, { job: { id } }) =>
          new Promise<void>((done, fail) => {
            waiting.push({ id, line: resultLine(payload as Request), done, fail });
            if (waiting.length === 1) setImmediate(() => void store());
          }),
      },
      pool,
    );
  };
  return {
    async open() {
      const utils = await makeWorkerUtils({ pgPool: pool, logger });
      await utils.migrate();
      await pool.query('create table if not exists results (id bigint primary key, line text not null)');
      // Analyzed while it happens to be empty, the planner walks all of the table for every fetch: 5,000 a second
      // instead of 25,000. Its tables are vacuumed between the rounds instead.
      await pool.query('alter table graphile_worker._private_jobs set (autovacuum_enabled = false)');
      if (job.overlap) begin();
    },
    async run() {
      stored = 0;
      if (!job.overlap) begin();
      await new Promise<void>((resolve) => (through = resolve));
      // The last jobs are deleted right after their results were stored.
      while ((await pool.query('select from graphile_worker._private_jobs limit 1')).rowCount) await new Promise((r) => setTimeout(r, 2));
    },
    async clean() {
      if (!job.overlap) await running.gracefulShutdown();
      await pool.query('truncate results');
      await pool.query('vacuum graphile_worker._private_jobs');
    },
  };
};

const bossOf = (job: PeerJob): PgBoss => {
  const boss = new PgBoss({ connectionString: job.database, max: 8 });
  boss.on('error', () => {});
  return boss;
};

const bossAdd = (job: PeerJob): Side => {
  const requests = requestsOf(job);
  const boss = bossOf(job);
  return {
    async open() {
      await boss.start();
    },
    async run() {
      for (const part of page(requests, 5_000))
        await boss.insert(
          'echo',
          part.map((data) => ({ data })),
        );
    },
  };
};

const bossWork = (job: PeerJob): Side => {
  const boss = bossOf(job);
  const pool = new pg.Pool({ connectionString: job.database, max: 2 });
  const done = async () =>
    (await pool.query<{ count: number }>(`select count(*)::int as count from pgboss.job where name = 'echo' and state < 'completed'`))
      .rows[0]!.count === 0;
  let handled = 0;
  let through: () => void = () => {};
  const begin = () =>
    boss.work<Request>(
      'echo',
      { batchSize: 1_000, localConcurrency: 2, perJobResults: true, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 } as const,
      async (jobs) => {
        const results = jobs.map(({ id, data }) => ({ id, status: 'completed' as const, output: { line: resultLine(data) } }));
        handled += jobs.length;
        if (handled >= job.requests) through();
        return results;
      },
    );
  return {
    async open() {
      await boss.start();
      await boss.createQueue('echo');
      if (job.overlap) await begin();
    },
    async run() {
      handled = 0;
      if (!job.overlap) await begin();
      await new Promise<void>((resolve) => (through = resolve));
      while (!(await done())) await new Promise((r) => setTimeout(r, 5));
    },
    async clean() {
      if (!job.overlap) await boss.offWork('echo');
      await boss.deleteAllJobs('echo');
      await pool.query('vacuum pgboss.job');
    },
  };
};

const sides = {
  'graphile-worker': { add: graphileAdd, work: graphileWork },
  'pg-boss': { add: bossAdd, work: bossWork },
};

const main = async (job: PeerJob): Promise<void> => {
  const side = sides[job.peer][job.part](job);
  await side.open();
  process.on('message', (order: 'go' | 'clean') => {
    (order === 'go' ? side.run() : (side.clean?.() ?? Promise.resolve())).then(
      () => process.send!('done'),
      (error: unknown) => {
        process.stderr.write(`${String(error)}\n`);
        process.exit(1);
      },
    );
  });
  process.send!('ready');
};

if (import.meta.main) await main(JSON.parse(process.argv[2]!) as PeerJob);
