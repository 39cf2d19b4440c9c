import { ListPortalBatches, PortalBatchCounts, PortalBatchFilter, PortalBatchPage } from '@sluice/contract';
import type { Db } from '../db/db.ts';
import type { App } from '../lib/app.ts';
import { listPage } from './batches.ts';
import { countsOf } from './counts.ts';
import { Fresh } from './fresh.ts';

/** The list of batches, and the counts beside it, which take their own time. */
export const portalBatchRoutes = (app: App, { db }: { db: Db }): void => {
  const counts = new Fresh<PortalBatchCounts>(1_000, 3_000);

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
};
