import { createReadStream, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseCsv } from '../../../examples/make-batches.ts';
import { lines } from '../input.ts';

/** What the example tables measured, under the column each model predicts. */
const measuredColumn: Record<string, { output: string; column: string }> = {
  'aqsol-logs': { output: 'logS', column: 'logS' },
  'bbb-b3db': { output: 'p_bbb', column: 'bbb' },
};

interface Compound {
  smiles: string;
  name: string;
  measured: string;
}

const compoundsOf = (table: string, column: string): Map<string, Compound> => {
  const [head = [], ...rows] = parseCsv(readFileSync(fileURLToPath(new URL(`../../../examples/data/${table}`, import.meta.url)), 'utf8'));
  const at = (row: string[], name: string) => row[head.indexOf(name)] ?? '';
  return new Map(rows.map((row) => [at(row, 'id'), { smiles: at(row, 'smiles'), name: at(row, 'name'), measured: at(row, column) }]));
};

interface ResultLine {
  custom_id: string;
  response: { body: { outputs: Record<string, number> } };
}

export interface Row {
  id: string;
  name: string;
  smiles: string;
  predicted: string;
  measured: string;
}

/** The first result lines of a batch, with what the table measured beside what the model predicted. */
export const firstRows = async (model: string, table: string, output: string, count: number): Promise<Row[]> => {
  const { output: field, column } = measuredColumn[model]!;
  const compounds = compoundsOf(table, column);
  const rows: Row[] = [];
  for await (const line of lines(createReadStream(output))) {
    const { custom_id: id, response } = JSON.parse(line.toString('utf8')) as ResultLine;
    const { smiles = '', name = '', measured = '' } = compounds.get(id) ?? {};
    rows.push({ id, name, smiles, predicted: response.body.outputs[field]!.toFixed(2), measured: Number(measured).toFixed(2) });
    if (rows.length === count) break;
  }
  return rows;
};

const cut = (text: string, width: number): string => (text.length > width ? `${text.slice(0, width - 1)}…` : text);

/** The rows as a table for people, numbers to the right. */
export const rowsText = (model: string, rows: readonly Row[]): string => {
  const { output } = measuredColumn[model]!;
  const table = [
    ['custom_id', 'name', 'smiles', output, 'measured'],
    ...rows.map(({ id, name, smiles, predicted, measured }) => [id, cut(name, 28), cut(smiles, 40), predicted, measured]),
  ];
  const widths = table[0]!.map((_, i) => Math.max(...table.map((row) => row[i]!.length)));
  const line = (row: string[]) => row.map((text, i) => (i < 3 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!))).join('  ');
  return table.map((row) => `  ${line(row)}`.trimEnd()).join('\n');
};
