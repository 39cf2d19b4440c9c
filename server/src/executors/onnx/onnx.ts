import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { featureCount } from '../../chemistry/feature-layout.ts';
import type { ModelSpec } from '../../models/models.ts';
import { lanes } from '../../policy/turns.ts';
import {
  LoadError,
  type Executor,
  type ExecutorContext,
  type ExecutorKind,
  type Outcome,
  type RunSignals,
  type Task,
} from '../executor.ts';
import { readOptions } from '../options.ts';
import { Due, usualShares } from '../share.ts';
import { Child } from './child-process.ts';
import { Children, type ChildrenSettings, type Work } from './children.ts';
import { onnxOptions } from './options.ts';
import { checkColumns, outputsOf, type Result } from './outputs.ts';
import { Run, type Slice } from './slices.ts';
import { smilesOf } from './smiles.ts';
import { inputBytes, pack, rowBytes, rowsOf, type Rows } from './tensors.ts';
import type { Port } from './wire.ts';

/** Bytes of one slice's tensors: enough for any batch effect, little beside a child's memory. */
const sliceBytes = 4 * 1024 * 1024;

const isOpen = (dimension: number | string | undefined) => typeof dimension === 'string';

export const checkFeatures = (inputs: readonly Port[], outputs: readonly Port[]): void => {
  const [input] = inputs;
  const fits =
    inputs.length === 1 &&
    input!.type === 'float32' &&
    input!.shape.length === 2 &&
    isOpen(input!.shape[0]) &&
    input!.shape[1] === featureCount;
  if (!fits) {
    const has = inputs.map(({ name, type, shape }) => `${name} ${type}[${shape.join(', ')}]`).join(' and ');
    throw new LoadError(
      `The features of smiles-morgan2048-desc16 need one input float32[N, ${featureCount}]; the model has ${has || 'none'}.`,
    );
  }
  if (!outputs.every(({ shape }) => isOpen(shape[0])))
    throw new LoadError('The first dimension of each output must be the number of rows.');
};

/** The runs of one lane; what it is owed is counted in tasks. */
interface Line {
  readonly runs: Set<Run>;
  readonly share: number;
  readonly due: Due;
}

/** The first run that has tasks to start: those whose turn was last stand at the end. */
const nextIn = (runs: ReadonlySet<Run>): Run | undefined => {
  for (const run of runs) if (run.waiting > 0) return run;
  return undefined;
};

/** Tasks after which a lane that has its part of them too is owed nothing more. */
const dueTasks = ({ due, share }: Line): number => Math.max(1, Math.ceil(due.owed / Math.max(0.01, 1 - share) - 1e-6));

/** Runs an ONNX model in processes of its own; see `child.ts` for what happens there. */
export class Onnx implements Executor, Work {
  readonly model: ModelSpec;
  readonly #columns: readonly string[] | undefined;
  /** Null: SMILES are featurised. */
  readonly #rows: Rows | null;
  readonly #children: Children;
  readonly #processes: number;
  /** In order. */
  readonly #lines: readonly Line[];
  readonly #prefix = randomBytes(6).toString('hex');
  #count = 0;
  #disposed = false;

  constructor(model: ModelSpec, context: ExecutorContext, settings: ChildrenSettings, rows: Rows | null, first: Child) {
    this.model = model;
    this.#columns = readOptions(onnxOptions, model.options).outputs;
    this.#rows = rows;
    const shares = context.shares ?? usualShares;
    this.#lines = lanes.map((lane) => ({ runs: new Set(), share: shares[lane], due: new Due() }));
    this.#processes = settings.processes;
    this.#children = new Children(settings, this, context.log);
    this.#children.begin(first);
  }

