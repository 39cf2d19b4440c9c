import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eachLine } from '../formats/lines.ts';
import { PrefixOrder } from './prefixes.ts';
import { RepeatList } from './repeats.ts';
import { cutWithRepeats } from './sizing.ts';

/** A line whose prompt begins with blocks of these letters, each 256 bytes with what is around it. */
const text = (id: number, blocks: readonly string[]): Buffer =>
  Buffer.from(`{"custom_id":"${id}","body":"${blocks.map((letter) => letter.repeat(300)).join('')}${id}"}`);

const ordered = (lines: readonly (readonly string[])[]): PrefixOrder => {
  const order = new PrefixOrder();
  lines.forEach((blocks, i) => {
    const bytes = text(i + 1, blocks);
    order.add(i + 1, bytes, 0, bytes.length);
  });
  return order;
};

test('lines with a common beginning stand together, whatever their custom_ids; each is there once', () => {
  const blocks = fc.array(fc.constantFrom('x', 'y', 'z'), { maxLength: 3 });
  fc.assert(
    fc.property(fc.array(blocks, { minLength: 1, maxLength: 40 }), (lines) => {
      const order = [...ordered(lines)];
      expect(order.map(({ line }) => line).sort((a, b) => a - b)).toEqual(lines.map((_, i) => i + 1));
      const firsts = order.map(({ line }) => lines[line - 1]!.slice(0, 1).join('')).filter((letter) => letter !== '');
      expect(firsts.filter((letter, i) => letter !== firsts[i - 1])).toHaveLength(new Set(firsts).size);
    }),
    { numRuns: 60 },
  );
});

test('a file in order stays as it is, and chunks end where a prefix does', () => {
  expect(ordered([['x'], ['x'], ['y'], []].toReversed()).asInFile).toBe(false);
  expect(ordered(Array.from({ length: 50 }, () => [])).asInFile).toBe(true);
  expect(ordered(Array.from({ length: 50 }, () => ['x'])).asInFile).toBe(true);
  const mixed = ordered(Array.from({ length: 90 }, (_, i) => ['xyz'[i % 3]!]));
  expect(mixed.asInFile).toBe(false);
  const chunks = cutWithRepeats('m@1.0.0', mixed, new RepeatList(), { runs: 50, lines: 50 });
  expect(chunks.map(({ lines }) => new Set([...eachLine(lines)].map((line) => line % 3)).size)).toEqual([1, 1, 1]);
});
