import { PoolList, RunningWork, WorkerList, WorkerObject, WorkersHealth, type PoolObject } from '@sluice/contract';
import { Type } from 'typebox';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { none, sql } from '../db/sql.ts';
import type { App } from '../lib/app.ts';
import { ApiError } from '../lib/errors.ts';
import { isVisible, shownKey } from '../models/keys.ts';
import { announceControl } from '../requests/queue.ts';
import { readRunning } from './running.ts';

/**
 * Workers and what they hold; `stopped` ones for an hour. Workers belong to the installation, not to a tenant, but what
 * others have registered is not told.
 */
const readWorkers = async (db: Db, { tenant }: Identity, leaseSeconds: number, id?: string): Promise<WorkerObject[]> => {
  const rows = await db.many<Omit<WorkerObject, 'loaded_others'>>(sql`
    select w.id, 'worker' as object, w.pool, w.kind, w.host, w.pid, w.models, w.loaded, w.held_bytes,
      case when w.state <> 'stopped' and w.seen_at < now() - make_interval(secs => ${leaseSeconds}) then 'lost'
           when w.state = 'ready' and w.drain_requested_at is not null then 'draining' else w.state end as state,
      coalesce(c.leases, 0)::int as leases, coalesce(c.requests, 0)::int as requests,
      extract(epoch from w.started_at)::float8 as started_at, extract(epoch from w.seen_at)::float8 as seen_at
    from workers w left join (
      select worker_id, count(*) as leases, sum(requests) as requests
      from chunks where state = 'leased' group by 1) c on c.worker_id = w.id
    where (w.state <> 'stopped' or w.seen_at > now() - interval '1 hour') ${id === undefined ? none : sql`and w.id = ${id}`}
    order by w.started_at desc, w.id`);
  return rows.map(({ models, loaded, ...row }) => {
    const seen = loaded.filter(({ model }) => isVisible(model, tenant));
    return {
      ...row,
      models: models.filter((key) => isVisible(key, tenant)).map(shownKey),
      loaded: seen.map((entry) => ({ ...entry, model: shownKey(entry.model) })),
      loaded_others: loaded.length - seen.length,
    };
  });
};

const readPools = (db: Db, leaseSeconds: number): Promise<PoolObject[]> =>
  db.many<PoolObject>(sql`
    select name, 'pool' as object, preemptible, price, minimum, maximum, backlog_ratio, startup_seconds, memory_gb, gpu_memory_gb, desired, reason,
      extract(epoch from decided_at)::float8 as decided_at,
      (select count(*)::int from workers w where w.pool = p.name and w.state = 'ready' and w.drain_requested_at is null
         and w.seen_at > now() - make_interval(secs => ${leaseSeconds})) as actual
    from pools p order by preemptible, name`);

export const workerRoutes = (app: App, { db, leaseSeconds }: { db: Db; leaseSeconds: number }): void => {
  app.get(
    '/v1/workers',
    { schema: { summary: 'List the workers', operationId: 'listWorkers', response: { 200: WorkerList } } },
    async (request) => ({
      object: 'list' as const,
      data: await readWorkers(db, request.identity, leaseSeconds),
    }),
  );

  app.get(
    '/v1/workers/running',
    { schema: { summary: 'What runs where now', operationId: 'listRunning', response: { 200: RunningWork } } },
    async (request): Promise<RunningWork> => {
      const { now } = await db.one<{ now: number }>(sql`select extract(epoch from now())::float8 as now`);
      return { object: 'list', now, data: await readRunning(db, request.identity, leaseSeconds) };
    },
  );

  app.get(
    '/health/workers',
    {
      logLevel: 'warn',
      schema: {
        tags: ['Operations'],
        summary: 'The workers, with what each has loaded; 503 while none is ready',
        operationId: 'workersHealth',
        response: { 200: WorkersHealth, 503: WorkersHealth },
      },
    },
    async (request, reply) => {
      const workers = await readWorkers(db, request.identity, leaseSeconds);
      const ready = workers.filter(({ state }) => state === 'ready').length;
      return reply.code(ready > 0 ? 200 : 503).send({
        status: ready > 0 ? ('ok' as const) : ('unavailable' as const),
        ready,
        workers: workers.filter(({ state }) => state !== 'stopped'),
      });
    },
  );

  app.get(
    '/v1/pools',
    { schema: { summary: 'List the pools, with desired and actual workers', operationId: 'listPools', response: { 200: PoolList } } },
    async () => ({
      object: 'list' as const,
      data: await readPools(db, leaseSeconds),
    }),
  );

  app.post(
    '/v1/workers/:id/drain',
    {
      schema: {
        summary: 'Drain a worker',
        description: 'It takes nothing more, finishes what runs, gives the rest back and ends. Asking twice changes nothing.',
        operationId: 'drainWorker',
        params: Type.Object({ id: Type.String() }),
        response: { 200: WorkerObject },
      },
    },
    async (request): Promise<WorkerObject> => {
      const { id } = request.params;
      await db.run(
        sql`update workers set drain_requested_at = coalesce(drain_requested_at, now()) where id = ${id} and state <> 'stopped'`,
      );
      await announceControl(db);
      const [worker] = await readWorkers(db, request.identity, leaseSeconds, id);
      if (worker === undefined) throw new ApiError('not_found', `No worker found with id '${id}'.`, { param: 'id' });
      return worker;
    },
  );
};