  async *run(tasks: readonly Task[], signals: RunSignals): AsyncGenerator<Outcome[]> {
    if (this.#disposed) return;
    const run = new Run(tasks, signals.started);
    const { runs } = this.#lines[lanes.indexOf(signals.lane ?? 'bulk')]!;
    const outcomes = run.outcomes(signals);
    if (!signals.stop.aborted && !signals.abort.aborted) {
      runs.add(run);
      this.#children.pump();
    }
    try {
      yield* outcomes;
    } finally {
      runs.delete(run);
    }
  }

  identity({ body }: Pick<Task, 'body'>): string | Uint8Array | null {
    if (this.#rows !== null) return inputBytes(this.#rows, body['inputs']);
    const read = smilesOf(body['inputs']);
    return 'smiles' in read ? `smiles ${read.smiles}` : null;
  }

  hungry(): boolean {
    let waiting = 0;
    for (const { runs } of this.#lines) for (const run of runs) waiting += run.waiting;
    return waiting < 2 * this.#processes * this.#children.size;
  }

  memory(): number {
    return this.#children.memory;
  }

  /** The processes at work, for those who watch them. */
  get pids(): number[] {
    return this.#children.pids;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    for (const { runs } of this.#lines) for (const run of runs) run.end();
    await this.#children.end();
  }

  next(most: number): Slice | null {
    const waiting = this.#lines.filter(({ runs }) => nextIn(runs) !== undefined);
    const owed = waiting.find(({ due }) => due.owed > 0);
    const line = owed ?? waiting[0];
    if (line === undefined) return null;
    const run = nextIn(line.runs)!;
    // The last tasks of a run are shared out, so that no process waits for another's long slice.
    const few = Math.min(most, Math.ceil(run.waiting / this.#processes), owed ? dueTasks(owed) : Infinity);
    const slice = run.take(few);
    // To the end of the line: runs take turns.
    line.runs.delete(run);
    line.runs.add(run);
    for (const each of this.#lines)
      if (!waiting.includes(each)) each.due.rest(few * each.share);
      else if (waiting.length === 1) each.due.rest(few);
      else each.due.pass(few, each.share, each === line ? 1 : 0, true);
    return slice;
  }

  encode(slice: Slice) {
    const refuse = (task: Task, problem: string) => slice.run.fail(task, 'permanent', 'invalid_input', problem);
    const { tasks } = slice;
    if (this.#rows) {
      const { head, bytes, kept, problems } = pack(
        this.#rows,
        tasks.map((task) => task.body['inputs']),
      );
      for (const { index, problem } of problems) refuse(tasks[index]!, problem);
      if (problems.length > 0) slice.tasks = kept.map((index) => tasks[index]!);
      return { head, bytes };
    }
    const smiles: string[] = [];
    slice.tasks = tasks.filter((task) => {
      const read = smilesOf(task.body['inputs']);
      if ('problem' in read) refuse(task, read.problem);
      else smiles.push(read.smiles);
      return 'smiles' in read;
    });
    return { head: { rows: smiles.length, smiles }, bytes: null };
  }

  done(slice: Slice, result: Result): void {
    const { startedAt, ms, failed } = result.head;
    const outputs = outputsOf(result, this.#columns);
    const failures = new Map(failed.map((failure) => [failure.row, failure]));
    let next = 0;
    slice.tasks.forEach((task, row) => {
      const timing = { line: task.line, startedAt, ms };
      const failure = failures.get(row);
      const body = failure ? null : outputs[next++];
      if (body) slice.run.settle({ ...timing, ok: true, status: 200, body: this.#reply(body) }, task);
      else {
        const { code, message } = failure ?? { code: 'executor_error', message: 'An output is not a finite number.' };
        slice.run.settle({ ...timing, ok: false, kind: 'permanent', code, message }, task);
      }
    });
  }

  #reply(outputs: string): string {
    const id = this.#prefix + (this.#count++).toString(16).padStart(8, '0');
    return `{"id":"pred_${id}","object":"prediction","model":${JSON.stringify(this.model.name)},"version":${JSON.stringify(this.model.version)},"outputs":${outputs}}`;
  }
}

/** RDKit's memory creeps: a process gives way to a new one after `recycleAfter` molecules. */
export const openOnnx = async (model: ModelSpec, context: ExecutorContext, { recycleAfter = 50_000 } = {}): Promise<Onnx> => {
  const options = readOptions(onnxOptions, model.options);
  const smiles = options.preprocess === 'smiles-morgan2048-desc16';
  const child = {
    path: options.path!,
    smiles,
    features: context.features ?? null,
    scratch: context.scratch,
    memoryLimitMb: options.memory_limit_mb ?? 2048,
    loadTimeoutMs: 60_000,
  };
  const first = await Child.start(child, new AbortController().signal);
  try {
    const { inputs, outputs } = first.ports;
    if (smiles) checkFeatures(inputs, outputs);
    const rows = smiles ? null : rowsOf(inputs, outputs);
    checkColumns(outputs, rows?.batched ?? true, options.outputs);
    const most = rows ? (rows.alone ? 1 : Math.max(1, Math.floor(sliceBytes / Math.max(1, rowBytes(rows))))) : 1024;
    const settings = {
      ...child,
      processes: options.processes ?? availableParallelism(),
      most: Math.min(most, options.slice ?? 4096),
      timeoutMs: options.timeout_ms ?? 10_000,
      recycleAfter: smiles ? recycleAfter : Infinity,
    };
    return new Onnx(model, context, settings, rows, first);
  } catch (error) {
    await first.end();
    throw error;
  }
};

export const onnxKind: ExecutorKind = { kind: 'onnx', open: (model, context) => openOnnx(model, context) };
