import { open } from 'node:fs/promises';
import type { Kind } from './layout.ts';

/**
 * Which keys the objects at one place of each line have, and what kinds of values: found by a walk over the bytes.
 *
 * The lines are JSON: others have parsed them before, and DuckDB parses them after, which throws where they are not. So the
 * walk has only to find its way in what is right. Where it would have to think (one key twice, escapes in a key, something
 * else than an object) it gives up, and DuckDB is asked, which takes four times as long.
 */

/** A kind with the place of its key in the objects, the least of all. */
export interface Placed extends Kind {
  place: number;
}

class Unsure extends Error {}

interface Key {
  bytes: Uint8Array;
  text: string;
  place: number;
  /** Kinds of its values, as bits. */
  kinds: number;
  /** Digits, and a minus, of its longest whole number. */
  longest: number;
  /** The line that had it last. */
  line: number;
}

const [nothing, whole, decimal, text, truth, object, list] = [1, 2, 4, 8, 16, 32, 64];
const names: readonly (readonly [bit: number, type: string])[] = [
  [nothing, 'NULL'],
  [whole, 'BIGINT'],
  [decimal, 'DOUBLE'],
  [text, 'VARCHAR'],
  [truth, 'BOOLEAN'],
  [object, 'OBJECT'],
  [list, 'ARRAY'],
];

const quote = 0x22;
const comma = 0x2c;
const minus = 0x2d;
const colon = 0x3a;
const backslash = 0x5c;
const [leftBrace, rightBrace, leftBracket, rightBracket] = [0x7b, 0x7d, 0x5b, 0x5d];

/** Bytes that end a number or a word. */
const ends = Uint8Array.from({ length: 256 }, (_, byte) => (byte <= 0x20 || [comma, rightBrace, rightBracket].includes(byte) ? 1 : 0));

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Beyond so many keys nobody wants to know: they are no columns. */
const mostKeys = 20_000;

class Walk {
  readonly #path: readonly Uint8Array[];
  readonly #keys: Key[] = [];
  readonly #byText = new Map<string, number>();
  #line = 0;

  constructor(path: readonly string[]) {
    this.#path = path.map((name) => Uint8Array.from(Buffer.from(name)));
  }

  get found(): Placed[] {
    return this.#keys.flatMap(({ text: key, kinds, longest, place }) =>
      names.filter(([bit]) => kinds & bit).map(([bit, type]) => ({ key, type, longest: bit === whole ? longest : 0, huge: false, place })),
    );
  }

  /** Whole lines; everything in here is local, which makes it three times as fast as fields would be. */
  lines(bytes: Uint8Array, end: number): void {
    const [path, keys] = [this.#path, this.#keys];
    let at = 0;
    for (;;) {
      while (at < end && bytes[at]! <= 0x20) at++;
      if (at >= end) return;
      const line = ++this.#line;
      if (bytes[at++] !== leftBrace) throw new Unsure();
      // Objects that are open, which are those of the path and the one at its end; keys of the path that this line had.
      let open = 1;
      let found = 0;
      // The key that is expected now, by the line before; where it stands in this one.
      let next = 0;
      let place = 0;
      while (open > 0) {
        if (at >= end) throw new Unsure();
        let byte = bytes[at]!;
        if (byte <= 0x20 || byte === comma) {
          at++;
          continue;
        }
        if (byte === rightBrace) {
          at++;
          open--;
          continue;
        }
        if (byte !== quote) throw new Unsure();
        const from = ++at;
        while ((byte = bytes[at]!) !== quote) {
          if (byte === backslash || at >= end) throw new Unsure();
          at++;
        }
        const to = at++;
        while (bytes[at] !== colon) if (at++ >= end) throw new Unsure();
        do byte = bytes[++at]!;
        while (byte <= 0x20 && at < end);

        if (open <= path.length) {
          const step = open - 1;
          if (isLike(bytes, from, to, path[step]!)) {
            // Twice, or in another case: which of them DuckDB would take is for DuckDB to say.
            if (found > step || !isSame(bytes, from, to, path[step]!)) throw new Unsure();
            found = open;
            if (byte === leftBrace) {
              at++;
              open++;
              continue;
            }
            if (byte !== 0x6e) throw new Unsure();
          }
          at = pastValue(bytes, at, end);
          continue;
        }

        let key = keys[next];
        if (key === undefined || !isSame(bytes, from, to, key.bytes)) {
          next = this.#keyOf(bytes.subarray(from, to), place);
          key = keys[next]!;
        }
        if (key.line === line) throw new Unsure();
        key.line = line;
        if (place < key.place) key.place = place;
        next++;
        place++;
        if (byte === quote) {
          key.kinds |= text;
          at = pastValue(bytes, at, end);
        } else if (byte === minus || (byte >= 0x30 && byte <= 0x39)) {
          const first = at;
          let kind = whole;
          for (;;) {
            const digit = bytes[++at]!;
            if (digit >= 0x30 && digit <= 0x39) continue;
            if (ends[digit] === 1 || at >= end) break;
            // A point or an exponent; `-Infinity` is no JSON.
            if (digit !== 0x2e && (digit | 0x20) !== 0x65 && digit !== minus && digit !== 0x2b) throw new Unsure();
            kind = decimal;
          }
          key.kinds |= kind;
          if (kind === whole && at - first > key.longest) key.longest = at - first;
        } else {
          if (byte === leftBrace) key.kinds |= object;
          else if (byte === leftBracket) key.kinds |= list;
          else if (byte === 0x74 || byte === 0x66) key.kinds |= truth;
          else if (byte === 0x6e && bytes[at + 1] === 0x75) key.kinds |= nothing;
          else throw new Unsure();
          at = pastValue(bytes, at, end);
        }
      }
    }
  }

  /** The place of a key among those known; the line's order of keys is that of the line before, most times, and this is not asked. */
  #keyOf(bytes: Uint8Array, place: number): number {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    if (this.#keys.length >= mostKeys) throw new Unsure();
    let decoded: string;
    try {
      decoded = utf8.decode(bytes);
    } catch {
      throw new Unsure();
    }
    this.#byText.set(text, this.#keys.length);
    return this.#keys.push({ bytes: Uint8Array.from(bytes), text: decoded, place, kinds: 0, longest: 0, line: 0 }) - 1;
  }
}

