import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { named, type Kept } from '../../artifacts/artifacts.ts';
import { typeOfName } from '../../artifacts/types.ts';
import { messageOf } from '../../lib/errors.ts';
import type { ModelSpec } from '../../models/models.ts';
import { BadRequest } from '../bad-request.ts';
import { outputsOf } from '../boltz/outputs.ts';
import { readRequest, type BoltzRequest } from '../boltz/request.ts';
import type { Executor, ExecutorContext, ExecutorKind, JsonObject, Outcome, RemoteCalls, RunSignals, Task } from '../executor.ts';
import { LoadError } from '../executor.ts';
import { readOptions, type Given } from '../options.ts';
import { headersOf, type RemoteOptions } from '../remote/options.ts';
import { Remote, type Reply } from '../remote/remote.ts';
import { answerOf, requestOf, type Answer } from './message.ts';
import { httpOptions } from './options.ts';

type Options = Given<typeof httpOptions>;

const defaultPath = '/biology/mit/boltz2/predict';
const defaultPollMs = 5_000;
const defaultCallMs = 6 * 3_600_000;
/** How often a call that may be reported is looked after in the database. */
const lookMs = 1_000;

/** Statuses of a question after a call at which the call is lost, and not only the question. */
const gone: ReadonlySet<number> = new Set([404, 410]);

/**
 * Boltz-2 behind HTTP. A server may answer at once, or accept the call (202) and give its id: the id is written down
 * before anything else, so that whoever gets the request after a crash asks after the same call instead of paying for
 * another one. Where the server reports the end of a call (signed, and taken once), it is asked right then.
 */
export class Http implements Executor {
  readonly model: ModelSpec;
  readonly #context: ExecutorContext;
  readonly #options: Options;
  readonly #remote: Remote;
  /** Where calls are asked after. */
  readonly #status: Remote | null;
  readonly #calls: RemoteCalls;
  readonly #prefix = randomBytes(6).toString('hex');
  #count = 0;

  constructor(model: ModelSpec, context: ExecutorContext, options: Options) {
    this.model = model;
    this.#context = context;
    this.#options = options;
    const remote = options as RemoteOptions;
    this.#remote = new Remote(model, new URL(options.base_url!), { max_concurrency: 8, ...remote }, context);
    this.#status =
      options.status_url === undefined ? null : new Remote(model, new URL(options.status_url), { max_concurrency: 64, ...remote }, context);
    this.#calls = context.calls ?? forgetful();
  }

  run(tasks: readonly Task[], signals: RunSignals): AsyncIterable<Outcome[]> {
    return this.#remote.run(tasks, signals, (task, ended) => this.#attempt(task, ended));
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

  get concurrency(): Remote['concurrency'] {
    return this.#remote.concurrency;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#remote[Symbol.asyncDispose](), this.#status?.[Symbol.asyncDispose]()]);
  }

  async #attempt(task: Task, ended: AbortSignal): Promise<Outcome> {
    const startedAt = Date.now();
    const failed = (kind: 'permanent' | 'retryable', code: string, message: string): Outcome => ({
      ok: false,
      kind,
      code,
      message,
      line: task.line,
      startedAt,
      ms: Date.now() - startedAt,
    });
    let request: BoltzRequest;
    let body: JsonObject;
    try {
      request = readRequest(task.body);
      body = requestOf(request);
    } catch (error) {
      if (error instanceof BadRequest) return failed('permanent', 'invalid_request', error.message);
      throw error;
    }
    const key = task.key === undefined ? null : `${task.key}.${task.attempt}`;
    const { outcome, answer } = await this.#called(task, key, { request, body }, ended);
    const timed = { ...outcome, startedAt, ms: Date.now() - startedAt };
    // What was aborted goes on there: whoever has the request next asks after it.
    if (key !== null && (outcome.ok || outcome.kind !== 'cancelled')) await this.#calls.forget(key).catch(() => {});
    if (!outcome.ok || answer === null) return timed;
    return this.#kept(task, request, body, answer, timed, ended);
  }

