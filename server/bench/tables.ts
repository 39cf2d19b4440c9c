import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createReadStream, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { openDisk } from '../src/storage/disk.ts';
import { convert } from '../src/tables/convert.ts';
import { tableLimits } from '../src/tables/facts.ts';
import { round, type Bench, type Figure } from './figures.ts';

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** The most memory that a process of a table had, in MB; asked ten times a second. */
const watchMemory = () => {
  let most = 0;
  const timer = setInterval(() => {
    void readdir('/proc').then(async (names) => {
      for (const name of names.filter((each) => /^\d+$/.test(each))) {
        const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
        if (!command.includes('tables/child.ts')) continue;
        const status = await readFile(`/proc/${name}/status`, 'utf8').catch(() => '');
        most = Math.max(most, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024);
      }
    });
  }, 100);
  return { most: () => most, stop: () => clearInterval(timer) };
};

/** Memory of this process beyond what it had, in MB. */
const own = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1_024;

const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1_000;
};

/**
 * Rows of five numbers from Parquet to request lines and the rows beside them, through the storage and back, against
 * DuckDB writing JSON lines and Parquet of the same data itself, with the same memory and threads.
 */
export const tables: Bench = {
  name: 'tables',
  about: 'a table of numbers to request lines, against DuckDB writing JSON lines and Parquet itself',
  async run({ rows = 10_000_000 } = {}): Promise<Figure[]> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-tables-'));
    const instance = await DuckDBInstance.create(':memory:', { threads: '2', memory_limit: '256MB', temp_directory: folder });
    const duck = await instance.connect();
    const memory = watchMemory();
    try {
      const source = join(folder, 'numbers.parquet');
      await duck.run(
        `copy (select i as id, i * 7.0001 as a, sin(i) as b, cos(i) as c, (i % 1000)::int as d from range(${rows}) t(i)) to '${source}' (format parquet)`,
      );
      const storage = await openDisk(join(folder, 'storage'));
      const { bytes } = await storage.put('bench/in', createReadStream(source));
      const [bare, sluice]: [number[], number[]] = [[], []];
      let most = 0;
      for (let i = 0; i < 3; i++) {
        bare.push(
          await seconds(async () => {
            await duck.run(`copy (from '${source}') to '${folder}/bare.jsonl' (format json)`);
            await duck.run(`copy (from '${source}') to '${folder}/bare.parquet' (format parquet)`);
          }),
        );
        const before = own();
        sluice.push(
          await seconds(() =>
            convert(
              { storage, limits: { ...tableLimits, rows }, scratch: folder },
              { key: 'bench/in', bytes, format: 'parquet', compression: null },
              { columns: undefined, url: '/v1/predict' },
              AbortSignal.timeout(3_600_000),
              async (converted) => {
                await storage.put('bench/requests', createReadStream(converted.requests.path));
                await storage.put('bench/rows', createReadStream(converted.rows.path));
              },
            ),
          ),
        );
        most = Math.max(most, own() - before);
      }
      const ratio = median(sluice) / median(bare);
      const note = `${rows.toLocaleString('en')} rows of five numbers; ${round(median(sluice))} s beside ${round(median(bare))} s`;
      return [
        { bench: 'tables', name: 'conversion, against DuckDB itself', value: round(ratio), unit: 'x', target: { most: 2 }, note },
        {
          bench: 'tables',
          name: 'memory of the process that reads the table',
          value: round(memory.most()),
          unit: 'MB',
          target: { most: 500 },
        },
        { bench: 'tables', name: 'memory that its parent grew by', value: round(Math.max(0, most)), unit: 'MB', target: { most: 300 } },
      ];
    } finally {
      memory.stop();
      duck.closeSync();
      await rm(folder, { recursive: true, force: true });
    }
  },
};
