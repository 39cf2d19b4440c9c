import { readSync } from 'node:fs';

/** Bytes read by position: a file that is open, or memory. */
export interface Source {
  readonly size: number;
  /** Copies what lies at `at` to `target`; returns how much that was. */
  read(target: Uint8Array, at: number): number;
}

export const fileSource = (fd: number, size: number): Source => ({
  size,
  read: (target, at) => readSync(fd, target, 0, target.length, at),
});

export const memorySource = (bytes: Uint8Array): Source => ({
  size: bytes.length,
  read(target, at) {
    const part = bytes.subarray(at, at + target.length);
    target.set(part);
    return part.length;
  },
});

/** These bytes are not what the format allows. */
export class Malformed extends Error {}

/** How a field's value is written; the others of protobuf's numbers are groups, which ONNX has none of, and nothing. */
export const wires = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const window = 65_536;

/**
 * Walks protobuf messages without building them: what the visitor does not ask for is skipped and, beyond a window of
 * 64 KB, not even read. It takes nothing that a parser of Google's would read in another way: tags and lengths have at
 * most five bytes and all their bits count, numbers have at most ten, and every field ends within its message.
 */
export class Reader {
  /** Where the next byte is. */
  at = 0;
  readonly #source: Source;
  readonly #window = new Uint8Array(window);
  #from = 0;
  #to = 0;
  #left: number;

  /** @param most fields altogether, which bounds the time of any file */
  constructor(source: Source, most: number) {
    this.#source = source;
    this.#left = most;
  }

  /**
   * Calls `visit` for each field up to `end`, with its value if it is a varint, and where it ends if it has a length.
   * A visitor may read up to there, by `fields` or `text`, or leave it.
   */
  fields(end: number, visit: (number: number, wire: number, value: number) => void): void {
    while (this.at < end) {
      if (this.#left-- === 0) throw new Malformed('It has more fields than are looked at.');
      const tag = this.#short('tag', end);
      const [number, wire] = [tag >>> 3, tag & 7];
      if (number === 0) throw new Malformed('A field has number 0.');
      if (wire === wires.varint) visit(number, wire, this.varint(end));
      else if (wire === wires.bytes) {
        const stop = this.#end(this.#short('length', end), end, number);
        visit(number, wire, stop);
        this.at = stop;
      } else if (wire === wires.fixed64 || wire === wires.fixed32) {
        this.at = this.#end(wire === wires.fixed64 ? 8 : 4, end, number);
        visit(number, wire, 0);
      } else throw new Malformed(`Field ${number} has wire type ${wire}, which ONNX does not use.`);
    }
  }

  /** A signed 64-bit number; beyond 2^53 it is rounded, which no field that is read minds. */
  varint(end: number): number {
    let [low, high] = [0, 0];
    for (let i = 0; i < 10; i++) {
      const byte = this.#byte(end);
      const bits = byte & 127;
      if (i < 4) low |= bits << (7 * i);
      else if (i === 4) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (7 * i - 32);
      if (byte < 128) return high * 2 ** 32 + (low >>> 0);
    }
    throw new Malformed('A number takes more than ten bytes.');
  }

  /** The text up to `stop`, of at most `most` bytes. */
  text(stop: number, most: number): { text: string; cut: boolean } {
    const length = Math.min(stop - this.at, most);
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const count = this.#source.read(bytes.subarray(done), this.at + done);
      if (count === 0) throw new Malformed('The file became shorter while it was read.');
      done += count;
    }
    const cut = length < stop - this.at;
    this.at = stop;
    try {
      return { text: new TextDecoder('utf-8', { fatal: !cut, ignoreBOM: true }).decode(bytes), cut };
    } catch {
      throw new Malformed('A text is not UTF-8.');
    }
  }

  /** A tag or a length. */
  #short(what: string, end: number): number {
    const from = this.at;
    const value = this.varint(end);
    if (this.at - from > 5 || value > 0xffff_ffff) throw new Malformed(`A field's ${what} is too large.`);
    return value;
  }

  #end(length: number, end: number, number: number): number {
    if (this.at + length > end)
      throw new Malformed(`Field ${number} is ${length} bytes long, and its message ends after ${end - this.at}.`);
    return this.at + length;
  }

  #byte(end: number): number {
    if (this.at >= end) throw new Malformed('A field is cut off.');
    if (this.at < this.#from || this.at >= this.#to) {
      this.#from = this.at;
      this.#to = this.at + this.#source.read(this.#window, this.at);
      if (this.#to === this.#from) throw new Malformed('The file became shorter while it was read.');
    }
    return this.#window[this.at++ - this.#from]!;
  }
}
