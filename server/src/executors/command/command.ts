import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { named, type Kept } from '../../artifacts/artifacts.ts';
import { messageOf } from '../../lib/errors.ts';
import type { ModelSpec } from '../../models/models.ts';
import type { Memory } from '../../policy/larger.ts';
import type { Executor, ExecutorContext, ExecutorKind, Failure, JsonObject, Outcome, RunSignals, Task } from '../executor.ts';
import { runGroups, runLimited } from '../limited.ts';
import { readOptions } from '../options.ts';
import { Slots } from '../slots.ts';
import type { Failed } from './adapter.ts';
import { BadOutputs, findOutputs, keepLog, keepOutputs, logName, written, type Found } from './collect.ts';
import { environmentOf } from './environment.ts';
import { commandOptions, type CommandOptions } from './options.ts';
import { readResults, requestLines, requestsName, resultsName } from './group.ts';
import { runProgram, type Ended } from './program.ts';
import { renderArgument, renderJson, renderText, Unfilled, type Names } from './template.ts';

/** Exit code of programs that ask to be tried again (EX_TEMPFAIL of sysexits.h). */
const temporary = 75;
const outOfMemory = 'out_of_memory';
const defaultTimeoutMs = 3_600_000;
const defaultOutputBytes = 1_000_000_000;

type Answer = ({ ok: true; status: number; body: string } | ({ ok: false } & Failed)) & { artifacts?: readonly Kept[] };

/**
 * Runs a program of this machine for each request: its arguments and input files are filled from the request, the files
 * it leaves become the request's artifacts. What it may see and use is what its options say: an empty working
 * directory, a list of variables, limits of time, processor and memory. No shell reads anything of a request.
 */
class Command implements Executor {
  readonly model: ModelSpec;
  readonly #context: ExecutorContext;
  readonly #options: CommandOptions;
  readonly #slots: Slots;
  readonly #ended = new AbortController();
  readonly #prefix = randomBytes(6).toString('hex');
  #count = 0;

  constructor(model: ModelSpec, context: ExecutorContext) {
    this.model = model;
    this.#context = context;
    this.#options = readOptions(commandOptions, model.options);
    this.#slots = new Slots(this.#options.max_concurrency ?? 1, context.shares);
  }

