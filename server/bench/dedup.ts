/**
 * What duplicates save: a file of which every second line repeats an earlier one, against one of as many different lines,
 * both answered by a model that takes a worker at least a millisecond a request.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { round, type Bench, type Figure } from './figures.ts';
import { call, createBatch, makeDatabase, startPostgres, startRoles, untilEnded, upload } from './installation.ts';
import { inQuiet, median } from './machine.ts';

const requests = Number(process.env['SLUICE_BENCH_DEDUP_LINES'] ?? 8_000);
const rounds = 3;
const model = 'slow-echo';

/** `echo` that sleeps a millisecond for each request, one at a time: a timer's millisecond is a little more than one. */
const yaml = `models:\n  - name: ${model}\n    version: "1.0.0"\n    executor: echo\n    options: {max_concurrency: 1}\n`;

type Shape = 'all different' | 'half repeated, side by side' | 'half repeated, far apart';

/** Which text line `n` has: of the repeated ones each text is there twice. */
const textOf = (shape: Shape, n: number): number => {
  if (shape === 'all different') return n;
  return shape === 'half repeated, side by side' ? n >> 1 : n % (requests / 2);
};

let salt = 0;
const lines = (shape: Shape): Buffer => {
  // Each file is new to the cache across batches: only what is within it counts.
  const own = `${++salt}-${Date.now()}`;
  const text = (n: number): string =>
    JSON.stringify({
      custom_id: `request-${n}`,
      method: 'POST',
      url: '/v1/chat/completions',
      body: {
        model,
        messages: [{ role: 'user', content: `${own} ${textOf(shape, n)} ${'water '.repeat(30)}` }],
        sluice_echo: { delay_ms: 1 },
      },
    });
  return Buffer.from(Array.from({ length: requests }, (_, n) => `${text(n)}\n`).join(''));
};

/** Requests a second from the creation of the batch until it has ended. */
const rateOf = async (url: string, shape: Shape): Promise<number> => {
  const file = await upload(url, lines(shape));
  const began = performance.now();
  const batch = await untilEnded(url, (await createBatch(url, file.id, { dedup: 'exact' })).id, 10);
  const seconds = (performance.now() - began) / 1_000;
  const copied = batch.dedup_counts.batch + batch.dedup_counts.cache;
  if (batch.request_counts.completed !== requests || copied !== (shape === 'all different' ? 0 : requests / 2))
    throw new Error(`${shape}: ${JSON.stringify(batch.request_counts)}, ${JSON.stringify(batch.dedup_counts)}`);
  const output = await call(`${url}/v1/files/${batch.output_file_id}/content`);
  if (output.body.split('\n').length !== requests + 1) throw new Error('the output file does not have a line for each request');
  return requests / seconds;
};

const shapes: readonly Shape[] = ['all different', 'half repeated, side by side', 'half repeated, far apart'];

export const dedup: Bench = {
  name: 'dedup',
  about: 'a file with half of its lines repeated against one without, by a model of a millisecond',
  run: async () => {
    await using server = await startPostgres();
    await writeFile(join(server.folder, 'sluice.yaml'), yaml);
    await using sluice = await startRoles({ database: await makeDatabase(server.url, 'sluice'), dataDir: server.folder });
    const rates = new Map<Shape, number[]>(shapes.map((shape) => [shape, []]));
    const foreign: number[] = [];
    // The first round tells the scheduler how quick the model is, and warms all the rest.
    for (const shape of shapes) await rateOf(sluice.url, shape);
    for (let i = 0; i < rounds; i++) {
      const { result, foreign: others } = await inQuiet(
        async () => {
          const found: [Shape, number][] = [];
          for (const shape of shapes) found.push([shape, await rateOf(sluice.url, shape)]);
          return found;
        },
        { name: `dedup, round ${i + 1}` },
      );
      for (const [shape, rate] of result) rates.get(shape)!.push(round(rate));
      foreign.push(others);
    }
    const figure = (name: string, unit: string, runs: number[], target?: Figure['target']): Figure => ({
      bench: 'dedup',
      name,
      value: median(runs),
      unit,
      ...(target && { target }),
      runs,
      foreign,
    });
    const plain = rates.get('all different')!;
    return [
      ...shapes.map((shape) => figure(shape, 'req/s', rates.get(shape)!)),
      ...shapes.slice(1).map((shape) =>
        figure(
          `${shape} : all different`,
          'x',
          rates.get(shape)!.map((rate, i) => round(rate / plain[i]!)),
          { least: 1.5 },
        ),
      ),
    ];
  },
};
