/**
 * Where rows of known heights stand. Any of millions of lines is found by arithmetic: nothing is measured, so that nothing
 * jumps, and a line is scrolled to exactly.
 */
export interface Geometry {
  /** Pixels of the scrolled element; less than the rows need where browsers could not show that much. */
  height: number;
  /** The line at a pixel of the rows, from 1. */
  lineAt: (y: number) => number;
  /** The pixel of the rows at which a line begins. */
  top: (line: number) => number;
  heightOf: (line: number) => number;
  /** How far the rows are scrolled when the element is, and the other way round. */
  rowsAt: (scrolled: number, viewport: number) => number;
  scrollFor: (rows: number, viewport: number) => number;
}

/** Browsers give up beyond some 16 to 33 million pixels; well below that all of them are exact. */
const tallest = 8_000_000;

export const geometry = ({
  total,
  row,
  expanded,
  extra,
}: {
  total: number;
  row: number;
  /** Lines that are open, in order. */
  expanded: readonly number[];
  extra: number;
}): Geometry => {
  /** Open lines before this one. */
  const before = (line: number): number => {
    let [from, to] = [0, expanded.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (expanded[middle]! < line) from = middle + 1;
      else to = middle;
    }
    return from;
  };
  const top = (line: number): number => (line - 1) * row + before(line) * extra;
  const isOpen = (line: number): boolean => expanded[before(line)] === line;
  const heightOf = (line: number): number => row + (isOpen(line) ? extra : 0);
  const real = total * row + expanded.length * extra;
  const height = Math.min(real, tallest);
  const lineAt = (y: number): number => {
    let [from, to] = [1, Math.max(1, total)];
    while (from < to) {
      const middle = (from + to + 1) >> 1;
      if (top(middle) <= y) from = middle;
      else to = middle - 1;
    }
    return from;
  };
  const stretch = (viewport: number): number => (real <= tallest ? 1 : (real - viewport) / (height - viewport));
  return {
    height,
    lineAt,
    top,
    heightOf,
    rowsAt: (scrolled, viewport) => scrolled * stretch(viewport),
    scrollFor: (rows, viewport) => Math.max(0, Math.min(rows, real - viewport)) / stretch(viewport),
  };
};
