import type { Storage } from '../storage/storage.ts';
import { readEntries, type Entry } from './line-index.ts';
import type { Lines } from './lines.ts';

/** Lines apart by fewer bytes than this are read together, and what lies between is dropped. */
const gapBytes = 64 << 10;
const spanBytes = 4 << 20;
/** Reads under way at once, where lines lie far apart; together no more than one span. */
const mostReads = 16;

interface Span {
  start: number;
  end: number;
  lines: { line: number; entry: Entry }[];
}

/** Where a batch's lines are: its input and the index beside it. */
export interface LineSource {
  inputKey: string;
  indexKey: string;
}

export interface ReadLine {
  line: number;
  bytes: Buffer;
  /** The first line that this one seems to repeat; 0: none. */
  repeats: number;
  /** Whether `bytes` is all of it. */
  whole: boolean;
}

/**
 * A set of lines of an input file, in order, in groups that came with one read of at most about 4 MB (or one line).
 *
 * @param most bytes to give of a line, for who only wants its head
 */
export async function* readLines(storage: Storage, source: LineSource, lines: Lines, most = Infinity): AsyncGenerator<ReadLine[]> {
  const reading: { span: Span; bytes: Promise<Buffer> }[] = [];
  let size = 0;
  const next = async (): Promise<ReadLine[]> => {
    const { span, bytes } = reading.shift()!;
    size -= span.end - span.start;
    return cut(span, await bytes, most);
  };
  for await (const span of spans(storage, source.indexKey, lines, most)) {
    const bytes = storage.read(source.inputKey, { start: span.start, end: span.end });
    // It is told of when its turn comes, and not at all where the caller has left.
    bytes.catch(() => {});
    reading.push({ span, bytes });
    size += span.end - span.start;
    while (reading.length === mostReads || size >= spanBytes) yield await next();
  }
  while (reading.length > 0) yield await next();
}

const cut = (span: Span, bytes: Buffer, most: number): ReadLine[] => {
  let wanted = 0;
  for (const { entry } of span.lines) wanted += Math.min(entry.length, most);
  // A few lines would hold all that lies between them in memory.
  const sparse = wanted * 2 < bytes.length;
  return span.lines.map(({ line, entry }) => {
    const start = entry.offset - span.start;
    const own = bytes.subarray(start, start + Math.min(entry.length, most));
    return { line, bytes: sparse ? Buffer.from(own) : own, repeats: entry.repeats, whole: entry.length <= most };
  });
};

async function* spans(storage: Storage, indexKey: string, lines: Lines, most: number): AsyncGenerator<Span> {
  let span: Span | null = null;
  for (let i = 0; i < lines.length; i += 2) {
    // Ranges that lie close together share one read of the index.
    let j = i;
    while (j + 3 < lines.length && lines[j + 3]! - lines[i]! <= 4_096) j += 2;
    const from = lines[i]!;
    const entries = await readEntries(storage, indexKey, from, lines[j + 1]!);
    for (; i <= j; i += 2) {
      for (let line = lines[i]!; line < lines[i + 1]!; line++) {
        const entry = entries[line - from]!;
        const end = entry.offset + Math.min(entry.length, most);
        if (span !== null && (entry.offset - span.end > gapBytes || end - span.start > spanBytes)) {
          yield span;
          span = null;
        }
        span ??= { start: entry.offset, end, lines: [] };
        span.end = end;
        span.lines.push({ line, entry });
      }
    }
    i -= 2;
  }
  if (span !== null) yield span;
}
