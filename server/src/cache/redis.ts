import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import { createClient, RESP_TYPES } from '@redis/client';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { Answer, Question } from './answers.ts';

/** A second tier, shared by processes. It never rejects and never waits long: what it cannot do it leaves undone. */
export interface SharedTier extends AsyncDisposable {
  /** `away`: it is not asked just now. */
  readonly state: 'ok' | 'away';
  get(question: Question): Promise<Answer | null>;
  set(question: Question, answer: Answer, ttlMs: number): void;
  /** Forgets, in the background, all of a tenant or of a model. */
  forget(what: { tenant: string } | { model: string }): void;
}

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Bodies from here on are compressed. */
const compressed = 1_024;
/** Milliseconds an answer of Redis is waited for: later than this, computing is as good. */
const patienceMs = 100;
/** Failures in a row after which it is left alone, and for how long: doubled up to the most. */
const failuresAllowed = 3;
const pauseMs = 1_000;
const longestPauseMs = 30_000;
/** Bytes an answer may have to be shared. */
const largest = 8 << 20;

const short = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

/** Any text may be a tenant or a model; in a key their digests stand, so that no pattern can be made of them. */
const keyOf = ({ tenant, model, key }: Question): string => `sluice:answers:${short(tenant)}:${short(model)}:${key}`;

/** `1` or `0` for compressed or not, when it was computed (f64), its status (u16), the body. */
const headerBytes = 11;

export const encodeAnswer = async ({ status, body, at }: Answer): Promise<Buffer> => {
  const plain = Buffer.from(body, 'utf8');
  const packed = plain.length >= compressed ? await compress(plain) : plain;
  const bytes = Buffer.allocUnsafe(headerBytes + packed.length);
  bytes.writeUInt8(packed === plain ? 0 : 1, 0);
  bytes.writeDoubleLE(at, 1);
  bytes.writeUInt16LE(status, 9);
  packed.copy(bytes, headerBytes);
  return bytes;
};

/** Null where the bytes are none of ours. */
export const decodeAnswer = async (bytes: Buffer): Promise<Answer | null> => {
  if (bytes.length < headerBytes || bytes[0]! > 1) return null;
  const rest = bytes.subarray(headerBytes);
  try {
    const body = (bytes[0] === 1 ? await decompress(rest, { maxOutputLength: largest }) : rest).toString('utf8');
    return { at: bytes.readDoubleLE(1), status: bytes.readUInt16LE(9), body };
  } catch {
    return null;
  }
};

/**
 * Answers in Redis. After a few failures in a row it is left alone for a while, and found again by itself: Redis may
 * stop, start and hang under load, and nobody who asks notices more than a miss.
 */
export class RedisTier implements SharedTier {
  readonly #client;
  readonly #log: Logger;
  #failures = 0;
  #pauses = 0;
  #awayUntil = 0;
  #told = false;

  constructor(url: string, log: Logger) {
    this.#log = log;
    this.#client = createClient({
      url,
      disableOfflineQueue: true,
      commandsQueueMaxLength: 10_000,
      socket: { connectTimeout: 2_000, reconnectStrategy: (tries) => Math.min(longestPauseMs, 100 * 2 ** Math.min(tries, 9)) },
    }).withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    // The client tells of each lost connection this way, and ends the process where nobody listens.
    this.#client.on('error', (error: unknown) => this.#failed(error));
    this.#client.on('ready', () => {
      this.#failures = 0;
      this.#pauses = 0;
      this.#awayUntil = 0;
      if (this.#told) this.#log.info('Redis answers again; answers are shared again');
      this.#told = false;
    });
    this.#client.connect().catch(() => {});
  }

  get state(): 'ok' | 'away' {
    return this.#client.isReady && performance.now() >= this.#awayUntil ? 'ok' : 'away';
  }

  /** Throws while it is not asked, for whoever looks after health. */
  async check(): Promise<void> {
    if (this.state === 'away') throw new Error('it does not answer; answers are kept in memory only');
    await this.#client.ping();
  }

  async get(question: Question): Promise<Answer | null> {
    const bytes = await this.#ask(() => this.#client.get(keyOf(question)));
    return bytes === null ? null : decodeAnswer(bytes);
  }

  set(question: Question, answer: Answer, ttlMs: number): void {
    if (this.state !== 'ok' || answer.body.length > largest) return;
    void encodeAnswer(answer).then((bytes) =>
      this.#ask(async () => {
        await this.#client.set(keyOf(question), bytes, { expiration: { type: 'PX', value: Math.ceil(ttlMs) } });
        return null;
      }),
    );
  }

  forget(what: { tenant: string } | { model: string }): void {
    const pattern = 'tenant' in what ? `sluice:answers:${short(what.tenant)}:*` : `sluice:answers:*:${short(what.model)}:*`;
    void this.#sweep(pattern).catch((error: unknown) => this.#failed(error));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy();
  }

  async #sweep(pattern: string): Promise<void> {
    for await (const keys of this.#client.scanIterator({ MATCH: pattern, COUNT: 1_000 }))
      if (keys.length > 0) await this.#client.unlink(keys);
  }

  async #ask(command: () => Promise<Buffer | null>): Promise<Buffer | null> {
    if (this.state !== 'ok') return null;
    let timer: NodeJS.Timeout | undefined;
    try {
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`no answer within ${patienceMs} ms`)), patienceMs);
      });
      const answer = await Promise.race([command(), late]);
      this.#failures = 0;
      this.#pauses = 0;
      return answer;
    } catch (error) {
      this.#failed(error);
      return null;
    } finally {
      clearTimeout(timer);
    }
  }

  #failed(error: unknown): void {
    if (++this.#failures < failuresAllowed) return;
    this.#failures = 0;
    this.#awayUntil = performance.now() + Math.min(longestPauseMs, pauseMs * 2 ** this.#pauses++);
    if (!this.#told) this.#log.warn({ reason: messageOf(error) }, 'Redis does not answer; answers are kept in memory only');
    this.#told = true;
  }
}
