import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import initRDKit from '@rdkit/rdkit';
import { parse } from 'csv-parse/sync';
import { toFile } from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ModelSpec } from '../../src/models/models.ts';
import { untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

const at = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
/** As others wrote them: files/README.md says who. */
const real = (name: string): Buffer => readFileSync(new URL(`files/${name}`, import.meta.url));
const expectedOf = (name: string): Record<string, string>[] =>
  parse(readFileSync(at(`server/test/expected/${name}`)), { columns: true, bom: true });

const onnx = (name: string, file: string, output: string): ModelSpec => ({
  name,
  version: '1.0.0',
  executor: 'onnx',
  options: { path: at(`examples/models/${file}.onnx`), preprocess: 'smiles-morgan2048-desc16', outputs: [output], processes: 1 },
});

let sluice: Sluice;
let duck: DuckDBConnection;
let folder: string;
const rdkit = await initRDKit.default();

beforeAll(async () => {
  sluice = await startSluice({
    models: [
      onnx('huuskonen-logs', 'huuskonen_logs', 'logS'),
      { name: 'descriptors', version: '1.0.0', executor: 'descriptors', options: {} },
    ],
  });
  duck = await (await DuckDBInstance.create(':memory:')).connect();
  folder = await mkdtemp(join(tmpdir(), 'sluice-real-'));
});
afterAll(async () => {
  duck.closeSync();
  await sluice[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

interface Batch {
  id: string;
  status: string;
  request_counts: { total: number; completed: number; failed: number };
  source: { format: string; compression: string | null; rows: number; refused: number; duplicates: number; columns: object };
}

const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${sluice.url}/v1${path}`, { ...init, headers: { authorization: 'Bearer test-key', 'content-type': 'application/json' } });

const run = async (content: Buffer, model: string, more: object = {}): Promise<Batch> => {
  const file = await sluice.client.files.create({ file: await toFile(content, 'upload'), purpose: 'batch' });
  const body = { input_file_id: file.id, model, completion_window: '1h', ...more };
  const batch = (await (await ask('/batches', { method: 'POST', body: JSON.stringify(body) })).json()) as Batch;
  expect(batch.id, JSON.stringify(batch)).toBeDefined();
  return (await untilEnded(sluice.client, batch.id)) as unknown as Batch;
};

const download = async ({ id }: Batch, format: string): Promise<Buffer> => {
  for (;;) {
    const reply = await ask(`/batches/${id}/results?format=${format}&wait=60`);
    const bytes = Buffer.from(await reply.arrayBuffer());
    expect(reply.status, `${format} of ${id}: ${bytes.toString('utf8', 0, 500)}`).toBeLessThan(300);
    if (reply.status === 200) return bytes;
  }
};

type Row = Record<string, unknown> & { line: number; custom_id: string; status: string };

/** The results as DuckDB reads them, of a file of this format that Sluice wrote. */
const readBack = async (batch: Batch, format: 'csv' | 'parquet'): Promise<Row[]> => {
  const path = join(folder, `${batch.id}.${format}`);
  await writeFile(path, await download(batch, format));
  const source = format === 'csv' ? `read_csv('${path}', header = true, all_varchar = true)` : `read_parquet('${path}')`;
  return (await duck.runAndReadAll(`from ${source}`)).getRowObjectsJson() as Row[];
};

/** Canonical SMILES by a bare RDKit; null for what it does not read. */
const canonical = (text: string): string | null => {
  let molecule: ReturnType<typeof rdkit.get_mol> = null;
  try {
    molecule = rdkit.get_mol(text, JSON.stringify({ removeHs: true }));
    return molecule === null ? null : molecule.get_smiles();
  } catch {
    return null;
  } finally {
    molecule?.delete();
  }
};

const recordsOf = (sdf: string): string[] => sdf.split(/^\$\$\$\$\r?\n/m).filter((record) => record.trim() !== '');

/** Each of these rows has its prediction, as Python computed it. */
const expectPredictions = (rows: readonly Row[], idOf: (row: Row) => string, expected: readonly Record<string, string>[]): void => {
  const byId = new Map(rows.map((row) => [idOf(row), row]));
  const off = expected.filter(({ id, predicted }) => !(Math.abs(Number(byId.get(id!)?.['logS']) - Number(predicted)) < 1e-4));
  expect(off).toEqual([]);
};

test('aqsoldb.parquet, of another writer: 9,982 rows in, as many out, what was measured as it was', { timeout: 180_000 }, async () => {
  const path = join(folder, 'aqsoldb.parquet');
  await writeFile(path, real('aqsoldb.parquet'));
  const batch = await run(real('aqsoldb.parquet'), 'echo', { columns: { smiles: 'smiles', id: 'id' } });
  expect(batch).toMatchObject({ status: 'completed', source: { format: 'parquet', rows: 9_982, refused: 2 } });
  const rows = await readBack(batch, 'parquet');
  const given = (await duck.runAndReadAll(`select id from read_parquet('${path}')`)).getRowsJson().flat();
  expect(rows.map(({ custom_id: id }) => id)).toEqual(given);
  const { changed } = (
    await duck.runAndReadAll(`
      select count(*)::int as changed from read_parquet('${path}') g join read_parquet('${folder}/${batch.id}.parquet') r on r.custom_id = g.id
      where r.logS is distinct from g.logS or r.smiles is distinct from g.smiles`)
  ).getRowObjectsJson()[0]!;
  expect(changed).toBe(0);
});

/** An SDF of the results: as many records, each with its name, and the molecule of its row as RDKit reads it. */
const expectSdf = async (batch: Batch, rows: readonly Row[]): Promise<void> => {
  const records = recordsOf((await download(batch, 'sdf')).toString());
  expect(records.map((record) => record.slice(0, record.indexOf('\n')))).toEqual(rows.map(({ custom_id: id }) => id));
  const read = records.map((record) => canonical(record.slice(0, record.indexOf('M  END') + 7)));
  // What draws the molecules knows no side of a double bond by a hydrogen: one guanidine of cdk2.sdf has one.
  expect(read).toEqual(rows.map((row) => canonical(String(row['smiles_canonical']).replace('[H]/N=C(\\N)', 'N=C(N)'))));
};

test('solubility.test.sdf, of Windows: predicted as in Python, written as an SDF that RDKit reads', async () => {
  const batch = await run(real('solubility.test.sdf'), 'huuskonen-logs', { columns: { id: 'ID' } });
  expect(batch).toMatchObject({ status: 'completed', source: { format: 'sdf', rows: 257, refused: 0 } });
  const rows = await readBack(batch, 'parquet');
  expectPredictions(rows, ({ custom_id: id }) => `test-${id}`, expectedOf('huuskonen_logs.csv'));
  await expectSdf(batch, rows);
});

test('solubility.train.sdf, packed: 1,025 records, and their molecules as RDKit has them', async () => {
  const batch = await run(real('solubility.train.sdf.gz'), 'echo', { columns: { id: 'ID' } });
  expect(batch).toMatchObject({ status: 'completed', source: { format: 'sdf', compression: 'gzip', rows: 1_025, refused: 0 } });
  const rows = await readBack(batch, 'csv');
  const records = recordsOf(gunzipSync(real('solubility.train.sdf.gz')).toString());
  expect(rows.map((row) => Number(row['SOL']))).toEqual(records.map((record) => Number(/<SOL>[^\n]*\n([^\n]*)/.exec(record)![1])));
  expect(rows.map((row) => row['smiles_canonical'])).toEqual(records.map(canonical));
});

test('cdk2.sdf, in three dimensions: 47 ligands described, their SDF read twice at once', async () => {
  const batch = await run(real('cdk2.sdf'), 'descriptors', { columns: { id: 'id' } });
  expect(batch).toMatchObject({ status: 'completed', source: { format: 'sdf', rows: 47, refused: 0 } });
  const rows = await readBack(batch, 'parquet');
  const records = recordsOf(real('cdk2.sdf').toString());
  expect(rows.map(({ custom_id: id }) => id)).toEqual(records.map((record) => /> <id>\n([^\n]*)/.exec(record)![1]));
  expect(rows.map((row) => row['smiles_canonical'])).toEqual(records.map(canonical));
  await Promise.all([expectSdf(batch, rows), expectSdf(batch, rows)]);
});

test('proteins.fasta, a record a row: the sequences as they are; a row with all of them is refused', async () => {
  const all = real('proteins.fasta').toString();
  const records = all.split(/^(?=>)/m);
  const table = [...records, all].map((record, i) => `${i},"${record.trim()}"\n`).join('');
  const batch = await run(Buffer.from(`id,fasta\n${table}`), 'echo', { columns: { id: 'id', sequence: 'fasta' } });
  expect(batch).toMatchObject({ status: 'completed', source: { format: 'csv', rows: 5, refused: 1 } });
  const rows = await readBack(batch, 'parquet');
  expect(rows.map((row) => row['sequence'])).toEqual([...records.map((record) => record.trim()), null]);
  expect(rows.map((row) => row['error_message'])).toEqual([
    ...records.map(() => null),
    'The FASTA text holds several sequences; give one.',
  ]);
});

test('nci_first_40.props.sdf, fields with numbers behind their names: read by those names, weights as computed there', async () => {
  const batch = await run(real('nci_first_40.props.sdf'), 'descriptors');
  expect(batch).toMatchObject({ status: 'completed', source: { format: 'sdf', rows: 40 } });
  const rows = await readBack(batch, 'csv');
  const records = recordsOf(real('nci_first_40.props.sdf').toString());
  for (const [i, record] of records.entries()) {
    const weight = Number(/<AMW>[^\n]*\n([^\n]*)/.exec(record)![1]);
    expect(Number(rows[i]!['AMW'])).toBe(weight);
    if (rows[i]!.status === 'completed') expect(Number(rows[i]!['rdkit_mol_weight'])).toBeCloseTo(weight, 1);
  }
});

test('nci_first_5k.smi.gz: what RDKit reads runs, what it refuses is named, line by line', async () => {
  const packed = real('nci_first_5k.smi.gz');
  const lines = gunzipSync(packed)
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t') as [string, string]);
  const refused = lines.filter(([smiles]) => canonical(smiles) === null).map(([, id]) => id);
  expect(refused.length).toBeGreaterThan(0);
  const batch = await run(packed, 'echo');
  expect(batch).toMatchObject({ status: 'completed', source: { format: 'smi', rows: lines.length, refused: refused.length } });
  const rows = await readBack(batch, 'parquet');
  expect(rows.map((row) => [row.custom_id, row['smiles']])).toEqual(lines.map(([smiles, id]) => [id, smiles]));
  expect(rows.filter(({ status }) => status === 'failed').map(({ custom_id: id }) => id)).toEqual(refused);
});

test('wehi_1k.csv, quoted and without a header: its first line is a row', async () => {
  const given = parse(real('wehi_1k.csv')) as [string, string][];
  const batch = await run(real('wehi_1k.csv'), 'echo', { columns: { smiles: 'column_1', id: 'column_2' } });
  expect(batch).toMatchObject({ status: 'completed', source: { format: 'csv', rows: 1_000, refused: 0 } });
  const rows = await readBack(batch, 'csv');
  expect(rows.map((row) => [row['column_1'], row.custom_id])).toEqual(given);
  expect(rows.map((row) => row['smiles_canonical'])).toEqual(given.map(([smiles]) => canonical(smiles)));
});

test('messy.csv: each row is what it was expected to be', async () => {
  const expected = expectedOf('messy.expected.csv');
  const batch = await run(readFileSync(at('server/test/expected/messy.csv')), 'descriptors');
  const rows = await readBack(batch, 'parquet');
  expect(rows.map((row) => [row.custom_id, row['smiles_canonical'] ?? '', row['inchikey'] ?? ''])).toEqual(
    // A name behind the SMILES is none of a table's: its columns have names.
    expected.map(({ id, canonical_smiles: smiles, inchikey }) => (id === 'ok-name' ? [id, '', ''] : [id, smiles, inchikey])),
  );
  for (const [i, { id, status, amw }] of expected.entries()) {
    const ok = status === 'ok' && id !== 'ok-name';
    expect([rows[i]!.custom_id, rows[i]!.status]).toEqual([rows[i]!.custom_id, ok ? 'completed' : 'failed']);
    if (ok) expect(Number(rows[i]!['rdkit_mol_weight'])).toBeCloseTo(Number(amw), 2);
  }
});
