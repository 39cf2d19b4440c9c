import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { Agent, request as ask, type IncomingMessage } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Batch, FileObject } from '@sluice/contract';
import pg from 'pg';
import { startEmbedded, type Embedded } from '../src/db/embedded.ts';
import { migrate } from '../src/db/migrate.ts';
import { silent } from '../src/lib/log.ts';

export const program = fileURLToPath(new URL('../src/main.ts', import.meta.url));
/** That of an admin. */
export const key = 'bench-key';

/** The PostgreSQL that Sluice brings along, with the settings it brings, in a folder of its own. */
export const startPostgres = async (): Promise<Embedded & { folder: string }> => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  // As root PostgreSQL runs as somebody else, who must get through.
  await chmod(folder, 0o711);
  const server = await startEmbedded({ dataDir: folder, log: silent });
  const stop = async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  return { ...server, folder, stop, [Symbol.asyncDispose]: stop };
};

export const query = async <Row>(url: string, text: string, values: unknown[] = []): Promise<Row[]> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text, values)).rows as Row[];
  } finally {
    await client.end();
  }
};

/** A new, empty database on that server. */
export const makeDatabase = async (server: string, name: string): Promise<string> => {
  await query(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
};

export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

/** A process that must not end by itself; what it says on stderr goes with the error when it does. */
export class Process implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  #said = '';

  constructor(command: string, args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv; ipc?: boolean } = {}) {
    const { cwd, env, ipc = false } = options;
    this.child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? ['ipc' as const] : [])],
    });
    for (const stream of [this.child.stdout!, this.child.stderr!])
      stream.on('data', (data: Buffer) => (this.#said = (this.#said + data.toString()).slice(-4_000)));
    this.ended = once(this.child, 'exit');
  }

  get pid(): number {
    return this.child.pid!;
  }

  assertRuns(): void {
    if (this.child.exitCode !== null || this.child.signalCode !== null)
      throw new Error(`${this.child.spawnargs.join(' ')} ended (${this.child.signalCode ?? this.child.exitCode}): ${this.#said}`);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM');
    await this.ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

export interface Reply {
  status: number;
  body: string;
}

/** One request, answered in full. */
export const call = async (
  url: string,
  method = 'GET',
  body?: Buffer | string | Readable,
  headers: Record<string, string | number> = {},
): Promise<Reply> => {
  const request = ask(url, { method, agent, headers: { authorization: `Bearer ${key}`, ...headers } });
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  if (body instanceof Readable) await pipeline(body, request);
  else request.end(body);
  const [response] = await answered;
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  return { status: response.statusCode!, body: Buffer.concat(parts).toString() };
};

const object = async <T>(reply: Promise<Reply>): Promise<T> => {
  const { status, body } = await reply;
  if (status !== 200) throw new Error(`${status}: ${body.slice(0, 1_000)}`);
  return JSON.parse(body) as T;
};

/** Waits until it answers that it is ready. */
export const untilReady = async (url: string, process: Process, pause = 20): Promise<void> => {
  for (;;) {
    process.assertRuns();
    const status = await call(`${url}/health/ready`).then(
      (reply) => reply.status,
      () => 0,
    );
    if (status === 200) return;
    await delay(pause);
  }
};

export interface Installation extends AsyncDisposable {
  url: string;
  roles: Record<'api' | 'scheduler' | 'worker', Process & { health: string }>;
}

export interface Setup {
  /** What is configured other than by default. */
  env?: Record<string, string>;
  /** The checkout whose code runs; absent: this one. */
  checkout?: string;
}

const migrateBy = async (main: string, env: Record<string, string>): Promise<void> => {
  const [code] = (await once(spawn(process.execPath, [main, 'migrate'], { env: { ...process.env, ...env }, stdio: 'ignore' }), 'exit')) as [
    number | null,
  ];
  if (code !== 0) throw new Error(`${main} migrate ended with ${code}`);
};

/** The three roles as processes of their own, as in production, with the defaults of the configuration but for `env`. */
export const startRoles = async ({
  database,
  dataDir,
  env: own = {},
  checkout,
}: Setup & { database: string; dataDir: string }): Promise<Installation> => {
  const env = { SLUICE_DATABASE_URL: database, SLUICE_DATA_DIR: dataDir, SLUICE_API_KEY: key, SLUICE_LOG__LEVEL: 'warn', ...own };
  const main = checkout === undefined ? program : join(checkout, 'server/src/main.ts');
  if (checkout === undefined) await migrate(database);
  else await migrateBy(main, env);
  await using stack = new AsyncDisposableStack();
  const start = async (role: string) => {
    const port = await freePort();
    const process = stack.use(
      new Process(globalThis.process.execPath, [main, role, role === 'api' ? '--port' : '--health-port', String(port)], {
        cwd: dataDir,
        env,
      }),
    );
    const health = `http://127.0.0.1:${port}`;
    await untilReady(health, process);
    return Object.assign(process, { health });
  };
  const [scheduler, worker, api] = [await start('scheduler'), await start('worker'), await start('api')];
  const open = stack.move();
  return { url: api.health, roles: { api, scheduler, worker }, [Symbol.asyncDispose]: () => open.disposeAsync() };
};

/**
 * Sluice and its own PostgreSQL.
 * @param prepare puts what else the roles are to find into the folder where they start, `sluice.yaml` say
 */
export const install = async ({ prepare, ...setup }: Setup & { prepare?: (folder: string) => Promise<void> } = {}): Promise<
  Installation & { database: string; dataDir: string }
> => {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startPostgres());
  const database = await makeDatabase(server.url, 'sluice');
  await prepare?.(server.folder);
  const roles = stack.use(await startRoles({ database, dataDir: server.folder, ...setup }));
  const open = stack.move();
  return { ...roles, database, dataDir: server.folder, [Symbol.asyncDispose]: () => open.disposeAsync() };
};

const boundary = '----bench-boundary';
const before = (name: string) =>
  `--${boundary}\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="${name}"\r\ncontent-type: application/jsonl\r\n\r\n`;
const after = `\r\n--${boundary}--\r\n`;

/** Uploads bytes, or a file of that path. */
export const upload = async (url: string, input: Buffer | string): Promise<FileObject> => {
  const head = before('requests.jsonl');
  const size = typeof input === 'string' ? (await stat(input)).size : input.length;
  async function* body() {
    yield Buffer.from(head);
    if (typeof input === 'string') yield* createReadStream(input, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>;
    else for (let at = 0; at < input.length; at += 1 << 20) yield input.subarray(at, at + (1 << 20));
    yield Buffer.from(after);
  }
  return object<FileObject>(
    call(`${url}/v1/files`, 'POST', Readable.from(body()), {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': head.length + size + after.length,
    }),
  );
};

export const createBatch = (url: string, file: string, options: Record<string, unknown> = {}): Promise<Batch> =>
  object<Batch>(
    call(
      `${url}/v1/batches`,
      'POST',
      JSON.stringify({ input_file_id: file, endpoint: '/v1/chat/completions', completion_window: '24h', ...options }),
      {
        'content-type': 'application/json',
      },
    ),
  );

export const getBatch = (url: string, id: string): Promise<Batch> => object<Batch>(call(`${url}/v1/batches/${id}`));

const over = new Set(['completed', 'failed', 'expired', 'cancelled']);

/** Asks every `pause` milliseconds until the batch has ended. */
export const untilEnded = async (url: string, id: string, pause = 25): Promise<Batch> => {
  for (;;) {
    const batch = await getBatch(url, id);
    if (over.has(batch.status)) return batch;
    await delay(pause);
  }
};

/** The number a process shows for a metric, over all labels. */
export const metric = async (health: string, name: string): Promise<number> => {
  const page = (await call(`${health}/metrics`)).body;
  let sum = 0;
  for (const [, value] of page.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))) sum += Number(value);
  return sum;
};
