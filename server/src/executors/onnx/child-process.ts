import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdtempSync, readFileSync, readSync, rmSync } from 'node:fs';
import { mkdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LoadError } from '../executor.ts';
import { Frames, writeFully, type Frame } from '../../lib/frames.ts';
import { bareEnvironment, limitedShell, nameless } from '../../lib/spawning.ts';
import { frameOf, type LoadedHead, type LoadHead, type RunsHead, type SliceHead } from './wire.ts';

export interface ChildSettings extends Omit<LoadHead, 'features'> {
  /** The descriptor of the host's features; null: each molecule is computed. */
  features: number | null;
  scratch: string;
  memoryLimitMb: number;
  loadTimeoutMs: number;
}

/** A child ended with slices unanswered: the row it was at (-1: not one alone), and the last it said. */
export interface Loss {
  row: number;
  words: string;
}

const program = fileURLToPath(new URL('child.ts', import.meta.url));

/** All that a child sees of the environment. */
export const environment = (home: string): NodeJS.ProcessEnv => ({
  ...bareEnvironment(home),
  // Read by the library when it is loaded; it is too late to set it inside the child's JavaScript threads.
  ORT_DISABLE_TELEMETRY: '1',
});

/** Bytes between the two places for slices in the shared file; what lies between takes no room. */
const apart = 2 ** 36;

/** Bytes that go through the socket, which holds them at once, and not through the shared file. */
const inline = 64 * 1024;

/** One process that has loaded the model. `lost` is called once, when it ends other than by `end`. */
export class Child {
  readonly ports: LoadedHead & { ok: true };
  /** Rows it was given so far. */
  rows = 0;
  readonly #process: ChildProcess;
  readonly #socket: Socket;
  readonly #progress: number;
  readonly #shared: number;
  #sent = 0;
  readonly #home: string;
  #onFrame: (frame: Frame) => void = () => {};
  #onLost: (loss: Loss) => void = () => {};
  #words = '';
  #gone: Loss | null = null;
  #ended: Promise<void>;

  private constructor(
    child: ChildProcess,
    home: string,
    { progress, shared }: { progress: number; shared: number },
    ports: LoadedHead & { ok: true },
    frames: Frames,
    words: () => string,
  ) {
    this.ports = ports;
    this.#process = child;
    this.#home = home;
    this.#progress = progress;
    this.#shared = shared;
    this.#socket = child.stdio[3] as Socket;
    this.#socket.on('data', (part: Buffer) => {
      for (const frame of frames.push(part)) this.#onFrame(frame);
    });
    this.#ended = new Promise((resolve) => {
      child.once('close', () => {
        this.#words = words();
        this.#gone = { row: this.progress().row, words: this.#words };
        closeSync(this.#progress);
        closeSync(this.#shared);
        rmSync(this.#home, { recursive: true, force: true });
        resolve();
        this.#onLost(this.#gone);
      });
    });
  }

  /** Starts a process and has it load the model; rejects with a `LoadError` that holds its reason. */
  static async start(settings: ChildSettings, signal: AbortSignal): Promise<Child> {
    mkdirSync(settings.scratch, { recursive: true });
    const home = mkdtempSync(join(settings.scratch, 'onnx-'));
    const progress = nameless(`${home}.progress`);
    const shared = nameless(`${home}.shared`);
    const features = settings.smiles ? settings.features : null;
    const child = spawn('/bin/sh', ['-c', limitedShell(settings.memoryLimitMb), process.execPath, '--no-warnings', program], {
      cwd: home,
      env: environment(home),
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', progress, shared, ...(features === null ? [] : [features])],
    });
    let words = '';
    child.stderr!.on('data', (part: Buffer) => {
      words = (words + part.toString()).slice(-2000);
    });
    const socket = child.stdio[3] as Socket;
    // A write to a child that has just died fails; what it did not answer is seen when it closes.
    socket.on('error', () => {});
    const frames = new Frames();
    const loaded = await new Promise<LoadedHead>((resolve) => {
      const finish = (head: LoadedHead) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', aborted);
        child.off('close', closed);
        socket.off('data', listen);
        resolve(head);
      };
      const kill = (message: string) => {
        child.kill('SIGKILL');
        finish({ ok: false, message });
      };
      const closed = (code: number | null, ended: string | null) =>
        finish({ ok: false, message: `its process ended (${ended ?? code}) while loading it${words ? `: ${lastLine(words)}` : ''}` });
      const listen = (part: Buffer) => {
        const frame = frames.push(part)[0];
        if (frame) finish(JSON.parse(frame.head.toString()) as LoadedHead);
      };
      const aborted = () => kill('the executor was closed');
      const timer = setTimeout(() => kill(`loading took longer than ${settings.loadTimeoutMs / 1000} s`), settings.loadTimeoutMs);
      child.once('close', closed);
      child.once('error', (error) => finish({ ok: false, message: error.message }));
      signal.addEventListener('abort', aborted, { once: true });
      socket.on('data', listen);
      socket.write(frameOf({ path: settings.path, smiles: settings.smiles, features: features !== null }));
    });
    if (!loaded.ok) {
      closeSync(progress);
      closeSync(shared);
      rmSync(home, { recursive: true, force: true });
      throw new LoadError(`The model at ${settings.path} cannot be loaded: ${loaded.message}`);
    }
    return new Child(child, home, { progress, shared }, loaded, frames, () => words);
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

  /** Called once: `onFrame` with each answer, `onLost` when the process is gone. */
  listen(onFrame: (frame: Frame) => void, onLost: (loss: Loss) => void): void {
    this.#onFrame = onFrame;
    this.#onLost = onLost;
    if (this.#gone) onLost(this.#gone);
  }

  send(head: SliceHead, bytes: Uint8Array | null): void {
    this.rows += head.rows;
    this.#socket.write(frameOf(bytes ? { ...head, shared: this.#share(bytes) } : head));
  }

  /** Runs of `rows` rows together. */
  sendRuns(head: RunsHead, rows: number, bytes: Uint8Array): void {
    this.rows += rows;
    if (bytes.length > inline) this.#socket.write(frameOf({ ...head, shared: this.#share(bytes) }));
    else this.#socket.write(Buffer.concat([frameOf(head, bytes.length), bytes]));
  }

  #share(bytes: Uint8Array): { at: number; bytes: number } {
    // Two places in turn: a child holds at most two slices, one of which it has read by then.
    const at = (this.#sent++ & 1) * apart;
    writeFully(this.#shared, bytes, at);
    return { at, bytes: bytes.byteLength };
  }

  /** How far it is: a count that moves with every step it takes, and the row it is at. */
  progress(): { step: number; row: number } {
    const mark = new Int32Array(2);
    if (this.#gone || readSync(this.#progress, mark, 0, 8, 0) < 8) return { step: 0, row: -1 };
    return { step: mark[0]!, row: mark[1]! };
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  /** Kills it and waits until it is gone; nothing is lost with it. */
  async end(): Promise<void> {
    this.#onLost = () => {};
    this.#onFrame = () => {};
    this.kill();
    await this.#ended;
  }
}

export const lastLine = (words: string): string => words.trim().split('\n').at(-1) ?? '';
