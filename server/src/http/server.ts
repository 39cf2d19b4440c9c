import { type Socket } from 'node:net';
import Fastify, { LogController, type FastifyBaseLogger, type FastifyReply, type FastifyRequest } from 'fastify';
import * as contract from '@sluice/contract';
import type { ErrorBody } from '@sluice/contract';
import { noCookie, secretIn } from '../auth/cookie.ts';
import type { ApiKey, Identity } from '../auth/identity.ts';
import { authenticateWith } from '../auth/keys.ts';
import type { Session, Sessions } from '../auth/sessions.ts';
import { parseExactly } from '../formats/exact-json.ts';
import type { App } from '../lib/app.ts';
import { ApiError } from '../lib/errors.ts';
import { newExchangeId } from '../lib/ids.ts';
import type { Logger } from '../lib/log.ts';
import { foldModelName } from '../models/paths.ts';
import { toApiError } from './failures.ts';
import { describeApi } from './openapi.ts';
import { docsPage } from './docs.ts';
import { servePortal } from './portal-files.ts';
import { checkedSerializer } from './replies.ts';
import { lazyLogger } from './request-log.ts';
import { routeTable } from './table.ts';
import { type SharedSchema, validatorOf } from './validation.ts';

export interface ServerOptions {
  keys: readonly ApiKey[];
  /** Browsers that are signed in; absent: there are none. */
  sessions?: Sessions;
  /** Told of each key that is used. */
  used?: (key: ApiKey) => void;
  log: Logger;
  /** Adds the rooms' routes. */
  routes: (app: App) => void | Promise<void>;
  /** Bytes of a JSON body. A line of a batch may have 16 MB, and whatever fits in a line is served at once too. */
  bodyLimit?: number;
  /** Holds every reply against its schema, and fails the request where they differ: for tests. */
  checkReplies?: boolean;
  /** The folder of the built portal, served at `/`; absent, or nothing built there: the API alone. */
  portal?: string;
  /** Milliseconds that replies under way get when the server closes. */
  closeMs?: number;
}

const nobody: Identity = Object.freeze({ tenant: '', user: '' });

/** Everything a browser could be talked into, switched off: replies are data. */
const replyHeaders = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
};

const isShared = (value: unknown): value is SharedSchema =>
  typeof value === 'object' && value !== null && '$id' in value && typeof value.$id === 'string';

/** The schemas other schemas refer to by `$id`, in an order that does not hang on how modules are loaded. */
const sharedSchemas = (): SharedSchema[] => {
  const all: unknown[] = Object.values(contract);
  return all.filter(isShared).sort((a, b) => (a.$id < b.$id ? -1 : 1));
};

/**
 * A request that is not HTTP at all (a header too large, a line that does not parse) never becomes a request; it gets
 * the envelope all the same, and the connection ends.
 */
