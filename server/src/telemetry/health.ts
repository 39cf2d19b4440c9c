import { createServer, type Server } from 'node:http';
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
  dependencies: readonly Dependency[];
  stopping: AbortSignal;
  metrics: () => Promise<string>;
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
    const page = pages[request.url?.split('?', 1)[0] ?? ''];
    const answer = page ? page(health) : Promise.resolve(json(404, { status: 'not found' }));
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
