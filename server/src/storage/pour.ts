import { createHash, hash, type Hash } from 'node:crypto';
import { TooLarge, type Bytes, type PutOptions, type Stored } from './storage.ts';

/** Writes all of `bytes` behind what was written before. */
export type Write = (bytes: Uint8Array) => Promise<void>;

/** Small pieces are gathered to this size before they are written: a write costs 30 µs whatever its size. */
const gathered = 256 * 1024;

/**
 * `promise`, unless `signal` aborts first. Listens anew each time: racing against one long promise would keep every
 * piece that ever won, because the loser holds on to them.
 */
const unless = <T>(signal: AbortSignal, promise: Promise<T> | T): Promise<T> =>
  new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    Promise.resolve(promise)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort));
  });

/** The pieces of `bytes`, until they end or `signal` aborts. */
async function* pieces(bytes: Bytes, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  if (!signal) {
    yield* bytes;
    return;
  }
  const source = Symbol.asyncIterator in bytes ? bytes[Symbol.asyncIterator]() : bytes[Symbol.iterator]();
  let next: IteratorResult<Uint8Array> | null = null;
  try {
    for (next = await unless(signal, source.next()); !next.done; next = await unless(signal, source.next())) yield next.value;
  } finally {
    // Not awaited: a generator that is stuck in an await answers `return` only after it.
    if (!next?.done) void Promise.resolve(source.return?.()).catch(() => {});
  }
}

/** Buffers that are all there: no more than their sum to check, and one digest. */
const pourReady = async (
  buffers: readonly Uint8Array[],
  write: Write,
  { digest, limit = Infinity, signal }: PutOptions,
): Promise<Stored> => {
  signal?.throwIfAborted();
  const bytes = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
  if (bytes > limit) throw new TooLarge(limit);
  const whole = buffers.length === 1 ? buffers[0]! : Buffer.concat(buffers);
  if (bytes > 0) await write(whole);
  return { bytes, sha256: digest ? hash('sha256', whole, 'hex') : null };
};

/** The bytes above which ready buffers are written one by one instead of being put together. */
const readyLimit = 16 * 1024 * 1024;

const isReady = (bytes: Bytes): bytes is readonly Uint8Array[] =>
  Array.isArray(bytes) && (bytes.length === 1 || bytes.reduce<number>((sum, buffer: Uint8Array) => sum + buffer.length, 0) <= readyLimit);

/**
 * Writes `bytes` with `write`, one write at a time, while the next piece is being made; holds two pieces and half a
 * megabyte at most. Small pieces are copied, so their makers may use them again; pieces of 64 kB and more are not, and
 * may be made anew when the one after the next is asked for.
 */
export const pour = async (bytes: Bytes, write: Write, options: PutOptions = {}): Promise<Stored> => {
  if (isReady(bytes)) return pourReady(bytes, write, options);
  const { digest = false, limit = Infinity, signal } = options;
  const sum: Hash | null = digest ? createHash('sha256') : null;
  let total = 0;
  let pending: Promise<void> = Promise.resolve();
  let spare: Buffer | null = null;
  let gathering: Buffer | null = null;
  let filled = 0;
  /** Whether what is being written belongs to whoever made it. */
  let lent = false;

  const send = async (piece: Uint8Array): Promise<void> => {
    await pending;
    lent = false;
    pending = write(piece);
    // Its failure is met at the next `await pending`; until then it must not count as unhandled.
    pending.catch(() => {});
  };
  const flush = async (): Promise<void> => {
    if (!gathering || filled === 0) return;
    const full: Buffer = gathering;
    await send(full.subarray(0, filled));
    // The write before this one is done, so its buffer is free.
    gathering = spare;
    spare = full;
    filled = 0;
  };

  try {
    for await (const piece of pieces(bytes, signal)) {
      total += piece.length;
      if (total > limit) throw new TooLarge(limit);
      sum?.update(piece);
      if (piece.length >= gathered / 4) {
        await flush();
        await send(piece);
        lent = true;
        continue;
      }
      // The next but one may be made where that one is.
      if (lent) await pending;
      lent = false;
      if (filled + piece.length > gathered) await flush();
      gathering ??= Buffer.allocUnsafeSlow(gathered);
      gathering.set(piece, filled);
      filled += piece.length;
    }
    await flush();
  } finally {
    // Nobody may close what a write is still using.
    await pending.catch(() => {});
  }
  await pending;
  return { bytes: total, sha256: sum ? sum.digest('hex') : null };
};
