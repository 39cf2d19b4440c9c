import type { Batch, FileObject } from '@sluice/contract';
import { type Client, Refused, Unreachable } from '@sluice/contract/client';
import { upload } from '../upload.ts';
import type { Operation } from './options.ts';
import { Failed } from './run.ts';

const stamp = 'sluice-loadtest';
const ended = new Set(['completed', 'failed', 'expired', 'cancelled']);
/** Removals at once when it is over. */
const removals = 8;

const classOf = (error: unknown): Failed => {
  if (error instanceof Refused) return new Failed([error.status, error.code].filter(Boolean).join(' '));
  const cause = error instanceof Unreachable ? error.cause : error;
  if (cause instanceof Error && cause.name === 'TimeoutError') return new Failed('timeout');
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  return new Failed(`network ${inner instanceof Error ? ('code' in inner ? String(inner.code) : inner.message) : String(inner)}`);
};

export interface TargetOptions {
  model: string;
  /** Lines of each batch. */
  lines: number;
  /** Milliseconds for one call. */
  timeoutMs: number;
}

/** The server under load: makes the calls, and knows what they left there. */
export class Target {
  readonly #client: Client;
  readonly #options: TargetOptions;
  readonly #files: string[] = [];
  readonly #batches: string[] = [];
  #input: string | null = null;

  /** @param client without second tries: each call counts once */
  constructor(client: Client, options: TargetOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** Uploads the input of the batches, and makes the first for `status` to ask after. */
  async prepare(): Promise<void> {
    const { model, lines } = this.#options;
    const line = (_: unknown, i: number) =>
      JSON.stringify({ custom_id: `line-${i + 1}`, method: 'POST', url: '/v1/predict', body: { model, inputs: { smiles: 'CCO' } } });
    this.#input = await this.#upload(`${Array.from({ length: lines }, line).join('\n')}\n`);
    await this.#batch();
  }

  async call(operation: Operation): Promise<void> {
    try {
      switch (operation) {
        case 'predict':
          await this.#post('/v1/predict', { model: this.#options.model, inputs: { smiles: 'CCO' } });
          return;
        case 'batch':
          return await this.#batch();
        case 'status':
          return await this.#get(`/v1/batches/${this.#batches.at(-1)}`);
        case 'list':
          return await this.#get('/v1/batches?limit=20');
        case 'upload':
          await this.#upload('{}\n');
      }
    } catch (error) {
      throw classOf(error);
    }
  }

  /** Removes what the calls made, for at most `ms`; says how many batches and files are left. */
  async remove(ms: number): Promise<number> {
    const deadline = performance.now() + ms;
    let left = 0;
    const each = async (ids: string[], work: (id: string) => Promise<void>): Promise<void> => {
      const one = async (): Promise<void> => {
        for (let id = ids.pop(); id !== undefined; id = ids.pop())
          if (performance.now() > deadline) left++;
          else await work(id).catch(() => left++);
      };
      await Promise.all(Array.from({ length: removals }, one));
    };
    await each(this.#batches, async (id) => {
      for (let asked = false; !ended.has((await this.#client.get<Batch>(`/v1/batches/${id}`)).status); asked = true) {
        if (!asked)
          await this.#post(`/v1/batches/${id}/cancel`, { mode: 'abort' }).catch((error: unknown) => {
            // It may have ended by itself before.
            if (!(error instanceof Refused && error.status === 409)) throw error;
          });
        if (performance.now() > deadline) throw new Error('not ended');
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      await this.#client.delete(`/v1/batches/${id}`);
    });
    await each(this.#files, async (id) => {
      await this.#client.delete(`/v1/files/${id}`);
    });
    return left;
  }

  get #signal(): AbortSignal {
    return AbortSignal.timeout(this.#options.timeoutMs);
  }

  async #get(path: string): Promise<void> {
    await (await this.#client.call('GET', path, { signal: this.#signal })).arrayBuffer();
  }

  async #post(path: string, body: unknown): Promise<ArrayBuffer> {
    return (await this.#client.call('POST', path, { body, signal: this.#signal })).arrayBuffer();
  }

  async #batch(): Promise<void> {
    const body = { input_file_id: this.#input, endpoint: '/v1/predict', completion_window: '1h', name: stamp };
    const made = JSON.parse(Buffer.from(await this.#post('/v1/batches', body)).toString()) as Batch;
    this.#batches.push(made.id);
  }

  async #upload(content: string): Promise<string> {
    const bytes = Buffer.from(content);
    const source = {
      name: `${stamp}.jsonl`,
      bytes: bytes.length,
      async *open() {
        yield bytes;
      },
    };
    const file: FileObject = await upload(this.#client, source, { purpose: 'batch', signal: this.#signal, tries: 1 });
    this.#files.push(file.id);
    return file.id;
  }
}
