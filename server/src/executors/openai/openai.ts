import { llmInput } from '../../cache/llm-input.ts';
import type { ModelSpec } from '../../models/models.ts';
import type {
  Executor,
  ExecutorContext,
  ExecutorKind,
  Exchange,
  Failure,
  Forwarded,
  JsonObject,
  Outcome,
  RunSignals,
  Success,
  Task,
  Usage,
} from '../executor.ts';
import { readOptions } from '../options.ts';
import { Remote, type Call, type Reply, type Untimed } from '../remote/remote.ts';
import { objectOf, oneLine } from '../remote/reply.ts';
import { openaiOptions } from './options.ts';
import { Tail, usageOf } from './usage.ts';

/** One OpenAI-compatible upstream: an attempt is one call; whether there is another is the queue's to say. */
export class OpenAI implements Executor {
  readonly model: ModelSpec;
  readonly #remote: Remote;
  readonly #upstreamModel: string;

  constructor(model: ModelSpec, context: Pick<ExecutorContext, 'log' | 'shares' | 'breakers'>) {
    const options = readOptions(openaiOptions, model.options);
    const url = new URL(options.base_url!);
    // With or without /v1: each task's url begins with it.
    url.pathname = url.pathname.replace(/\/+$/, '').replace(/\/v1$/, '');
    this.model = model;
    this.#upstreamModel = options.upstream_model ?? model.name;
    this.#remote = new Remote(model, url, options, context);
  }

  get concurrency(): { used: number; limit: number; most: number } {
    return this.#remote.concurrency;
  }

  run(tasks: readonly Task[], signals: RunSignals): AsyncIterable<Outcome[]> {
    return this.#remote.run(tasks, signals, (task, ended) => {
      const { stream: _, stream_options: __, ...body } = task.body;
      return this.#remote.attempt(task, ended, this.#call(task.url, body, 'application/json'), (reply) => this.#read(reply));
    });
  }

  async forward({ url, body }: Exchange, ended: AbortSignal): Promise<Forwarded> {
    const used = Promise.withResolvers<Usage | undefined>();
    const tail = new Tail();
    const call = this.#call(url, body, body['stream'] === true ? 'text/event-stream' : 'application/json');
    const reply = await this.#remote.forward(
      call,
      ended,
      (part) => tail.push(part),
      () => used.resolve(tail.usage()),
    );
    return reply.ok ? { ...reply, usage: used.promise } : reply;
  }

  identity({ url, body }: Exchange): string | null {
    return llmInput(url, body);
  }

  hungry(): boolean {
    return this.#remote.hungry;
  }

  ready(): boolean {
    return this.#remote.ready;
  }

  memory(): number {
    return 0;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#remote[Symbol.asyncDispose]();
  }

  #call(path: string, body: JsonObject, accept: string): Call {
    return {
      path,
      headers: { 'content-type': 'application/json', accept, 'accept-encoding': 'identity' },
      body: JSON.stringify({ ...body, model: this.#upstreamModel }),
    };
  }

  #read({ status, bytes }: Reply): Untimed<Success> | Untimed<Failure> {
    const text = textOf(bytes);
    const json = text === null ? null : objectOf(text);
    if (text === null || !json) {
      const message = `The upstream answered ${status} with what is not a JSON object (${bytes.length} bytes).`;
      return { ok: false, kind: 'retryable', code: 'upstream_error', message };
    }
    const usage = usageOf(json);
    return { ok: true, status, body: this.#remote.redactReply(oneLine(text)), ...(usage ? { usage } : {}) };
  }
}

/** UTF-8, or null where it is not. */
const textOf = (bytes: Buffer): string | null => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
};

export const openaiKind: ExecutorKind = {
  kind: 'openai',
  open: async (model, context) => new OpenAI(model, context),
};
