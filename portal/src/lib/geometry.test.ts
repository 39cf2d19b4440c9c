import fc from 'fast-check';
import { expect, test } from 'vitest';
import { geometry } from './geometry.ts';

const shapes = fc
  .record({ total: fc.integer({ min: 1, max: 3_000_000 }), row: fc.constantFrom(32, 40), extra: fc.constantFrom(320, 480) })
  .chain((shape) =>
    fc
      .uniqueArray(fc.integer({ min: 1, max: shape.total }), { maxLength: 20 })
      .map((expanded) => ({ ...shape, expanded: expanded.sort((a, b) => a - b) })),
  );

test('lines follow each other without a gap, and each is found at any of its pixels', () => {
  fc.assert(
    fc.property(shapes, fc.double({ min: 0, max: 1, noNaN: true }), (shape, where) => {
      const { lineAt, top, heightOf } = geometry(shape);
      const line = 1 + Math.floor(where * (shape.total - 1));
      expect(heightOf(line)).toBe(shape.row + (shape.expanded.includes(line) ? shape.extra : 0));
      if (line < shape.total) expect(top(line + 1)).toBe(top(line) + heightOf(line));
      expect([lineAt(top(line)), lineAt(top(line) + heightOf(line) - 1)]).toEqual([line, line]);
    }),
  );
});

test('scrolling to a line brings it into view, however many there are', () => {
  fc.assert(
    fc.property(shapes, fc.double({ min: 0, max: 1, noNaN: true }), (shape, where) => {
      const { top, rowsAt, scrollFor, height, heightOf } = geometry(shape);
      const viewport = 600;
      const line = 1 + Math.floor(where * (shape.total - 1));
      const scrolled = scrollFor(top(line), viewport);
      expect(scrolled).toBeGreaterThanOrEqual(0);
      expect(scrolled).toBeLessThanOrEqual(Math.max(0, height - viewport) + 1e-6);
      const shown = rowsAt(scrolled, viewport);
      expect(top(line)).toBeGreaterThanOrEqual(shown - 0.01);
      expect(top(line) + Math.min(heightOf(line), viewport)).toBeLessThanOrEqual(shown + viewport + 0.01);
    }),
  );
});

test('the end of a million lines can be reached', () => {
  const { height, rowsAt, lineAt } = geometry({ total: 1_000_000, row: 32, expanded: [], extra: 320 });
  expect(height).toBeLessThanOrEqual(8_000_000);
  expect(lineAt(rowsAt(height - 600, 600) + 599)).toBe(1_000_000);
});
