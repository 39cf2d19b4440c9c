import type { Db } from '../db/db.ts';
import type { App } from '../lib/app.ts';
import type { Storage } from '../storage/storage.ts';
import type { Models } from '../models/models.ts';
import type { Quotas } from '../policy/quotas.ts';
import { watchDependencies, type Dependency } from './health.ts';
import { portalBatchRoutes } from './batch-routes.ts';
import { ownRoutes, type OwnDeps } from './own-routes.ts';
import { overviewRoutes } from './overview-routes.ts';
import { searchRoutes } from './search-routes.ts';
import { sessionRoutes, type SessionDeps } from './session-routes.ts';

export type PortalDeps = SessionDeps &
  OwnDeps & {
    db: Db;
    storage: Storage;
    models: Models;
    leaseSeconds: number;
    quotas: Quotas;
    /** What this process needs. */
    dependencies: () => readonly Dependency[];
  };

/** `/v1/portal`: what pages ask that programs seldom do. */
export const portalRoutes = (app: App, { dependencies, ...deps }: PortalDeps): void => {
  sessionRoutes(app, deps);
  portalBatchRoutes(app, deps);
  searchRoutes(app, deps);
  ownRoutes(app, deps);
  overviewRoutes(app, { ...deps, dependencies: watchDependencies(dependencies) });
};