const refuseConnection = (error: Error & { code?: string }, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [status, reason] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [431, 'Request Header Fields Too Large']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [408, 'Request Timeout']
        : [400, 'Bad Request'];
  const reply: ErrorBody = { error: { message: `${reason}.`, type: 'invalid_request_error', param: null, code: null } };
  const body = JSON.stringify(reply);
  if (socket.writable)
    socket.end(
      `HTTP/1.1 ${status} ${reason}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    );
};

const safe = new Set(['GET', 'HEAD', 'OPTIONS']);

/** A browser sends its cookie along with whatever a page has it ask: what changes something must also know the token. */
const admitSession = async (
  request: FastifyRequest,
  reply: FastifyReply,
  sessions: Sessions,
  secret: string,
  used?: (key: ApiKey) => void,
): Promise<void> => {
  let session: Session;
  try {
    session = await sessions.find(secret);
  } catch (error) {
    if (error instanceof ApiError) reply.header('set-cookie', noCookie);
    throw error;
  }
  request.identity = session.identity;
  request.session = session;
  used?.(session.key);
  if (!safe.has(request.method) && request.headers['x-csrf-token'] !== session.csrfToken)
    throw new ApiError(
      'invalid_csrf_token',
      'A request with a session cookie that changes something needs the header x-csrf-token, as `GET /v1/portal/session` says it.',
    );
};

/** The Open Inference Protocol has an error be one text. */
const speaksOip = ({ routeOptions, url }: FastifyRequest): boolean => /^\/v2(?![^/?])/.test(routeOptions.url ?? url);

const fail = (thrown: unknown, request: FastifyRequest, reply: FastifyReply) => {
  const error = toApiError(thrown);
  // What was thrown on purpose says it all; where something else went wrong, it is told too.
  if (error.status >= 500) request.log[error.cause === undefined ? 'warn' : 'error']({ err: error.cause, code: error.code }, error.message);
  if (error.status === 409) reply.header('x-should-retry', 'false');
  // What is still on its way is read and dropped. A connection closed on it would be reset, and the client would
  // see that instead of this reply; one left unread could take no further request.
  if (!request.raw.complete) request.raw.resume();
  const body = speaksOip(request) ? { error: error.message } : error.body();
  return reply.code(error.status).headers(error.headers).type('application/json').send(JSON.stringify(body));
};

/**
 * The HTTP server: who is asking, what is wrong with a request, and the same headers on every reply. Rooms add their
 * routes in `routes`; those under /v1 run with `request.identity` set. It does not listen yet.
 */
export const buildServer = async (options: ServerOptions): Promise<App> => {
  const { closeMs = 5_000, sessions } = options;
  const log: FastifyBaseLogger = options.log;
  const app: App = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    childLoggerFactory: (logger, bindings, options) => lazyLogger(() => logger.child(bindings, options)),
    genReqId: newExchangeId,
    requestIdHeader: false,
    bodyLimit: options.bodyLimit ?? 32 * 1024 * 1024,
    // Longer than any load balancer keeps an idle connection: the one who closes first must be the client.
    keepAliveTimeout: 75_000,
    // TCP's own keep-alive finds clients that are gone; an inactivity time-out would cut predictions that take long.
    http: { keepAlive: true, keepAliveInitialDelay: 30_000 },
    rewriteUrl: (request) => foldModelName(request.url ?? '/'),
    routerOptions: { maxParamLength: 512, ignoreTrailingSlash: true },
    clientErrorHandler: refuseConnection,
    frameworkErrors: (error, request, reply) => {
      fail(error, request, reply);
    },
  });
  const authenticate = authenticateWith(options.keys, options.used);

  app.setErrorHandler(fail);

  const shared = sharedSchemas();
  for (const schema of shared) app.addSchema(schema);
  app.setValidatorCompiler(validatorOf(shared));
  app.setSerializerCompiler(options.checkReplies ? checkedSerializer(shared) : () => JSON.stringify);

  const closing = new AbortController();
  app.decorate('closing', closing.signal);
  // Set by the first hook: Fastify takes no object here, and a getter would cost every request a property of its own.
  app.decorateRequest('identity');
  app.decorateRequest('quiet', false);
  app.decorateRequest('session', null);
  app.addHook('onRequest', (request, reply, done) => {
    request.identity = nobody;
    reply.headers(replyHeaders);
    reply.header('x-request-id', request.id);
    done();
  });
  // The pattern that matched, not the address as sent: `/%761/files` is the route /v1/files as well. Asked once a route,
  // for each request asks dearly: Fastify makes and freezes an object then.
  app.addHook('onRoute', (route) => {
    const under = /^\/v1|^\/v2(?!\/health\/)|^\/health\/workers$/.test(route.url);
    const [guarded, openai] = [under && route.config?.open !== true, route.url.startsWith('/v1')];
    const quiet = route.config?.quiet === true;
    if (!guarded && !openai && !quiet) return;
    // Both of Fastify's ways: it goes on by `done`, and where the database is asked by the promise.
    const admit = (request: FastifyRequest, reply: FastifyReply, done: () => void): Promise<void> | undefined => {
      request.quiet = quiet;
      // Before the key is looked at: a refusal carries it too.
      if (openai) reply.header('openai-version', '2020-10-01');
      if (under) reply.header('cache-control', 'no-store');
      if (guarded) {
        const { authorization, cookie } = request.headers;
        const secret = authorization === undefined && sessions !== undefined ? secretIn(cookie) : null;
        if (secret !== null) return admitSession(request, reply, sessions!, secret, options.used);
        request.identity = authenticate(authorization);
      }
      done();
      return undefined;
    };
    route.onRequest = [admit, ...[route.onRequest ?? []].flat()];
  });
  app.addHook('preValidation', (request, _reply, done) => {
    // Clients post to /cancel without a body, or with a content type and none; the schema then says what is missing.
    if (request.body === undefined && request.routeOptions.schema?.body) request.body = {};
    done();
  });
  app.addHook('onSend', (_request, reply, payload, done) => {
    reply.header('openai-processing-ms', Math.round(reply.elapsedTime));
    done(null, payload);
  });
  app.addHook('onResponse', (request, reply, done) => {
    if (request.quiet && reply.statusCode < 400) return done();
    const level = reply.statusCode >= 400 || request.method !== 'GET' ? 'info' : 'debug';
    const { tenant, user } = request.identity;
    request.log[level](
      {
        tenant,
        user,
        method: request.method,
        route: request.routeOptions.url,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      },
      `${request.method} ${request.url} ${reply.statusCode}`,
    );
    done();
  });

  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser(['application/json', 'text/plain']);
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else
      void parse(request, body, (error, value?: unknown) => {
        if (error || request.routeOptions.config.exactNumbers !== true) done(error, value);
        else done(null, parseExactly(body));
      });
  });
  // Uploads are read by the room of files itself, from `request.raw`, as they come.
  app.addContentTypeParser(/^multipart\//, (_request, _payload, done) => done(null, null));

  const page = options.portal === undefined ? null : await servePortal(app, options.portal);
  const allowed = routeTable(app);
  app.setNotFoundHandler((request, reply) => {
    const shown = page?.(request, reply) ?? null;
    if (shown !== null) return shown;
    const path = request.url.split('?', 1)[0]!;
    const allow = allowed(path);
    if (allow.length === 0) throw new ApiError('not_found', `Invalid URL (${request.method} ${path})`);
    reply.header('allow', allow.join(', '));
    throw new ApiError('method_not_allowed', `Not allowed to ${request.method} on ${path} (HINT: Perhaps you meant to use ${allow[0]!}?)`);
  });

  await describeApi(app);
  docsPage(app);
  await options.routes(app);

  app.addHook('preClose', (done) => {
    closing.abort();
    setTimeout(() => app.server.closeAllConnections(), closeMs).unref();
    done();
  });
  return app;
};
