import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openChemistry, type Chemistry } from '../../chemistry/chemistry.ts';
import { described } from '../../chemistry/describe.ts';
import { silent } from '../../lib/log.ts';
import { conformance } from '../conformance.ts';
import type { Outcome, Task } from '../executor.ts';
import { openExecutor } from '../registry.ts';
import { DescriptorsExecutor } from './descriptors.ts';

let scratch: string;
let chemistry: Chemistry;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'sluice-descriptors-'));
  chemistry = openChemistry({ log: silent, scratch, processes: 1 });
});
afterAll(async () => {
  await chemistry[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true });
});

const task = (line: number, smiles: unknown): Task => ({
  line,
  customId: `r${line}`,
  url: '/v1/predict',
  body: { model: 'descriptors', inputs: { smiles } as never },
  attempt: 1,
});

/** No molecule takes as long as the suite wants: before the real pool is asked, one of `ms` carbons waits for so many. */
const slowly = (): Pick<Chemistry, 'describe' | 'memory' | typeof Symbol.asyncDispose> => ({
  describe: async (smiles, asking = {}) => {
    const ms = Math.max(...smiles.map((text) => Number(/^\[(\d+)CH4\]$/.exec(text)?.[1] ?? 0))) * 100;
    if (ms > 0) await delay(ms, undefined, asking.signal ? { signal: asking.signal } : {});
    return await chemistry.describe(smiles, asking);
  },
  memory: 0,
  [Symbol.asyncDispose]: async () => {},
});

conformance('descriptors', {
  open: async (most) =>
    new DescriptorsExecutor({ name: 'descriptors', version: '1.0.0', executor: 'descriptors', options: { slice: 1 } }, slowly(), most),
  quick: (line) => task(line, 'CCO'),
  slow: (line, ms) => task(line, `[${Math.ceil(ms / 100)}CH4]`),
  bad: (line) => task(line, 'CC('),
});

const outcomesOf = async (options: Record<string, unknown>, smiles: unknown[]): Promise<Outcome[]> => {
  const model = { name: 'descriptors', version: '1.0.0', executor: 'descriptors', options } as const;
  await using executor = await openExecutor(model, { log: silent, scratch, crash: () => {} });
  const all: Outcome[] = [];
  const signals = { stop: new AbortController().signal, abort: new AbortController().signal };
  for await (const outcomes of executor.run(
    smiles.map((text, i) => task(i + 1, text)),
    signals,
  ))
    all.push(...outcomes);
  return all.toSorted((a, b) => a.line - b.line);
};
const outputsOf = (outcome: Outcome | undefined) =>
  outcome?.ok ? (JSON.parse(outcome.body) as { outputs: Record<string, unknown> }).outputs : null;

test('each value has its name and source; those of OpenChemLib can be left out', async () => {
  const [both] = await outcomesOf({ processes: 1 }, ['CC(=O)Oc1ccccc1C(=O)O']);
  expect(Object.keys(outputsOf(both)!)).toEqual(described.map(({ name }) => name));
  const [one] = await outcomesOf({ processes: 1, sources: ['rdkit'] }, ['CC(=O)Oc1ccccc1C(=O)O']);
  expect(Object.keys(outputsOf(one)!)).toEqual(described.filter(({ source }) => source !== 'OpenChemLib').map(({ name }) => name));
});

test('hostile molecules fail alone, naming the field', async () => {
  const outcomes = await outcomesOf({ processes: 1 }, ['CCO', 'C'.repeat(700), '', 'CCO ethanol', 'CC(C)(C)(C)C', 7, 'CCO\0', 'CCN']);
  expect(outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.message))).toEqual([
    'ok',
    expect.stringMatching(/^inputs.smiles has 700 atoms/),
    expect.stringMatching(/^inputs.smiles is empty/),
    expect.stringMatching(/^inputs.smiles holds white space/),
    expect.stringMatching(/^inputs.smiles: .*valence/),
    'inputs.smiles must be a string.',
    expect.stringMatching(/U\+0000/),
    'ok',
  ]);
  for (const outcome of outcomes) if (!outcome.ok) expect(outcome).toMatchObject({ kind: 'permanent', code: 'invalid_input' });
});

test('options are checked', async () => {
  await expect(outcomesOf({ sources: ['openbabel'] }, ['C'])).rejects.toThrow("option 'sources' must be");
});
