import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { silent } from '../../lib/log.ts';
import type { Task } from '../executor.ts';
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

/** Computed in Python with scikit-learn, from the models the ONNX files were made of. */
test.for([
  ['aqsol_logs', 'logS', 400],
  ['huuskonen_logs', 'logS', 257],
  ['bbb_b3db', 'p_bbb', 400],
  ['chembl2321810_pact', 'pActivity', 235],
] as const)('%s predicts what was expected', async ([name, column, count]) => {
  const scratch = mkdtempSync(join(tmpdir(), 'sluice-onnx-'));
  const options = { path: join(root, 'examples/models', `${name}.onnx`), preprocess: 'smiles-morgan2048-desc16', outputs: [column] };
  const model = { name, version: '1.0.0', executor: 'onnx', options } as const;
  const executor = await openExecutor(model, { log: silent, scratch, crash: () => {} });
  const rows = rowsOf(name);
  expect(rows).toHaveLength(count);
  const tasks = rows.map(({ smiles }, index): Task => {
    return { line: index + 1, customId: String(index), url: '/v1/predict', body: { model: name, inputs: { smiles } }, attempt: 1 };
  });
  const off: unknown[] = [];
  let done = 0;
  const signals = { stop: new AbortController().signal, abort: new AbortController().signal };
  for await (const outcomes of executor.run(tasks, signals))
    for (const outcome of outcomes) {
      done++;
      const value = outcome.ok ? (JSON.parse(outcome.body) as { outputs: Record<string, number> }).outputs[column]! : Number.NaN;
      if (!(Math.abs(value - rows[outcome.line - 1]!.predicted) <= 1e-4)) off.push(outcome);
    }
  expect(off).toEqual([]);
  expect(done).toBe(count);
  await executor[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true });
});
