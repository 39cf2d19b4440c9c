import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startEmbedded, type Embedded } from '../../src/db/embedded.ts';
import { silent } from '../../src/lib/log.ts';

/** Where the embedded database of a data directory lies: elsewhere, where PostgreSQL's user cannot reach the directory. */
export const placeOfPostgres = (dataDir: string): Promise<string> =>
  readFile(join(dataDir, 'postgres.at'), 'utf8').then(
    (text) => text.trim(),
    () => join(dataDir, 'postgres'),
  );

/** Removes a data directory, and its database wherever that lies. */
export const removeDataDir = async (dataDir: string): Promise<void> => {
  const place = await placeOfPostgres(dataDir);
  if (dirname(place) !== dataDir) await rm(dirname(place), { recursive: true, force: true });
  await rm(dataDir, { recursive: true, force: true });
};

/** A PostgreSQL server of the test's own, to be killed. */
export class PrivatePostgres implements AsyncDisposable {
  readonly #folder: string;
  #server: Embedded;

  private constructor(folder: string, server: Embedded) {
    this.#folder = folder;
    this.#server = server;
  }

  static async start(): Promise<PrivatePostgres> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-crash-pg-'));
    return new PrivatePostgres(folder, await startEmbedded({ dataDir: folder, log: silent }));
  }

  get url(): string {
    return this.#server.url;
  }

  /**
   * SIGKILL: its backends find out by themselves. SIGQUIT and SIGINT: PostgreSQL's own immediate and fast stop. All of
   * them lose what was not committed.
   */
  async end(signal: 'SIGKILL' | 'SIGQUIT' | 'SIGINT'): Promise<void> {
    process.kill(this.#server.pid, signal);
    await this.#server.ended;
  }

  /** On the same data and port. */
  async again(): Promise<void> {
    const { url } = this.#server;
    this.#server = await startEmbedded({ dataDir: this.#folder, log: silent });
    if (this.#server.url !== url) throw new Error('the port was taken meanwhile');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
    await removeDataDir(this.#folder);
  }
}
