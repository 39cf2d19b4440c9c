/**
 * The `onnx` executor against bare loops over the same rows, in one run: medians of several rounds, the two sides
 * taking turns. Ratios are what counts; rates depend on the machine and on what else it does.
 *
 *   node server/bench/onnx.ts
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCompounds } from '../../examples/make-batches.ts';
import type { Executor, Json, Task } from '../src/executors/executor.ts';
import { featureCount } from '../src/chemistry/feature-layout.ts';
import { Featuriser } from '../src/chemistry/features.ts';
import { openExecutor } from '../src/executors/registry.ts';
import { silent } from '../src/lib/log.ts';
import type { BareJob } from './onnx-bare.ts';

export interface OnnxFigure {
  name: string;
  processes: number;
  rows: number;
  /** Rows a second, medians. */
  sluice: number;
  bare: number;
  /** sluice / bare, the median of the rounds'. */
  ratio: number;
  /** What it has to be at least. */
  target: number;
}

export const examples = fileURLToPath(new URL('../../examples/', import.meta.url));
const model = join(examples, 'models/aqsol_logs.onnx');

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** Processes of the bare loop, each with its share of the rows. `round` gives rows a second. */
export const openBare = async (jobs: BareJob[]) => {
  const processes = await Promise.all(
    jobs.map(async (job): Promise<ChildProcess> => {
      const child = fork(new URL('onnx-bare.ts', import.meta.url), { env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' } });
      child.send(job);
      await once(child, 'message');
      return child;
    }),
  );
  return {
    round: async (rows: number) => {
      const began = performance.now();
      await Promise.all(
        processes.map((child) => {
          child.send('go');
          return once(child, 'message');
        }),
      );
      return (1000 * rows) / (performance.now() - began);
    },
    end: () => processes.forEach((child) => child.kill()),
  };
};

const tasksOf = (inputs: Json[]): Task[] =>
  inputs.map((input, index) => ({
    line: index + 1,
    customId: `r${index}`,
    url: '/v1/predict',
    body: { model: 'm', inputs: input },
    attempt: 1,
  }));

const round = async (executor: Executor, tasks: Task[]): Promise<number> => {
  const signals = { stop: new AbortController().signal, abort: new AbortController().signal };
  const began = performance.now();
  let done = 0;
  for await (const outcomes of executor.run(tasks, signals)) done += outcomes.length;
  if (done !== tasks.length) throw new Error(`${done} outcomes for ${tasks.length} tasks`);
  return (1000 * done) / (performance.now() - began);
};

interface Side {
  name: string;
  processes: number;
  options: Record<string, unknown>;
  inputs: Json[];
  jobs: BareJob[];
  rounds: number;
}

const measure = async ({ name, processes, options, inputs, jobs, rounds }: Side, scratch: string): Promise<OnnxFigure> => {
  const spec = { name: 'm', version: '1.0.0', executor: 'onnx', options: { path: model, processes, ...options } } as const;
  const executor = await openExecutor(spec, { log: silent, scratch, crash: () => {} });
  const bare = await openBare(jobs);
  const tasks = tasksOf(inputs);
  const rates: { sluice: number[]; bare: number[] } = { sluice: [], bare: [] };
  // The first round starts processes, fills caches and finds the size of a slice.
  for (let i = 0; i <= rounds; i++) {
    const [ours, theirs] = [await round(executor, tasks), await bare.round(inputs.length)];
    if (i === 0) continue;
    rates.sluice.push(ours);
    rates.bare.push(theirs);
  }
  // Side by side: what the machine gives changes from second to second.
  const ratio = median(rates.sluice.map((rate, i) => rate / rates.bare[i]!));
  bare.end();
  await executor[Symbol.asyncDispose]();
  const [ours, theirs] = [Math.round(median(rates.sluice)), Math.round(median(rates.bare))];
  return { name, processes, rows: inputs.length, sluice: ours, bare: theirs, ratio: Number(ratio.toFixed(3)), target: 0.85 };
};

/** Rows `from`, `from + step`, …: equal shares of a table in which hard molecules stand together. */
export const share = <T>(items: T[], from: number, step: number) => items.filter((_, index) => index % step === from);

export const benchOnnx = async ({ molecules = 3000 } = {}): Promise<OnnxFigure[]> => {
  const scratch = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  try {
    const smiles = readCompounds(join(examples, 'data/aqsoldb.csv'))
      .slice(0, molecules)
      .map((compound) => compound.smiles);
    const cores = availableParallelism();
    const each = Array.from({ length: cores }, (_, index) => index);

    const fromSmiles = {
      name: 'onnx from SMILES',
      processes: cores,
      options: { preprocess: 'smiles-morgan2048-desc16', outputs: ['logS'] },
      inputs: smiles.map((text) => ({ smiles: text })),
      jobs: each.map((index) => ({ model, smiles: share(smiles, index, cores), batch: 100 })),
      rounds: 5,
    };

    const featuriser = await Featuriser.create();
    const matrix: number[][] = [];
    for (const text of smiles) {
      const row = new Float32Array(featureCount);
      if (featuriser.fill(text, row, 0) === null) matrix.push(Array.from(row));
    }
    // Three times over: a round of these rows is short.
    const rows = [...matrix, ...matrix, ...matrix];
    const file = join(scratch, 'matrix');
    writeFileSync(file, new Float32Array(rows.flat()));
    const fromTensors = {
      name: 'onnx from tensors',
      processes: 1,
      options: { outputs: ['logS'] },
      inputs: rows,
      jobs: [{ model, matrix: file, batch: 500 }],
      // Each takes a fifth of a second.
      rounds: 25,
    };
    return [await measure(fromSmiles, scratch), await measure(fromTensors, scratch)];
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
};

if (import.meta.main) {
  const figures = await benchOnnx();
  for (const figure of figures) process.stdout.write(`${JSON.stringify(figure)}\n`);
  for (const { name, processes, sluice, bare, ratio } of figures)
    process.stdout.write(`${name.padEnd(20)} ${processes} proc  ${sluice}/s  bare ${bare}/s  ${(100 * ratio).toFixed(1)} %\n`);
}
