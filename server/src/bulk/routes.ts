import { BulkItemPage, BulkOperation, BulkPage, BulkPreview, bulkStatuses, CreateBulk, RedriveDeadLetters } from '@sluice/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Db } from '../db/db.ts';
import type { App } from '../lib/app.ts';
import { ApiError } from '../lib/errors.ts';
import { listLeft } from './items.ts';
import { createOperation, getOperation, listOperations, settledSelection, stopOperation, toOperation } from './operations.ts';
import { preview } from './preview.ts';

const anyId = Type.Object({ id: Type.String() });
const limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 100 }));

const pageOf = <T extends { id: string }>(data: T[], more: boolean) => ({
  object: 'list' as const,
  data,
  first_id: data[0]?.id ?? null,
  last_id: data.at(-1)?.id ?? null,
  has_more: more,
});

const idempotencyKey = (request: FastifyRequest): string | undefined => {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || key.length === 0 || key.length > 255)
    throw new ApiError('invalid_value', 'Idempotency-Key must have 1 to 255 characters.', { param: 'Idempotency-Key' });
  return key;
};

/** `/v1/bulk`: one action on all that a filter means; and redriving dead letters, which is one. */
export const bulkRoutes = (app: App, { db }: { db: Db }): void => {
  const create = async (request: FastifyRequest, reply: FastifyReply, body: CreateBulk): Promise<BulkOperation> => {
    const { operation, created } = await createOperation(db, request.identity, body, idempotencyKey(request));
    if (!created) reply.header('idempotent-replayed', 'true');
    return toOperation(operation);
  };
  const look = async (request: FastifyRequest, body: CreateBulk): Promise<BulkPreview> =>
    preview(db, await settledSelection(db, request.identity, body));

  app.post(
    '/v1/bulk',
    {
      schema: {
        summary: 'Do something to many batches, or many requests',
        description:
          'To all that the filter means, whatever page it stands on; an empty filter is refused. With `preview=true` nothing is done, and the reply says what would be. The same Idempotency-Key gives the same operation.',
        operationId: 'createBulkOperation',
        querystring: Type.Object({ preview: Type.Optional(Type.Boolean()) }),
        body: CreateBulk,
        response: { 200: Type.Union([Type.Ref('BulkOperation'), Type.Ref('BulkPreview')]) },
      },
    },
    (request, reply): Promise<BulkOperation | BulkPreview> =>
      request.query.preview === true ? look(request, request.body) : create(request, reply, request.body),
  );

  app.post(
    '/v1/bulk/preview',
    {
      schema: {
        summary: 'What such an operation would meet: matched, eligible, skipped and why',
        operationId: 'previewBulkOperation',
        body: CreateBulk,
        response: { 200: BulkPreview },
      },
    },
    (request): Promise<BulkPreview> => look(request, request.body),
  );

  app.post(
    '/v1/dead_letters/redrive',
    {
      schema: {
        summary: 'Run dead letters again, in a continuation of each of their batches',
        description: 'A bulk operation: paced by `options.per_second`, stopped and looked at through `/v1/bulk/{id}`.',
        operationId: 'redriveDeadLetters',
        body: RedriveDeadLetters,
        response: { 200: BulkOperation },
      },
    },
    (request, reply): Promise<BulkOperation> => create(request, reply, { on: 'requests', action: 'redrive', ...request.body }),
  );

  app.get(
    '/v1/bulk',
    {
      schema: {
        summary: 'List bulk operations, newest first',
        operationId: 'listBulkOperations',
        querystring: Type.Object({ status: Type.Optional(Type.Enum([...bulkStatuses])), after: Type.Optional(Type.String()), limit }),
        response: { 200: BulkPage },
      },
    },
    async (request) => {
      const { status, after, limit = 20 } = request.query;
      const { rows, more } = await listOperations(db, request.identity, {
        limit,
        ...(after !== undefined && { after }),
        ...(status !== undefined && { status: [status] }),
      });
      return pageOf(rows.map(toOperation), more);
    },
  );

  app.get(
    '/v1/bulk/:id',
    {
      schema: {
        summary: 'Get a bulk operation, with its progress',
        operationId: 'getBulkOperation',
        params: anyId,
        response: { 200: BulkOperation },
      },
    },
    async (request): Promise<BulkOperation> => toOperation(await getOperation(db, request.identity, request.params.id)),
  );

  app.get(
    '/v1/bulk/:id/items',
    {
      schema: {
        summary: 'What a bulk operation left alone, or could not do, and why',
        operationId: 'listBulkItems',
        params: anyId,
        querystring: Type.Object({
          outcome: Type.Optional(Type.Enum(['skipped', 'failed'])),
          after: Type.Optional(Type.String({ description: 'The id of the last item of the page before.' })),
          limit,
        }),
        response: { 200: BulkItemPage },
      },
    },
    async (request) => {
      const { no } = await getOperation(db, request.identity, request.params.id);
      const { outcome, after, limit = 20 } = request.query;
      const { data, more } = await listLeft(db, no, {
        limit,
        ...(after !== undefined && { after }),
        ...(outcome !== undefined && { outcome }),
      });
      return pageOf(data, more);
    },
  );

  app.post(
    '/v1/bulk/:id/stop',
    {
      schema: {
        summary: 'Stop a bulk operation',
        description: 'Before its next item; what it has done stays done.',
        operationId: 'stopBulkOperation',
        params: anyId,
        response: { 200: BulkOperation },
      },
    },
    async (request): Promise<BulkOperation> => toOperation(await stopOperation(db, request.identity, request.params.id)),
  );
};
