import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createReadStream, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { openDisk } from '../src/storage/disk.ts';
import { putFile } from '../src/storage/storage.ts';
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

/** Seconds of this process's processors and of its children that have ended. */
const processors = (): number => {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]!.split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
};

interface Spent {
  seconds: number;
  processors: number;
}

const spend = async (work: () => Promise<unknown>): Promise<Spent> => {
  const [began, spent] = [performance.now(), processors()];
  await work();
  return { seconds: (performance.now() - began) / 1_000, processors: processors() - spent };
};

/** What one is of the other in the rounds that ran side by side: the middle one. */
const ratio = (these: readonly Spent[], those: readonly Spent[], of: keyof Spent): number =>
  median(these.map((each, i) => each[of] / those[i]![of]));

const formats = ['parquet', 'csv'] as const;

/**
 * Rows of five numbers from Parquet and from csv to request lines and the rows beside them, through the storage and back,
 * against DuckDB writing JSON lines of the same file itself, with the same memory and threads.
 */
export const tables: Bench = {
  name: 'tables',
  about: 'a table of numbers to request lines, against DuckDB writing JSON lines itself',
  async run({ rows = 10_000_000 } = {}): Promise<Figure[]> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-tables-'));
    const instance = await DuckDBInstance.create(':memory:', { threads: '2', memory_limit: '256MB', temp_directory: folder });
    const duck = await instance.connect();
    const memory = watchMemory();
    const figures: Figure[] = [];
    let most = 0;
    try {
      const storage = await openDisk(join(folder, 'storage'));
      for (const format of formats) {
        const source = join(folder, `numbers.${format}`);
        await duck.run(
          `copy (select i as id, i * 7.0001 as a, sin(i) as b, cos(i) as c, (i % 1000)::int as d from range(${rows}) t(i)) to '${source}' (format ${format})`,
        );
        const { bytes } = await storage.put('bench/in', createReadStream(source));
        const [lines, copies, sluice]: [Spent[], Spent[], Spent[]] = [[], [], []];
        for (let i = 0; i < 3; i++) {
          lines.push(await spend(() => duck.run(`copy (from '${source}') to '${folder}/bare.jsonl' (format json)`)));
          copies.push(await spend(() => duck.run(`copy (from '${source}') to '${folder}/bare.parquet' (format parquet)`)));
          const before = own();
          sluice.push(
            await spend(() =>
              convert(
                { storage, limits: { ...tableLimits, rows }, scratch: folder },
                { key: 'bench/in', bytes, format, compression: null },
                { columns: undefined, url: '/v1/predict' },
                AbortSignal.timeout(3_600_000),
                async (converted) => {
                  await putFile(storage, 'bench/requests', converted.requests);
                  await putFile(storage, 'bench/rows', converted.rows);
                },
              ),
            ),
          );
          most = Math.max(most, own() - before);
        }
        const times = (spent: readonly Spent[]): string => `${round(median(spent.map(({ seconds }) => seconds)))} s`;
        figures.push({
          bench: 'tables',
          name: `conversion of ${format}, against DuckDB's JSON lines of it`,
          value: round(ratio(sluice, lines, 'seconds')),
          unit: 'x',
          target: { most: 2 },
          note:
            `${rows.toLocaleString('en')} rows of five numbers; ${times(sluice)} beside ${times(lines)}, and ${times(copies)} for the Parquet that is made too; ` +
            `${round(ratio(sluice, lines, 'processors'))} x its processors' time`,
        });
      }
      return [
        ...figures,
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
