import { spawn } from 'node:child_process';
import { copyFile, constants, link, mkdir, mkdtemp, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Value } from 'typebox/value';
import { environment, lastLine } from '../executors/onnx/child-process.ts';
import { Said, steps, type Report, type Step, type StepName, type Task } from './facts.ts';

export type { Report } from './facts.ts';

export interface VetLimits {
  /** Of the file. */
  bytes: number;
  /** That the process may have, as an executor's. */
  memoryMb: number;
  /** Milliseconds that one step may take, and all of them. */
  stepMs: number;
  totalMs: number;
  /** For which runs are measured: what they gain by sharing, and a fifth of it what one takes. */
  measureMs: number;
}

export const vetLimits: VetLimits = { bytes: 2 ** 31 - 1, memoryMb: 2048, stepMs: 60_000, totalMs: 180_000, measureMs: 1_500 };

const program = fileURLToPath(new URL('child.ts', import.meta.url));

/**
 * Node has no setrlimit: the shell sets limits and becomes the child. Data segments bound the memory; no core is left
 * and no file written; the processor's time ends what outlives its parent. Without a network where that is allowed.
 */
const shell = ({ memoryMb, totalMs }: VetLimits): string =>
  [
    `(ulimit -d ${memoryMb * 1024}) 2>/dev/null && ulimit -d ${memoryMb * 1024}`,
    'ulimit -c 0; ulimit -f 0',
    `ulimit -t ${Math.ceil(totalMs / 1000) * 2}`,
    'for how in -n -rn; do unshare $how true 2>/dev/null && exec unshare $how "$0" "$@"; done',
    'exec "$0" "$@"',
  ].join('; ');

/** Milliseconds for the process to start. */
const startMs = 30_000;

/** Lines and bytes that a process may say: one that says more says no report. */
const mostSaid = 4 * 1024 * 1024;

/** Why a step failed, and what to do about it. */
interface Cause {
  message: string;
  hint: string | null;
}

/** What was said of a process so far. */
interface Heard {
  steps: Step[];
  at: StepName | null;
  about: Extract<Said, { runtime: string }> | null;
  result: Extract<Said, { facts: unknown }> | null;
}

const seconds = (ms: number): string => `${ms / 1000} s`;

/**
 * Vets the ONNX file at `path`: reads it, loads it and tries it in a process of its own. Whatever the file does, there is
 * a report, the process is gone, and nothing is left in `scratch`. Rejects only when `signal` aborts.
 */
export const vet = async (path: string, given: Partial<VetLimits>, signal: AbortSignal, scratch = tmpdir()): Promise<Report> => {
  const limits = { ...vetLimits, ...given };
  const began = performance.now();
  const report = (heard: Heard, bytes: number, failure: Cause | null): Report => {
    const all = failure === null ? heard.steps : [...heard.steps, failedAt(heard, failure, performance.now() - began)];
    const failed = all.find(({ status }) => status === 'failed');
    return {
      verdict: failed || !heard.result ? 'failed' : 'ready',
      step: steps.find((name) => name === failed?.name) ?? null,
      reason: failed?.message ?? null,
      steps: all,
      bytes,
      ms: Math.round(performance.now() - began),
      runtime: heard.about?.runtime ?? '',
      network: heard.about?.network ?? true,
      limits: { bytes: limits.bytes, memory_mb: limits.memoryMb, step_ms: limits.stepMs, total_ms: limits.totalMs },
      inputs: heard.result?.inputs ?? null,
      outputs: heard.result?.outputs ?? null,
      facts: failed ? null : (heard.result?.facts ?? null),
    };
  };
  const heard: Heard = { steps: [], at: 'size', about: null, result: null };
  signal.throwIfAborted();
  const { size, problem } = await sizeOf(path, limits);
  if (problem) return report(heard, size, problem);
  heard.steps.push({
    name: 'size',
    status: 'passed',
    ms: Math.round(performance.now() - began),
    log: [`${size} bytes`],
    message: null,
    hint: null,
  });
  heard.at = 'walk';

  await mkdir(scratch, { recursive: true });
  const home = await mkdtemp(join(scratch, 'vet-'));
  try {
    // The file alone in a folder: what a model could name beside itself is not there. And no working directory to read.
    const [folder, empty] = [join(home, 'model'), join(home, 'empty')];
    await Promise.all([mkdir(folder), mkdir(empty)]);
    const alone = join(folder, 'model.onnx');
    const real = await realpath(path);
    await link(real, alone).catch(() => copyFile(real, alone, constants.COPYFILE_FICLONE));
    return report(heard, size, await listen(heard, alone, empty, limits, signal));
  } finally {
    await rm(home, { recursive: true, force: true });
  }
};

