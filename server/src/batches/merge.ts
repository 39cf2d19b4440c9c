import { countLines, type Lines } from '../formats/lines.ts';
import { Manifest } from '../formats/manifest.ts';
import { readLines } from '../formats/read-lines.ts';
import { requestId } from '../lib/ids.ts';
import type { Storage } from '../storage/storage.ts';

export interface SegmentRow {
  storage_key: string;
  data_bytes: number;
  manifest_bytes: number;
  first_line: number;
  last_line: number;
  completed: number;
  failed: number;
}

/** Requests that no worker wrote a result line for: their error line is made here. */
export interface Unwritten {
  lines: Lines;
  code: string;
  message: string;
}

export interface MergeInput {
  batchId: string;
  storage: Storage;
  inputKey: string;
  indexKey: string;
  /** Ascending by `first_line`. */
  segments: readonly SegmentRow[];
  unwritten: readonly Unwritten[];
}

/** What the merge walked over; filled while its bytes are taken. */
export interface Tally {
  completed: number;
  failed: number;
  unwritten: number;
}

/** Bytes of one segment's results that follow each other in the file being written. */
interface Run {
  segment: SegmentRow;
  start: number;
  end: number;
  /** Where short runs of the segment are read ahead of; absent where it is copied as a whole. */
  window?: Window;
}

const readBytes = 4 << 20;

/** Room for pieces of the file: two in turn where they are only lent, else a new one each time. */
class Room {
  readonly #bytes: number;
  readonly #lent: boolean;
  #next: Buffer | null = null;
  #other: Buffer | null = null;

  constructor(bytes: number, lent: boolean) {
    this.#bytes = bytes;
    this.#lent = lent;
  }

