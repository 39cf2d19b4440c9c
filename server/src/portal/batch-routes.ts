import {
  BatchFailures,
  ListPortalBatches,
  ListPortalRequests,
  PortalBatchCounts,
  PortalBatchDetails,
  PortalBatchFilter,
  PortalBatchPage,
  PortalBody,
  PortalRequestPage,
} from '@sluice/contract';
import { Type } from 'typebox';
import { failuresOf } from '../batches/failures.ts';
import type { Db } from '../db/db.ts';
import type { App } from '../lib/app.ts';
import { listPage } from './batches.ts';
import { countsOf } from './counts.ts';
import { detailsOf } from './details.ts';
import { Fresh } from './fresh.ts';
import { requestBody, requestPage } from './requests.ts';
import type { Storage } from '../storage/storage.ts';

/** The list of batches, and the counts beside it, which take their own time. */
export const portalBatchRoutes = (app: App, { db, storage }: { db: Db; storage: Storage }): void => {
  const counts = new Fresh<PortalBatchCounts>(1_000, 3_000);
  const details = new Fresh<PortalBatchDetails>(500, 500);

  app.get(
    '/v1/portal/batches',
    {
      config: { quiet: true },
      schema: {
        summary: 'Batches as a list shows them: filtered, searched and sorted, page after page',
        operationId: 'listPortalBatches',
        querystring: ListPortalBatches,
        response: { 200: PortalBatchPage },
      },
    },
    (request): Promise<PortalBatchPage> => listPage(db, request.identity, request.query),
  );

  app.get(
    '/v1/portal/batches/counts',
    {
      config: { quiet: true },
      schema: {
        summary: 'How many batches have each status, model, user, pool, priority and SLA, of those that the other filters mean',
        operationId: 'countPortalBatches',
        querystring: PortalBatchFilter,
        response: { 200: PortalBatchCounts },
      },
    },
    ({ identity, query }): Promise<PortalBatchCounts> =>
      counts.get(JSON.stringify([identity.tenant, query]), () => countsOf(db, identity, query)),
  );

  const anyId = Type.Object({ id: Type.String() });

  app.get(
    '/v1/portal/batches/:id',
    {
      config: { quiet: true },
      schema: {
        summary: 'What a page about a batch shows besides it: states, stages, marks, models, workers and throughput',
        operationId: 'getPortalBatch',
        params: anyId,
        response: { 200: PortalBatchDetails },
      },
    },
    ({ identity, params: { id } }): Promise<PortalBatchDetails> =>
      details.get(`${identity.tenant} ${id}`, () => detailsOf(db, identity, id)),
  );

  app.get(
    '/v1/portal/batches/:id/requests',
    {
      config: { quiet: true },
      schema: {
        summary: 'A window of a batch’s requests, from any line on, without their bodies',
        operationId: 'listPortalRequests',
        params: anyId,
        querystring: ListPortalRequests,
        response: { 200: PortalRequestPage },
      },
    },
    (request): Promise<PortalRequestPage> => requestPage({ db, storage }, request.identity, request.params.id, request.query),
  );

  app.get(
    '/v1/portal/batches/:id/requests/:line',
    {
      config: { quiet: true },
      schema: {
        summary: 'What was sent with a request, or what came back, as it lies in its file; at most so many bytes',
        operationId: 'getPortalBody',
        params: Type.Object({ id: Type.String(), line: Type.Integer({ minimum: 1, maximum: 2_147_483_646 }) }),
        querystring: Type.Object({
          part: Type.Enum(['input', 'output']),
          max: Type.Optional(Type.Integer({ minimum: 1, maximum: 64_000_000, description: 'Bytes; default 65536.' })),
        }),
        response: { 200: PortalBody },
      },
    },
    ({ identity, params, query: { part, max = 65_536 } }): Promise<PortalBody> =>
      requestBody({ db, storage }, identity, params, { part, max }),
  );

  app.get(
    '/v1/batches/:id/failures',
    {
      schema: {
        summary: 'Why requests of a batch failed: causes, how many of each, and an example',
        operationId: 'listBatchFailures',
        params: anyId,
        querystring: Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: 'Causes; default 20.' })) }),
        response: { 200: BatchFailures },
      },
    },
    ({ identity, params: { id }, query: { limit = 20 } }): Promise<BatchFailures> => failuresOf(db, identity, id, limit),
  );
};
