import { closeSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openFeatureFile } from '../../chemistry/feature-cache.ts';
import { featureCount } from '../../chemistry/feature-layout.ts';
import { Featuriser } from '../../chemistry/features.ts';
import { silent } from '../../lib/log.ts';
import type { Outcome, Task } from '../executor.ts';
import { openExecutor } from '../registry.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

/** The expected files quote nothing but names, which this test does not read, and hold no line breaks. */
const rowsOf = (name: string) => {
  const [head, ...lines] = readFileSync(join(root, 'server/test/expected', `${name}.csv`), 'utf8')
    .trim()
    .split('\n');
  const [smiles, predicted] = [head!.split(',').indexOf('smiles'), head!.split(',').indexOf('predicted')];
  return lines.map((line) => ({ smiles: line.split(',')[smiles]!, predicted: Number(line.split(',')[predicted]) }));
};

const predict = async (name: string, column: string, molecules: readonly string[], features: number | null): Promise<Outcome[]> => {
  const scratch = mkdtempSync(join(tmpdir(), 'sluice-onnx-'));
  const options = { path: join(root, 'examples/models', `${name}.onnx`), preprocess: 'smiles-morgan2048-desc16', outputs: [column] };
  const model = { name, version: '1.0.0', executor: 'onnx', options } as const;
  const executor = await openExecutor(model, { log: silent, scratch, features, crash: () => {} });
  const tasks = molecules.map((smiles, index): Task => {
    return { line: index + 1, customId: String(index), url: '/v1/predict', body: { model: name, inputs: { smiles } }, attempt: 1 };
  });
  const all: Outcome[] = [];
  const signals = { stop: new AbortController().signal, abort: new AbortController().signal };
  for await (const outcomes of executor.run(tasks, signals)) all.push(...outcomes);
  await executor[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true });
  return all.toSorted((a, b) => a.line - b.line);
};

/** The outputs as they were written, digit by digit. */
const written = (outcomes: readonly Outcome[]) =>
  outcomes.map((outcome) => (outcome.ok ? outcome.body.slice(outcome.body.indexOf('"outputs"')) : outcome.message));

let folder: string;
let features: number;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-features-'));
  features = openFeatureFile({ folder, bytes: 4_000_000 }, silent)!;
});
afterAll(() => {
  closeSync(features);
  rmSync(folder, { recursive: true });
});

/** Computed in Python with scikit-learn, from the models the ONNX files were made of. */
test.for([
  ['aqsol_logs', 'logS', 400],
  ['huuskonen_logs', 'logS', 257],
  ['bbb_b3db', 'p_bbb', 400],
  ['chembl2321810_pact', 'pActivity', 235],
] as const)('%s predicts what was expected, from features computed and from those kept', async ([name, column, count]) => {
  const rows = rowsOf(name);
  expect(rows).toHaveLength(count);
  const smiles = rows.map((row) => row.smiles);
  const computed = await predict(name, column, smiles, features);
  const off = computed.filter((outcome, i) => {
    const value = outcome.ok ? (JSON.parse(outcome.body) as { outputs: Record<string, number> }).outputs[column]! : Number.NaN;
    return !(Math.abs(value - rows[i]!.predicted) <= 1e-4);
  });
  expect(off).toEqual([]);
  expect(computed).toHaveLength(count);
  expect(written(await predict(name, column, smiles, features))).toEqual(written(computed));
});

test('what is kept is what is used, by the next model too; what is no molecule fails alike', async () => {
  // With features in the file that are not the molecule's own, the prediction is another: it is they that are used.
  const [own] = written(await predict('aqsol_logs', 'logS', ['CCCCCCCCCCBr'], null));
  expect(written(await predict('aqsol_logs', 'logS', ['CCCCCCCCCCBr'], features))).toEqual([own]);
  const featuriser = await Featuriser.create(features);
  const packed = Buffer.from(
    featuriser.cache!.get('CCO') ?? (featuriser.fill('CCO', new Float32Array(featureCount), 0), featuriser.cache!.get('CCO')!),
  );
  featuriser.cache!.put('CCCCCCCCCCBr', packed);
  const [ethanols] = written(await predict('aqsol_logs', 'logS', ['CCCCCCCCCCBr'], features));
  expect(ethanols).not.toBe(own);
  const [good, bad] = await predict('bbb_b3db', 'p_bbb', ['CCCCCCCCCCBr', 'C(C)(C)(C)(C)C'], features);
  expect(good).toMatchObject({ ok: true });
  expect(bad).toMatchObject({ ok: false, kind: 'permanent', code: 'invalid_input' });
});
