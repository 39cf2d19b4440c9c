import type { ResultsSummary } from '@sluice/contract';
import type { Row } from './duck.ts';
import {
  basics,
  countsOf,
  customIds,
  edgesOf,
  extremes,
  failures,
  histograms,
  quantiles,
  quantilesOf,
  reachOf,
  states,
} from './figures.ts';
import type { Column } from './layout.ts';
import type { Question } from './select.ts';
import type { Condition } from './where.ts';

type Asking = (question: Question) => Promise<Row[]>;
type Property = ResultsSummary['properties'][number];

const numberOf = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);

/** Rows shown at either end of a property. */
const shown = 5;

/**
 * The figures of each property, and what became of the rows. Each question is asked of all properties at once, and what
 * one has found spares the next: histograms go from the least to the largest value, the ends begin where they say.
 */
export const summarise = async (
  ask: Asking,
  path: string,
  properties: readonly Column[],
  where: readonly Condition[],
): Promise<Omit<ResultsSummary, 'object'>> => {
  const [counted, failed] = await Promise.all([ask(states(path, where)), ask(failures(path, where))]);
  const count = (status: string): number => (counted.find((row) => row['status'] === status)?.['n'] as number | undefined) ?? 0;
  const rows = counted.reduce((sum, { n }) => sum + (n as number), 0);
  const [[basic], [middle]] = (await Promise.all([
    ask(basics(path, properties, where)),
    ask(quantilesOf(path, properties, where, rows)),
  ])) as [[Row], [Row]];
  const known = properties.flatMap((column, i) => {
    const [min, max] = [numberOf(basic[`min${i}`]), numberOf(basic[`max${i}`])];
    return min === null || max === null ? [] : [{ i, column, edges: edgesOf(min, max) }];
  });
  const bars = known.length === 0 ? {} : (await ask(histograms(path, known, where)))[0]!;
  const shapes = await Promise.all(
    known.map(async ({ i, column, edges }, at) => {
      const counts = countsOf(bars[`bins${at}`] as { key: number; value: string }[], edges);
      const end = (order: 'asc' | 'desc'): Promise<Row[]> =>
        ask(extremes(path, column, where, order, shown, reachOf(edges, counts, order, shown)));
      const [highest, lowest] = await Promise.all([end('desc'), end('asc')]);
      return { i, histogram: { edges, counts }, highest, lowest };
    }),
  );
  const lines = [...new Set(shapes.flatMap(({ highest, lowest }) => [...highest, ...lowest].map(({ line }) => line as number)))];
  const ids = new Map(
    lines.length === 0 ? [] : (await ask(customIds(path, lines))).map((row) => [row['line'], row['custom_id'] as string]),
  );
  const named = (found: readonly Row[]): Property['highest'] =>
    found.map(({ line, value }) => ({ line: line as number, custom_id: ids.get(line)!, value: value as number }));
  return {
    rows,
    counts: { completed: count('completed'), failed: count('failed'), cancelled: count('cancelled'), expired: count('expired') },
    properties: properties.map(({ name, unit }, i): Property => {
      const values = basic[`n${i}`] as number;
      const q = (middle[`q${i}`] as (number | null)[] | null) ?? quantiles.map(() => null);
      const shape = shapes.find((each) => each.i === i);
      return {
        name,
        unit: unit ?? null,
        count: values,
        missing: rows - values,
        mean: numberOf(basic[`mean${i}`]),
        sd: numberOf(basic[`sd${i}`]),
        min: numberOf(basic[`min${i}`]),
        max: numberOf(basic[`max${i}`]),
        quantiles: { p5: q[0]!, p25: q[1]!, p50: q[2]!, p75: q[3]!, p95: q[4]! },
        quantiles_of: middle['rows'] as number,
        histogram: shape?.histogram ?? { edges: [], counts: [] },
        highest: named(shape?.highest ?? []),
        lowest: named(shape?.lowest ?? []),
      };
    }),
    failures: failed.map(({ status, code, n, line, message }) => ({
      status: status as string,
      code: code as string | null,
      count: n as number,
      example: { line: line as number, message: message as string | null },
    })),
  };
};
