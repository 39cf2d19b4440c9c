import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config.ts';
import { backoff } from '../lib/backoff.ts';
import type { Logger } from '../lib/log.ts';
import type { Figures, Source } from '../telemetry/metrics.ts';
import type { FromChild, ToChild } from './link.ts';

const program = fileURLToPath(new URL('../main.ts', import.meta.url));

/** Milliseconds a child may run before its death no longer counts as one in a row. */
const steady = 30_000;
/** Milliseconds a child gets to stop by itself, and to give its figures. */
const patience = { stop: 60_000, measure: 1_000 };

export interface ChildOptions {
  role: 'api' | 'scheduler' | 'worker';
  name: string;
  /** Asked at every start: the database may have moved. */
  config: () => Config;
  log: Logger;
  /** Called when it ended; then it is not started again. */
  onEnd?: () => void;
  /** The figures of all children but the one that asks. */
  others: (asking: string) => Promise<Source[]>;
}

/** One child process, kept alive: when it dies it is started again, a little later each time. */
export class Child implements AsyncDisposable {
  readonly name: string;
  readonly #options: ChildOptions;
  #process: ChildProcess | null = null;
  #stopping = false;
  #deaths = 0;
  #timer: NodeJS.Timeout | null = null;
  #last = 0;
  readonly #asked = new Map<number, (figures: Figures) => void>();

  constructor(options: ChildOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Resolves when it is ready, with its address; rejects where it ends before that, which starting again will not mend. */
  start(): Promise<string | null> {
    return new Promise((resolve, reject) => this.#spawn(resolve, reject));
  }

  /** Asks it to stop, and waits; what does not stop in a minute is killed. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#timer) clearTimeout(this.#timer);
    const child = this.#process;
    if (!child) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    this.#send({ type: 'stop' });
    const timer = setTimeout(() => child.kill('SIGKILL'), patience.stop);
    await ended;
    clearTimeout(timer);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Ends it at once; unless it is stopping it comes back. */
  kill(): void {
    this.#process?.kill('SIGKILL');
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Null where it does not answer in time. */
  async measure(): Promise<Source | null> {
    if (!this.#process) return null;
    const id = ++this.#last;
    const figures = await new Promise<Figures | null>((resolve) => {
      this.#asked.set(id, resolve);
      setTimeout(() => resolve(null), patience.measure).unref();
      this.#send({ type: 'measure', id });
    });
    this.#asked.delete(id);
    return figures && { role: this.#options.role, process: this.name, figures };
  }

  #send(message: ToChild): void {
    if (this.#process?.connected) this.#process.send(message, () => {});
  }

  #spawn(onReady: (url: string | null) => void, onFailure: (error: Error) => void): void {
    const { role, name, config, log, others } = this.#options;
    const began = performance.now();
    let ready = false;
    let over = false;
    const child = fork(program, [role, '--supervised'], { execArgv: [] });
    this.#process = child;
    child.on('message', (message: FromChild) => {
      if (message.type === 'ready') {
        ready = true;
        onReady(message.url);
      } else if (message.type === 'measured') this.#asked.get(message.id)?.(message.figures);
      else void others(name).then((sources) => this.#send({ type: 'others', id: message.id, sources }));
    });
    const end = (how: string): void => {
      if (over) return;
      over = true;
      this.#process = null;
      this.#options.onEnd?.();
      if (this.#stopping) return onFailure(new Error(`${name} was stopped`));
      if (!ready && this.#deaths === 0) return onFailure(new Error(`${name} did not start (${how})`));
      if (this.#options.onEnd) return;
      this.#deaths = performance.now() - began > steady ? 1 : this.#deaths + 1;
      const pause = backoff(this.#deaths, { base: 200, cap: 10_000 });
      log.warn({ child: name, how, again_in_ms: Math.round(pause) }, 'a process ended; starting it again');
      this.#timer = setTimeout(
        () =>
          this.#spawn(
            () => {},
            () => {},
          ),
        pause,
      );
    };
    child.once('error', (error) => end(error.message));
    child.once('exit', (code, signal) => end(signal ?? `exit code ${code}`));
    this.#send({ type: 'begin', name, config: config() });
  }
}
