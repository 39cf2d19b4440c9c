import { PortalAttention, PortalOverview, portalRanges } from '@sluice/contract';
import { Type } from 'typebox';
import type { App } from '../lib/app.ts';
import { attentionOf, type AttentionDeps } from './attention.ts';
import { Fresh } from './fresh.ts';
import { overviewOf } from './overview.ts';

/** What a dashboard shows; thirty of them cost the database what one does. */
export const overviewRoutes = (app: App, deps: AttentionDeps): void => {
  const overviews = new Fresh<PortalOverview>(1_000, 3_000);
  const attentions = new Fresh<PortalAttention>(5_000, 10_000);

  app.get(
    '/v1/portal/overview',
    {
      config: { quiet: true },
      schema: {
        summary: 'What runs, waits and failed, how fast and how well: from figures that are kept ready',
        operationId: 'getPortalOverview',
        querystring: Type.Object({ range: Type.Optional(Type.Enum([...portalRanges], { description: 'Of the series; default 6h.' })) }),
        response: { 200: PortalOverview },
      },
    },
    ({ identity: { tenant }, query: { range = '6h' } }): Promise<PortalOverview> =>
      overviews.get(`${tenant} ${range}`, () => overviewOf(deps, tenant, range)),
  );

  app.get(
    '/v1/portal/attention',
    {
      config: { quiet: true },
      schema: {
        summary: 'What somebody should look at, the worst first, with the filter of the list that shows it',
        operationId: 'getPortalAttention',
        response: { 200: PortalAttention },
      },
    },
    ({ identity }): Promise<PortalAttention> => attentions.get(`${identity.tenant} ${identity.user}`, () => attentionOf(deps, identity)),
  );
};
