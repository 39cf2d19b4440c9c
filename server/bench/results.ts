/** Tables of results: how fast they are made, and how fast they answer. */
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Row } from '../src/results/duck.ts';
import type { BuildTask, Built } from '../src/results/facts.ts';
import { best, extremes } from '../src/results/figures.ts';
import type { Column } from '../src/results/layout.ts';
import { DuckProcess } from '../src/results/process.ts';
import { rowText } from '../src/results/replies.ts';
import { forJson, selectSql, type Question } from '../src/results/select.ts';
import { summarise } from '../src/results/summary.ts';
import { requestId } from '../src/lib/ids.ts';
import { round, type Bench, type Figure } from './figures.ts';
import { cpuOf, inQuiet, median, peakMemory } from './machine.ts';

const rounds = 3;
const batch = `batch_${'0'.repeat(32)}`;

const write = async (path: string, lines: number, text: (n: number) => string): Promise<void> => {
  const file = createWriteStream(path);
  let block = '';
  for (let n = 1; n <= lines; n++) {
    block += `${text(n)}\n`;
    if (block.length < 1 << 20) continue;
    if (!file.write(block)) await once(file, 'drain');
    block = '';
  }
  file.end(block);
  await once(file, 'finish');
};

/** Rows of numbers, as `echo` would answer them. */
const numbers = (n: number): string => `{"a":${n},"b":${n / 7},"c":${Math.sin(n)},"d":${n % 10}}`;
const answers = (n: number): string => `{"w":${n / 3},"x":${Math.cos(n)},"y":${(n * 7919) % 1000},"z":${n % 2 === 0 ? 0.5 : 0.25}}`;

const files = async (folder: string, lines: number): Promise<{ input: string; output: string }> => {
  const [input, output] = [join(folder, `input-${lines}.jsonl`), join(folder, `output-${lines}.jsonl`)];
  await write(
    input,
    lines,
    (n) => `{"custom_id":"row-${n}","method":"POST","url":"/v1/predict","body":{"model":"echo","inputs":${numbers(n)}}}`,
  );
  await write(
    output,
    lines,
    (n) =>
      `{"id":"${requestId(batch, n)}","custom_id":"row-${n}","response":{"status_code":200,"request_id":"req_${n}","body":{"id":"pred_${n}","object":"prediction","model":"echo","version":"1.0.0","outputs":${answers(n)}}},"error":null}`,
  );
  return { input, output };
};

const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1_000;
};

const taskOf = (folder: string, total: number, { input, output }: { input: string; output: string }): BuildTask => ({
  do: 'build',
  folder,
  total,
  input: { lines: input },
  answers: [{ label: null, output, errors: null }],
  shape: 'predictions',
  models: false,
  lineBytes: 16 << 20,
});

/** The same table, as somebody would write it who has DuckDB and trusts the first lines for the rest. */
const itself = (folder: string, { input, output }: { input: string; output: string }): Question => ({
  sql: `copy (
      select o.custom_id, unnest(i.body.inputs), unnest(o.response.body.outputs)
      from read_json_auto('${input}', format = 'newline_delimited') i join read_json_auto('${output}', format = 'newline_delimited') o using (custom_id))
    to '${join(folder, 'itself.parquet')}' (format parquet)`,
  values: [],
});

