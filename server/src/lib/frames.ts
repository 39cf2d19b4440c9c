import { readSync, writeSync } from 'node:fs';

/**
 * What a process and its children say to each other, over one socket pair: frames of a JSON head and raw bytes.
 * `length of the head | length of the bytes | head | bytes`, both lengths as little-endian u32.
 */
export interface Frame {
  head: Buffer;
  bytes: Buffer;
}

/** A frame without its bytes, which follow it. */
export const frame = (head: object, bytes = 0): Buffer => {
  const text = Buffer.from(JSON.stringify(head));
  const whole = Buffer.allocUnsafe(8 + text.length);
  whole.writeUInt32LE(text.length, 0);
  whole.writeUInt32LE(bytes, 4);
  text.copy(whole, 8);
  return whole;
};

/** Puts frames together from what a socket delivers. */
export class Frames {
  #parts: Buffer[] = [];
  #size = 0;

  push(part: Buffer): Frame[] {
    this.#parts.push(part);
    this.#size += part.length;
    const frames: Frame[] = [];
    while (this.#size >= 8) {
      // Joined only once the frame is whole: joining at every part would copy a large frame many times over.
      const first = this.#parts[0]!.length >= 8 ? this.#parts[0]! : this.#join();
      const [head, bytes] = [first.readUInt32LE(0), first.readUInt32LE(4)];
      if (this.#size < 8 + head + bytes) break;
      const all = this.#join();
      frames.push({ head: all.subarray(8, 8 + head), bytes: all.subarray(8 + head, 8 + head + bytes) });
      const rest = all.subarray(8 + head + bytes);
      this.#parts = rest.length > 0 ? [rest] : [];
      this.#size = rest.length;
    }
    return frames;
  }

  #join(): Buffer {
    if (this.#parts.length > 1) this.#parts = [Buffer.concat(this.#parts)];
    return this.#parts[0]!;
  }
}

/** Frames from a blocking descriptor, read in pieces as large as they come: each read is a call into the kernel. */
export class Inbox {
  readonly #fd: number;
  #room = Buffer.allocUnsafeSlow(1 << 16);
  #from = 0;
  #to = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** The next frame, good until the next call; null where the other end is gone. */
  next(): Frame | null {
    if (!this.#have(8)) return null;
    const [head, bytes] = [this.#room.readUInt32LE(this.#from), this.#room.readUInt32LE(this.#from + 4)];
    if (!this.#have(8 + head + bytes)) return null;
    const at = this.#from + 8;
    this.#from = at + head + bytes;
    return { head: this.#room.subarray(at, at + head), bytes: this.#room.subarray(at + head, this.#from) };
  }

  #have(count: number): boolean {
    if (this.#to - this.#from >= count) return true;
    const room = count > this.#room.length ? Buffer.allocUnsafeSlow(count) : this.#room;
    this.#room.copy(room, 0, this.#from, this.#to);
    [this.#room, this.#to, this.#from] = [room, this.#to - this.#from, 0];
    while (this.#to < count) {
      const read = readSync(this.#fd, room, this.#to, room.length - this.#to, null);
      if (read === 0) return false;
      this.#to += read;
    }
    return true;
  }
}

/** Fills `target` from a blocking descriptor; false where the other end is gone. */
export const readFully = (fd: number, target: Uint8Array, from: number | null = null): boolean => {
  let at = 0;
  while (at < target.length) {
    const count = readSync(fd, target, at, target.length - at, from === null ? null : from + at);
    if (count === 0) return false;
    at += count;
  }
  return true;
};

export const writeFully = (fd: number, source: Uint8Array, to: number | null = null): void => {
  let at = 0;
  while (at < source.length) at += writeSync(fd, source, at, source.length - at, to === null ? null : to + at);
};
