import { BatchRepair, Completion, CompletionRepair, Explanation, type BatchStanding } from '@sluice/contract';
import { Type } from 'typebox';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import type { App } from '../lib/app.ts';
import { explain } from './explain.ts';
import { repair, repairAll } from './repair.ts';
import { planAge, planLimit, readStandings, readyWorker, stallOf, type Standing } from './standing.ts';

const anyId = Type.Object({ id: Type.String() });

const toStanding = (s: Standing, reason: BatchStanding['reason']): BatchStanding => ({
  id: s.id,
  object: 'batch.standing',
  name: s.name,
  status: s.status,
  created_by: s.created_by,
  total: s.total,
  settled: s.settled,
  milestone: s.milestone,
  last_progress_at: s.last_progress_at,
  expires_at: s.deadline,
  stalled: reason !== null,
  reason,
});

/** Of the installation: counts and ages, nothing of any tenant's. */
const healthOf = async (db: Db, age: number | null, leaseSeconds: number): Promise<Completion['health']> => {
  const workers = await db.many<Completion['health']['workers'][number]>(sql`
    select w.pool, count(*) filter (where ${readyWorker(leaseSeconds)})::int as ready,
      count(*) filter (where not (${readyWorker(leaseSeconds)}) and w.seen_at > now() - make_interval(secs => ${leaseSeconds}))::int as draining,
      count(*) filter (where w.seen_at <= now() - make_interval(secs => ${leaseSeconds}))::int as lost,
      coalesce(sum(c.leases), 0)::int as leases
    from workers w left join (select worker_id, count(*) as leases from chunks where state = 'leased' group by 1) c on c.worker_id = w.id
    where w.state <> 'stopped' group by 1 order by 1`);
  const queue = await db.one<{ oldest: number | null; intake: number }>(sql`
    select extract(epoch from now() - min(b.created_at) filter (
        where b.status = 'in_progress' and exists (select from chunks c where c.batch_no = b.no and c.state = 'queued')))::float8 as oldest,
      count(*) filter (where b.status = 'validating')::int as intake
    from batches b where b.status in ('validating', 'in_progress')`);
  return {
    schedulers: { alive: age !== null && age < planLimit, planned_seconds_ago: age },
    workers,
    oldest_queued_seconds: queue.oldest,
    waiting_for_intake: queue.intake,
  };
};

/** Whether batches come to an end: which do not, why, and putting it right. */
export const completionRoutes = (app: App, { db, leaseSeconds }: { db: Db; leaseSeconds: number }): void => {
  app.get(
    '/v1/completion',
    {
      schema: {
        summary: 'Open batches, those that stand still apart, and the system’s health',
        operationId: 'getCompletion',
        querystring: Type.Object({
          stalled_minutes: Type.Optional(
            Type.Number({ minimum: 0, maximum: 100_000, description: 'Without progress for longer, a batch is stalled; default 10.' }),
          ),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, description: 'Batches looked at, oldest first; default 100.' })),
        }),
        response: { 200: Completion },
      },
    },
    async (request): Promise<Completion> => {
      const { stalled_minutes = 10, limit = 100 } = request.query;
      const age = await planAge(db);
      const found = await readStandings(db, { tenant: request.identity.tenant, limit: limit + 1 }, leaseSeconds);
      const all = found.slice(0, limit).map((s) => toStanding(s, stallOf(s, stalled_minutes * 60, age !== null && age < planLimit)));
      return {
        object: 'completion',
        stalled_after_minutes: stalled_minutes,
        active: all.filter(({ stalled }) => !stalled),
        stalled: all.filter(({ stalled }) => stalled),
        has_more: found.length > limit,
        health: await healthOf(db, age, leaseSeconds),
      };
    },
  );

  app.post(
    '/v1/completion/repair',
    {
      schema: {
        summary: 'Repair every stuck batch',
        description: 'Safe to repeat: batches that are well are left as they are.',
        operationId: 'repairCompletion',
        response: { 200: CompletionRepair },
      },
    },
    async (request): Promise<CompletionRepair> => {
      const { looked, data } = await repairAll(db, request.identity, leaseSeconds);
      return { object: 'completion.repair', looked_at: looked, data };
    },
  );

  app.get(
    '/v1/batches/:id/explain',
    {
      schema: {
        summary: 'Why a batch is where it is, and what will move it',
        operationId: 'explainBatch',
        params: anyId,
        response: { 200: Explanation },
      },
    },
    (request): Promise<Explanation> => explain(db, request.identity, request.params.id, leaseSeconds),
  );

  app.post(
    '/v1/batches/:id/repair',
    {
      schema: {
        summary: 'Repair a stuck batch',
        description: 'Takes back what is held by who is gone, and lets it go on. Safe to repeat: a batch that is well is left as it is.',
        operationId: 'repairBatch',
        params: anyId,
        response: { 200: BatchRepair },
      },
    },
    (request): Promise<BatchRepair> => repair(db, request.identity, request.params.id, leaseSeconds),
  );
};
