import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import type { Pool } from '../db/db.ts';
import type { Listener } from '../db/listen.ts';
import { LoadError } from '../executors/executor.ts';
import { checkFeatures } from '../executors/onnx/onnx.ts';
import { onnxOptions } from '../executors/onnx/options.ts';
import { checkColumns } from '../executors/onnx/outputs.ts';
import { readOptions } from '../executors/options.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { Loop } from '../lib/loop.ts';
import { makeScratch } from '../lib/scratch.ts';
import { finishVetting, releaseVetting, renewVetting, takeForVetting, type Vetting, type VettingResult } from '../registry/vetting.ts';
import { NotFound, type Storage } from '../storage/storage.ts';
import type { Report } from './facts.ts';
import { vet, type VetLimits } from './vet.ts';

export interface VetterDeps {
  db: Pool;
  storage: Storage;
  /** With the channel `models`. */
  listener: Listener;
  log: Logger;
  leaseSeconds: number;
  limits?: Partial<VetLimits>;
}

interface Events {
  /** A file was vetted, and what came of it; `lost`: somebody else has it by now. */
  vetted: [of: Vetting, report: Report, how: 'done' | 'lost'];
}

/** Milliseconds between two looks, for when a notification was lost. */
const least = 1_000;
const most = 30_000;

/**
 * Vets the files that wait for it, one at a time: leases a version, fetches its file into a folder of its own, has it
 * vetted in a process of its own, and writes the report down, under the lease's token. A vetter that is stopped gives
 * the version back; one that is killed loses its lease, and another vets the file from the start.
 */
export class Vetter extends EventEmitter<Events> implements AsyncDisposable {
  readonly loop: Loop;
  readonly #deps: VetterDeps;
  readonly #id = `vetter_${hostname()}_${process.pid}`;
  #scratch: Promise<string> | null = null;
  /** In a row. */
  #failures = 0;

  constructor(deps: VetterDeps) {
    super();
    this.#deps = deps;
    const onError = (error: unknown): void =>
      deps.log.error({ err: messageOf(error) }, 'a model file could not be vetted; it will be tried again');
    this.loop = new Loop({ name: 'vetting', run: (signal) => this.#next(signal), min: least, max: most, onError });
  }

  start(): void {
    this.#deps.listener.on('models', this.#wake);
    this.#deps.listener.on('ready', this.#wake);
    this.loop.start();
  }

  async stop(): Promise<void> {
    this.#deps.listener.off('models', this.#wake);
    this.#deps.listener.off('ready', this.#wake);
    await this.loop.stop();
    if (this.#scratch) await rm(await this.#scratch, { recursive: true, force: true });
    this.#scratch = null;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  readonly #wake = (): void => this.loop.wake();

  async #next(stop: AbortSignal): Promise<boolean> {
    const { db, leaseSeconds, log } = this.#deps;
    const vetting = await takeForVetting(db, this.#id, leaseSeconds);
    if (!vetting) return false;
    const lost = new AbortController();
    const renewal = setInterval(() => {
      renewVetting(db, vetting, leaseSeconds).then(
        (held) => held === 'lost' && lost.abort(),
        // The next one may succeed; if none does, the lease runs out, and the report is refused.
        (error: unknown) => log.warn({ err: messageOf(error) }, 'a lease on a model file could not be renewed'),
      );
    }, leaseSeconds * 333);
    try {
      const report = await this.#vet(vetting, AbortSignal.any([stop, lost.signal]));
      const how = await finishVetting(db, vetting, resultOf(report));
      log.info(
        { model: vetting.name, version: vetting.version, verdict: report.verdict, step: report.step, ms: report.ms, how },
        'a model file was vetted',
      );
      this.emit('vetted', vetting, report, how);
      this.#failures = 0;
    } catch (error) {
      if (stop.aborted || lost.signal.aborted) await releaseVetting(db, vetting);
      else await this.#fail(vetting, stop);
      if (!stop.aborted && !lost.signal.aborted) throw error;
    } finally {
      clearInterval(renewal);
    }
    return true;
  }

  /** It is this machine that failed: the version waits here for a while, since giving it back wakes every vetter. */
  async #fail(vetting: Vetting, stop: AbortSignal): Promise<void> {
    const pause = Math.min(most, least * 2 ** this.#failures++);
    await setTimeout(pause, null, { signal: stop }).catch(() => {});
    await releaseVetting(this.#deps.db, vetting);
  }

  async #vet(vetting: Vetting, signal: AbortSignal): Promise<Report> {
    const scratch = await (this.#scratch ??= makeScratch('vetting'));
    const folder = await mkdtemp(join(scratch, 'file-'));
    try {
      const path = join(folder, 'model.onnx');
      const options = readOptions(onnxOptions, { ...vetting.options, path });
      const limits = { ...this.#deps.limits, ...(options.memory_limit_mb && { memoryMb: options.memory_limit_mb }) };
      const problem = await this.#fetch(vetting, path, signal);
      const report = await vet(path, limits, signal, scratch);
      return problem ? failed(report, 'size', problem, 'Upload it again.') : fitting(report, options);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** The file's bytes at `path`; says what is wrong with them, if they are not those that were uploaded. */
  async #fetch({ file }: Vetting, path: string, signal: AbortSignal): Promise<string | null> {
    const sum = createHash('sha256');
    try {
      await pipeline(
        await this.#deps.storage.stream(file.key),
        async function* (parts: AsyncIterable<Buffer>) {
          for await (const part of parts) {
            sum.update(part);
            yield part;
          }
        },
        createWriteStream(path, { mode: 0o600 }),
        { signal },
      );
    } catch (error) {
      if (error instanceof NotFound) return 'Its bytes are not in the storage any more.';
      throw error;
    }
    return sum.digest('hex') === file.sha256 ? null : 'Its bytes in the storage are not those that were uploaded.';
  }
}

/** The report, had it failed at this step. */
const failed = (report: Report, step: Report['step'], reason: string, hint: string | null): Report => ({
  ...report,
  verdict: 'failed',
  step,
  reason,
  steps: [
    ...report.steps.filter(({ name }) => name !== step),
    { name: step ?? 'ports', status: 'failed', ms: 0, log: [], message: reason, hint },
  ],
});

/** Whether the version's options fit the model, as they have to when it is served. */
const fitting = (report: Report, options: ReturnType<typeof readOptions<typeof onnxOptions>>): Report => {
  const { inputs, outputs, facts } = report;
  if (!inputs || !outputs || !facts) return report;
  try {
    if (options.preprocess === 'smiles-morgan2048-desc16') checkFeatures(inputs, outputs);
    const batched = [...inputs, ...outputs].every(({ shape }) => typeof shape[0] === 'string');
    checkColumns(outputs, batched, options.outputs);
    return report;
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    return failed(report, 'ports', error.message, "Register the version with options that fit the model's inputs and outputs.");
  }
};

const resultOf = ({ verdict, step, reason, inputs, outputs, facts, ...report }: Report): VettingResult => ({
  status: verdict,
  reason: verdict === 'failed' ? `${step ?? 'vetting'}: ${reason ?? 'it gave no report'}` : null,
  report,
  inputs,
  outputs,
  metadata: facts,
});