const sizeOf = async (path: string, limits: VetLimits): Promise<{ size: number; problem: Cause | null }> => {
  const found = await stat(path).catch(() => null);
  if (!found?.isFile()) return { size: 0, problem: { message: 'There is no such file.', hint: null } };
  const { size } = found;
  if (size === 0) return { size, problem: { message: 'The file is empty.', hint: 'Upload it again.' } };
  if (size > limits.bytes)
    return {
      size,
      problem: {
        message: `The file has ${size} bytes; at most ${limits.bytes} are allowed.`,
        hint: 'Quantise the model, or store its weights as float16.',
      },
    };
  return { size, problem: null };
};

/** The step under way, as the one that failed. */
const failedAt = ({ at, steps: done }: Heard, { message, hint }: Cause, ms: number): Step => ({
  name: at ?? 'time_and_memory',
  status: 'failed',
  ms: Math.round(ms - done.reduce((sum, each) => sum + each.ms, 0)),
  log: [],
  message,
  hint,
});

/** Starts the process and hears it to its end. Null: it said everything; otherwise why it did not. */
const listen = (heard: Heard, file: string, cwd: string, limits: VetLimits, signal: AbortSignal): Promise<Cause | null> =>
  new Promise((resolve, reject) => {
    const task: Task = { path: file, inputLimit: Math.min(256 * 1024 * 1024, limits.memoryMb * 1024 * 128), measureMs: limits.measureMs };
    const args = ['-c', shell(limits), process.execPath, '--no-warnings', '--max-old-space-size=512', program];
    // A group of its own, so that all that it may have started is killed with it.
    const child = spawn('/bin/sh', args, { cwd, env: environment(cwd), stdio: ['pipe', 'ignore', 'pipe', 'pipe'], detached: true });
    // One that has died at once is seen when it closes.
    child.stdin!.on('error', () => {});
    child.stdin!.end(JSON.stringify(task));
    let killed: Cause | null = null;
    let words = '';
    let said = 0;
    const kill = (message: string, hint: string | null = null): void => {
      killed ??= { message, hint };
      killGroup(child.pid);
    };
    const endless = 'It does not end on made-up inputs of small sizes: look for loops whose condition stays true.';
    const late = () => kill(`It took longer than ${seconds(limits.stepMs)}.`, endless);
    // Until it first speaks it is the machine that is slow, not the file.
    let timer = setTimeout(late, limits.stepMs + startMs);
    const total = setTimeout(() => kill(`Vetting took longer than ${seconds(limits.totalMs)}.`, endless), limits.totalMs);
    const aborted = () => kill('stopped');
    signal.addEventListener('abort', aborted, { once: true });
    child.stderr!.on('data', (part: Buffer) => {
      words = (words + part.toString()).slice(-2000);
    });
    const lines = createInterface({ input: child.stdio[3] as Readable });
    (child.stdio[3] as Readable).on('data', (part: Buffer) => {
      if ((said += part.length) > mostSaid) kill('Its process said more than a report.');
    });
    lines.on('line', (line) => {
      if (killed !== null) return;
      if (!hear(heard, line)) return kill('Its process said something that is no report.');
      clearTimeout(timer);
      timer = setTimeout(late, limits.stepMs);
    });
    child.once('error', (error) => {
      words ||= error.message;
    });
    child.once('close', (code, ended) => {
      clearTimeout(timer);
      clearTimeout(total);
      signal.removeEventListener('abort', aborted);
      killGroup(child.pid);
      if (signal.aborted) return reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
      if (killed !== null) return resolve(killed);
      if (heard.result || heard.steps.some(({ status }) => status === 'failed')) return resolve(null);
      const last = lastLine(words);
      resolve({
        message: `Its process ended (${ended ?? code})${last ? `: ${last.slice(0, 300).toWellFormed()}` : ''}.`,
        hint: `It may have asked for more than ${limits.memoryMb} MB of memory.`,
      });
    });
  });

const killGroup = (pid: number | undefined): void => {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
};

/** Takes in one line; false where it is none that a process should say. */
const hear = (heard: Heard, line: string): boolean => {
  let said: unknown;
  try {
    said = JSON.parse(line);
  } catch {
    return false;
  }
  if (!Value.Check(Said, said)) return false;
  if ('begun' in said) heard.at = said.begun;
  else if ('runtime' in said) heard.about = said;
  else if ('facts' in said) heard.result = said;
  else {
    heard.steps.push(said.step);
    heard.at = steps[steps.findIndex((name) => name === said.step.name) + 1] ?? null;
  }
  return true;
};
