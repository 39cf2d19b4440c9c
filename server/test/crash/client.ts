import { randomBytes } from 'node:crypto';
import { jsonl } from '../support/requests.ts';
import type { Sent } from './history.ts';
import { until } from './until.ts';

export const apiKey = 'crash-key';

/** A client that, as real ones do, asks again when it got no answer or was told to; any other failure of the server throws. */
export class Client {
  readonly url: string;

  readonly key: string;

  /** Milliseconds until a client that gets no answer gives up. */
  patience = 60_000;

  constructor(port: number, key: string = apiKey) {
    this.url = `http://127.0.0.1:${port}`;
    this.key = key;
  }

  /** One request; null where no answer came, or one that says try again. */
  async ask(method: string, path: string, body?: FormData | object, headers: Record<string, string> = {}): Promise<Response | null> {
    const form = body instanceof FormData;
    try {
      const reply = await fetch(this.url + path, {
        method,
        headers: {
          authorization: `Bearer ${this.key}`,
          ...(body && !form && { 'content-type': 'application/json' }),
          connection: 'close',
          ...headers,
        },
        ...(body && { body: form ? body : JSON.stringify(body) }),
        signal: AbortSignal.timeout(15_000),
      });
      if (reply.status >= 500 && reply.status !== 503 && reply.status !== 507)
        throw new Error(`${method} ${path}: ${reply.status} ${await reply.text()}`);
      if (reply.status < 500) return reply;
      await reply.text();
      return null;
    } catch (error) {
      if (error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError')) return null;
      throw error;
    }
  }

  /** Asks until there is an answer. */
  async call<T>(method: string, path: string, body?: FormData | object, headers: Record<string, string> = {}): Promise<T> {
    return until(
      `${method} ${path}`,
      async () => {
        const reply = await this.ask(method, path, body, headers);
        if (reply === null) return null;
        const text = await reply.text().catch(() => null);
        if (text === null) return null;
        if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${text}`);
        return JSON.parse(text) as T;
      },
      this.patience,
    );
  }

  async upload(lines: readonly Record<string, unknown>[]): Promise<string> {
    const bytes = new Blob([new Uint8Array(jsonl(lines))]);
    const form = (): FormData => {
      const data = new FormData();
      data.set('purpose', 'batch');
      data.set('file', bytes, 'requests.jsonl');
      return data;
    };
    return (await this.call<{ id: string }>('POST', '/v1/files', form())).id;
  }

  /** Uploads and creates, each again until it succeeds; the key makes that one batch. */
  async submit(lines: readonly Record<string, unknown>[], options: Record<string, unknown> = {}): Promise<Sent> {
    const input_file_id = await this.upload(lines);
    const body = { input_file_id, endpoint: '/v1/chat/completions', completion_window: '24h', ...options };
    const batch = await this.call<{ id: string }>('POST', '/v1/batches', body, { 'idempotency-key': randomBytes(8).toString('hex') });
    return { id: batch.id, customIds: lines.map((line) => String(line['custom_id'])) };
  }
}
