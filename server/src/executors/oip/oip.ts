import { randomBytes } from 'node:crypto';
import { errors, type ErrorCode } from '@sluice/contract';
import { ApiError } from '../../lib/errors.ts';
import type { ModelSpec } from '../../models/models.ts';
import type { Executor, ExecutorContext, ExecutorKind, Failure, Outcome, RunSignals, Success, Task } from '../executor.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { readOptions } from '../options.ts';
import { Remote, type Call, type Reply, type Untimed } from '../remote/remote.ts';
import { lengthHeader, Message, written } from './message.ts';
import { oipOptions } from './options.ts';
import { checkReply, outputsOf, remotePortsOf, tensorsIn, type Form, type RemotePorts } from './rows.ts';

type Untold = Untimed<Success> | Untimed<Failure>;

/** A model on a server of the Open Inference Protocol, such as Triton, KServe, OpenVINO's or another Sluice: a task is one call. */
export class Oip implements Executor {
  readonly model: ModelSpec;
  readonly #remote: Remote;
  readonly #path: string;
  readonly #binary: boolean;
  readonly #prefix = randomBytes(6).toString('hex');
  #count = 0;
  /** What the model takes and gives; asked at the first task, as it may not be there when the worker starts. */
  #ports: RemotePorts | null = null;
  #asking: Promise<void> | null = null;

  constructor(model: ModelSpec, context: Pick<ExecutorContext, 'log' | 'shares' | 'breakers'>) {
    const options = readOptions(oipOptions, model.options);
    const url = new URL(options.base_url!);
    url.pathname = url.pathname.replace(/\/+$/, '').replace(/\/v2$/, '');
    this.model = model;
    const name = encodeURIComponent(options.model ?? model.name);
    this.#path = `/v2/models/${name}${options.version === undefined ? '' : `/versions/${encodeURIComponent(options.version)}`}`;
    this.#binary = options.binary ?? true;
    this.#remote = new Remote(model, url, options, context);
  }

  get concurrency(): { used: number; limit: number; most: number } {
    return this.#remote.concurrency;
  }

  run(tasks: readonly Task[], signals: RunSignals): AsyncIterable<Outcome[]> {
    return this.#remote.run(tasks, signals, (task, ended) => this.#attempt(task, ended));
  }

  /** The form is part of it: it is that of the answer. Nothing is known before the metadata is. */
  identity({ body }: Pick<Task, 'body'>): Uint8Array | null {
    if (!this.#ports) return null;
    try {
      const { form, tensors } = tensorsIn(body['inputs'], this.#ports.inputs);
      const { texts, parts } = written(tensors, () => true);
      return Buffer.concat([Buffer.from(`${form} ${texts.join()}`), ...parts]);
    } catch (error) {
      if (error instanceof ApiError) return null;
      throw error;
    }
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

  async #attempt(task: Task, ended: AbortSignal): Promise<Outcome> {
    const startedAt = Date.now();
    // One asks for all; whoever finds that it failed asks again, and learns for itself why.
    while (this.#asking) await this.#asking;
    const ports = this.#ports ?? (await this.#ask(task, ended));
    if ('line' in ports) return enveloped(ports);
    const refuse = (problem: Untold): Outcome => ({ ...problem, line: task.line, startedAt, ms: Date.now() - startedAt });
    let asked: { form: Form; tensors: Tensor[] };
    try {
      asked = tensorsIn(task.body['inputs'], ports.inputs);
    } catch (error) {
      return refuse(permanent(error));
    }
    const call = this.#call(asked.tensors);
    return enveloped(await this.#remote.attempt(task, ended, call, (reply) => this.#read(reply, asked.form, ports)));
  }

  async #ask(task: Task, ended: AbortSignal): Promise<RemotePorts | Outcome> {
    const asked = Promise.withResolvers<void>();
    this.#asking = asked.promise;
    try {
      let ports: RemotePorts | null = null;
      const call: Call = { path: this.#path, method: 'GET', headers: { accept: 'application/json' } };
      const outcome = await this.#remote.attempt(task, ended, call, ({ status, bytes }) => {
        try {
          ports = remotePortsOf(new Message(bytes, undefined).json);
          return { ok: true, status, body: '' };
        } catch (error) {
          return {
            ok: false,
            kind: 'retryable',
            code: 'upstream_error',
            message: `The model's metadata cannot be read: ${wordsOf(error)}`,
          };
        }
      });
      this.#ports = ports;
      return ports ?? outcome;
    } finally {
      this.#asking = null;
      asked.resolve();
    }
  }

  #call(tensors: readonly Tensor[]): Call {
    const { texts, parts } = written(tensors, () => this.#binary);
    const wish = this.#binary ? '"parameters":{"binary_data_output":true},' : '';
    const json = `{${wish}"inputs":[${texts.join()}]}`;
    const path = `${this.#path}/infer`;
    if (!this.#binary) return { path, headers: { 'content-type': 'application/json' }, body: json };
    const head = Buffer.from(json);
    return {
      path,
      headers: { 'content-type': 'application/octet-stream', [lengthHeader]: String(head.length) },
      body: Buffer.concat([head, ...parts]),
    };
  }

  #read({ status, headers, bytes }: Reply, form: Form, ports: RemotePorts): Untold {
    let outputs: Tensor[];
    try {
      outputs = new Message(bytes, [headers[lengthHeader] ?? []].flat()[0]).tensors('outputs');
      checkReply(outputs, ports.outputs);
    } catch (error) {
      return {
        ok: false,
        kind: 'retryable',
        code: 'upstream_error',
        message: `The upstream's reply is not as the protocol has it: ${wordsOf(error)}`,
      };
    }
    try {
      return { ok: true, status, body: this.#body(outputsOf(form, outputs)) };
    } catch (error) {
      return permanent(error);
    }
  }

  #body(outputs: string): string {
    const id = this.#prefix + (this.#count++).toString(16).padStart(8, '0');
    return `{"id":"pred_${id}","object":"prediction","model":${JSON.stringify(this.model.name)},"version":${JSON.stringify(this.model.version)},"outputs":${outputs}}`;
  }
}

const wordsOf = (error: unknown): string => {
  if (error instanceof ApiError) return error.message;
  throw error;
};

/** What no other attempt would change. */
const permanent = (error: unknown): Untimed<Failure> => {
  if (!(error instanceof ApiError)) throw error;
  return { ok: false, kind: 'permanent', code: error.code, message: error.message };
};

/** The protocol has an error be one text; replies and error files here have OpenAI's envelope. */
const enveloped = (outcome: Outcome): Outcome => {
  if (outcome.ok || outcome.body === undefined) return outcome;
  const { message, code } = outcome;
  const { type } = isKnown(code) ? errors[code] : errors.upstream_error;
  return { ...outcome, body: JSON.stringify({ error: { message, type, param: null, code } }) };
};

const isKnown = (code: string): code is ErrorCode => Object.hasOwn(errors, code);

export const oipKind: ExecutorKind = { kind: 'oip', open: async (model, context) => new Oip(model, context) };
