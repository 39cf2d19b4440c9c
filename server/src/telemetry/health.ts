import { createServer, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { App } from '../lib/app.ts';
import { messageOf } from '../lib/errors.ts';
import { contentType } from './metrics.ts';

/** Something this process needs; `check` throws while it is not to be had. */
export interface Dependency {
  name: string;
  check: () => Promise<void>;
  /** Named in the answer, and no reason to call the process unready. */
  optional?: boolean;
}

export interface Health {
  /** The dependencies, and whether the process is stopping. */
  dependencies: Dependency[];
  stopping: AbortSignal;
  metrics: () => Promise<string>;
  /** Takes the notice that this process will be taken away, `seconds` from now where that is said. */
  notice?: (seconds: number | null) => void;
}

interface Answer {
  status: number;
  type: string;
  body: string;
}

interface State {
  status: 'ok' | 'error';
  ms: number;
  optional?: true;
  message?: string;
}

/** Milliseconds a dependency gets: probes of load balancers and Kubernetes wait a second or a few. */
const patience = 2000;

const ask = async ({ name, check, optional }: Dependency): Promise<[string, State]> => {
  const since = performance.now();
  let timer: NodeJS.Timeout | undefined;
  let message: string | undefined;
  try {
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${patience} ms`)), patience);
    });
    await Promise.race([check(), late]);
  } catch (error) {
    message = messageOf(error);
  } finally {
    clearTimeout(timer);
  }
  const ms = Math.round((performance.now() - since) * 10) / 10;
  return [
    name,
    {
      status: message === undefined ? 'ok' : 'error',
      ms,
      ...(optional ? { optional } : {}),
      ...(message === undefined ? {} : { message }),
    },
  ];
};

const json = (status: number, value: unknown): Answer => ({ status, type: 'application/json; charset=utf-8', body: JSON.stringify(value) });

/** Whether this process can do its work: 503 until everything it needs answers, and from the moment it stops. */
const ready = async ({ dependencies, stopping }: Health): Promise<Answer> => {
  const states = await Promise.all(dependencies.map(ask));
  const well = states.every(([, { status, optional }]) => status === 'ok' || optional) && !stopping.aborted;
  return json(well ? 200 : 503, {
    status: stopping.aborted ? 'stopping' : well ? 'ok' : 'unavailable',
    checks: Object.fromEntries(states),
  });
};

/** The same in one word. */
export const isReady = async (health: Health): Promise<boolean> => (await ready(health)).status === 200;

const pages: Record<string, (health: Health) => Promise<Answer>> = {
  '/health/live': async () => json(200, { status: 'ok' }),
  '/health/ready': ready,
  '/metrics': async ({ metrics }) => ({ status: 200, type: contentType, body: await metrics() }),
};

const about: Record<string, string> = {
  '/health/live': 'Whether the process answers at all',
  '/health/ready': 'Whether everything it needs answers; 503 otherwise',
  '/metrics': 'Figures in the format of Prometheus',
};

/** The pages as routes of the API. */
export const healthRoutes = (app: App, health: Health): void => {
  for (const [path, page] of Object.entries(pages))
    app.get(path, { logLevel: 'warn', schema: { tags: ['Operations'], summary: about[path]!, security: [] } }, async (_request, reply) => {
      const { status, type, body } = await page(health);
      // Bytes, so that nobody encodes them once more.
      return reply.code(status).type(type).header('cache-control', 'no-store').send(Buffer.from(body));
    });
};

/**
 * `POST /notice`, with `{"seconds": 30}` or nothing, from this machine only: whatever watches for the cloud's own notice
 * tells the worker. Whoever names an origin is a page in a browser, which has no business here.
 */
const takeNotice = async (request: IncomingMessage, notice: NonNullable<Health['notice']>): Promise<Answer> => {
  const from = request.socket.remoteAddress ?? '';
  if (!/^(::ffff:)?127\.|^::1$/.test(from) || request.headers.origin !== undefined)
    return json(403, { status: 'a notice is taken from this machine only' });
  if (request.method !== 'POST') return json(405, { status: 'a notice is posted' });
  let text = '';
  for await (const part of request) {
    text += String(part);
    if (text.length > 1_000) return json(413, { status: 'too long' });
  }
  let seconds: unknown = null;
  try {
    seconds = text.trim() === '' ? null : ((JSON.parse(text) as { seconds?: unknown } | null)?.seconds ?? null);
  } catch {
    return json(400, { status: 'the body must be JSON, such as {"seconds": 30}, or nothing' });
  }
  if (seconds !== null && (typeof seconds !== 'number' || !(seconds >= 0 && seconds <= 86_400)))
    return json(400, { status: 'seconds must be a number from 0 to 86400' });
  notice(seconds);
  return json(202, { status: 'draining' });
};

/** The pages on a port of their own, for roles that serve nothing else. */
export const healthServer = async ({
  host,
  port,
  health,
}: {
  host: string;
  port: number;
  health: Health;
}): Promise<{ url: string } & AsyncDisposable> => {
  const server: Server = createServer((request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '';
    const page = pages[path];
    const answer =
      path === '/notice' && health.notice
        ? takeNotice(request, health.notice)
        : page
          ? page(health)
          : Promise.resolve(json(404, { status: 'not found' }));
    answer.then(
      ({ status, type, body }) => response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body),
      () => response.writeHead(500).end(),
    );
  });
  server.listen(port, host);
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://${host}:${(server.address() as AddressInfo).port}`, [Symbol.asyncDispose]: close };
};
