import type { Readable } from 'node:stream';

/** Bytes as they come: a stream, or buffers made on the way. */
export type Bytes = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

export interface Stored {
  bytes: number;
  /** SHA-256 of the bytes, in hex; computed on the way where `put` was asked to. */
  sha256: string | null;
}

export interface PutOptions {
  /** Compute the SHA-256 on the way. */
  digest?: boolean;
  /** More bytes than this fail with `TooLarge`, and leave nothing behind. */
  limit?: number;
  signal?: AbortSignal;
}

/**
 * Where bodies live. Keys are `/`-separated names of letters, digits, `.`, `_` and `-`; no name is `.` or `..`.
 *
 * A put becomes visible at once or not at all: it resolves when the bytes would survive a crash, and a put that fails
 * or is cut off leaves nothing under the key. Putting to a key again replaces it in the same way. A put that asks for a
 * piece of its bytes is done with the one before the last, which may be made anew.
 * Implementations pass `conformance.ts`.
 */
export interface Storage {
  put(key: string, bytes: Bytes, options?: PutOptions): Promise<Stored>;
  /**
   * The bytes from `start` (0-based) up to `end`, not included; cut at the object's end. Throws `NotFound`. Where `into`
   * is long enough they may be put there instead of into a buffer of their own.
   */
  read(key: string, range?: { start?: number; end?: number; into?: Buffer }): Promise<Buffer>;
  /** The same as a stream. Throws `NotFound` before it gives the stream. */
  stream(key: string, range?: { start?: number; end?: number }): Promise<Readable>;
  /** A file of this machine that holds the object, to be read only; absent where objects are no files. Throws `NotFound`. */
  file?(key: string): Promise<string>;
  /**
   * Makes a file of this machine the object, as a put of its bytes would, and it is gone from where it was; absent where
   * objects are no files. Nobody may have it open for writing.
   */
  take?(key: string, path: string): Promise<Stored>;
  /** The size in bytes, or null where there is no such object. */
  size(key: string): Promise<number | null>;
  /** Keys that start with `prefix` (whole names, ending in `/`, or empty for all), in order. */
  list(prefix: string): AsyncIterable<{ key: string; bytes: number; modified: Date }>;
  /** Nothing happens where there is no such object. */
  delete(key: string): Promise<void>;
  /** Copies within the storage, without the bytes passing through where that can be had. Throws `NotFound`. */
  copy(from: string, to: string): Promise<void>;
  /**
   * Removes what interrupted puts left and nobody can see: temporary files, parts of uploads, those to which nothing
   * was written since `before`. Says how many.
   */
  sweepTemporary(before: Date): Promise<number>;
  /** Throws where the storage cannot be written just now; for health checks. */
  check(): Promise<void>;
}

/** Makes a file an object: taken where the storage can, read and put otherwise. The file may be gone afterwards. */
export const putFile = (
  storage: Storage,
  key: string,
  { path, open }: { path: string; open: () => Bytes },
  options: Pick<PutOptions, 'signal'> = {},
): Promise<Stored> => (storage.take === undefined ? storage.put(key, open(), options) : storage.take(key, path));

export class NotFound extends Error {
  readonly key: string;

  constructor(key: string) {
    super(`no object ${key}`);
    this.key = key;
    this.name = 'NotFound';
  }
}

export class TooLarge extends Error {
  readonly limit: number;

  constructor(limit: number) {
    super(`more than ${limit} bytes`);
    this.limit = limit;
    this.name = 'TooLarge';
  }
}

/** No room left on the device. */
export class StorageFull extends Error {
  constructor(cause: unknown) {
    super('no room left in the storage', { cause });
    this.name = 'StorageFull';
  }
}

export class BadKey extends Error {
  readonly key: string;

  constructor(key: string) {
    super(`not a storage key: ${JSON.stringify(key)}`);
    this.key = key;
    this.name = 'BadKey';
  }
}

/** Whether `key` could name an object: plain names with slashes between them. */
export const isKey = (key: string): boolean =>
  key.length <= 900 && key.split('/').every((name) => /^[A-Za-z0-9._-]{1,200}$/.test(name) && name !== '.' && name !== '..');

/** Throws `BadKey` unless every name of the key is plain. */
export const checkKey = (key: string): string => {
  if (!isKey(key)) throw new BadKey(key);
  return key;
};
