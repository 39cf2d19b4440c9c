import { CreateJob, DeletedJob, Job, JobPage, jobStatuses, ListJobs, type JobStatus } from '@sluice/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Db } from '../db/db.ts';
import type { App } from '../lib/app.ts';
import { ApiError } from '../lib/errors.ts';
import type { Storage } from '../storage/storage.ts';
import { jobArtifactRoutes } from './artifact-routes.ts';
import { sendAnswer, sendWithAnswer } from './answer.ts';
import { cancelJob, deleteJob } from './change.ts';
import type { JobDesk } from './desk.ts';
import { getAnswered, getJob, listJobs } from './read.ts';
import { toJob, type JobRow } from './rows.ts';
import { jobEnded } from './state.ts';
import type { Wait } from './wait.ts';

const anyId = Type.Object({ id: Type.String() });

/** Seconds a call may be held. */
const longest = 300;

/** `Prefer: wait=10`, of RFC 7240; null where it is not there. What is not understood is passed over, as it says. */
export const preferredWait = (request: Pick<FastifyRequest, 'headers'>): number | null => {
  const asked = /(?:^|,)\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:[,;]|$)/i.exec([request.headers['prefer'] ?? ''].flat().join(','))?.[1];
  return asked === undefined ? null : Math.min(longest, Number(asked));
};

const statusList = (text: string | undefined): JobStatus[] | undefined => {
  if (text === undefined) return undefined;
  return text.split(',').map((asked) => {
    const known = jobStatuses.find((status) => status === asked);
    if (known === undefined)
      throw new ApiError(
        'invalid_value',
        `Invalid value: '${asked}'. Supported values are: ${jobStatuses.map((status) => `'${status}'`).join(', ')}.`,
        { param: 'status' },
      );
    return known;
  });
};

export const idempotencyKeyOf = (request: FastifyRequest): { idempotencyKey?: string } => {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return {};
  if (typeof key !== 'string' || key === '' || key.length > 255)
    throw new ApiError('invalid_value', 'Idempotency-Key must have 1 to 255 characters.', { param: 'Idempotency-Key' });
  return { idempotencyKey: key };
};

/** Ends the wait when the caller hangs up. */
const whileHere = (reply: FastifyReply, wait: Wait): Wait => {
  reply.raw.once('close', () => wait.leave());
  return wait;
};

/** Still to come: where it is, and when to look again. */
export const accepted = (reply: FastifyReply, job: JobRow): FastifyReply =>
  reply.code(202).header('location', `/v1/jobs/${job.id}`).header('retry-after', '1').send(toJob(job));

/** `/v1/jobs`: single requests, answered in the background. */
export const jobRoutes = (app: App, { db, storage, jobs }: { db: Db; storage: Storage; jobs: JobDesk }): void => {
  app.addHook('onClose', () => jobs[Symbol.asyncDispose]());
  app.closing.addEventListener('abort', () => jobs.waiters.letGo(), { once: true });

  app.post(
    '/v1/jobs',
    {
      config: { exactNumbers: true },
      schema: {
        summary: 'Submit a request, to be answered in the background',
        description:
          'Replies 202 with the job at once. With `Prefer: wait=N` the call is held for up to N seconds: 200 with the job and its `result` where it has ended by then. The same Idempotency-Key gives the same job.',
        operationId: 'createJob',
        body: CreateJob,
        response: { 200: Job, 202: Job },
      },
    },
    async (request, reply) => {
      const seconds = preferredWait(request);
      const { job, created, answered } = await jobs.create(request.identity, request.body, {
        ...idempotencyKeyOf(request),
        requestId: request.id,
        wait: seconds === null || seconds === 0 ? null : { ms: seconds * 1_000, begin: (wait) => whileHere(reply, wait) },
      });
      if (!created) reply.header('idempotent-replayed', 'true');
      if (seconds !== null) reply.header('preference-applied', `wait=${seconds}`);
      if (answered === null) return accepted(reply, job);
      return sendWithAnswer(storage, answered, reply.header('location', `/v1/jobs/${job.id}`));
    },
  );

  app.get(
    '/v1/jobs',
    { schema: { summary: 'List jobs, newest first', operationId: 'listJobs', querystring: ListJobs, response: { 200: JobPage } } },
    async (request) => {
      const { status, limit = 20, ...filter } = request.query;
      const { rows, more } = await listJobs(db, request.identity, { ...filter, limit, status: statusList(status) });
      const data = rows.map(toJob);
      return { object: 'list' as const, data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, has_more: more };
    },
  );

  app.get(
    '/v1/jobs/:id',
    { schema: { summary: 'Get a job', operationId: 'getJob', params: anyId, response: { 200: Job } } },
    async (request): Promise<Job> => toJob(await getJob(db, request.identity, request.params.id)),
  );

  app.get(
    '/v1/jobs/:id/result',
    {
      schema: {
        summary: 'Get the answer of a job',
        description:
          'The answer as the endpoint would have given it, with its status; of a job that failed, the error it ended with. 202 with the job while it has not ended; `wait` holds the call until it has.',
        operationId: 'getJobResult',
        params: anyId,
        querystring: Type.Object({
          wait: Type.Optional(Type.Integer({ minimum: 0, maximum: longest, description: 'Seconds to wait at most.' })),
        }),
        response: { 200: Type.Unknown(), 202: Job },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const seconds = request.query.wait ?? preferredWait(request) ?? 0;
      const seen = await whileHere(reply, jobs.waiters.wait(id, request.identity.tenant, seconds * 1_000)).seen;
      // Not seen: it is not there, or the database is not; asked for by itself it says which.
      const row = seen ?? (await getAnswered(db, request.identity, id));
      return jobEnded(row.state) ? sendAnswer(storage, row, reply) : accepted(reply, row);
    },
  );

  app.post(
    '/v1/jobs/:id/cancel',
    {
      schema: {
        summary: 'Cancel a job',
        description:
          'One that waits is cancelled at once. One that runs is ended by its worker: the call is aborted or the process killed, and its status follows.',
        operationId: 'cancelJob',
        params: anyId,
        response: { 200: Job },
      },
    },
    async (request): Promise<Job> => toJob(await cancelJob(db, jobs.announcer, request.identity, request.params.id)),
  );

  app.post(
    '/v1/jobs/:id/retry',
    {
      schema: {
        summary: 'Run a job again that has ended',
        description: 'A new job with the same request, linked by `retry_of`; the old one stays as it is.',
        operationId: 'retryJob',
        params: anyId,
        response: { 202: Job },
      },
    },
    async (request, reply) => accepted(reply, (await jobs.retry(request.identity, request.params.id, request.id)).job),
  );

  app.delete(
    '/v1/jobs/:id',
    { schema: { summary: 'Delete a job that has ended', operationId: 'deleteJob', params: anyId, response: { 200: DeletedJob } } },
    async (request) => {
      await deleteJob(db, storage, request.identity, request.params.id);
      return { id: request.params.id, object: 'job' as const, deleted: true as const };
    },
  );

  jobArtifactRoutes(app, { db, storage });
};
