/**
 * Turns the example tables into batch files: a line for each compound, its id as the custom_id.
 *
 *   node examples/make-batches.ts FOLDER
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Example {
  /** A table in `examples/data`, with the columns `id` and `smiles`. */
  table: string;
  model: string;
}

export const examples: readonly Example[] = [
  { table: 'aqsoldb.csv', model: 'aqsol-logs' },
  { table: 'b3db.csv', model: 'bbb-b3db' },
];

/** The rows of a CSV text (RFC 4180): quoted fields may hold commas, doubled quotes and line breaks. */
export const parseCsv = (text: string): string[][] => {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = '';
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const letter = text[i]!;
    if (quoted) {
      if (letter !== '"') field += letter;
      else if (text[i + 1] === '"') field += text[++i]!;
      else quoted = false;
    } else if (letter === '"') quoted = true;
    else if (letter === ',' || letter === '\n') {
      row.push(field);
      field = '';
      if (letter === '\n') {
        rows.push(row);
        row = [];
      }
    } else if (letter !== '\r') field += letter;
  }
  if (field !== '' || row.length > 0) rows.push([...row, field]);
  return rows;
};

export interface Compound {
  id: string;
  smiles: string;
}

export const readCompounds = (path: string): Compound[] => {
  const [head, ...rows] = parseCsv(readFileSync(path, 'utf8'));
  const [id, smiles] = [head!.indexOf('id'), head!.indexOf('smiles')];
  if (id < 0 || smiles < 0) throw new Error(`${path} needs the columns id and smiles`);
  return rows.map((row) => ({ id: row[id]!, smiles: row[smiles]! }));
};

/** The JSONL text of a batch that predicts `compounds` with `model`. */
export const batchText = (compounds: readonly Compound[], model: string): string =>
  compounds
    .map(({ id, smiles }) => `${JSON.stringify({ custom_id: id, method: 'POST', url: '/v1/predict', body: { model, inputs: { smiles } } })}\n`)
    .join('');

/** Writes a batch file for each example into `folder`; says where they are and how many lines each has. */
export const makeBatches = (folder: string): { model: string; path: string; lines: number }[] => {
  mkdirSync(folder, { recursive: true });
  return examples.map(({ table, model }) => {
    const compounds = readCompounds(fileURLToPath(new URL(`data/${table}`, import.meta.url)));
    const path = join(folder, `${model}.jsonl`);
    writeFileSync(path, batchText(compounds, model));
    return { model, path, lines: compounds.length };
  });
};

if (import.meta.main) {
  const folder = process.argv[2];
  if (!folder) throw new Error('Usage: node examples/make-batches.ts FOLDER');
  for (const { path, lines } of makeBatches(folder)) process.stdout.write(`${path}: ${lines} lines\n`);
}
