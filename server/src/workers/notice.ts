import { watch, type FSWatcher } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { Loop } from '../lib/loop.ts';

export interface NoticeOptions {
  /** The file whose coming says that this machine will be taken away. */
  file: string;
  /** Milliseconds between two looks, should the system not tell of the file. */
  everyMs: number;
  /** Called once; `seconds` where the file says how many are left. */
  onNotice: (seconds: number | null) => void;
}

/**
 * Watches for the file that whatever watches the cloud's own notice writes. A file that is there from the start counts:
 * the machine is going away, and a worker that has just come should take nothing.
 */
export class NoticeFile implements AsyncDisposable {
  readonly #options: NoticeOptions;
  readonly #loop: Loop;
  #watcher: FSWatcher | null = null;
  #told = false;

  constructor(options: NoticeOptions) {
    this.#options = options;
    this.#loop = new Loop({ name: 'notice', run: () => this.#look(), min: options.everyMs, max: options.everyMs });
  }

  start(): void {
    this.#loop.start();
    try {
      const name = basename(this.#options.file);
      this.#watcher = watch(dirname(this.#options.file), (_, changed) => {
        if (changed === null || changed === name) this.#loop.wake();
      });
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch {
      // A folder that is not there yet, or a system out of watches: the loop looks anyway.
    }
  }

  async stop(): Promise<void> {
    this.#watcher?.close();
    await this.#loop.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #look(): Promise<boolean> {
    if (this.#told) return false;
    const text = await readFile(this.#options.file, 'utf8').catch((error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? null : ''));
    if (text === null) return false;
    this.#told = true;
    const seconds = /^\s*(\d+(?:\.\d+)?)\s*$/.exec(text)?.[1];
    this.#options.onNotice(seconds === undefined ? null : Number(seconds));
    return false;
  }
}
