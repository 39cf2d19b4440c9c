import type { Row } from './simulate.ts';

const columns: readonly [title: string, cell: (row: Row) => string][] = [
  ['policy', ({ policy }) => policy],
  ['missed', ({ missed, promised }) => `${missed} / ${promised}`],
  ['%', ({ missed, promised }) => (promised === 0 ? '–' : ((100 * missed) / promised).toFixed(1))],
  ['late p99 min', ({ lateP99 }) => (lateP99 / 60).toFixed(1)],
  ['cost', ({ cost }) => cost.toFixed(0)],
  ['/oracle', ({ costOverOracle }) => costOverOracle.toFixed(3)],
  ['/dedicated', ({ costOverDedicated }) => costOverDedicated.toFixed(3)],
  ['worst /ded', ({ worstOverDedicated }) => worstOverDedicated.toFixed(3)],
  ['refused', ({ refused }) => String(refused)],
  ['Jain', ({ jain }) => jain.toFixed(3)],
  ['gap s', ({ maxGap }) => maxGap.toFixed(0)],
  ['used %', ({ utilisation }) => (100 * utilisation).toFixed(1)],
  ['starts/run', ({ starts, runs }) => (starts / Math.max(1, runs)).toFixed(0)],
  ['esc', ({ maxEscalations }) => String(maxEscalations)],
];

/** The rows as a text table; with `markdown`, one that Markdown reads too. A policy that misses is not billed for what it did not do in time. */
export const printTable = (rows: readonly Row[], { markdown = false }: { markdown?: boolean } = {}): string => {
  const cells = [columns.map(([title]) => title), ...rows.map((row) => columns.map(([, cell]) => cell(row)))];
  const widths = columns.map((_, column) => Math.max(...cells.map((line) => line[column]!.length)));
  const lines = cells.map((line) =>
    line.map((text, column) => (column === 0 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!))),
  );
  if (!markdown) return lines.map((line) => line.join('  ').trimEnd()).join('\n');
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(Math.max(1, width - 1))}:`));
  return [lines[0]!, rule, ...lines.slice(1)].map((line) => `| ${line.join(' | ')} |`).join('\n');
};
