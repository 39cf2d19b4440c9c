import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, readFileSync, readSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Frames, frame } from '../lib/frames.ts';
import { bareEnvironment, limitedShell, nameless } from '../lib/spawning.ts';

/** The first that a process is told: whether it has the host's features of molecules, to keep those that it is asked for. */
export interface Settings {
  keeps: boolean;
}

/** Rows for a process; `operation` is one of `Operations`. */
export interface Asked {
  operation: string;
  options: object;
  rows: readonly string[];
}

/** What came of them, in order, and how long it took. */
export interface Answered {
  ms: number;
  results: unknown[];
}

/** Its exit code when RDKit broke on the row it noted. */
export const brokenBy = 70;

/** It ended with rows unanswered: the row it was at, whether that row surely did it, and the last it said. */
export interface Loss {
  row: number;
  sure: boolean;
  words: string;
}

const program = fileURLToPath(new URL('child.ts', import.meta.url));

export interface ProcessSettings {
  /** Where its empty working directory is made. */
  scratch: string;
  memoryLimitMb: number;
  /** The descriptor of the host's features of molecules (`openFeatureFile`); null: it keeps none. */
  features: number | null;
}

/** One process with RDKit loaded. */
export class RdkitProcess {
  readonly version: string;
  /** Rows it was given so far. */
  rows = 0;
  readonly #process: ChildProcess;
  readonly #progress: number;
  #gone: Loss | null = null;
  #onAnswer: (answer: Answered) => void = () => {};
  #onLost: (loss: Loss) => void = () => {};
  readonly #ended: Promise<void>;

  private constructor(child: ChildProcess, home: string, progress: number, version: string, frames: Frames, words: () => string) {
    this.version = version;
    this.#process = child;
    this.#progress = progress;
    this.#socket.on('data', (part: Buffer) => {
      for (const { head } of frames.push(part)) this.#onAnswer(JSON.parse(head.toString()) as Answered);
    });
    this.#ended = new Promise((resolve) => {
      child.once('close', (code) => {
        this.#gone = { row: this.progress().row, sure: code === brokenBy, words: words() };
        closeSync(this.#progress);
        rmSync(home, { recursive: true, force: true });
        resolve();
        this.#onLost(this.#gone);
      });
    });
  }

  get #socket(): Socket {
    return this.#process.stdio[3] as Socket;
  }

  /** Rejects with what it said where it cannot be started. */
  static async start({ scratch, memoryLimitMb, features }: ProcessSettings): Promise<RdkitProcess> {
    mkdirSync(scratch, { recursive: true });
    const home = mkdtempSync(join(scratch, 'rdkit-'));
    const progress = nameless(`${home}.progress`);
    const child = spawn('/bin/sh', ['-c', limitedShell(memoryLimitMb), process.execPath, '--no-warnings', program], {
      cwd: home,
      env: bareEnvironment(home),
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', progress, ...(features === null ? [] : [features])],
    });
    let words = '';
    child.stderr!.on('data', (part: Buffer) => {
      words = (words + part.toString()).slice(-2000);
    });
    const socket = child.stdio[3] as Socket;
    // A write to a process that has just died fails; what it did not answer is seen when it closes.
    socket.on('error', () => {});
    const frames = new Frames();
    try {
      const version = await new Promise<string>((resolve, reject) => {
        const failed = (why: string) => reject(new Error(`RDKit did not start: ${why}`));
        const timer = setTimeout(() => failed('it took longer than 60 s'), 60_000);
        child.once('error', (error) => failed(error.message));
        child.once('close', (code, signal) => failed(`its process ended (${signal ?? code}) ${lastLine(words)}`));
        socket.write(frame({ keeps: features !== null } satisfies Settings));
        socket.on('data', function listen(part: Buffer) {
          const first = frames.push(part)[0];
          if (!first) return;
          clearTimeout(timer);
          socket.off('data', listen);
          child.removeAllListeners('close');
          resolve((JSON.parse(first.head.toString()) as { version: string }).version);
        });
      });
      return new RdkitProcess(child, home, progress, version, frames, () => words);
    } catch (error) {
      child.kill('SIGKILL');
      closeSync(progress);
      rmSync(home, { recursive: true, force: true });
      throw error;
    }
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** Bytes of memory it holds; 0 once it is gone, or where there is no /proc. */
  get memory(): number {
    try {
      return Number(readFileSync(`/proc/${this.pid}/statm`, 'utf8').split(' ')[1]) * 4096;
    } catch {
      return 0;
    }
  }

  /** Called once: `onAnswer` with each answer, `onLost` when the process is gone. */
  listen(onAnswer: (answer: Answered) => void, onLost: (loss: Loss) => void): void {
    this.#onAnswer = onAnswer;
    this.#onLost = onLost;
    if (this.#gone) onLost(this.#gone);
  }

  send(asked: Asked): void {
    this.rows += asked.rows.length;
    this.#socket.write(frame(asked));
  }

  /** How far it is: a count that moves with every row, and the row it is at. */
  progress(): { step: number; row: number } {
    const mark = new Int32Array(2);
    if (this.#gone || readSync(this.#progress, mark, 0, 8, 0) < 8) return { step: 0, row: 0 };
    return { step: mark[0]!, row: mark[1]! };
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  /** Kills it and waits until it is gone; nothing is lost with it. */
  async end(): Promise<void> {
    this.#onLost = () => {};
    this.#onAnswer = () => {};
    this.kill();
    await this.#ended;
  }
}

export const lastLine = (words: string): string => words.trim().split('\n').at(-1) ?? '';
