import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openMemory } from '../storage/memory.ts';
import { convert, faultOf } from './convert.ts';
import { tableLimits, type RowFormat, type TableLimits } from './facts.ts';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'sluice-hostile-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Rows that came of it, or why none did; another error than the table's own is thrown. */
const tried = async (
  content: Buffer,
  format: RowFormat,
  { compression = null, ...limits }: Partial<TableLimits> & { compression?: 'gzip' | null } = {},
): Promise<number | string> => {
  const storage = openMemory();
  const { bytes } = await storage.put('t/in', [content]);
  try {
    return await convert(
      { storage, scratch, limits: { ...tableLimits, bytes: 200_000_000, ...limits } },
      { key: 't/in', bytes, format, compression },
      { columns: undefined, url: '/v1/predict' },
      AbortSignal.timeout(60_000),
      ({ look }) => Promise.resolve(look.rows),
    );
  } catch (error) {
    const fault = faultOf(error);
    if (fault === null) throw error;
    return fault;
  } finally {
    // Nothing of it is left, whatever it did.
    expect(readdirSync(scratch).filter((name) => name.startsWith('sluice-table-'))).toEqual([]);
  }
};

const parquet = async (select: string): Promise<Buffer> => {
  const duck = await (await DuckDBInstance.create(':memory:')).connect();
  const path = join(scratch, 'made.parquet');
  await duck.run(`copy (${select}) to '${path}' (format parquet, compression zstd)`);
  return readFileSync(path);
};

test('Parquet files that lie about their sizes, or are broken anywhere, are refused or read, and nothing else', async () => {
  const whole = await parquet(`select i as a, 'text ' || i as b, [i, i + 1] as c from range(2000) t(i)`);
  expect(await tried(whole, 'parquet')).toBe(2_000);
  const changed = (change: (bytes: Buffer) => void): Buffer => {
    const bytes = Buffer.from(whole);
    change(bytes);
    return bytes;
  };
  const footer = whole.readUInt32LE(whole.length - 8);
  const lies = [
    changed((bytes) => bytes.writeUInt32LE(0x7fffffff, bytes.length - 8)),
    changed((bytes) => bytes.writeUInt32LE(0, bytes.length - 8)),
    // Sizes of pages are numbers of variable length: some of these become 2^35.
    ...[5, 9, 14].map((at) => changed((bytes) => bytes.fill(0xff, at, at + 4))),
    changed((bytes) => bytes.fill(0xff, bytes.length - 8 - footer + 20, bytes.length - 8 - footer + 40)),
    whole.subarray(0, whole.length >> 1),
  ];
  for (const lie of lies) {
    const found = await tried(lie, 'parquet');
    if (typeof found === 'number') expect(found).toBeLessThanOrEqual(2_000);
    else expect(found).not.toContain(scratch);
  }
  expect(await tried(lies[0]!, 'parquet')).toEqual(expect.any(String));
});

test('a file of a few bytes that would become very many is stopped', async () => {
  expect(await tried(gzipSync(Buffer.alloc(150 << 20, 'a,b\n')), 'csv', { compression: 'gzip' })).toContain('more than 200 times');
  expect(await tried(gzipSync('a,b\n1,2\n'.repeat(100_000)), 'csv', { compression: 'gzip', bytes: 100_000 })).toContain(
    'more than 100,000 bytes',
  );
  const long = await parquet(`select repeat('x', 5000) as a, i as b from range(20000) t(i)`);
  expect(long.length).toBeLessThan(2_000_000);
  expect(await tried(long, 'parquet', { bytes: 20_000_000 })).toContain('more than 20,000,000 bytes');
});

test('a million columns, a quote that never closes, a line that never ends, too many rows', async () => {
  const names = Array.from({ length: 1_000_000 }, (_, i) => `c${i}`).join(',');
  expect(await tried(Buffer.from(`${names}\n`), 'csv')).toMatch(/columns; 10,000 are allowed|no end within/);
  expect(await tried(Buffer.from(`${Array.from({ length: 20_000 }, (_, i) => `c${i}`).join(',')}\n1\n`), 'csv')).toContain(
    '20,000 columns; 10,000 are allowed',
  );
  expect(await tried(Buffer.from(`a,b\n1,"${'x'.repeat(20_000_000)}`), 'csv')).toContain('16,777,216 characters');
  expect(await tried(Buffer.alloc(20_000_000, 'x'), 'csv')).toMatch(/16,777,216 characters|no end within/);
  expect(await tried(Buffer.from('a,b\n1,2\n1,2\n1,2\n'), 'csv', { rows: 2 })).toContain('3 rows; a batch may have 2 lines');
});

test('text in another encoding, and bytes that are no text, are refused with a reason', async () => {
  expect(await tried(Buffer.from('id,name\n1,caf\xe9\n', 'latin1'), 'csv')).toContain('not UTF-8');
  expect(await tried(Buffer.from([0, 1, 2, 3, 10, 4, 5]), 'csv')).toEqual(expect.anything());
});
