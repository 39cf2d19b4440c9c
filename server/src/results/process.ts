import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { bareEnvironment } from '../lib/spawning.ts';
import { StorageFull } from '../storage/storage.ts';
import { BadQuestion, type Ask, type Start, type Told } from './facts.ts';

export interface ProcessLimits {
  /** Of the process, and of DuckDB in it, which puts on disk what is more. */
  memoryMb: number;
  duckMb: number;
  /** Bytes that a file may have that it writes. */
  fileBytes: number;
}

export const processLimits: ProcessLimits = { memoryMb: 2_048, duckMb: 256, fileBytes: 500_000_000_000 };

const program = fileURLToPath(new URL('child.ts', import.meta.url));

/**
 * Node has no setrlimit: the shell sets limits and becomes the child. Data segments bound the memory; no core is left. A
 * process that runs what users wrote has no network where that can be had.
 */
const shell = ({ memoryMb, fileBytes }: ProcessLimits, alone: boolean, output: boolean): string =>
  [
    `(ulimit -d ${memoryMb * 1024}) 2>/dev/null && ulimit -d ${memoryMb * 1024}`,
    `ulimit -c 0; ulimit -f ${Math.ceil(fileBytes / 512)}`,
    ...(alone ? ['for how in -n -rn; do unshare $how true 2>/dev/null && exec unshare $how "$0" "$@"; done'] : []),
    // What Node calls a pipe is a socket, and DuckDB opens files by their names, which sockets have not.
    output ? '"$0" "$@" | exec cat 3>&-' : 'exec "$0" "$@"',
  ].join('; ');

/** The process is gone, whatever it was asked. */
export class ProcessLost extends Error {}

export interface ProcessOptions {
  /** Where it writes what does not fit in memory; it is its working directory too. */
  folder: string;
  limits?: Partial<ProcessLimits>;
  /** For what a user wrote: no network, nothing on disk. */
  alone?: boolean;
  /** Descriptors it has beside the standard ones, from 4 on. */
  descriptors?: readonly number[];
  /** Its standard output is a pipe, for who takes the bytes of an answer from there. */
  output?: boolean;
}

/** A process with a DuckDB of its own. Questions may be asked at once; they share its memory and its two threads. */
export class DuckProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly #asked = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #closed = Promise.withResolvers<void>();
  #last = 0;
  #words = '';
  #why: Error | null = null;

  constructor({ folder, limits, alone = false, descriptors = [], output = false }: ProcessOptions) {
    const all = { ...processLimits, ...limits };
    const args = ['--no-warnings', '--max-old-space-size=512', program];
    // A group of its own, so that all of it is killed.
    this.child = spawn('/bin/sh', ['-c', shell(all, alone, output), process.execPath, ...args], {
      cwd: folder,
      env: { ...bareEnvironment(folder), TZ: 'UTC' },
      stdio: ['ignore', output ? 'pipe' : 'ignore', 'pipe', 'ipc', ...descriptors],
      detached: true,
    });
    const start: Start = { duckMb: all.duckMb, folder: alone ? null : folder };
    this.child.send({ start }, () => {});
    this.child.stderr!.on('data', (part: Buffer) => (this.#words = (this.#words + part.toString()).slice(-2_000)));
    this.child.on('message', (told: Told) => this.#hear(told));
    this.child.once('error', (error) => this.#end(error));
    this.child.once('close', (code, by) => {
      this.#end(new ProcessLost(`The process that worked on the table ended (${by ?? code}).`, { cause: this.#words }));
      this.#closed.resolve();
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Why it is no more; null while it lives. */
  get lost(): Error | null {
    return this.#why;
  }

  /** Rejects with `BadQuestion` where it is the question's fault; kills the process where the answer takes longer than `ms`. */
  async ask<Result>(what: Ask, { ms, signal }: { ms?: number; signal?: AbortSignal } = {}): Promise<Result> {
    signal?.throwIfAborted();
    if (this.#why !== null) throw this.#why;
    const id = ++this.#last;
    const answer = Promise.withResolvers<unknown>();
    this.#asked.set(id, answer);
    const late = ms === undefined ? null : setTimeout(() => this.kill(new BadQuestion(`It took longer than ${ms / 1_000} seconds.`)), ms);
    const aborted = (): void => this.kill(signal!.reason as Error);
    signal?.addEventListener('abort', aborted, { once: true });
    try {
      this.child.send({ id, what }, () => {});
      return (await answer.promise) as Result;
    } finally {
      this.#asked.delete(id);
      if (late) clearTimeout(late);
      signal?.removeEventListener('abort', aborted);
    }
  }

  #hear(told: Told): void {
    const answer = this.#asked.get(told.id);
    if (!answer) return;
    if (told.ok) answer.resolve(told.result);
    else if (/No space left/.test(told.message)) answer.reject(new StorageFull(new Error(told.message)));
    else answer.reject(told.bad ? new BadQuestion(told.message) : new Error(told.message));
  }

  #end(why: Error): void {
    this.#why ??= why;
    for (const { reject } of this.#asked.values()) reject(this.#why);
    this.#asked.clear();
  }

  /** Lets it end when it has done what it was asked. */
  finish(): void {
    if (this.child.connected) this.child.send({ end: true }, () => {});
  }

  kill(why: Error): void {
    this.#end(why);
    try {
      if (this.child.pid !== undefined) process.kill(-this.child.pid, 'SIGKILL');
    } catch {
      // It is gone already.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill(new ProcessLost('stopped'));
    await this.#closed.promise;
  }
}