  run(tasks: readonly Task[], given: RunSignals): AsyncIterable<Outcome[]> {
    const signals = { ...given, abort: AbortSignal.any([given.abort, this.#ended.signal]) };
    if (this.#options.per === 'chunk') {
      const groups = inGroups(tasks, this.#options.chunk_size ?? tasks.length);
      return runGroups(groups, signals, this.#slots, (group, ended) => this.#attemptGroup(group, ended));
    }
    return runLimited(tasks, signals, this.#slots, (task, ended) => this.#attempt(task, ended));
  }

  /** Only where the operator says that chance has no part in it, and the program is not told whose request it is. */
  identity({ body }: Pick<Task, 'body'>): string | null {
    const { deterministic = false, args, files } = this.#options;
    if (!deterministic || /\{(custom_id|line|attempt)\}/.test(JSON.stringify([args, files]))) return null;
    const { model: _, ...asked } = body;
    return JSON.stringify(asked);
  }

  hungry(): boolean {
    return this.#slots.free;
  }

  memory(): number {
    return 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
  }

  async #attemptGroup(group: readonly Task[], signal: AbortSignal): Promise<Outcome[]> {
    const startedAt = Date.now();
    const dir = await mkdtemp(join(this.#context.scratch, 'command-'));
    try {
      const results = await this.#answerGroup(group, dir, signal);
      const ms = Date.now() - startedAt;
      return group.map((task, i) => ({ ...results[i]!, line: task.line, startedAt, ms }));
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }

  async #answerGroup(group: readonly Task[], dir: string, signal: AbortSignal): Promise<Answer[]> {
    const all = (failed: Failed): Answer[] => group.map(() => ({ ok: false, ...failed }));
    await writeFile(join(dir, requestsName), requestLines(group), { flag: 'wx' });
    const args = (this.#options.args ?? []).map((template) => renderArgument(template, group[0]!, this.#names(dir)));
    const ended = await this.#start(args, dir, signal);
    if (ended.by === 'abort') return all({ kind: 'cancelled', code: 'batch_cancelled', message: 'Cancelled before the program ended.' });
    const failed = this.#judge(ended);
    // What it answered before it failed counts: a long run that ends badly has not been for nothing.
    const results = await readResults(join(dir, resultsName));
    const missing: Failed = failed ?? {
      kind: 'permanent',
      code: 'executor_error',
      message: `The program left no line for this request in ${resultsName}.${lastWords(ended.log)}`,
    };
    // One log, which is everybody's.
    const said = await keepLog(this.#context.storage, group[0]!.folder, ended.log);
    const answers: Answer[] = [];
    for (const task of group) {
      const result = results.get(task.customId);
      if (result === undefined) answers.push({ ok: false, ...missing, ...said });
      else if ('outputs' in result) answers.push(await this.#answerOf(task, result.outputs, dir, { ended, said, signal }));
      else {
        const { code, message, retryable } = result.error;
        const outcome = { ok: false, kind: retryable ? 'retryable' : 'permanent', code, message, ...said } as const;
        answers.push(code === outOfMemory ? { ...outcome, needs: this.#memory } : outcome);
      }
    }
    return answers;
  }

  /** The answer to one of many requests, with the files that are its own. */
  async #answerOf(
    task: Task,
    outputs: JsonObject,
    dir: string,
    { ended, said, signal }: { ended: Ended; said: { artifacts?: Kept[] }; signal: AbortSignal },
  ): Promise<Answer> {
    try {
      const found = await this.#find(dir, task);
      const { storage } = this.#context;
      const own =
        storage === undefined || task.folder === undefined
          ? []
          : await keepOutputs(
              storage,
              task.folder,
              found.filter(({ name }) => name !== logName),
              signal,
            );
      const artifacts = [...own, ...(said.artifacts ?? [])];
      return {
        ok: true,
        status: 200,
        body: JSON.stringify(this.#reply(outputs, own)),
        ...(artifacts.length > 0 && { artifacts }),
      };
    } catch (error) {
      return { ...this.#unkept(error, ended, signal), ...said };
    }
  }

  #find(dir: string, task: Task): Promise<Found[]> {
    return findOutputs(dir, this.#options.outputs ?? [], this.#options.max_output_bytes ?? defaultOutputBytes, task);
  }

  /** Why what the program left could not be kept. */
  #unkept(error: unknown, { log }: Ended, signal: AbortSignal): { ok: false } & Failed {
    const fail = (kind: Failure['kind'], code: string, message: string) => ({ ok: false, kind, code, message }) as const;
    if (error instanceof BadOutputs) return fail('permanent', 'executor_error', `${error.message}${lastWords(log)}`);
    if (signal.aborted) return fail('cancelled', 'batch_cancelled', 'Cancelled while its files were kept.');
    return fail('retryable', 'executor_error', `Its files could not be kept: ${messageOf(error)}`);
  }

  async #attempt(task: Task, signal: AbortSignal): Promise<Outcome> {
    const startedAt = Date.now();
    const dir = await mkdtemp(join(this.#context.scratch, 'command-'));
    try {
      const answer = await this.#answer(task, dir, signal);
      return { ...answer, line: task.line, startedAt, ms: Date.now() - startedAt };
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }

  async #answer(task: Task, dir: string, signal: AbortSignal): Promise<Answer> {
    const fail = (kind: Failure['kind'], code: string, message: string) => ({ ok: false, kind, code, message }) as const;
    let args: string[];
    try {
      args = await this.#prepare(task, this.#names(dir));
    } catch (error) {
      if (error instanceof Unfilled) return fail('permanent', 'invalid_request', `The request cannot be run: ${error.message}`);
      throw error;
    }
    const ended = await this.#start(args, dir, signal);
    if (ended.by === 'abort') return fail('cancelled', 'batch_cancelled', 'Cancelled before the program ended.');
    const failed = this.#judge(ended);
    const log = () => keepLog(this.#context.storage, task.folder, ended.log);
    if (failed) return { ok: false, ...failed, ...(await log()) };
    try {
      const found = await this.#find(dir, task);
      const outputs = await this.#outputs(dir, ended);
      const artifacts = await this.#keep(task, dir, found, ended.log, signal);
      return { ok: true, status: 200, body: JSON.stringify(this.#reply(outputs, artifacts)), artifacts };
    } catch (error) {
      return { ...this.#unkept(error, ended, signal), ...(error instanceof BadOutputs && (await log())) };
    }
  }

  /** What it means by memory: its GPU's, where it has one. */
  get #memory(): Memory {
    return this.#options.gpu_env === undefined ? 'memory' : 'gpu_memory';
  }

  get #timeoutMs(): number {
    return this.#options.timeout_ms ?? defaultTimeoutMs;
  }

  #names(dir: string): Names {
    return { dir, model: this.model.name, version: this.model.version };
  }

  #start(args: readonly string[], dir: string, signal: AbortSignal): Promise<Ended> {
    const { program, cpu_seconds: cpuSeconds = null, memory_mb: memoryMb = null } = this.#options;
    return runProgram(
      { program: program!, args, dir, env: environmentOf(this.#options, dir), timeoutMs: this.#timeoutMs, cpuSeconds, memoryMb },
      signal,
    );
  }

  /** Writes the input files and fills the arguments. */
  async #prepare(task: Task, names: Names): Promise<string[]> {
    for (const { path, content, json } of this.#options.files ?? []) {
      const file = join(names.dir, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, json === undefined ? renderText(content!, task, names) : renderJson(json, task), { flag: 'wx' });
    }
    return (this.#options.args ?? []).map((template) => renderArgument(template, task, names));
  }

  /** What went wrong, by how the program ended; null where nothing did. */
  #judge({ code, signal, by, error, log }: Ended): Failed | null {
    const words = lastWords(log);
    if (error !== null) return { kind: 'permanent', code: 'executor_error', message: `The program could not be started: ${error}` };
    if (by === 'timeout')
      return { kind: 'retryable', code: 'request_timeout', message: `The program took longer than ${this.#timeoutMs / 1000} s.${words}` };
    if (code === 0) return null;
    if (signal === 'SIGXCPU')
      return { kind: 'permanent', code: 'executor_error', message: `The program used up its processor time.${words}` };
    // Nobody here has killed it: that is what the kernel does where a machine or its container has no memory left.
    if (signal === 'SIGKILL')
      return {
        kind: 'retryable',
        code: outOfMemory,
        needs: 'memory',
        message: `The program was killed, as it is where memory has run out.${words}`,
      };
    const { retryable_exits: retryable = [temporary], permanent_exits: permanent = [], memory_exits: memory = [] } = this.#options;
    if (memory.includes(code!))
      return {
        kind: 'retryable',
        code: outOfMemory,
        needs: this.#memory,
        message: `The program ran out of memory (exit code ${code}).${words}`,
      };
    const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
    const again = signal !== null || (retryable.includes(code!) && !permanent.includes(code!));
    return { kind: again ? 'retryable' : 'permanent', code: 'executor_error', message: `The program ended with ${how}.${words}` };
  }

  /** What the program left, and what it said, as artifacts; none where nobody has a place for them. */
  async #keep(task: Task, dir: string, found: Found[], log: string, signal: AbortSignal): Promise<Kept[]> {
    const { storage } = this.#context;
    if (storage === undefined || task.folder === undefined) return [];
    const said = await written(dir, `.${logName}`, log);
    return keepOutputs(storage, task.folder, [...found.filter(({ name }) => name !== logName), said], signal);
  }

  async #outputs(dir: string, { stdout }: Ended): Promise<JsonObject> {
    const { result } = this.#options;
    const text = result === undefined ? stdout : await readFile(join(dir, result), 'utf8').catch(() => null);
    if (text === null) throw new BadOutputs(`The program left no '${result}'.`);
    const value = asObject(text);
    if (value !== null) return value;
    if (result === undefined) return { stdout: text };
    throw new BadOutputs(`What the program left in '${result}' is not a JSON object.`);
  }

  #reply(outputs: JsonObject, artifacts: readonly Kept[]): JsonObject {
    const id = `pred_${this.#prefix}${(this.#count++).toString(16).padStart(8, '0')}`;
    const { name, version } = this.model;
    return {
      id,
      object: 'prediction',
      model: name,
      version,
      outputs,
      ...(artifacts.length > 0 && { artifacts: named(artifacts) }),
    };
  }
}

function* inGroups(tasks: readonly Task[], size: number): Generator<readonly Task[]> {
  for (let at = 0; at < tasks.length; at += size) yield tasks.slice(at, at + size);
}

const asObject = (text: string): JsonObject | null => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
  } catch {
    return null;
  }
};

/** The last line of a log, for a message. */
const lastWords = (log: string): string => {
  const line = log.trimEnd().split('\n').at(-1)?.trim() ?? '';
  return line === '' ? '' : ` It said last: ${line.slice(0, 300)}`;
};

export const commandKind: ExecutorKind = {
  kind: 'command',
  open: async (model, context) => new Command(model, context),
};
