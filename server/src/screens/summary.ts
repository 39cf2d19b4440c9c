import type { LigandRecord, ScreenSummary } from '@sluice/contract';

/** Ligands in each list of the best. */
const topCount = 50;

const quantile = (sorted: readonly number[], q: number): number => {
  const at = (sorted.length - 1) * q;
  const low = Math.floor(at);
  return sorted[low]! + (sorted[Math.min(low + 1, sorted.length - 1)]! - sorted[low]!) * (at - low);
};

const round = (value: number): number => Number(value.toPrecision(6));

const statsOf = (values: readonly number[]): ScreenSummary['statistics'][string] => {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const at = (q: number): number => round(quantile(sorted, q));
  const mean = round(sorted.reduce((sum, value) => sum + value, 0) / sorted.length);
  return { count: sorted.length, mean, min: at(0), q25: at(0.25), median: at(0.5), q75: at(0.75), max: at(1) };
};

const figures = [
  'affinity_pred_value',
  'pic50',
  'affinity_probability_binary',
  'confidence_score',
  'iptm',
  'ligand_iptm',
  'complex_plddt',
  'seconds',
] as const;

/** The best by one figure, ties by id; the pose's confidence stands beside it, and no score is made of both. */
const topBy = (records: readonly LigandRecord[], figure: 'affinity_probability_binary' | 'pic50'): ScreenSummary['top_by_pic50'] =>
  records
    .filter((record) => record.status === 'ok' && record[figure] !== null)
    .toSorted((a, b) => b[figure]! - a[figure]! || (a.id < b.id ? -1 : 1))
    .slice(0, topCount)
    .map(({ id, name, line, affinity_probability_binary, pic50, ligand_iptm }, i) => ({
      rank: i + 1,
      id,
      name,
      line,
      affinity_probability_binary,
      pic50,
      ligand_iptm,
    }));

/**
 * What a screen came to. Two lists of the best, which need not agree: the probability tells binders from others, pIC50
 * compares binders.
 */
export const summaryOf = (records: readonly LigandRecord[]): ScreenSummary => {
  const by_status: Record<string, number> = {};
  for (const { status } of records) by_status[status] = (by_status[status] ?? 0) + 1;
  const causes = Map.groupBy(
    records.filter(({ error }) => error !== null),
    ({ error }) => error!.code,
  );
  return {
    ligands: records.length,
    by_status,
    failures: [...causes]
      .map(([code, failed]) => ({ code, count: failed.length, example: `${failed[0]!.id}: ${failed[0]!.error!.message}` }))
      .toSorted((a, b) => b.count - a.count || (a.code < b.code ? -1 : 1)),
    statistics: Object.fromEntries(figures.map((name) => [name, statsOf(records.flatMap((record) => record[name] ?? []))])),
    top_by_probability: topBy(records, 'affinity_probability_binary'),
    top_by_pic50: topBy(records, 'pic50'),
  };
};

/** Columns of `batch_results.csv`, in their order; it never changes, new ones come last. */
const columns = [
  'line',
  'id',
  'name',
  'smiles_submitted',
  'ccd',
  'smiles_canonical',
  'inchikey',
  'status',
  'error_code',
  'error_message',
  'affinity_pred_value',
  'pic50',
  'ic50_um',
  'affinity_probability_binary',
  'affinity_pred_value1',
  'affinity_probability_binary1',
  'affinity_pred_value2',
  'affinity_probability_binary2',
  'confidence_score',
  'ptm',
  'iptm',
  'ligand_iptm',
  'complex_plddt',
  'complex_pde',
  'structure_path',
  'plddt_path',
  'params',
  'msa',
  'executor',
  'tool',
  'model_version',
  'attempts',
  'seconds',
  'pool',
  'request',
];

const flat = (record: LigandRecord): Record<string, unknown> => {
  const [first, second] = record.affinity_members ?? [];
  return {
    ...record,
    error_code: record.error?.code,
    error_message: record.error?.message,
    affinity_pred_value1: first?.affinity_pred_value,
    affinity_probability_binary1: first?.affinity_probability_binary,
    affinity_pred_value2: second?.affinity_pred_value,
    affinity_probability_binary2: second?.affinity_probability_binary,
    params: record.params && JSON.stringify(record.params),
    tool: record.tool && Object.values(record.tool).join(' '),
  };
};

/** A cell that a spreadsheet would take for a formula is given an apostrophe (OWASP, CSV injection); numbers are numbers. */
const cell = (value: unknown): string => {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const safe = /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

export function* csvOf(records: Iterable<LigandRecord>): Generator<string> {
  yield `${columns.join(',')}\r\n`;
  for (const record of records) {
    const row = flat(record);
    yield `${columns.map((name) => cell(row[name])).join(',')}\r\n`;
  }
}
