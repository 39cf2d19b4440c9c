/** What a benchmark measured: a line of JSON, a row of the table. */
export interface Figure {
  bench: string;
  name: string;
  /** The median of the runs. */
  value: number;
  unit: string;
  /** What it has to be, where something was promised. */
  target?: { least: number } | { most: number };
  /** Each run, in order. */
  runs?: number[];
  /** Cores that processes outside the benchmark used meanwhile, run by run: above 0.1 a figure is not to be trusted. */
  foreign?: number[];
  note?: string;
}

export interface Bench {
  name: string;
  about: string;
  /** @param options minutes: how long, where it is a matter of time; rows: how many, of a table */
  run(options?: { minutes?: number; rows?: number }): Promise<Figure[]>;
}

export const round = (value: number): number => (value >= 1_000 ? Math.round(value) : Number(value.toPrecision(3)));

export const holds = ({ value, target }: Figure): boolean | null =>
  target === undefined ? null : 'least' in target ? value >= target.least : value <= target.most;

const written = (value: number): string => (value >= 10_000 ? value.toLocaleString('en') : String(value));

export const rowOf = (figure: Figure): [string, string, string, string] => {
  const { name, value, unit, target, foreign = [], note } = figure;
  const asked = target === undefined ? '' : 'least' in target ? `≥ ${written(target.least)}` : `≤ ${written(target.most)}`;
  const verdict = holds(figure);
  const busy = foreign.some((cores) => cores > 0.1) ? 'busy machine' : '';
  return [
    name,
    `${written(value)} ${unit}`,
    asked,
    [verdict === null ? '' : verdict ? 'ok' : 'MISSED', busy, note ?? ''].filter(Boolean).join('; '),
  ];
};

export const table = (figures: readonly Figure[]): string => {
  const rows = figures.map((figure) => [figure.bench, ...rowOf(figure)]);
  const widths = rows.reduce((most, row) => row.map((cell, i) => Math.max(most[i] ?? 0, cell.length)), [] as number[]);
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};
