/**
 * A sorted set of line numbers, as PostgreSQL's int4multirange holds it: `{[1,4),[7,8)}` is 1, 2, 3 and 7.
 * In memory a flat array of borders, `[from, to, from, to, …]` with `to` not included.
 */
export type Lines = readonly number[];

export const parseLines = (text: string): Lines => {
  const borders: number[] = [];
  for (const [, from, to] of text.matchAll(/\[(\d+),(\d+)\)/g)) borders.push(Number(from), Number(to));
  return borders;
};

export const formatLines = (lines: Lines): string => {
  let text = '{';
  for (let i = 0; i < lines.length; i += 2) text += `${i > 0 ? ',' : ''}[${lines[i]},${lines[i + 1]})`;
  return `${text}}`;
};

/** The set of `numbers`, which must be in ascending order. */
export const linesOf = (numbers: Iterable<number>): Lines => {
  const borders: number[] = [];
  for (const n of numbers) {
    if (borders.at(-1) === n) borders[borders.length - 1] = n + 1;
    else borders.push(n, n + 1);
  }
  return borders;
};

export const countLines = (lines: Lines): number => {
  let count = 0;
  for (let i = 0; i < lines.length; i += 2) count += lines[i + 1]! - lines[i]!;
  return count;
};

export function* eachLine(lines: Lines): Generator<number> {
  for (let i = 0; i < lines.length; i += 2) for (let n = lines[i]!; n < lines[i + 1]!; n++) yield n;
}

/** The part of the set in `from` up to `to`, not included. */
export const clipLines = (lines: Lines, from: number, to: number): Lines => {
  const borders: number[] = [];
  for (let i = 0; i < lines.length; i += 2) {
    const low = Math.max(from, lines[i]!);
    const high = Math.min(to, lines[i + 1]!);
    if (low < high) borders.push(low, high);
  }
  return borders;
};

/** The set without the lines for which `leaves` says so. */
export const withoutLines = (lines: Lines, leaves: (line: number) => boolean): Lines =>
  linesOf(eachLine(lines).filter((line) => !leaves(line)));

export const hasLine = (lines: Lines, line: number): boolean => {
  for (let i = 0; i < lines.length; i += 2) if (line >= lines[i]! && line < lines[i + 1]!) return true;
  return false;
};

/** The `k`-th line of the set, from 1; null where it has fewer. */
export const nthLine = (lines: Lines, k: number): number | null => {
  let left = k;
  for (let i = 0; i < lines.length; i += 2) {
    const length = lines[i + 1]! - lines[i]!;
    if (left <= length) return left < 1 ? null : lines[i]! + left - 1;
    left -= length;
  }
  return null;
};

/** Which place, from 1, the line has in the set; null where it is not in it. */
export const rankOfLine = (lines: Lines, line: number): number | null => {
  let before = 0;
  for (let i = 0; i < lines.length; i += 2) {
    if (line < lines[i]!) return null;
    if (line < lines[i + 1]!) return before + line - lines[i]! + 1;
    before += lines[i + 1]! - lines[i]!;
  }
  return null;
};
