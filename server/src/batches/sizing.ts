import type { Lines } from '../formats/lines.ts';
import type { NewChunk } from '../requests/queue.ts';

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
