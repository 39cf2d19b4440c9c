/**
 * The manifest of a segment: what became of each of its lines. It stands behind the result lines in the same object.
 * A header of 16 bytes (`SLM1`, the number of entries as u32, a time in ms as f64), then 24 bytes an entry, ascending
 * by line:
 *   0 line, u32 · 4 state, u8, and 16 × how its answer was copied (0: it was not) · 5 attempts, u8
 *   6 HTTP status or 0, u16 · 8 offset in the segment, u32 · 12 length with its line end, u32
 *   16 start in ms after the header's time, u32 · 20 duration in ms, u32
 * Little-endian. Where answers were copied there follow, for each of those entries in order, a u32, and then JSON text: the
 * u32 is the line it was copied from, or the place in that JSON's list of what it was copied from in another batch.
 */
const headerBytes = 16;
const entryBytes = 24;
const magic = 0x314d4c53;

export const settledStates = ['completed', 'failed', 'dead_lettered'] as const;
export type SettledState = (typeof settledStates)[number];

/** How a request came by an answer without being run: from a line of its own batch, from another's, or from a similar one. */
export const copyKinds = ['batch', 'cache', 'semantic'] as const;
export type CopyKind = (typeof copyKinds)[number];

/** What an answer was copied from: a line of the same batch, or a request of another (null: another tenant's). */
export type Copied =
  | { kind: 'batch'; line: number }
  | { kind: 'cache' | 'semantic'; request: string | null; /** Cosine, for a similar one. */ similarity?: number };

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
  /** Absent: it was run. */
  copied?: Copied;
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
    bytes[at + 4] = settledStates.indexOf(entry.state) | (entry.copied ? (copyKinds.indexOf(entry.copied.kind) + 1) << 4 : 0);
    bytes[at + 5] = Math.min(255, entry.attempts);
    bytes.writeUInt16LE(entry.status, at + 6);
    bytes.writeUInt32LE(entry.offset, at + 8);
    bytes.writeUInt32LE(entry.length, at + 12);
    bytes.writeUInt32LE(Math.min(0xffff_ffff, Math.max(0, Math.round(entry.startedAt - base))), at + 16);
    bytes.writeUInt32LE(Math.min(0xffff_ffff, Math.max(0, Math.round(entry.ms))), at + 20);
    at += entryBytes;
  }
  const copies = entries.flatMap(({ copied }) => copied ?? []);
  return copies.length === 0 ? bytes : Buffer.concat([bytes, encodeCopies(copies)]);
};

type Elsewhere = [request: string | null, similarity?: number];

const encodeCopies = (copies: readonly Copied[]): Buffer => {
  const places = Buffer.allocUnsafe(copies.length * 4);
  const elsewhere: Elsewhere[] = [];
  copies.forEach((copied, i) => {
    if (copied.kind === 'batch') places.writeUInt32LE(copied.line, i * 4);
    else {
      places.writeUInt32LE(elsewhere.length, i * 4);
      elsewhere.push(copied.similarity === undefined ? [copied.request] : [copied.request, copied.similarity]);
    }
  });
  return Buffer.concat([places, Buffer.from(elsewhere.length > 0 ? JSON.stringify(elsewhere) : '')]);
};

/** A manifest as read from storage; entries are decoded when asked for. */
export class Manifest {
  readonly #bytes: Buffer;
  readonly count: number;
  readonly #base: number;
  /** By entry; read when somebody asks for one. */
  #copies: Map<number, Copied> | null = null;

  constructor(bytes: Buffer) {
    if (bytes.length < headerBytes || bytes.readUInt32LE(0) !== magic) throw new Error('not a manifest');
    this.#bytes = bytes;
    this.count = bytes.readUInt32LE(4);
    this.#base = bytes.readDoubleLE(8);
    if (bytes.length < manifestSize(this.count)) throw new Error('the manifest is cut off');
  }

  line(i: number): number {
    return this.#bytes.readUInt32LE(headerBytes + i * entryBytes);
  }

  completed(i: number): boolean {
    return (this.#bytes[headerBytes + i * entryBytes + 4]! & 15) === 0;
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
    const copied = bytes[at + 4]! >> 4 === 0 ? null : this.#copied(i);
    return {
      line: bytes.readUInt32LE(at),
      state: settledStates[bytes[at + 4]! & 15]!,
      attempts: bytes[at + 5]!,
      status: bytes.readUInt16LE(at + 6),
      offset: bytes.readUInt32LE(at + 8),
      length: bytes.readUInt32LE(at + 12),
      startedAt: this.#base + bytes.readUInt32LE(at + 16),
      ms: bytes.readUInt32LE(at + 20),
      ...(copied && { copied }),
    };
  }

  /** What entry `i` was copied from. */
  #copied(i: number): Copied {
    this.#copies ??= this.#readCopies();
    return this.#copies.get(i)!;
  }

  #readCopies(): Map<number, Copied> {
    const bytes = this.#bytes;
    const kinds: [number, CopyKind][] = [];
    for (let i = 0; i < this.count; i++) {
      const kind = bytes[headerBytes + i * entryBytes + 4]! >> 4;
      if (kind > 0) kinds.push([i, copyKinds[kind - 1]!]);
    }
    const places = manifestSize(this.count);
    const text = bytes.toString('utf8', places + kinds.length * 4);
    const elsewhere = text === '' ? [] : (JSON.parse(text) as Elsewhere[]);
    return new Map(
      kinds.map(([i, kind], n): [number, Copied] => {
        const place = bytes.readUInt32LE(places + n * 4);
        if (kind === 'batch') return [i, { kind, line: place }];
        const [request, similarity] = elsewhere[place]!;
        return [i, { kind, request, ...(similarity !== undefined && { similarity }) }];
      }),
    );
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
