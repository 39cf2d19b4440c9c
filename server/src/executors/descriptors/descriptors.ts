import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { openChemistry, type Chemistry } from '../../chemistry/chemistry.ts';
import { messageOf } from '../../lib/errors.ts';
import type { ModelSpec } from '../../models/models.ts';
import type { Executor, ExecutorContext, ExecutorKind, Outcome, RunSignals, Task } from '../executor.ts';
import { runGroups } from '../limited.ts';
import { smilesOf } from '../onnx/smiles.ts';
import { readOptions } from '../options.ts';
import type { Shares } from '../share.ts';
import { Slots } from '../slots.ts';
import { descriptorsOptions } from './options.ts';

/** Simple properties of molecules, by RDKit and OpenChemLib, in a pool of processes of the model's own. */
export class DescriptorsExecutor implements Executor {
  readonly model: ModelSpec;
  readonly #chemistry: Pick<Chemistry, 'describe' | 'memory' | typeof Symbol.asyncDispose>;
  readonly #slots: Slots;
  readonly #slice: number;
  readonly #openchemlib: boolean;
  readonly #ended = new AbortController();
  readonly #prefix = randomBytes(6).toString('hex');
  #count = 0;

  constructor(
    model: ModelSpec,
    chemistry: Pick<Chemistry, 'describe' | 'memory' | typeof Symbol.asyncDispose>,
    slots?: number,
    shares?: Shares,
  ) {
    const options = readOptions(descriptorsOptions, model.options);
    this.model = model;
    this.#chemistry = chemistry;
    this.#slice = options.slice ?? 128;
    this.#openchemlib = options.sources?.includes('openchemlib') ?? true;
    // Twice as many slices as processes, so that none waits for the next.
    this.#slots = new Slots(slots ?? 2 * (options.processes ?? availableParallelism()), shares);
  }

  run(tasks: readonly Task[], given: RunSignals): AsyncGenerator<Outcome[]> {
    const signals = { ...given, abort: AbortSignal.any([given.abort, this.#ended.signal]) };
    return runGroups(this.#groups(tasks), signals, this.#slots, (group, ended) => this.#describe(group, ended));
  }

  identity({ body }: Pick<Task, 'body'>): string | null {
    const read = smilesOf(body['inputs']);
    return 'smiles' in read ? `smiles ${read.smiles}` : null;
  }

  hungry(): boolean {
    return this.#slots.free;
  }

  memory(): number {
    return this.#chemistry.memory;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#chemistry[Symbol.asyncDispose]();
  }

  *#groups(tasks: readonly Task[]): Generator<readonly Task[]> {
    for (let at = 0; at < tasks.length; at += this.#slice) yield tasks.slice(at, at + this.#slice);
  }

  async #describe(group: readonly Task[], ended: AbortSignal): Promise<Outcome[]> {
    const startedAt = Date.now();
    const reads = group.map(({ body }) => smilesOf(body['inputs']));
    const smiles = reads.flatMap((read) => ('smiles' in read ? [read.smiles] : []));
    type Fate = { kind: 'retryable' | 'cancelled'; code: string; message: string };
    const described = await this.#chemistry
      .describe(smiles, { openchemlib: this.#openchemlib, signal: ended })
      .catch((error: unknown): Fate => {
        if (ended.aborted) return { kind: 'cancelled', code: 'batch_cancelled', message: 'Cancelled before it was done.' };
        return { kind: 'retryable', code: 'executor_error', message: messageOf(error) };
      });
    const ms = Math.max(0, Date.now() - startedAt);
    let next = 0;
    return group.map(({ line }, i): Outcome => {
      const [timing, read] = [{ line, startedAt, ms }, reads[i]!];
      if ('problem' in read) return { ...timing, ok: false, kind: 'permanent', code: 'invalid_input', message: read.problem };
      if (!Array.isArray(described)) return { ...timing, ok: false, ...described };
      const found = described[next++]!;
      if (found.ok) return { ...timing, ok: true, status: 200, body: this.#reply(JSON.stringify(found.values)) };
      const code = found.code === 'chemistry_failed' ? 'executor_error' : 'invalid_input';
      return { ...timing, ok: false, kind: 'permanent', code, message: `inputs.smiles: ${found.message}` };
    });
  }

  #reply(outputs: string): string {
    const id = this.#prefix + (this.#count++).toString(16).padStart(8, '0');
    return `{"id":"pred_${id}","object":"prediction","model":${JSON.stringify(this.model.name)},"version":${JSON.stringify(this.model.version)},"outputs":${outputs}}`;
  }
}

export const descriptorsKind: ExecutorKind = {
  kind: 'descriptors',
  open: async (model: ModelSpec, { log, scratch, shares }: ExecutorContext) => {
    const { processes = availableParallelism(), timeout_ms: timeoutMs = 10_000 } = readOptions(descriptorsOptions, model.options);
    return new DescriptorsExecutor(model, openChemistry({ log, scratch, processes, timeoutMs }), undefined, shares);
  },
};
