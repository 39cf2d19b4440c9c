import type { Storage } from '../storage/storage.ts';

/**
 * The index of an input file: where each line is, so that any line is one read away.
 * A header of 16 bytes (`SLUICEX1`, the entry's size as u32, 4 reserved), then an entry of 24 bytes a line:
 *   0 offset in the file, f64 · 8 length in bytes, u32 · 12 hash of the custom_id, u32 u32
 *   20 the first line that seems to be the same but for its custom_id, u32 (0: this one is the first, or nobody looked)
 * Little-endian. The number of lines follows from the object's size.
 */
const headerBytes = 16;
const entryBytes = 24;
const magic = 'SLUICEX1';

export interface Entry {
  offset: number;
  length: number;
  /** The first line that this one seems to repeat; 0: none. */
  repeats: number;
}

const blockBytes = entryBytes * 8_192;

/** Collects entries and gives them out in blocks, for a put that streams: they are lent, as `Storage` has it. */
export class IndexWriter {
  #block = Buffer.allocUnsafeSlow(blockBytes);
  #used = 0;
  #full: Buffer<ArrayBuffer>[] = [];
  /** Given out, the last of them perhaps being written still. */
  #lent: Buffer<ArrayBuffer>[] = [];
  readonly #free: Buffer<ArrayBuffer>[] = [];

  constructor() {
    const header = Buffer.alloc(headerBytes);
    header.write(magic, 'latin1');
    header.writeUInt32LE(entryBytes, 8);
    this.#full.push(header);
  }

  add(offset: number, length: number, hashA: number, hashB: number, repeats = 0): void {
    if (this.#used === this.#block.length) this.#turn();
    const block = this.#block;
    const at = this.#used;
    block.writeDoubleLE(offset, at);
    block.writeUInt32LE(length, at + 8);
    block.writeUInt32LE(hashA, at + 12);
    block.writeUInt32LE(hashB, at + 16);
    block.writeUInt32LE(repeats, at + 20);
    this.#used = at + entryBytes;
  }

  /** Blocks that are full and have not been taken. Called when those of the call before have all been handed on. */
  take(): Buffer[] {
    const full = this.#full;
    this.#full = [];
    if (full.length > 0) {
      this.#free.push(...this.#lent.slice(0, -1).filter(({ buffer }) => buffer.byteLength === blockBytes));
      this.#lent = [...this.#lent.slice(-1), ...full];
    }
    return full;
  }

  /** The same, and what is left. */
  finish(): Buffer[] {
    this.#turn();
    return this.take();
  }

  #turn(): void {
    if (this.#used > 0) this.#full.push(this.#block.subarray(0, this.#used));
    const spare = this.#free.pop();
    this.#block = spare ? Buffer.from(spare.buffer, 0, blockBytes) : Buffer.allocUnsafeSlow(blockBytes);
    this.#used = 0;
  }
}

/** The entries of lines `from` up to `to` (1-based, `to` not included), in order. */
export const readEntries = async (storage: Storage, key: string, from: number, to: number): Promise<Entry[]> => {
  const bytes = await storage.read(key, { start: headerBytes + (from - 1) * entryBytes, end: headerBytes + (to - 1) * entryBytes });
  if (bytes.length !== (to - from) * entryBytes) throw new Error(`the index ${key} is shorter than line ${to - 1}`);
  const entries: Entry[] = [];
  for (let at = 0; at < bytes.length; at += entryBytes)
    entries.push({ offset: bytes.readDoubleLE(at), length: bytes.readUInt32LE(at + 8), repeats: bytes.readUInt32LE(at + 20) });
  return entries;
};

/** The lines whose custom_id has that hash, likely one: a pass over 24 bytes a line. */
export const linesOfId = async (storage: Storage, key: string, [a, b]: readonly [number, number]): Promise<number[]> => {
  const found: number[] = [];
  let rest: Buffer = Buffer.alloc(0);
  let line = 0;
  let skip = headerBytes;
  for await (const part of (await storage.stream(key)) as AsyncIterable<Buffer>) {
    const bytes = rest.length === 0 ? Buffer.from(part.buffer, part.byteOffset, part.byteLength) : Buffer.concat([rest, part]);
    let at = Math.min(skip, bytes.length);
    skip -= at;
    for (; at + entryBytes <= bytes.length; at += entryBytes) {
      line++;
      if (bytes.readUInt32LE(at + 12) === a && bytes.readUInt32LE(at + 16) === b) found.push(line);
    }
    rest = bytes.subarray(at);
  }
  return found;
};
