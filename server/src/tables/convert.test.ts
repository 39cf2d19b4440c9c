import { readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import { openMemory } from '../storage/memory.ts';
import { convert, type Converted } from './convert.ts';
import { tableLimits, type RowFormat } from './facts.ts';
import type { AskedColumns } from './mapping.ts';

interface Result extends Omit<Converted, 'requests' | 'rows' | 'refusedRows'> {
  requests: { custom_id: string; body: { inputs: Record<string, unknown> } }[];
  rows: Record<string, unknown>[];
  problems: { line: number; message: string }[];
}

const converted = async (content: string | Buffer, format: RowFormat, columns?: AskedColumns): Promise<Result> => {
  const storage = openMemory();
  const { bytes } = await storage.put('t/in', [Buffer.from(content)]);
  const duck = await (await DuckDBInstance.create(':memory:')).connect();
  return convert(
    { storage, limits: tableLimits },
    { key: 't/in', bytes, format, compression: null },
    { columns, url: '/v1/predict' },
    AbortSignal.timeout(60_000),
    async ({ requests, rows, refusedRows, ...rest }) => ({
      ...rest,
      requests: readFileSync(requests.path, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
      rows: (await duck.runAndReadAll(`select * from read_parquet('${rows.path}')`)).getRowObjectsJson() as Record<string, unknown>[],
      problems: await Array.fromAsync(refusedRows()),
    }),
  );
};

test('a CSV file: a request for each row, its other columns carried', async () => {
  const { look, mapping, requests, rows } = await converted('compound_id,SMILES,ic50\nA-1,CCO,1.5\nA-2,"c1ccccc1",\n', 'csv');
  expect(look).toMatchObject({
    rows: 2,
    columns: [{ name: 'compound_id', type: 'VARCHAR' }, { name: 'SMILES' }, { name: 'ic50', type: 'DOUBLE' }],
  });
  expect(mapping).toMatchObject({ id: 'compound_id', inputs: { smiles: 'SMILES' } });
  expect(requests).toEqual([
    { custom_id: 'A-1', method: 'POST', url: '/v1/predict', body: { inputs: { smiles: 'CCO' } } },
    { custom_id: 'A-2', method: 'POST', url: '/v1/predict', body: { inputs: { smiles: 'c1ccccc1' } } },
  ]);
  expect(rows).toMatchObject([
    { line: 1, custom_id: 'A-1', compound_id: 'A-1', SMILES: 'CCO', ic50: 1.5, problem: null },
    { line: 2, custom_id: 'A-2', ic50: null },
  ]);
});