export const results: Bench = {
  name: 'results',
  about: 'tables of results: making them, summaries, top rows, pages',
  async run({ rows: many = 10_000_000 } = {}) {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
    const foreign: number[] = [];
    const figure = (name: string, unit: string, values: number[], target?: Figure['target']): Figure => {
      const runs = values.map(round);
      return { bench: 'results', name, value: median(runs), unit, ...(target && { target }), runs, foreign };
    };
    const run = async (name: string, work: () => Promise<void>): Promise<void> => {
      const { foreign: others } = await inQuiet(work, { name });
      foreign.push(others);
    };
    try {
      const million = 1_000_000;
      const small = await files(folder, million);
      const [made, ratio]: number[][] = [[], []];
      let built: Built | null = null;
      for (let i = 0; i < rounds; i++)
        await run(`results, round ${i + 1}`, async () => {
          const own = await seconds(async () => {
            await using duck = new DuckProcess({ folder });
            built = await duck.ask<Built>(taskOf(folder, million, small));
          });
          const bare = await seconds(async () => {
            await using duck = new DuckProcess({ folder });
            await duck.ask({ do: 'rows', ...itself(folder, small) });
          });
          made!.push(own);
          ratio!.push(own / bare);
        });
      const { path, columns } = built!;
      const all: readonly Column[] = columns;
      await using duck = new DuckProcess({ folder });
      const ask = (question: Question): Promise<Row[]> => duck.ask<Row[]>({ do: 'rows', ...question });
      const page = (column: Column): Promise<Row[]> =>
        ask(rowText(selectSql(path, { columns: all, where: [], sort: [{ column, descending: true }], offset: 0, limit: 51 }, forJson)));
      const outputs = all.filter(({ role }) => role === 'output');
      const times: Record<'one' | 'four' | 'top' | 'best' | 'page', number[]> = { one: [], four: [], top: [], best: [], page: [] };
      await page(all[0]!);
      for (let i = 0; i < 5; i++)
        await run('results, answers', async () => {
          times.one.push(1_000 * (await seconds(() => summarise(ask, path, outputs.slice(0, 1), []))));
          times.four.push(1_000 * (await seconds(() => summarise(ask, path, outputs, []))));
          times.top.push(1_000 * (await seconds(() => ask(extremes(path, outputs[1]!, [], 'desc', 10)))));
          times.best.push(
            1_000 *
              (await seconds(() =>
                ask(
                  best(
                    path,
                    [
                      { column: outputs[0]!, weight: 1 },
                      { column: outputs[1]!, weight: -0.5 },
                    ],
                    [],
                    10,
                  ),
                ),
              )),
          );
          let slowest = 0;
          for (const column of all) slowest = Math.max(slowest, 1_000 * (await seconds(() => page(column))));
          times.page.push(slowest);
        });
      const large = await files(folder, many);
      const [own, bare, peaks, ownCpu, bareCpu]: number[][] = [[], [], [], [], []];
      const size = `${many.toLocaleString('en')} rows`;
      for (let i = 0; i < 2; i++)
        await run(`results, ${size}`, async () => {
          await using builder = new DuckProcess({ folder });
          own!.push(await seconds(() => builder.ask<Built>(taskOf(folder, many, large))));
          peaks!.push(peakMemory(builder.pid!));
          ownCpu!.push(cpuOf([builder.pid!]));
          await using other = new DuckProcess({ folder });
          bare!.push(await seconds(() => other.ask({ do: 'rows', ...itself(folder, large) })));
          bareCpu!.push(cpuOf([other.pid!]));
        });
      const ratios = own!.map((each, i) => each / bare![i]!);
      const cpuRatios = ownCpu!.map((each, i) => each / bareCpu![i]!);
      return [
        figure('a table of 1,000,000 rows', 's', made!),
        figure('against DuckDB itself', 'x', ratio!),
        figure('summary of one property of 1,000,000 rows', 'ms', times.one, { most: 300 }),
        figure('summary of four properties', 'ms', times.four, { most: 300 }),
        figure('top 10 by a property', 'ms', times.top, { most: 300 }),
        figure('top 10 by a weighted objective', 'ms', times.best, { most: 300 }),
        figure('first page, by the slowest column', 'ms', times.page, { most: 300 }),
        figure(`a table of ${size}`, 's', own!),
        figure(`against DuckDB itself, ${size}`, 'x', ratios, { most: 2 }),
        figure('the same in CPU time', 'x', cpuRatios),
        figure('peak memory of that', 'MB', peaks!, { most: 500 }),
      ];
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};