const isSame = (bytes: Uint8Array, from: number, to: number, key: Uint8Array): boolean => {
  if (to - from !== key.length) return false;
  for (let i = 0; i < key.length; i++) if (bytes[from + i] !== key[i]) return false;
  return true;
};

/** Whatever its case. */
const isLike = (bytes: Uint8Array, from: number, to: number, key: Uint8Array): boolean => {
  if (to - from !== key.length) return false;
  for (let i = 0; i < key.length; i++) if ((bytes[from + i]! | 0x20) !== (key[i]! | 0x20)) return false;
  return true;
};

/** @param at of its first byte */
const pastValue = (bytes: Uint8Array, at: number, end: number): number => {
  const first = bytes[at]!;
  if (first !== quote && first !== leftBrace && first !== leftBracket) {
    while (at < end && ends[bytes[at]!] === 0) at++;
    return at;
  }
  let depth = 0;
  do {
    if (at >= end) throw new Unsure();
    const byte = bytes[at++]!;
    if (byte === quote) {
      for (;;) {
        if (at >= end) throw new Unsure();
        const inner = bytes[at++]!;
        if (inner === quote) break;
        if (inner === backslash) at++;
      }
    } else if (byte === leftBrace || byte === leftBracket) depth++;
    else if (byte === rightBrace || byte === rightBracket) depth--;
  } while (depth > 0);
  return at;
};

/** Of all lines of a file; null where that is not for a walk to say. */
export const kindsIn = async (file: string, path: readonly string[], blockBytes = 1 << 20): Promise<Placed[] | null> => {
  await using input = await open(file);
  const walk = new Walk(path);
  let buffer = Buffer.allocUnsafeSlow(blockBytes);
  let held = 0;
  try {
    for (;;) {
      if (held === buffer.length) {
        const larger = Buffer.allocUnsafeSlow(2 * held);
        buffer.copy(larger);
        buffer = larger;
      }
      const { bytesRead } = await input.read(buffer, held, buffer.length - held);
      if (bytesRead === 0) break;
      const lineEnd = buffer.lastIndexOf(0x0a, held + bytesRead - 1) + 1;
      held += bytesRead;
      walk.lines(buffer, lineEnd);
      buffer.copyWithin(0, lineEnd, held);
      held -= lineEnd;
    }
    walk.lines(buffer, held);
    return walk.found;
  } catch (error) {
    if (error instanceof Unsure) return null;
    throw error;
  }
};
