import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineSplitter } from './splitter.ts';

interface Seen {
  text: string | null;
  offset: number;
  length: number;
}

const split = (chunks: Buffer[], limit = 1_000): Seen[] => {
  const seen: Seen[] = [];
  const splitter = new LineSplitter(
    {
      line: (buffer, start, end, offset) => seen.push({ text: buffer.toString('utf8', start, end), offset, length: end - start }),
      tooLong: (offset, length) => seen.push({ text: null, offset, length }),
    },
    limit,
  );
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return seen;
};

const cut = (bytes: Buffer, borders: number[]): Buffer[] => {
  const at = [...new Set([0, ...borders.map((b) => b % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
};

test('lines, offsets and lengths are the same wherever the chunks are cut', () => {
  const line = fc.string({ unit: 'binary', maxLength: 30 }).map((s) => s.replace(/[\r\n\uFEFF]|[\uD800-\uDFFF]/g, 'é'));
  fc.assert(
    fc.property(
      fc.array(line, { minLength: 1, maxLength: 20 }),
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      fc.boolean(),
      fc.array(fc.nat(), { maxLength: 30 }),
      (lines, newline, bom, last, borders) => {
        const expected = lines.at(-1) === '' && !last ? lines.slice(0, -1) : lines;
        const bytes = Buffer.from((bom ? '\uFEFF' : '') + lines.join(newline) + (last ? newline : ''));
        const seen = split(cut(bytes, borders));
        expect(seen.map((s) => s.text)).toEqual(expected);
        for (const { text, offset, length } of seen) expect(bytes.toString('utf8', offset, offset + length)).toBe(text);
      },
    ),
  );
});

test('a line over the limit is reported with its length, and its neighbours are whole', () => {
  const bytes = Buffer.from(`a\n${'x'.repeat(50)}\nb\n`);
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 20 }), (borders) => {
      expect(split(cut(bytes, borders), 10)).toEqual([
        { text: 'a', offset: 0, length: 1 },
        { text: null, offset: 2, length: 50 },
        { text: 'b', offset: 53, length: 1 },
      ]);
    }),
  );
});

test('a line of exactly the limit passes, with CR LF behind it', () => {
  expect(split([Buffer.from(`${'x'.repeat(10)}\r\n`)], 10)).toEqual([{ text: 'x'.repeat(10), offset: 0, length: 10 }]);
});

test('empty input, and a BOM alone, have no line; a lone line end has an empty one', () => {
  expect(split([])).toEqual([]);
  expect(split([Buffer.from('\uFEFF')])).toEqual([]);
  expect(split([Buffer.from('\n')]).map((s) => s.text)).toEqual(['']);
});
