import { eachLine, linesOf, type Lines } from '../formats/lines.ts';
import type { NewChunk } from '../requests/queue.ts';
import type { RepeatList } from './repeats.ts';

/** Seconds of one worker's work in a chunk: a crash costs at most that much, and a claim is paid for many times over. */
const chunkSeconds = 2;
const maxChunkLines = 2_000;
const maxChunkBytes = 8 << 20;
/** Below this, claims cost more than a better spread over the workers saves. */
const minSpread = 50;

/**
 * How many lines a chunk takes.
 *
 * @param rate requests a second of one worker
 * @param lines of this model in the batch
 * @param workers that may share them
 * @param lineBytes mean bytes of a line
 */
export const chunkLines = ({
  rate,
  lines,
  workers,
  lineBytes,
}: {
  rate: number;
  lines: number;
  workers: number;
  lineBytes: number;
}): number => {
  const byRate = Math.min(maxChunkLines, Math.round(rate * chunkSeconds));
  const bySpread = Math.max(minSpread, Math.ceil(lines / (4 * Math.max(1, workers))));
  const byBytes = Math.floor(maxChunkBytes / Math.max(1, lineBytes));
  return Math.max(1, Math.min(byRate, bySpread, byBytes));
};

/** Cuts a set of lines into chunks of `size` lines, the last one perhaps smaller. */
export const cutChunks = (model: string, lines: Lines, size: number): NewChunk[] => {
  const chunks: NewChunk[] = [];
  let current: number[] = [];
  let room = size;
  for (let i = 0; i < lines.length; i += 2) {
    let from = lines[i]!;
    while (from < lines[i + 1]!) {
      const to = Math.min(lines[i + 1]!, from + room);
      current.push(from, to);
      room -= to - from;
      from = to;
      if (room > 0) continue;
      chunks.push({ model, lines: current });
      current = [];
      room = size;
    }
  }
  if (current.length > 0) chunks.push({ model, lines: current });
  return chunks;
};

/** How large chunks may be: requests that are run, lines in all, and bytes of them. */
export interface ChunkRoom {
  runs: number;
  lines: number;
}

/** A line in an order of prompts, and how much of its prompt the line before it has. */
export interface PlacedLine {
  line: number;
  shared: number;
}

export const chunkRoom = (runs: number, lineBytes: number): ChunkRoom => ({
  runs,
  lines: Math.max(runs, Math.min(maxChunkLines, Math.floor(maxChunkBytes / Math.max(1, lineBytes)))),
});

/**
 * Cuts lines into chunks so that those that repeat a line stand with it: whoever runs it has them at hand, and nobody else
 * runs them meanwhile. Repeats are not run, so a chunk has `room.runs` other lines and is not full before `room.lines` in
 * all; what a chunk has no room for goes into the next ones, each of which runs it once.
 *
 * @param order the lines that repeat none, in the order in which they are to be run; with `shared`, how many blocks of its
 *   prompt one has in common with the one before it, a chunk that is half full ends where a prefix ends
 */
export const cutWithRepeats = (model: string, order: Iterable<number | PlacedLine>, repeats: RepeatList, room: ChunkRoom): NewChunk[] => {
  const sorted = repeats.byFirst();
  const chunks: NewChunk[] = [];
  let current: number[] = [];
  let runs = 0;
  let depth = 0;
  const close = (): void => {
    if (current.length > 0) chunks.push({ model, lines: linesOf(current.sort((a, b) => a - b)) });
    current = [];
    runs = 0;
    depth = 0;
  };
  const add = (line: number, run: boolean): void => {
    if (current.length === room.lines || (run && runs === room.runs)) close();
    // The first that a new chunk has of them is run again.
    if (run || current.length === 0) runs++;
    current.push(line);
  };
  for (const next of order) {
    const { line, shared } = typeof next === 'number' ? { line: next, shared: 0 } : next;
    if (shared < depth && runs * 2 >= room.runs) close();
    else depth = Math.max(depth, shared);
    add(line, true);
    for (let i = placeOf(sorted, line); i < sorted.count && sorted.first(i) === line; i++) add(sorted.line(i), false);
  }
  close();
  return chunks;
};

/** The place of the first pair whose first line is `line` or later. */
const placeOf = ({ count, first }: ReturnType<RepeatList['byFirst']>, line: number): number => {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (first(middle) < line) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** The lines of a set that repeat none, ascending. */
export function* withoutRepeats(lines: Lines, repeats: RepeatList): Generator<number> {
  let i = 0;
  for (const line of eachLine(lines)) {
    if (i < repeats.count && repeats.line(i) === line) i++;
    else yield line;
  }
}
