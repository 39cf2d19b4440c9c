import type { CreateJob } from '@sluice/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { JobDesk } from './desk.ts';
import { accepted, idempotencyKeyOf } from './routes.ts';

/** Answers a prediction with a job, where it was asked for so or its model takes long: 202, and where its answer will be. */
export const answerLater =
  (jobs: JobDesk) =>
  async (request: FastifyRequest, reply: FastifyReply, body: CreateJob): Promise<FastifyReply> => {
    const { job, created } = await jobs.create(
      request.identity,
      { ...body, endpoint: '/v1/predict' },
      { ...idempotencyKeyOf(request), requestId: request.id },
    );
    if (!created) reply.header('idempotent-replayed', 'true');
    const preferred = request.headers.prefer !== undefined;
    return accepted(preferred ? reply.header('preference-applied', 'respond-async') : reply, job);
  };
