import type { Dispatcher } from 'undici';

/** Why a call was given up before its reply was whole. */
export class GivenUp extends Error {
  readonly reason: 'cancelled' | 'request_timeout' | 'too_large';

  constructor(reason: GivenUp['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface Patience {
  firstByteMs: number;
  totalMs: number;
}

/** Ends a call that takes too long, or that nobody wants any more. To be ended itself, by `end`. */
export class Watch {
  readonly #giveUp = new AbortController();
  readonly #ended: AbortSignal;
  readonly #total: NodeJS.Timeout;
  readonly #firstByte: NodeJS.Timeout;
  readonly #cancel = () => this.#giveUp.abort(new GivenUp('cancelled', 'Cancelled before the upstream had answered.'));

  constructor(ended: AbortSignal, { firstByteMs, totalMs }: Patience) {
    const late = (ms: number, what: string) =>
      setTimeout(() => this.#giveUp.abort(new GivenUp('request_timeout', `The upstream ${what} within ${ms} ms.`)), ms);
    this.#total = late(totalMs, 'had not answered in full');
    this.#firstByte = late(firstByteMs, 'had not begun to answer');
    this.#ended = ended;
    ended.addEventListener('abort', this.#cancel, { once: true });
    if (ended.aborted) this.#cancel();
  }

  get signal(): AbortSignal {
    return this.#giveUp.signal;
  }

  /** The reply has begun. */
  begun(): void {
    clearTimeout(this.#firstByte);
  }

  end(): void {
    clearTimeout(this.#total);
    clearTimeout(this.#firstByte);
    this.#ended.removeEventListener('abort', this.#cancel);
  }

  /** What a call failed of: `error`, unless it was given up. */
  why(error: unknown): unknown {
    return this.signal.aborted ? this.signal.reason : error;
  }
}

const megabyte = 1024 * 1024;
/** Bytes a reply may have. */
const largest = 64 * megabyte;

/** The whole body of a reply; rejects with `GivenUp` where it is too large. */
export const bytesOf = async ({ body, headers }: Dispatcher.ResponseData): Promise<Buffer> => {
  const tooLarge = () => new GivenUp('too_large', `The upstream's reply is larger than ${largest / megabyte} MB.`);
  const parts: Buffer[] = [];
  let size = 0;
  if (Number(headers['content-length']) > largest) {
    body.on('error', () => {}).destroy();
    throw tooLarge();
  }
  for await (const part of body as AsyncIterable<Buffer>) {
    size += part.length;
    // Leaving the loop ends the connection.
    if (size > largest) throw tooLarge();
    parts.push(part);
  }
  return Buffer.concat(parts);
};
