import type { Storage } from '../storage/storage.ts';

const blockBytes = 1 << 20;

/**
 * An object's bytes in blocks of a megabyte, the next one being read while the caller works on this one. A block is
 * only lent: the one after the next is read into its place, or a large object would leave all its bytes as garbage.
 */
export async function* blocks(
  storage: Storage,
  key: string,
  { start = 0, end = Infinity }: { start?: number; end?: number } = {},
): AsyncGenerator<Buffer> {
  let [into, other] = [Buffer.allocUnsafeSlow(blockBytes), Buffer.allocUnsafeSlow(blockBytes)];
  const read = (from: number) => {
    [into, other] = [other, into];
    return storage.read(key, { start: from, end: Math.min(end, from + blockBytes), into });
  };
  let from = start;
  let next = read(from);
  try {
    for (;;) {
      const block = await next;
      from += block.length;
      const last = block.length < blockBytes || from >= end;
      next = last ? Promise.resolve(block) : read(from);
      if (block.length > 0) yield block;
      if (last) return;
    }
  } finally {
    // Left early: the block on its way is nobody's, and its failure too.
    next.catch(() => {});
  }
}
