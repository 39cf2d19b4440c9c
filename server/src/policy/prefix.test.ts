import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutChunks, prefixOrder, prefixPath, prefixRanks, sharedBlocks } from './prefix.ts';

const paths = fc.array(
  fc.array(fc.constantFrom('x', 'y', 'z'), { maxLength: 4 }).map((blocks) => blocks.map((_, depth) => blocks.slice(0, depth + 1).join(''))),
  { maxLength: 40 },
);

test('requests that share a prefix stand together, at every length', () => {
  const order = prefixOrder([['a', 'ab'], ['c'], ['a', 'ad'], ['a', 'ab']]);
  expect(order).toEqual([0, 3, 2, 1]);
  expect([...prefixRanks(order)]).toEqual([0, 3, 2, 1]);
});

test('long decodes go first, then large groups', () => {
  expect(prefixOrder([['a'], ['b'], ['b']])).toEqual([1, 2, 0]);
  expect(prefixOrder([['a'], ['b'], ['b']], [0.9, 0.1, 0.1])).toEqual([0, 1, 2]);
});

test('it is a permutation, and shares at least as much as any other order', () => {
  fc.assert(
    fc.property(paths, fc.infiniteStream(fc.nat()), (all, noise) => {
      const order = prefixOrder(all);
      expect(order.toSorted((a, b) => a - b)).toEqual(all.map((_, index) => index));
      const shuffled = order.map((index) => ({ index, key: noise.next().value as number })).sort((a, b) => a.key - b.key);
      expect(sharedBlocks(all, order)).toBeGreaterThanOrEqual(
        sharedBlocks(
          all,
          shuffled.map(({ index }) => index),
        ),
      );
      expect(sharedBlocks(all, order)).toBeGreaterThanOrEqual(
        sharedBlocks(
          all,
          all.map((_, index) => index),
        ),
      );
    }),
  );
});

test('a path is one hash for each whole block, each over all before it', () => {
  const bytes = new TextEncoder().encode(`${'a'.repeat(512)}tail`);
  const hash = (before: string, block: Uint8Array): string => `${before}.${block[0]}`;
  expect(prefixPath(bytes, 'm', hash)).toEqual(['m.97', 'm.97.97']);
  expect(prefixPath(new Uint8Array(256 * 40), 'm', hash)).toHaveLength(16);
});

test('chunks keep the order, stay within their work, and end where a prefix does once half full', () => {
  expect(
    cutChunks(
      [
        ['s', 'a'],
        ['s', 'a'],
        ['s', 'b'],
        ['s', 'b'],
      ],
      [0, 1, 2, 3],
      [1, 1, 1, 1],
      3,
    ),
  ).toEqual([
    [0, 1],
    [2, 3],
  ]);
  fc.assert(
    fc.property(paths, fc.integer({ min: 1, max: 10 }), (all, most) => {
      const order = prefixOrder(all);
      const chunks = cutChunks(
        all,
        order,
        all.map(() => 1),
        most,
      );
      expect(chunks.flat()).toEqual(order);
      expect(chunks.every((chunk) => chunk.length >= 1 && chunk.length <= most)).toBe(true);
    }),
  );
});
