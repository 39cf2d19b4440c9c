import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCompounds } from '../../examples/make-batches.ts';
import { openChemistry } from '../src/chemistry/chemistry.ts';
import { openFeatureFile } from '../src/chemistry/feature-cache.ts';
import { openExecutor } from '../src/executors/registry.ts';
import { silent } from '../src/lib/log.ts';
import type { BareCheck } from './chemistry-bare.ts';
import { round, type Bench, type Figure } from './figures.ts';
import { watched } from './machine.ts';

const data = fileURLToPath(new URL('../../examples/data/aqsoldb.csv', import.meta.url));
const models = fileURLToPath(new URL('../../examples/models/', import.meta.url));
const processes = 2;
const rounds = 5;

const middle = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** Molecules a second of `once`, in a round. */
const rate = async (count: number, once: () => Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await once();
  return (1000 * count) / (performance.now() - began);
};

const openBare = async (smiles: string[], inchikey: boolean) => {
  const half = Math.ceil(smiles.length / processes);
  const children = await Promise.all(
    Array.from({ length: processes }, async (_, i) => {
      const child = fork(new URL('chemistry-bare.ts', import.meta.url));
      const job: BareCheck = { smiles: smiles.slice(i * half, (i + 1) * half), inchikey };
      child.send(job);
      await once(child, 'message');
      return child;
    }),
  );
  return {
    round: () => Promise.all(children.map((child) => (child.send('go'), once(child, 'message')))),
    end: () => children.forEach((child) => child.kill()),
  };
};

const measure = async (smiles: string[], inchikey: boolean, scratch: string): Promise<Figure[]> => {
  const bare = await openBare(smiles, inchikey);
  await using chemistry = openChemistry({ log: silent, scratch, processes });
  try {
    const pool = () => chemistry.check(smiles, { inchikey });
    await Promise.all([pool(), bare.round()]);
    const [ours, theirs]: [number[], number[]] = [[], []];
    for (let i = 0; i < rounds; i++) {
      theirs.push(await rate(smiles.length, bare.round));
      ours.push(await rate(smiles.length, pool));
    }
    const name = inchikey ? 'canonical SMILES and InChIKey' : 'canonical SMILES';
    const ratio = middle(ours.map((value, i) => value / theirs[i]!));
    return [
      {
        bench: 'chemistry',
        name: `${name}, ${processes} processes`,
        value: round(middle(ours)),
        unit: 'molecules/s',
        runs: ours.map(round),
      },
      { bench: 'chemistry', name: `${name}, bare loops`, value: round(middle(theirs)), unit: 'molecules/s', runs: theirs.map(round) },
      { bench: 'chemistry', name: `${name}, sluice : bare`, value: round(100 * ratio), unit: '%', target: { least: 85 } },
    ];
  } finally {
    bare.end();
  }
};

/** Two models over the same molecules, one after the other, on a host that has seen none of them. */
const twice = async (smiles: string[], folder: string): Promise<Figure[]> => {
  const seconds = async (file: string, output: string, features: number): Promise<number> => {
    const options = { path: join(models, `${file}.onnx`), preprocess: 'smiles-morgan2048-desc16', outputs: [output], processes };
    const model = { name: file, version: '1.0.0', executor: 'onnx', options } as const;
    await using executor = await openExecutor(model, { log: silent, scratch: folder, features, crash: () => {} });
    const tasks = smiles.map((text, i) => {
      return { line: i + 1, customId: `r${i}`, url: '/v1/predict', body: { model: file, inputs: { smiles: text } }, attempt: 1 };
    });
    const signals = { stop: new AbortController().signal, abort: new AbortController().signal };
    const began = performance.now();
    for await (const outcomes of executor.run(tasks, signals)) void outcomes;
    return (performance.now() - began) / 1000;
  };
  const [first, second]: [number[], number[]] = [[], []];
  for (let i = 0; i < 3; i++) {
    const fd = openFeatureFile({ folder: join(folder, `features-${i}`), bytes: 64_000_000 }, silent)!;
    first.push(await seconds('aqsol_logs', 'logS', fd));
    second.push(await seconds('bbb_b3db', 'p_bbb', fd));
    closeSync(fd);
  }
  const name = `${smiles.length.toLocaleString('en')} molecules`;
  const ratio = middle(first.map((value, i) => (value + second[i]!) / value));
  return [
    { bench: 'chemistry', name: `${name}, first model`, value: round(middle(first)), unit: 's', runs: first.map(round) },
    { bench: 'chemistry', name: `${name}, second model`, value: round(middle(second)), unit: 's', runs: second.map(round) },
    { bench: 'chemistry', name: `${name}, both models : the first`, value: round(100 * ratio), unit: '%', target: { most: 120 } },
  ];
};

export const chemistry: Bench = {
  name: 'chemistry',
  about: 'molecules checked by the pool against bare RDKit loops',
  async run() {
    const scratch = mkdtempSync(join(tmpdir(), 'sluice-bench-chemistry-'));
    try {
      const smiles = readCompounds(data).map((compound) => compound.smiles);
      const figures: Figure[] = [];
      for (const inchikey of [false, true]) {
        const { result, foreign } = await watched(() => measure(smiles, inchikey, scratch));
        figures.push(...result.map((figure) => ({ ...figure, foreign: [foreign] })));
      }
      const { result, foreign } = await watched(() => twice(smiles, scratch));
      return [...figures, ...result.map((figure) => ({ ...figure, foreign: [foreign] }))];
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  },
};
