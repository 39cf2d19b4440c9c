import { promptStart } from '../cache/line-text.ts';
import { common, prefixOrder } from '../policy/prefix.ts';
import type { PlacedLine } from './sizing.ts';

/** Bytes after which the beginning of a prompt counts as a prefix: doubled, so that six numbers tell of 8 kB. */
const borders = [256, 512, 1_024, 2_048, 4_096, 8_192];

/**
 * Lines sorted together. A prefix that comes back later is read once more, which is nothing beside 16,384 prompts; larger
 * windows would make segments that all overlap, and finalizing would have to hold all of them open.
 */
const window = 16_384;

/**
 * The lines of one model in the order in which prompts share most, window by window: depth first through the tree of their
 * beginnings, which are compared as bytes of the input, not as rendered prompts: what a program wrote alike is alike.
 * Memory: six numbers a line of one window, and 5 bytes for each line before it.
 */
export class PrefixOrder {
  #lines: number[] = [];
  #paths: number[][] = [];
  readonly #sorted: { lines: Uint32Array; shared: Uint8Array }[] = [];
  #asInFile = true;

  add(line: number, bytes: Buffer, start: number, end: number): void {
    this.#lines.push(line);
    this.#paths.push(pathOf(bytes, promptStart(bytes, start, end), end));
    if (this.#lines.length === window) this.#sort();
  }

  /** Nothing has to move: what shares a prefix stands together already, or nothing does. */
  get asInFile(): boolean {
    if (this.#lines.length > 0) this.#sort();
    return this.#asInFile;
  }

  *[Symbol.iterator](): Generator<PlacedLine> {
    if (this.#lines.length > 0) this.#sort();
    for (const { lines, shared } of this.#sorted) for (let i = 0; i < lines.length; i++) yield { line: lines[i]!, shared: shared[i]! };
  }

  #sort(): void {
    const [lines, paths] = [this.#lines, this.#paths];
    const order = prefixOrder(paths);
    if (order.some((place, i) => place !== i)) this.#asInFile = false;
    this.#sorted.push({
      lines: Uint32Array.from(order, (place) => lines[place]!),
      shared: Uint8Array.from(order, (place, i) => (i === 0 ? 0 : common(paths[order[i - 1]!]!, paths[place]!))),
    });
    this.#lines = [];
    this.#paths = [];
  }
}

/** A number for each of the first blocks, each over all before it as well. A last, shorter block is nobody else's. */
const pathOf = (bytes: Buffer, from: number, end: number): number[] => {
  const path: number[] = [];
  let hash = 0x3c6ef372;
  let at = from;
  for (const border of borders) {
    const to = from + border;
    if (to > end) break;
    for (; at < to; at += 4) {
      hash = Math.imul(hash ^ bytes.readInt32LE(at), 0x9e3779b1);
      hash = (hash << 13) | (hash >>> 19);
    }
    // 31 bits are kept in the array itself.
    path.push(hash >>> 1);
  }
  return path;
};
