import { PortalSearch } from '@sluice/contract';
import { Type } from 'typebox';
import type { App } from '../lib/app.ts';
import { search, type SearchDeps } from './search.ts';

export const searchRoutes = (app: App, deps: SearchDeps): void => {
  app.get(
    '/v1/portal/search',
    {
      config: { quiet: true },
      schema: {
        summary: 'Whatever a text may name: batches, requests, files, jobs, models',
        description:
          'By id or its beginning, also inside an address; else by beginnings of words in names, metadata and errors, and by custom_id in the newest batches.',
        operationId: 'searchPortal',
        querystring: Type.Object({
          q: Type.String({ minLength: 1, maxLength: 500 }),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 50, description: 'Of each kind; default 6.' })),
        }),
        response: { 200: PortalSearch },
      },
    },
    ({ identity, query: { q, limit = 6 } }): Promise<PortalSearch> => search(deps, identity, q, limit),
  );
};