  /** The outcome of the call: of the one that is under way already, or a new one. */
  async #called(
    task: Task,
    key: string | null,
    { request, body }: { request: BoltzRequest; body: JsonObject },
    ended: AbortSignal,
  ): Promise<{ outcome: Outcome; answer: Answer | null }> {
    let answer: Answer | null = null;
    let accepted: string | null = key === null ? null : ((await this.#calls.find(key))?.id ?? null);
    const read = ({ status, headers, bytes }: Reply) => {
      if (status === 202) {
        const id = [headers['nvcf-reqid'] ?? []].flat()[0];
        if (typeof id === 'string' && /^[\w.:-]{1,200}$/.test(id)) accepted = id;
        return { ok: true as const, status, body: '' };
      }
      answer = answerOf(parsed(bytes), request.ligand?.id ?? null);
      if (answer !== null && request.affinity && answer.affinity === null) answer = null;
      return answer === null ? unreadable : { ok: true as const, status, body: '' };
    };
    const until = Date.now() + (this.#options.call_timeout_ms ?? defaultCallMs);
    let outcome: Outcome | null = null;
    if (accepted === null) {
      const token = await this.#announced(key);
      outcome = await this.#remote.attempt(
        task,
        ended,
        { path: this.#options.path ?? defaultPath, headers: this.#headers(token), body: JSON.stringify(body) },
        read,
      );
      if (!outcome.ok || answer !== null) return { outcome, answer };
      if (accepted === null) return { outcome: { ...outcome, ...unreadable }, answer };
      if (key !== null) await this.#calls.keep(key, { id: accepted, model: `${this.model.name}@${this.model.version}` });
    }
    if (this.#status === null)
      return {
        outcome: {
          ...failing(task),
          kind: 'permanent',
          code: 'upstream_error',
          message: 'The upstream accepted the call with 202, and the model has no `status_url` to ask after it.',
        },
        answer,
      };
    for (let misses = 0; ;) {
      if (!(await this.#waited(key, ended)))
        return {
          outcome: { ...failing(task), kind: 'cancelled', code: 'batch_cancelled', message: 'Cancelled before the call had ended.' },
          answer,
        };
      outcome = await this.#status.attempt(
        task,
        ended,
        { path: `/${encodeURIComponent(accepted)}`, method: 'GET', headers: this.#headers(null) },
        read,
      );
      if (answer !== null) return { outcome, answer };
      if (!outcome.ok) {
        if (outcome.kind === 'cancelled') return { outcome, answer };
        // The server has forgotten it: another attempt makes a new call.
        if (gone.has(outcome.status ?? 0))
          return {
            outcome: {
              ...outcome,
              kind: 'retryable',
              code: 'upstream_error',
              message: `The upstream knows nothing of the call any more: ${outcome.message}`,
            },
            answer,
          };
        // That the question failed says nothing of the call; a call that failed says so for good.
        if (outcome.kind === 'permanent' || ++misses > 20) return { outcome, answer };
      } else misses = 0;
      if (Date.now() > until)
        return {
          outcome: { ...failing(task), kind: 'retryable', code: 'request_timeout', message: 'The call had not ended in time.' },
          answer,
        };
    }
  }

  /** Waits until it is time to ask; false where nobody wants to know any more. */
  async #waited(key: string | null, ended: AbortSignal): Promise<boolean> {
    const { poll_ms: pollMs = defaultPollMs, callback_url: callback } = this.#options;
    try {
      for (let left = pollMs; left > 0;) {
        const ms = callback === undefined ? left : Math.min(left, lookMs);
        await sleep(ms, undefined, { signal: ended });
        left -= ms;
        if (callback !== undefined && key !== null && left > 0 && (await this.#calls.told(key))) return true;
      }
      return true;
    } catch (error) {
      if (ended.aborted) return false;
      throw error;
    }
  }

  /** A token by which the end of the call can be reported; null where it cannot. */
  async #announced(key: string | null): Promise<string | null> {
    if (this.#options.callback_url === undefined || key === null) return null;
    return this.#calls.announce(key, `${this.model.name}@${this.model.version}`);
  }

  #headers(token: string | null): Record<string, string> {
    return {
      'content-type': 'application/json',
      accept: 'application/json',
      'nvcf-poll-seconds': '10',
      ...(token !== null && { 'x-sluice-callback': `${this.#options.callback_url!.replace(/\/+$/, '')}/v1/callbacks/${token}` }),
    };
  }

  async #kept(
    task: Task,
    request: BoltzRequest,
    body: JsonObject,
    { structures, confidence, affinity }: Answer,
    outcome: Outcome,
    ended: AbortSignal,
  ): Promise<Outcome> {
    const tool = { name: 'nim-boltz2', version: this.#options.tool_version ?? null };
    const msa = request.proteins.every((protein) => protein.msa !== null) ? ('user' as const) : ('single_sequence' as const);
    const outputs = outputsOf(request, confidence, affinity, { msa, tool });
    const { name: model, version } = this.model;
    const json = (value: unknown): string => JSON.stringify(value, null, 2);
    const files: [string, string][] = [
      ...structures.map((structure, i): [string, string] => [i === 0 ? 'structure.cif' : `model_${i}.cif`, structure]),
      ['request.json', json(body)],
      ['results.json', json(outputs)],
      [
        'metadata.json',
        json({ custom_id: task.customId, model, version, attempt: task.attempt, tool, parameters: request.parameters, msa }),
      ],
      ['logs.txt', `Predicted by ${tool.name} in ${(outcome.ms / 1_000).toFixed(1)} s.\n`],
    ];
    const { storage } = this.#context;
    const { folder } = task;
    try {
      const artifacts: Kept[] =
        storage === undefined || folder === undefined
          ? []
          : await Promise.all(
              files.map(async ([file, text]) => {
                const key = `${folder}/${file}`;
                const { bytes, sha256 } = await storage.put(key, [Buffer.from(text)], { digest: true, signal: ended });
                return { name: file, key, type: typeOfName(file), bytes, sha256: sha256! };
              }),
            );
      const id = `pred_${this.#prefix}${(this.#count++).toString(16).padStart(8, '0')}`;
      const reply = { id, object: 'prediction', model, version, outputs, ...(artifacts.length > 0 && { artifacts: named(artifacts) }) };
      const { line, startedAt, ms } = outcome;
      return { ok: true, status: 200, body: JSON.stringify(reply), artifacts, line, startedAt, ms };
    } catch (error) {
      const { line, startedAt, ms } = outcome;
      if (ended.aborted)
        return {
          ok: false,
          kind: 'cancelled',
          code: 'batch_cancelled',
          message: 'Cancelled while its files were kept.',
          line,
          startedAt,
          ms,
        };
      return {
        ok: false,
        kind: 'retryable',
        code: 'executor_error',
        message: `Its files could not be kept: ${messageOf(error)}`,
        line,
        startedAt,
        ms,
      };
    }
  }
}

const unreadable = {
  ok: false as const,
  kind: 'retryable' as const,
  code: 'upstream_error',
  message: "The upstream's reply is not as its API has it.",
};

const failing = ({ line }: Task) => ({ ok: false as const, line, startedAt: Date.now(), ms: 0 });

const parsed = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
};

/** Where nobody keeps calls: a crash costs the call. */
const forgetful = (): RemoteCalls => ({
  find: () => Promise.resolve(null),
  keep: () => Promise.resolve(),
  announce: () => Promise.resolve(null),
  told: () => Promise.resolve(false),
  forget: () => Promise.resolve(),
});

export const httpKind: ExecutorKind = {
  kind: 'http',
  open: async (model, context) => {
    const options = readOptions(httpOptions, model.options);
    if ((options.callback_url === undefined) !== (options.callback_secret_file === undefined))
      throw new LoadError("options 'callback_url' and 'callback_secret_file' go together.");
    if (options.callback_secret_file !== undefined) callbackSecret(options.callback_secret_file);
    // A key that cannot be read is known now, and not at the first call.
    headersOf(options);
    return new Http(model, context, options);
  },
  problemOf: (body) => {
    try {
      requestOf(readRequest(body));
      return null;
    } catch (error) {
      if (error instanceof BadRequest) return error.message;
      throw error;
    }
  },
};

/** The secret's bytes, as Standard Webhooks writes them. */
export const callbackSecret = (path: string): Buffer => {
  let written: string;
  try {
    written = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new LoadError(`option 'callback_secret_file': ${messageOf(error)}`);
  }
  const secret = Buffer.from(written.replace(/^whsec_/, ''), 'base64');
  if (secret.length < 24 || secret.length > 64)
    throw new LoadError(`option 'callback_secret_file': ${path} must hold 24 to 64 bytes in base64.`);
  return secret;
};
