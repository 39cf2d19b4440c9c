/**
 * The manifest of a segment: what became of each of its lines. It stands behind the result lines in the same object.
 * A header of 16 bytes (`SLM1`, the number of entries as u32, a time in ms as f64), then 24 bytes an entry, ascending
 * by line:
 *   0 line, u32 · 4 state, u8 · 5 attempts, u8 · 6 HTTP status or 0, u16 · 8 offset in the segment, u32
 *   12 length with its line end, u32 · 16 start in ms after the header's time, u32 · 20 duration in ms, u32
 * Little-endian.
 */
const headerBytes = 16;
const entryBytes = 24;
const magic = 0x314d4c53;

export const settledStates = ['completed', 'failed', 'dead_lettered'] as const;
export type SettledState = (typeof settledStates)[number];

export interface Settled {
  line: number;
  state: SettledState;
  attempts: number;
  /** The HTTP status of its reply; 0 where there was none. */
  status: number;
  offset: number;
  length: number;
  /** Milliseconds since the epoch. */
  startedAt: number;
  ms: number;
}

export const manifestSize = (entries: number): number => headerBytes + entries * entryBytes;

export const encodeManifest = (entries: readonly Settled[]): Buffer => {
  const bytes = Buffer.allocUnsafe(manifestSize(entries.length));
  let base = Infinity;
  for (const entry of entries) if (entry.startedAt < base) base = entry.startedAt;
  if (base === Infinity) base = 0;
  bytes.writeUInt32LE(magic, 0);
  bytes.writeUInt32LE(entries.length, 4);
  bytes.writeDoubleLE(base, 8);
  let at = headerBytes;
  for (const entry of entries) {
    bytes.writeUInt32LE(entry.line, at);
    bytes[at + 4] = settledStates.indexOf(entry.state);
    bytes[at + 5] = Math.min(255, entry.attempts);
    bytes.writeUInt16LE(entry.status, at + 6);
    bytes.writeUInt32LE(entry.offset, at + 8);
    bytes.writeUInt32LE(entry.length, at + 12);
    bytes.writeUInt32LE(Math.min(0xffff_ffff, Math.max(0, Math.round(entry.startedAt - base))), at + 16);
    bytes.writeUInt32LE(Math.min(0xffff_ffff, Math.max(0, Math.round(entry.ms))), at + 20);
    at += entryBytes;
  }
  return bytes;
};

/** A manifest as read from storage; entries are decoded when asked for. */
export class Manifest {
  readonly #bytes: Buffer;
  readonly count: number;
  readonly #base: number;

  constructor(bytes: Buffer) {
    if (bytes.length < headerBytes || bytes.readUInt32LE(0) !== magic) throw new Error('not a manifest');
    this.#bytes = bytes;
    this.count = bytes.readUInt32LE(4);
    this.#base = bytes.readDoubleLE(8);
    if (bytes.length !== manifestSize(this.count)) throw new Error('the manifest is cut off');
  }

  line(i: number): number {
    return this.#bytes.readUInt32LE(headerBytes + i * entryBytes);
  }

  completed(i: number): boolean {
    return this.#bytes[headerBytes + i * entryBytes + 4] === 0;
  }

  offset(i: number): number {
    return this.#bytes.readUInt32LE(headerBytes + i * entryBytes + 8);
  }

  length(i: number): number {
    return this.#bytes.readUInt32LE(headerBytes + i * entryBytes + 12);
  }

  at(i: number): Settled {
    const at = headerBytes + i * entryBytes;
    const bytes = this.#bytes;
    return {
      line: bytes.readUInt32LE(at),
      state: settledStates[bytes[at + 4]!]!,
      attempts: bytes[at + 5]!,
      status: bytes.readUInt16LE(at + 6),
      offset: bytes.readUInt32LE(at + 8),
      length: bytes.readUInt32LE(at + 12),
      startedAt: this.#base + bytes.readUInt32LE(at + 16),
      ms: bytes.readUInt32LE(at + 20),
    };
  }

  /** The place of the first entry whose line is `line` or later; `count` where there is none. */
  search(line: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.line(middle) < line) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  find(line: number): Settled | null {
    const i = this.search(line);
    return i < this.count && this.line(i) === line ? this.at(i) : null;
  }
}
