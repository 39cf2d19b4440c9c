import { PortalSession, SignedOut, SignIn } from '@sluice/contract';
import type { FastifyRequest } from 'fastify';
import { noCookie, secretIn, sessionCookie } from '../auth/cookie.ts';
import type { Identity } from '../auth/identity.ts';
import { unknownKey } from '../auth/keys.ts';
import { sessionEnded, type Session, type Sessions } from '../auth/sessions.ts';
import { WrongKeys } from '../auth/wrong-keys.ts';
import { currentPlace, writePlace } from '../batches/events.ts';
import type { Config } from '../config.ts';
import type { Db } from '../db/db.ts';
import type { App } from '../lib/app.ts';
import { ApiError } from '../lib/errors.ts';

export interface SessionDeps {
  db: Db;
  sessions: Sessions;
  settings: Pick<Config, 'portal' | 'limits' | 'pools'> & { registry: Pick<Config['registry'], 'maxBytes'> };
  version: () => Promise<string>;
}

const monthSeconds = 30 * 86_400;

const byHttps = (request: FastifyRequest): boolean =>
  request.headers.origin?.startsWith('https:') === true || String(request.headers['x-forwarded-proto'] ?? '').startsWith('https');

/** `/v1/portal/session`: signing in with a key, who is signed in, and signing out. */
export const sessionRoutes = (app: App, { db, sessions, settings, version }: SessionDeps): void => {
  const wrong = new WrongKeys();
  const { portal, limits, pools, registry } = settings;
  const present = async (identity: Identity, session: Session | null): Promise<PortalSession> => ({
    object: 'portal.session',
    tenant: identity.tenant,
    user: identity.user,
    role: identity.role ?? 'user',
    csrf_token: session?.csrfToken ?? null,
    expires_at: session ? Math.floor(session.expiresAt) : null,
    now: Date.now() / 1_000,
    event: writePlace(await currentPlace(db)),
    server: { name: portal.name, version: await version() },
    config: {
      grafana_url: portal.grafanaUrl,
      live_max_hz: portal.liveMaxHz,
      pools: pools.map(({ name, preemptible }) => ({ name, preemptible })),
    },
    limits: {
      max_lines: limits.maxLines,
      max_file_bytes: limits.maxFileBytes,
      max_line_bytes: limits.maxLineBytes,
      max_model_bytes: registry.maxBytes,
      openai: limits.openai,
    },
  });

  app.post(
    '/v1/portal/session',
    {
      config: { open: true },
      schema: {
        summary: 'Sign a browser in with an API key',
        description:
          'Sets an HttpOnly cookie that all of `/v1` takes instead of the key. With it, whatever is not GET or HEAD must carry the `csrf_token` of the reply as `x-csrf-token`.',
        operationId: 'signIn',
        security: [],
        body: SignIn,
        response: { 200: PortalSession },
      },
    },
    async (request, reply): Promise<PortalSession> => {
      const seconds = wrong.wait(request.ip);
      if (seconds > 0)
        throw new ApiError('rate_limited', `Too many wrong keys came from your address. Try again in ${seconds} s.`, {
          headers: { 'retry-after': String(seconds) },
        });
      const opened = await sessions.open(request.body.api_key, request.headers['user-agent'] ?? '');
      if (opened === null) {
        wrong.count(request.ip);
        throw new ApiError('invalid_api_key', unknownKey, { param: 'api_key' });
      }
      // Whoever was signed in here before is not any more.
      const before = secretIn(request.headers.cookie);
      if (before !== null) await sessions.close(before);
      request.identity = opened.identity;
      reply.header('set-cookie', sessionCookie(opened.secret, { secure: byHttps(request), seconds: monthSeconds }));
      return present(opened.identity, opened);
    },
  );

  app.get(
    '/v1/portal/session',
    {
      schema: {
        summary: 'Who is signed in, and what a page needs to know',
        operationId: 'getPortalSession',
        response: { 200: PortalSession },
      },
    },
    (request): Promise<PortalSession> => present(request.identity, request.session),
  );

  app.delete(
    '/v1/portal/session',
    { schema: { summary: 'Sign out', operationId: 'signOut', response: { 200: SignedOut } } },
    async (request, reply) => {
      const secret = secretIn(request.headers.cookie);
      if (request.session === null || secret === null) throw sessionEnded();
      await sessions.close(secret);
      reply.header('set-cookie', noCookie);
      return { object: 'portal.session' as const, deleted: true as const };
    },
  );
};
