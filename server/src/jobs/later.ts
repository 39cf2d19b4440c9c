import type { CreateJob } from '@sluice/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { JobDesk } from './desk.ts';
import { accepted, idempotencyKeyOf } from './routes.ts';

/** Answers a prediction with a job, where `Prefer: respond-async` asks for it: 202, and where its answer will be. */
export const answerLater =
  (jobs: JobDesk) =>
  async (request: FastifyRequest, reply: FastifyReply, body: CreateJob): Promise<FastifyReply> => {
    const { job, created } = await jobs.create(
      request.identity,
      { ...body, endpoint: '/v1/predict' },
      { ...idempotencyKeyOf(request), requestId: request.id },
    );
    if (!created) reply.header('idempotent-replayed', 'true');
    return accepted(reply.header('preference-applied', 'respond-async'), job);
  };
