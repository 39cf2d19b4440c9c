/** A csv of molecules in, a model of solubility, Parquet out, against the loop somebody would write without Sluice. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readCompounds } from '../../examples/make-batches.ts';
import { round, type Bench, type Figure } from './figures.ts';
import { call, createBatch, getBatch, install, untilEnded, upload, type Installation } from './installation.ts';
import { inQuiet, median } from './machine.ts';
import { examples, openBare, share } from './onnx.ts';

const rounds = 3;
/** Milliseconds between looks at the batch: each takes time of the processors that are measured. */
const pause = 250;
const count = 30_000;
const model = join(examples, 'models/aqsol_logs.onnx');

/** The 17,790 molecules of the examples, and as hydrates as many again as are wanted: no two have one structure. */
const compounds = (): { id: string; smiles: string }[] => {
  const real = ['aqsoldb', 'b3db'].flatMap((name) => readCompounds(join(examples, `data/${name}.csv`)));
  const hydrates = real.map(({ id, smiles }) => ({ id: `${id}-hydrate`, smiles: `${smiles}.O` }));
  return [...real, ...hydrates].slice(0, count);
};

interface Run {
  seconds: number;
  /** Until the first request may run, until the last has, until the table can be had. */
  parts: { checked: number; run: number; table: number };
}

const runOnce = async ({ url }: Installation, csv: Buffer): Promise<Run> => {
  const began = performance.now();
  const since = () => (performance.now() - began) / 1_000;
  const file = await upload(url, csv);
  const { id } = await createBatch(url, file.id, {
    endpoint: '/v1/predict',
    model: 'aqsol-logs',
    columns: { smiles: 'smiles', id: 'id' },
    dedup: 'off',
  });
  let checked = 0;
  while (checked === 0) {
    const { status } = await getBatch(url, id);
    if (status !== 'validating') checked = since();
    else await delay(pause);
  }
  const batch = await untilEnded(url, id, pause);
  const ran = since();
  // A few of the real ones are none to RDKit; the bare loop passes over them too.
  if ((batch.request_counts?.completed ?? 0) < 0.99 * count)
    throw new Error(`the batch ended with ${JSON.stringify(batch.request_counts)}`);
  const { status } = await call(`${url}/v1/batches/${id}/results?format=parquet&wait=60`);
  if (status !== 200) throw new Error(`the table of results answers ${status}`);
  return { seconds: since(), parts: { checked, run: ran - checked, table: since() - ran } };
};

export const molecules: Bench = {
  name: 'molecules',
  about: '30,000 molecules: csv in, solubility, Parquet out, against a bare loop',
  async run() {
    const all = compounds();
    const csv = Buffer.from(`id,smiles\n${all.map(({ id, smiles }) => `${id},"${smiles}"\n`).join('')}`);
    const smiles = all.map((compound) => compound.smiles);
    const processes = availableParallelism();
    const loopOf = async (identities: boolean): Promise<number> => {
      const jobs = Array.from({ length: processes }, (_, i) => ({ model, smiles: share(smiles, i, processes), identities, batch: 100 }));
      const loop = await openBare(jobs);
      const rate = await loop.round(count);
      loop.end();
      return count / rate;
    };
    const ours: Run[] = [];
    const bare: number[] = [];
    const full: number[] = [];
    const foreign: number[] = [];
    for (let i = 0; i < rounds; i++) {
      const { foreign: others } = await inQuiet(
        async () => {
          // New each time: features of molecules are kept.
          await using sluice = await install({ env: { SLUICE_CONFIG: join(examples, 'sluice.yaml') } });
          ours[i] = await runOnce(sluice, csv);
          bare[i] = await loopOf(false);
          full[i] = await loopOf(true);
        },
        { name: `molecules, round ${i + 1}`, tries: 2 },
      );
      foreign.push(others);
    }
    const figure = (name: string, unit: string, values: number[], target?: Figure['target']): Figure => {
      const runs = values.map(round);
      return { bench: 'molecules', name, value: median(runs), unit, ...(target && { target }), runs, foreign };
    };
    const part = (key: keyof Run['parts']) => ours.map(({ parts }) => parts[key]);
    return [
      figure(
        'csv to Parquet',
        's',
        ours.map(({ seconds }) => seconds),
      ),
      figure('of it: upload, conversion, every molecule checked', 's', part('checked')),
      figure('of it: run, and written as JSON lines', 's', part('run')),
      figure('of it: table', 's', part('table')),
      figure('bare loop, 2 processes', 's', bare),
      figure('bare loop that writes canonical SMILES and InChIKeys too', 's', full),
      figure(
        'bare loop : csv to Parquet',
        '%',
        ours.map(({ seconds }, i) => (100 * bare[i]!) / seconds),
        { least: 80 },
      ),
      figure(
        'bare loop with the same work : csv to Parquet',
        '%',
        ours.map(({ seconds }, i) => (100 * full[i]!) / seconds),
      ),
    ];
  },
};
