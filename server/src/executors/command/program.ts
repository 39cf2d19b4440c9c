import { spawn } from 'node:child_process';

/** How a program is run, and what it may use. */
export interface ProgramSettings {
  program: string;
  args: readonly string[];
  /** Its working directory; also its HOME and TMPDIR. */
  dir: string;
  env: Readonly<Record<string, string>>;
  timeoutMs: number;
  cpuSeconds: number | null;
  memoryMb: number | null;
}

export interface Ended {
  /** Exit code; null where a signal ended it, or it never began. */
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Who ended it, where it did not end by itself. */
  by: 'timeout' | 'abort' | null;
  /** It could not be started: why. */
  error: string | null;
  stdout: string;
  /** Both streams as they came, cut in the middle where they were long. */
  log: string;
}

/** Bytes of standard output that are kept for an answer, and of the log: its first and its last. */
const stdoutBytes = 4 << 20;
const headBytes = 64 << 10;
const tailBytes = 192 << 10;

/** Keeps the beginning and the end of a text that may be endless. */
class Log {
  #head = '';
  #tail = '';
  #dropped = 0;

  add(text: string): void {
    const room = headBytes - this.#head.length;
    if (room > 0) this.#head += text.slice(0, room);
    const rest = text.slice(Math.max(0, room));
    if (rest === '') return;
    this.#tail += rest;
    if (this.#tail.length > 2 * tailBytes) {
      this.#dropped += this.#tail.length - tailBytes;
      this.#tail = this.#tail.slice(-tailBytes);
    }
  }

  text(): string {
    return this.#dropped > 0 ? `${this.#head}\n… ${this.#dropped} characters left out …\n${this.#tail}` : this.#head + this.#tail;
  }
}

/**
 * The limits are the shell's to set, since Node has no setrlimit; it sets them and becomes the program. Program and
 * arguments come as its parameters, so that nothing of a request is ever read by a shell. Of the processor only the soft
 * limit: its signal tells what happened, where the hard one's would look like any kill.
 */
const limited = ({ cpuSeconds, memoryMb }: ProgramSettings): string =>
  [
    cpuSeconds === null ? '' : `ulimit -S -t ${cpuSeconds}; `,
    memoryMb === null ? '' : `ulimit -d ${memoryMb * 1024}; `,
    'ulimit -c 0; exec "$0" "$@"',
  ].join('');

/**
 * Runs a program to its end, in a process group of its own: at the time-out and at an abort the whole group is killed,
 * and what it left running at its own end too. Never rejects.
 */
export const runProgram = (settings: ProgramSettings, signal: AbortSignal): Promise<Ended> =>
  new Promise((resolve) => {
    const { program, args, dir, env, timeoutMs } = settings;
    const log = new Log();
    let stdout = '';
    let by: Ended['by'] = null;
    let error: string | null = null;
    if (signal.aborted) {
      resolve({ code: null, signal: null, by: 'abort', error, stdout, log: '' });
      return;
    }
    const child = spawn('/bin/sh', ['-c', limited(settings), program, ...args], {
      cwd: dir,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const killGroup = (): void => {
      try {
        process.kill(-child.pid!, 'SIGKILL');
      } catch {
        // The group is gone already.
      }
    };
    const end = (who: 'timeout' | 'abort'): void => {
      by ??= who;
      killGroup();
    };
    const timer = setTimeout(() => end('timeout'), timeoutMs);
    const aborted = (): void => end('abort');
    signal.addEventListener('abort', aborted, { once: true });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text: string) => {
        log.add(text);
        if (stream === child.stdout && stdout.length < stdoutBytes) stdout += text;
      });
    }
    child.once('error', (cause) => {
      error = cause.message;
    });
    // A grandchild that holds the streams open would keep `close` waiting.
    child.once('exit', killGroup);
    child.once('close', (code, ended) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
      resolve({ code, signal: ended, by, error, stdout, log: log.text() });
    });
  });
