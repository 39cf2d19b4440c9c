import type { App } from '../lib/app.ts';
import { sessionRoutes, type SessionDeps } from './session-routes.ts';

export type PortalDeps = SessionDeps;

/** `/v1/portal`: what pages ask that programs do not. */
export const portalRoutes = (app: App, deps: PortalDeps): void => {
  sessionRoutes(app, deps);
};
