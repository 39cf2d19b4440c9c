import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

/**
 * What has changed. A notification only shortens a wait: every listener also polls, because LISTEN dies silently
 * behind a half-open connection or a transaction pooler.
 */
export const channels = {
  /** Chunks were queued: a worker may claim. Payload: `interactive` where some go before all others, or empty. */
  chunks: 'sluice_chunks',
  /** The input of a batch is being checked, whose models are known. Payload: their keys, with blanks between. */
  coming: 'sluice_coming',
  /** A batch wants intake, finalizing or another look. Payload: empty. */
  batches: 'sluice_batches',
  /** The plan of turns has run out or is out of date. Payload: empty. */
  turns: 'sluice_turns',
  /** Leased chunks of a batch must stop. Payload: empty. */
  control: 'sluice_control',
  /** A tenant's answers are to be forgotten. Payload: the tenant. */
  cache: 'sluice_cache',
  /** An event row was written. Payload: the batch's number. */
  events: 'sluice_events',
  /** What is registered has changed, or a file waits to be vetted. Payload: empty. */
  models: 'sluice_models',
  /** Jobs were queued: a worker may claim. Payload: empty. */
  jobs: 'sluice_jobs',
  /** Jobs have ended. Payload: their ids without the prefix, with commas between. */
  jobEnds: 'sluice_job_ends',
  /** A table of results was made, or cannot be. Payload: the batch's number. */
  results: 'sluice_results',
} as const;

export type Channel = keyof typeof channels;

type Events = { [C in Channel]: [payload: string] } & { lost: [error: Error]; ready: [] };

/** Milliseconds in which a connection that says goodbye has to end; one that is half open never would. */
const goodbyeMs = 1_000;

/**
 * One connection that listens. Emits `ready` after each (re)connect, when whatever was missed should be looked for.
 * Probes itself every `probe` milliseconds, since a half-open socket never errors.
 */
export class Listener extends EventEmitter<Events> implements AsyncDisposable {
  readonly #url: string;
  readonly #channels: Channel[];
  readonly #probe: number;
  #client: pg.Client | null = null;
  #socket: Socket | null = null;
  #timer: NodeJS.Timeout | null = null;
  #stopped = true;
  #connecting: Promise<void> | null = null;

  constructor(url: string, names: Channel[], { probe = 30_000 }: { probe?: number } = {}) {
    super();
    this.#url = url;
    this.#channels = names;
    this.#probe = probe;
  }

  /** Resolves after the first try to connect, whether it succeeded or not; later ones go on by themselves. */
  async start(): Promise<void> {
    if (!this.#stopped) return;
    this.#stopped = false;
    await this.#connect();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#connecting;
    const client = this.#client;
    this.#client = null;
    if (client === null) return;
    const left = new AbortController();
    await Promise.race([client.end(), delay(goodbyeMs, undefined, { signal: left.signal })]).catch(() => {});
    left.abort();
    this.#socket?.destroy();
    this.#socket = null;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #connect(): Promise<void> {
    this.#connecting = this.#open().finally(() => (this.#connecting = null));
    return this.#connecting;
  }

  async #open(): Promise<void> {
    if (this.#stopped) return;
    const socket = new Socket();
    const client = new pg.Client({
      connectionString: this.#url,
      stream: () => socket,
      application_name: 'sluice listener',
      keepAlive: true,
      connectionTimeoutMillis: 10_000,
      query_timeout: 5_000,
    });
    client.on('error', (error) => this.#lost(client, socket, error));
    client.on('end', () => this.#lost(client, socket, new Error('the connection ended')));
    client.on('notification', ({ channel, payload = '' }) => {
      const name = this.#channels.find((c) => channels[c] === channel);
      if (name) (this as EventEmitter).emit(name, payload);
    });
    try {
      await client.connect();
      await client.query(this.#channels.map((c) => `listen ${channels[c]}`).join('; '));
    } catch (error) {
      return this.#lost(client, socket, error as Error);
    }
    [this.#client, this.#socket] = [client, socket];
    this.#schedule(() => this.#ask(client, socket), this.#probe);
    this.emit('ready');
  }

  async #ask(client: pg.Client, socket: Socket): Promise<void> {
    try {
      await client.query('select 1');
      if (this.#client === client) this.#schedule(() => this.#ask(client, socket), this.#probe);
    } catch (error) {
      this.#lost(client, socket, error as Error);
    }
  }

  #lost(client: pg.Client, socket: Socket, error: Error): void {
    client.removeAllListeners();
    client.on('error', () => {});
    // Nobody is there to say goodbye to.
    socket.destroy();
    if (this.#client !== null && this.#client !== client) return;
    this.#client = null;
    if (this.#stopped) return;
    this.emit('lost', error);
    this.#schedule(() => this.#connect(), 500 + Math.random() * 1_000);
  }

  #schedule(work: () => Promise<void>, ms: number): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void work(), ms);
    this.#timer.unref();
  }
}
