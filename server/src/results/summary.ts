import type { ResultsSummary } from '@sluice/contract';
import type { Row } from './duck.ts';
import { basics, bins, exactRows, extremes, failures, histogram, quantiles, quantilesOf, sampled, states } from './figures.ts';
import type { Column } from './layout.ts';
import { tableOf, whereSql, type Question } from './select.ts';
import type { Condition } from './where.ts';

type Asking = (question: Question) => Promise<Row[]>;

const numberOf = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);

/** Rows shown at either end of a property. */
const shown = 5;

/** The figures of each property, and what became of the rows. */
export const summarise = async (
  ask: Asking,
  path: string,
  properties: readonly Column[],
  where: readonly Condition[],
): Promise<Omit<ResultsSummary, 'object'>> => {
  const [found, counted, failed] = await Promise.all([
    ask(basics(path, properties, where)),
    ask(states(path, where)),
    ask(failures(path, where)),
  ]);
  const basic = found[0]!;
  const rows = basic['rows'] as number;
  const inQuantiles = rows <= exactRows ? rows : ((await ask(sampleSize(path, where, rows)))[0]!['n'] as number);
  const middle = properties.length === 0 ? {} : (await ask(quantilesOf(path, properties, where, rows)))[0]!;
  const each = await Promise.all(
    properties.map(async (column, i): Promise<ResultsSummary['properties'][number]> => {
      const [count, min, max] = [basic[`n${i}`] as number, numberOf(basic[`min${i}`]), numberOf(basic[`max${i}`])];
      const known = min !== null && max !== null;
      const [bars, highest, lowest] = await Promise.all([
        known ? ask(histogram(path, column, where, min, max)) : [],
        known ? ask(extremes(path, column, where, 'desc', shown)) : [],
        known ? ask(extremes(path, column, where, 'asc', shown)) : [],
      ]);
      const q = (middle[`q${i}`] as (number | null)[] | null) ?? quantiles.map(() => null);
      const counts = Array<number>(known ? (max > min ? bins : 1) : 0).fill(0);
      for (const { bin, n } of bars) counts[bin as number] = n as number;
      const edges = known
        ? max > min
          ? [...counts.keys(), counts.length].map((k) => min + ((max - min) * k) / counts.length)
          : [min, max]
        : [];
      return {
        name: column.name,
        unit: column.unit ?? null,
        count,
        missing: rows - count,
        mean: numberOf(basic[`mean${i}`]),
        sd: numberOf(basic[`sd${i}`]),
        min,
        max,
        quantiles: { p5: q[0]!, p25: q[1]!, p50: q[2]!, p75: q[3]!, p95: q[4]! },
        quantiles_of: inQuantiles,
        histogram: { edges, counts },
        highest: highest as ResultsSummary['properties'][number]['highest'],
        lowest: lowest as ResultsSummary['properties'][number]['lowest'],
      };
    }),
  );
  const count = (status: string): number => (counted.find((row) => row['status'] === status)?.['n'] as number | undefined) ?? 0;
  return {
    rows,
    counts: { completed: count('completed'), failed: count('failed'), cancelled: count('cancelled'), expired: count('expired') },
    properties: each,
    failures: failed.map(({ status, code, n, line, message }) => ({
      status: status as string,
      code: code as string | null,
      count: n as number,
      example: { line: line as number, message: message as string | null },
    })),
  };
};

const sampleSize = (path: string, where: readonly Condition[], rows: number): Question => {
  const filter = whereSql(where, [sampled(rows, 100_000)]);
  return { sql: `select count(*)::double as n from ${tableOf(path)} ${filter.sql}`, values: filter.values };
};
