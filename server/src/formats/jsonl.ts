import type { Storage } from '../storage/storage.ts';

const blockBytes = 1 << 20;

/** An object's bytes in blocks of a megabyte, the next one being read while the caller works on this one. */
export async function* blocks(
  storage: Storage,
  key: string,
  { start = 0, end = Infinity }: { start?: number; end?: number } = {},
): AsyncGenerator<Buffer> {
  const read = (from: number) => storage.read(key, { start: from, end: Math.min(end, from + blockBytes) });
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
