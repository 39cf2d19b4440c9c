import type { ErrorBody } from './errors.ts';

/**
 * A small client of a Sluice server, for the command line and the portal. It is handed `fetch`, holds no state but
 * its options, and imports nothing: what it returns has the types its caller names.
 */
export interface ClientOptions {
  /** Where the server is: `http://127.0.0.1:8080`. */
  url: string;
  key: string | null;
  fetch: typeof fetch;
  /** Tries after the first, for requests that may be repeated. */
  retries?: number;
  /** Milliseconds before the first of them; doubled each time. */
  pauseMs?: number;
}

export type Query = Record<string, string | number | boolean | undefined>;

export interface CallOptions {
  query?: Query;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as it is. A stream needs `repeat: false`. */
  raw?: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | string;
  /** Whether the request may be sent twice; GET, PUT, DELETE and what has an Idempotency-Key may. */
  repeat?: boolean;
  signal?: AbortSignal | undefined;
}

export interface Page<T> {
  data: T[];
  has_more?: boolean;
  last_id?: string | null;
}

export interface ServerEvent {
  id: string | null;
  event: string;
  data: unknown;
}

/** The server said no. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string | null;
  readonly param: string | null;
  readonly requestId: string | null;

  constructor(status: number, body: ErrorBody['error'], requestId: string | null) {
    super(body.message);
    this.name = 'Refused';
    this.status = status;
    this.code = body.code;
    this.param = body.param;
    this.requestId = requestId;
  }
}

/** The server could not be reached, or hung up. */
export class Unreachable extends Error {
  constructor(url: string, cause: unknown) {
    const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
    const said = inner instanceof Error ? inner.message || ('code' in inner ? String(inner.code) : inner.name) : String(inner);
    super(`${url} cannot be reached: ${said}`, { cause });
    this.name = 'Unreachable';
  }
}

const isEnvelope = (value: unknown): value is ErrorBody =>
  typeof value === 'object' && value !== null && 'error' in value && typeof value.error === 'object' && value.error !== null;

const refusalOf = async (reply: Response): Promise<Refused> => {
  const text = await reply.text();
  let error: ErrorBody['error'] = { message: text.slice(0, 300) || reply.statusText, type: 'server_error', param: null, code: null };
  try {
    const parsed: unknown = JSON.parse(text);
    if (isEnvelope(parsed)) error = parsed.error;
  } catch {
    // Not ours: a proxy's page, say. Its own words have to do.
  }
  return new Refused(reply.status, error, reply.headers.get('x-request-id'));
};

const worthRepeating = (status: number): boolean => status === 408 || status === 429 || status === 502 || status === 503 || status === 504;

export class Client {
  readonly url: string;
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.url = options.url.replace(/\/+$/, '').replace(/\/v1$/, '');
  }

  /** The reply itself, its body not read yet. Throws `Refused` or `Unreachable`. */
  async call(method: string, path: string, options: CallOptions = {}): Promise<Response> {
    const { retries = 3, pauseMs = 250 } = this.#options;
    const repeat = options.repeat ?? (/^(GET|HEAD|PUT|DELETE)$/.test(method) || options.headers?.['idempotency-key'] !== undefined);
    for (let left = repeat ? retries : 0, pause = pauseMs; ; left--, pause *= 2) {
      try {
        const reply = await this.#send(method, path, options);
        if (reply.ok) return reply;
        if (left === 0 || !worthRepeating(reply.status)) throw await refusalOf(reply);
        await reply.body?.cancel();
        const asked = Number(reply.headers.get('retry-after'));
        if (asked > 0) pause = Math.min(asked, 30) * 1000;
      } catch (error) {
        if (error instanceof Refused || options.signal?.aborted) throw error;
        if (left === 0) throw new Unreachable(this.url, error);
      }
      await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random() / 2)));
    }
  }

  async get<T>(path: string, query: Query = {}, options: CallOptions = {}): Promise<T> {
    return (await (await this.call('GET', path, { ...options, query })).json()) as T;
  }

  async post<T>(path: string, body?: unknown, options: CallOptions = {}): Promise<T> {
    return (await (await this.call('POST', path, { ...options, body })).json()) as T;
  }

  async put<T>(path: string, body: unknown): Promise<T> {
    return (await (await this.call('PUT', path, { body })).json()) as T;
  }

  async patch<T>(path: string, body: unknown): Promise<T> {
    return (await (await this.call('PATCH', path, { body })).json()) as T;
  }

  async delete<T>(path: string): Promise<T> {
    return (await (await this.call('DELETE', path)).json()) as T;
  }

  /** Every item of a list, page after page. */
  async *list<T extends { id: string }>(path: string, query: Query = {}): AsyncGenerator<T> {
    let after: string | undefined;
    while (true) {
      const page: Page<T> = await this.get<Page<T>>(path, { ...query, ...(after === undefined ? {} : { after }) });
      yield* page.data;
      after = page.data.at(-1)?.id;
      if (!page.has_more || after === undefined) return;
    }
  }

  /** Server-Sent Events, after `lastId`, until the server ends the stream. */
  async *events(path: string, { lastId, signal }: { lastId?: string | null; signal?: AbortSignal } = {}): AsyncGenerator<ServerEvent> {
    const headers = { accept: 'text/event-stream', ...(lastId ? { 'last-event-id': lastId } : {}) };
    const reply = await this.call('GET', path, { headers, signal });
    let rest = '';
    const decoder = new TextDecoder();
    for await (const bytes of reply.body ?? []) {
      rest += decoder.decode(bytes, { stream: true });
      const blocks = rest.split(/\r?\n\r?\n/);
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const event = parseEvent(block);
        if (event) yield event;
      }
    }
  }

  #send(method: string, path: string, { query = {}, headers = {}, body, raw, signal }: CallOptions): Promise<Response> {
    const url = new URL(this.url + (path.startsWith('/') ? path : `/${path}`));
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value));
    const streamed = raw instanceof ReadableStream;
    return this.#options.fetch(url, {
      method,
      headers: {
        accept: 'application/json',
        ...(this.#options.key === null ? {} : { authorization: `Bearer ${this.#options.key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(raw === undefined ? {} : { body: raw }),
      ...(streamed ? { duplex: 'half' as const } : {}),
      ...(signal ? { signal } : {}),
    });
  }
}

const parseEvent = (block: string): ServerEvent | null => {
  let [id, event]: [string | null, string] = [null, 'message'];
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const match = /^(id|event|data): ?(.*)$/.exec(line);
    if (match?.[1] === 'id') id = match[2]!;
    else if (match?.[1] === 'event') event = match[2]!;
    else if (match?.[1] === 'data') data.push(match[2]!);
  }
  if (data.length === 0) return null;
  const text = data.join('\n');
  try {
    return { id, event, data: JSON.parse(text) as unknown };
  } catch {
    return { id, event, data: text };
  }
};