  take(): Buffer {
    const room = (this.#lent ? this.#next : null) ?? Buffer.allocUnsafeSlow(this.#bytes);
    [this.#next, this.#other] = [this.#other, room];
    return room;
  }
}

/** What short runs are gathered to: handed on one by one, each cost more than its bytes do. */
const blockBytes = 256 << 10;
/** Bytes of segments that may lie in windows at once. */
const windowBytes = 32 << 20;

/**
 * The bytes of the output file (`completed`) or of the error file (all other lines), in the order of the input.
 *
 * Segments are merged, not lines: a run of lines that follow each other in one segment is copied as one range, and a
 * segment in which everything succeeded and into which no other reaches is copied without looking at its manifest.
 * Memory: of the segments that overlap just here the manifests, and windows of 32 MB together; else two reads of 4 MB.
 *
 * Throws where a line turns up twice: that must not happen, and must not be written.
 *
 * @param lent whether whoever takes a piece is done with it when they ask for the one after the next, as a put to
 *   storage is: then it is made where that one was, or a large file would leave all its bytes as garbage
 */
export async function* merge(
  input: MergeInput,
  wanted: 'completed' | 'failed',
  tally: Tally,
  { lent = false }: { lent?: boolean } = {},
): AsyncGenerator<Buffer> {
  const block = new Block(new Room(blockBytes, lent));
  const reads = new Room(readBytes, lent);
  for await (const run of runs(input, wanted, tally)) {
    if ('lines' in run) {
      yield* block.take();
      if (wanted === 'failed') yield* unwrittenLines(input, run);
      continue;
    }
    const { segment, start, end, window } = run;
    const length = end - start;
    if (window === undefined || length > blockBytes) {
      yield* block.take();
      for (let at = start; at < end; at += readBytes)
        yield await input.storage.read(segment.storage_key, { start: at, end: Math.min(end, at + readBytes), into: reads.take() });
      continue;
    }
    if (!block.fits(length)) yield* block.take();
    if (!window.holds(start, end)) await window.move(input.storage, segment, start, end);
    block.add(window.bytes(start, end));
  }
  yield* block.take();
}

/** The pieces, with those that follow each other in one segment as one. */
async function* runs(input: MergeInput, wanted: 'completed' | 'failed', tally: Tally): AsyncGenerator<Run | Unwritten> {
  let run: Run | null = null;
  for await (const piece of pieces(input, wanted, tally)) {
    if (run !== null && 'segment' in piece && run.segment === piece.segment && run.end === piece.start) {
      run.end = piece.end;
      continue;
    }
    if (run) yield run;
    run = null;
    if ('segment' in piece) run = piece;
    else yield piece;
  }
  if (run) yield run;
}

/** Short runs on their way into the file. */
class Block {
  readonly #room: Room;
  #bytes: Buffer | null = null;
  #used = 0;

  constructor(room: Room) {
    this.#room = room;
  }

  fits(length: number): boolean {
    return this.#used + length <= blockBytes;
  }

  add(bytes: Buffer): void {
    this.#bytes ??= this.#room.take();
    bytes.copy(this.#bytes, this.#used);
    this.#used += bytes.length;
  }

  *take(): Generator<Buffer> {
    if (this.#bytes === null) return;
    yield this.#bytes.subarray(0, this.#used);
    this.#bytes = null;
    this.#used = 0;
  }
}

/** A piece of a segment, read ahead: runs of a few lines each would otherwise cost a read each, 100 µs for 5 kB. */
class Window {
  /** Bytes read at once. */
  size = readBytes;
  #start = 0;
  #bytes: Buffer = Buffer.alloc(0);

  holds(start: number, end: number): boolean {
    return start >= this.#start && end <= this.#start + this.#bytes.length;
  }

  /** Reads from `start` on, at least to `end`. */
  async move(storage: Storage, { storage_key: key, data_bytes: dataBytes }: SegmentRow, start: number, end: number): Promise<void> {
    this.#start = start;
    this.#bytes = await storage.read(key, { start, end: Math.min(dataBytes, Math.max(end, start + this.size)) });
  }

  bytes(start: number, end: number): Buffer {
    return this.#bytes.subarray(start - this.#start, end - this.#start);
  }
}

/** A place among the merged sources: the next line it has. */
interface Cursor {
  line: number;
  segment: SegmentRow;
  manifest: Manifest;
  place: number;
  window: Window;
}

type Source = SegmentRow | { first_line: number; last_line: number; unwritten: Unwritten };

const sourcesOf = ({ segments, unwritten }: MergeInput): Source[] => {
  const gaps = unwritten.flatMap((u) => {
    const sources: Source[] = [];
    for (let i = 0; i < u.lines.length; i += 2)
      sources.push({ first_line: u.lines[i]!, last_line: u.lines[i + 1]! - 1, unwritten: { ...u, lines: [u.lines[i]!, u.lines[i + 1]!] } });
    return sources;
  });
  return [...segments, ...gaps].sort((a, b) => a.first_line - b.first_line);
};

async function* pieces(input: MergeInput, wanted: 'completed' | 'failed', tally: Tally): AsyncGenerator<Run | Unwritten> {
  const sources = sourcesOf(input);
  const open: Cursor[] = [];
  let next = 0;
  let last = 0;
  const advance = (from: number, to: number) => {
    if (from <= last) throw new Error(`line ${from} of ${input.batchId} was settled twice`);
    last = to;
  };
  while (next < sources.length || open.length > 0) {
    open.sort((a, b) => a.line - b.line);
    const source = sources[next];
    const head = open[0];
    if (source !== undefined && (head === undefined || source.first_line < head.line)) {
      next++;
      const before = Math.min(sources[next]?.first_line ?? Infinity, head?.line ?? Infinity);
      if ('unwritten' in source) {
        advance(source.first_line, source.last_line);
        tally.unwritten += countLines(source.unwritten.lines);
        yield source.unwritten;
      } else if (wholeRun(source, wanted) && source.last_line < before) {
        advance(source.first_line, source.last_line);
        tally.completed += source.completed;
        tally.failed += source.failed;
        if (wanted === 'completed' ? source.completed > 0 : source.failed > 0) yield { segment: source, start: 0, end: source.data_bytes };
      } else {
        open.push(await openCursor(input.storage, source));
        for (const { window } of open) window.size = Math.min(readBytes, Math.floor(windowBytes / open.length));
      }
      continue;
    }
    if (head === undefined) break;
    const before = Math.min(source?.first_line ?? Infinity, open[1]?.line ?? Infinity);
    if (before <= head.line) throw new Error(`line ${head.line} of ${input.batchId} was settled twice`);
    yield* walk(head, before, wanted, tally, advance);
    if (head.place >= head.manifest.count) open.shift();
  }
}

/** Whether all of a segment's lines go to the same file, and are without gaps. */
const wholeRun = ({ first_line: first, last_line: last, completed, failed }: SegmentRow, wanted: 'completed' | 'failed'): boolean =>
  completed + failed === last - first + 1 && (wanted === 'completed' ? failed === 0 || completed === 0 : completed === 0 || failed === 0);

const openCursor = async (storage: Storage, segment: SegmentRow): Promise<Cursor> => {
  const bytes = await storage.read(segment.storage_key, { start: segment.data_bytes, end: segment.data_bytes + segment.manifest_bytes });
  const manifest = new Manifest(bytes);
  return { segment, manifest, place: 0, line: manifest.line(0), window: new Window() };
};

/** Moves a cursor up to line `before` (not included), giving its runs of wanted lines. */
function* walk(
  cursor: Cursor,
  before: number,
  wanted: 'completed' | 'failed',
  tally: Tally,
  advance: (from: number, to: number) => void,
): Generator<Run> {
  const { manifest, segment, window } = cursor;
  let start = -1;
  let end = -1;
  while (cursor.place < manifest.count && manifest.line(cursor.place) < before) {
    const i = cursor.place++;
    advance(manifest.line(i), manifest.line(i));
    const completed = manifest.completed(i);
    if (completed) tally.completed++;
    else tally.failed++;
    if (completed !== (wanted === 'completed')) continue;
    const offset = manifest.offset(i);
    if (offset !== end) {
      if (end > start) yield { segment, start, end, window };
      start = offset;
    }
    end = offset + manifest.length(i);
  }
  if (end > start) yield { segment, start, end, window };
  if (cursor.place < manifest.count) cursor.line = manifest.line(cursor.place);
}

/** The error lines of requests that never ran: their custom_ids are read from the input. */
async function* unwrittenLines(input: MergeInput, { lines, code, message }: Unwritten): AsyncGenerator<Buffer> {
  const error = JSON.stringify({ code, message });
  for await (const group of readLines(input.storage, input, lines)) {
    let text = '';
    for (const { line, bytes } of group) {
      const { custom_id: customId } = JSON.parse(bytes.toString('utf8')) as { custom_id: string };
      text += `{"id":"${requestId(input.batchId, line)}","custom_id":${JSON.stringify(customId)},"response":null,"error":${error}}\n`;
    }
    yield Buffer.from(text);
  }
}
