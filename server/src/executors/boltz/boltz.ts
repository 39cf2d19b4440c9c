import { hash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { named, type Kept } from '../../artifacts/artifacts.ts';
import { typeOfName } from '../../artifacts/types.ts';
import { messageOf } from '../../lib/errors.ts';
import type { ModelSpec } from '../../models/models.ts';
import type { Memory } from '../../policy/larger.ts';
import type { Failed } from '../command/adapter.ts';
import { keepOutputs, written, type Found } from '../command/collect.ts';
import { environmentOf } from '../command/environment.ts';
import { runProgram, type Ended } from '../command/program.ts';
import { BadRequest } from '../bad-request.ts';
import type { Executor, ExecutorContext, ExecutorKind, JsonObject, Outcome, RunSignals, Task } from '../executor.ts';
import { runGroups } from '../limited.ts';
import { readOptions } from '../options.ts';
import { Slots } from '../slots.ts';
import { Folder, type Member } from './folder.ts';
import { boltzOptions, type BoltzOptions } from './options.ts';
import { causeOf, readRecord, type Cause, type Predicted } from './output.ts';
import { outputsOf } from './outputs.ts';
import { readRequest, type BoltzRequest } from './request.ts';

/**
 * Boltz-2, by its own program.
 *
 * One process predicts a folder of ligands of one protein: the model is loaded once, the alignment made once. What
 * became of each is judged by the files there are, never by the exit code. A ligand that ran out of memory is taken out
 * and run again alone, so that the others keep their affinities; what can be read is kept whatever happened after it.
 */
class Boltz implements Executor {
  readonly model: ModelSpec;
  readonly #context: ExecutorContext;
  readonly #options: BoltzOptions;
  readonly #tool: { name: string; version: string | null };
  readonly #slots: Slots;
  readonly #ended = new AbortController();
  readonly #prefix = randomBytes(6).toString('hex');
  #count = 0;

  constructor(model: ModelSpec, context: ExecutorContext, options: BoltzOptions, version: string | null) {
    this.model = model;
    this.#context = context;
    this.#options = options;
    this.#tool = { name: basename(options.program ?? 'boltz'), version };
    this.#slots = new Slots(options.max_concurrency ?? 1, context.shares);
  }

  run(tasks: readonly Task[], given: RunSignals): AsyncGenerator<Outcome[]> {
    const signals = { ...given, abort: AbortSignal.any([given.abort, this.#ended.signal]) };
    const groups = groupsOf(tasks, this.#options.group_size ?? defaultGroup);
    return runGroups(groups, signals, this.#slots, (group, ended) => this.#attempt(group, ended));
  }

  /** With a seed, and the alignments in the question: those that a server makes change with its database. */
  identity({ body }: Pick<Task, 'body'>): string | null {
    const request = requestOf({ body });
    if (request instanceof BadRequest || request.parameters.seed === null) return null;
    const made = this.#options.msa_server_url !== undefined && request.proteins.some(({ msa }) => msa === null);
    return made ? null : JSON.stringify(request);
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

  /** What its predictions run out of. */
  get #memory(): Memory {
    return this.#options.accelerator === 'cpu' ? 'memory' : 'gpu_memory';
  }

  async #attempt(group: readonly Task[], signal: AbortSignal): Promise<Outcome[]> {
    const startedAt = Date.now();
    const dir = await mkdtemp(join(this.#context.scratch, 'boltz-'));
    const outcomes: Outcome[] = [];
    const tell = (task: Task, answer: Answer): void =>
      void outcomes.push({ ...answer, line: task.line, startedAt, ms: Date.now() - startedAt });
    try {
      const good: Ready[] = [];
      for (const task of group) {
        const request = requestOf(task);
        if (request instanceof BadRequest) tell(task, { ok: false, kind: 'permanent', code: 'invalid_request', message: request.message });
        else good.push({ task, id: `r${task.line}`, request });
      }
      for (const [member, result] of await this.#predict(dir, good, signal)) tell(member.task, await this.#answer(member, result, signal));
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
    return outcomes;
  }

  /** Runs a group until each of it is known: together, without those that spoil it, and those alone. */
  async #predict(dir: string, members: readonly Ready[], signal: AbortSignal): Promise<Map<Ready, Result>> {
    const results = new Map<Ready, Result>();
    if (members.length === 0) return results;
    const [{ request: first }] = members as [Ready];
    const folder = new Folder(join(dir, 'together'), this.#options);
    await mkdir(folder.dir);
    await folder.write(members);
    const out = new Set<Ready>();
    for (;;) {
      const ended = await folder.run(first.parameters, signal);
      const together = members.filter((member) => !out.has(member));
      for (const member of together) results.set(member, await this.#read(folder, member, ended));
      const without = together.filter((member) => results.get(member)!.predicted === null);
      const starved = together.filter((member) => results.get(member)!.cause?.kind === 'out_of_memory');
      for (const member of [...without, ...starved]) out.add(member);
      const kept = together.filter((member) => !out.has(member));
      // The stage of affinities ends for all at the first that has no structure: it is made up for, without those.
      if (ended.by !== null || kept.length === together.length || !kept.some((member) => results.get(member)!.cause?.kind === 'unfinished'))
        break;
      await folder.drop(
        together.filter((member) => out.has(member)).map(({ id }) => id),
        kept.map(({ id }) => id),
      );
    }
    const alone = [...out].filter((member) => results.get(member)!.cause?.kind === 'out_of_memory');
    if (members.length > 1 && !signal.aborted)
      for (const member of alone)
        for (const [, result] of await this.#predict(await mkdtemp(join(dir, 'alone-')), [member], signal)) results.set(member, result);
    return results;
  }

  async #read(folder: Folder, { id, request }: Ready, ended: Ended): Promise<Result> {
    const predicted = await readRecord(folder.out, id);
    const whole = predicted !== null && (!request.affinity || predicted.affinity !== null);
    const cause = whole ? null : causeOf(ended, id, predicted !== null);
    return { predicted, cause, ended, input: folder.inputOf(id), msa: folder.msaOf(request) };
  }

  async #answer({ task, id, request }: Ready, result: Result, signal: AbortSignal): Promise<Answer> {
    const { predicted, cause, ended, input, msa } = result;
    if (ended.by === 'abort' && (cause !== null || predicted === null))
      return { ok: false, kind: 'cancelled', code: 'batch_cancelled', message: 'Cancelled before it was predicted.' };
    const failure = cause !== null || predicted === null ? failureOf(cause, ended, this.#memory) : null;
    const outputs =
      predicted === null ? null : outputsOf(request, predicted.structures[0]!.confidence, predicted.affinity, { msa, tool: this.#tool });
    // Of one that failed too: what was asked, what the tool said, and a structure where only the affinity is missing.
    const about = { outputs: failure === null ? outputs : null, files: predicted?.files ?? [], input, log: ended.log, msa, request };
    try {
      const artifacts = await this.#keep(task, id, about, signal);
      if (failure !== null) return { ok: false, ...failure, artifacts };
      return { ok: true, status: 200, body: JSON.stringify(this.#reply(outputs!, artifacts)), artifacts };
    } catch (error) {
      if (signal.aborted) return { ok: false, kind: 'cancelled', code: 'batch_cancelled', message: 'Cancelled while its files were kept.' };
      if (failure !== null) return { ok: false, ...failure };
      return { ok: false, kind: 'retryable', code: 'executor_error', message: `Its files could not be kept: ${messageOf(error)}` };
    }
  }

  async #keep(task: Task, id: string, about: About, signal: AbortSignal): Promise<Kept[]> {
    const { storage } = this.#context;
    if (storage === undefined || task.folder === undefined) return [];
    const { outputs, files, input, log, msa, request } = about;
    const dir = await mkdtemp(join(this.#context.scratch, 'boltz-kept-'));
    try {
      const json = (name: string, value: object): Promise<Found> => written(dir, name, JSON.stringify(value, null, 2));
      const { name: model, version } = this.model;
      const said = [
        await json('metadata.json', {
          custom_id: task.customId,
          model,
          version,
          tool: this.#tool,
          parameters: request.parameters,
          msa,
          attempt: task.attempt,
          ...(outputs && { units: outputs['units'] }),
        }),
        await written(dir, 'input.yaml', await readFile(input, 'utf8').catch(() => '')),
        await written(dir, 'logs.txt', log),
      ];
      if (outputs !== null) {
        const { parameters: _, tool: __, units: ___, msa: ____, ...results } = outputs;
        said.push(await json('results.json', results));
      }
      const found = files.map((path): Found => ({ name: artifactName(basename(path), id), path, type: typeOfName(path), bytes: 0 }));
      return await keepOutputs(storage, task.folder, [...found, ...said], signal);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
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

type Answer = ({ ok: true; status: number; body: string } | ({ ok: false } & Failed)) & {
  artifacts?: readonly Kept[];
};

/** What is kept of a request. */
interface About {
  /** Null: it failed. */
  outputs: JsonObject | null;
  files: readonly string[];
  input: string;
  log: string;
  msa: Result['msa'];
  request: BoltzRequest;
}

interface Ready extends Member {
  task: Task;
}

interface Result {
  predicted: Predicted | null;
  /** Why it is not whole; null where it is. */
  cause: Cause | null;
  ended: Ended;
  input: string;
  msa: ReturnType<Folder['msaOf']>;
}

/** So many keep the loading of the model below a tenth of the time, and what a lost machine costs at minutes. */
const defaultGroup = 20;

/** Requests that one process may predict: of the same proteins, alignments, templates and parameters, in their order. */
const groupsOf = (tasks: readonly Task[], size: number): Task[][] => {
  const groups = new Map<string, Task[]>();
  const full: Task[][] = [];
  for (const task of tasks) {
    const request = requestOf(task);
    const key =
      request instanceof BadRequest
        ? ''
        : hash('sha256', JSON.stringify([request.proteins, request.templates, request.parameters, request.affinity]));
    const group = groups.get(key) ?? [];
    group.push(task);
    groups.set(key, group);
    if (group.length === size) {
      full.push(group);
      groups.delete(key);
    }
  }
  return [...full, ...groups.values()];
};

const requestOf = (task: Pick<Task, 'body'>): BoltzRequest | BadRequest => {
  try {
    return readRequest(task.body);
  } catch (error) {
    if (error instanceof BadRequest) return error;
    throw error;
  }
};

const failureOf = (cause: Cause | null, ended: Ended, memory: Memory): Failed => {
  if (ended.error !== null)
    return { kind: 'permanent', code: 'executor_error', message: `The program could not be started: ${ended.error}` };
  if (ended.by === 'timeout')
    return { kind: 'retryable', code: 'request_timeout', message: 'The prediction took longer than its time-out.' };
  const { kind, message } = cause ?? { kind: 'unknown', message: '' };
  const said = message === '' ? '' : ` It said: ${message.slice(0, 500)}`;
  switch (kind) {
    case 'bad_input':
      return { kind: 'permanent', code: 'invalid_request', message: `Boltz-2 could not take this input.${said}` };
    case 'msa':
      return { kind: 'retryable', code: 'executor_error', message: `The alignment could not be had.${said}` };
    case 'out_of_memory':
      return {
        kind: 'retryable',
        code: 'out_of_memory',
        needs: memory,
        message: 'The prediction ran out of memory, also alone; it may fit on a larger GPU, or with fewer samples.',
      };
    case 'unfinished':
    case 'unknown':
      return {
        kind: 'retryable',
        code: 'executor_error',
        // Nobody here has killed it: the kernel does, where a machine has no memory left.
        ...(ended.signal === 'SIGKILL' && { needs: 'memory' as const }),
        message: `Boltz-2 left no result for it (exit code ${ended.code ?? ended.signal}).${said}`,
      };
  }
};

/** `structure.cif` for the best structure, and names without the id for the rest. */
const artifactName = (file: string, id: string): string => {
  if (file === `${id}_model_0.cif`) return 'structure.cif';
  return file
    .replace(`_${id}`, '')
    .replace(`${id}_`, '')
    .replace(/_model_0(?=\.)/, '');
};

/** What the program says of its version; null where it says none. */
const versionOf = async (options: BoltzOptions, scratch: string): Promise<string | null> => {
  const { program = 'boltz', args = [], tool_version: told } = options;
  if (told !== undefined) return told;
  const dir = await mkdtemp(join(scratch, 'boltz-version-'));
  try {
    const { code, stdout } = await runProgram(
      { program, args: [...args, '--version'], dir, env: environmentOf(options, dir), timeoutMs: 60_000, cpuSeconds: null, memoryMb: null },
      new AbortController().signal,
    );
    return code === 0 ? (/\d+\.\d+[\w.+-]*/.exec(stdout)?.[0] ?? null) : null;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
};

export const boltzKind: ExecutorKind = {
  kind: 'boltz',
  problemOf: (body) => {
    try {
      readRequest(body);
      return null;
    } catch (error) {
      if (error instanceof BadRequest) return error.message;
      throw error;
    }
  },
  open: async (model, context) => {
    const options = readOptions(boltzOptions, model.options);
    return new Boltz(model, context, options, await versionOf(options, context.scratch));
  },
};
