import { UsageReport, type Held } from '@sluice/contract';
import type { Db } from '../db/db.ts';
import type { App } from '../lib/app.ts';
import { quotasOf, type Quotas, type Scope } from '../policy/quotas.ts';
import { readOpen, readQueue } from './quotas.ts';

/** `/v1/usage`: what quotas allow, and what of it is in use. */
export const quotaRoutes = (app: App, { db, quotas }: { db: Db; quotas: Quotas }): void => {
  app.get(
    '/v1/usage',
    {
      schema: {
        summary: 'What the caller, the tenant and all together may hold, and do',
        operationId: 'getUsage',
        response: { 200: UsageReport },
      },
    },
    async (request): Promise<UsageReport> => {
      const { tenant, user } = request.identity;
      const limits = quotasOf(quotas, tenant);
      const [open, queue] = [await readOpen(db, request.identity), await readQueue(db, request.identity)];
      const held = (scope: Scope): Held => ({
        batches: { used: open.batches[scope], limit: limits[scope].maxBatches },
        queued_requests: { used: queue.queued[scope], limit: limits[scope].maxQueuedRequests },
        in_flight: { used: queue.running[scope], limit: limits[scope].maxInFlight },
        queued_bytes: { used: open.bytes[scope], limit: limits[scope].maxQueuedBytes },
      });
      return {
        object: 'usage',
        user: { name: user, ...held('user') },
        tenant: { name: tenant, ...held('tenant') },
        global: held('global'),
      };
    },
  );
};
