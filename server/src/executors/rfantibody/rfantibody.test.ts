import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { silent } from '../../lib/log.ts';
import { openMemory } from '../../storage/memory.ts';
import { BadRequest } from '../bad-request.ts';
import type { ExecutorContext, JsonObject, Outcome, Task } from '../executor.ts';
import { readQuiver } from './quiver.ts';
import { readRequest } from './request.ts';
import { rfantibodyKind } from './rfantibody.ts';

const sample = fileURLToPath(new URL('../../../../examples/rfantibody-sample/rfantibody-sample.mjs', import.meta.url));
const scratch = await mkdtemp(join(tmpdir(), 'sluice-rfantibody-'));
afterAll(() => rm(scratch, { recursive: true, force: true }));

const storage = openMemory();
const context: ExecutorContext = { log: silent, scratch, storage, crash: () => {} };

const atom = (chain: string, residue: number): string =>
  `ATOM  ${String(residue).padStart(5)}  CA  ALA ${chain}${String(residue).padStart(4)}    ${'1.000'.padStart(8)}${'2.000'.padStart(8)}${String(residue).padStart(4)}.000  1.00 50.00           C`;
const target = [1, 2, 146, 170].map((residue) => atom('B', residue)).join('\n');
const framework = [...[1, 2, 3].map((residue) => atom('H', residue)), 'REMARK PDBinfo-LABEL:    2 H3'].join('\n');
const inputs = { target, framework, hotspots: ['B146', 'B170'], loops: { H1: '7', H3: '5-13' } };

const one = async (body: JsonObject, script: JsonObject = {}): Promise<Outcome> => {
  const stage = (name: string) => [process.execPath, sample, name];
  await using executor = await rfantibodyKind.open(
    {
      name: 'rfantibody',
      version: '1.0.0',
      executor: 'rfantibody',
      options: {
        rfdiffusion: stage('rfdiffusion'),
        proteinmpnn: stage('proteinmpnn'),
        rf2: stage('rf2'),
        env: { RFANTIBODY_SAMPLE: JSON.stringify(script) },
      },
    },
    context,
  );
  const task: Task = { line: 1, customId: 'd1', url: '/v1/predict', body, attempt: 1, folder: 't/batches/b/jobs/1' };
  const signals = { stop: new AbortController().signal, abort: new AbortController().signal };
  const all: Outcome[] = [];
  for await (const outcomes of executor.run([task], signals)) all.push(...outcomes);
  return all[0]!;
};

test('three stages, one after the other: backbones, sequences for each, and what passes the filter first', async () => {
  const outcome = await one({ inputs, parameters: { designs: 6, sequences_per_design: 3 } });
  if (!outcome.ok) throw new Error(outcome.message);
  const { outputs } = JSON.parse(outcome.body) as {
    outputs: {
      counts: Record<string, number>;
      designs: { tag: string; passed: boolean; structure: string | null; scores: Record<string, number> }[];
    };
  };
  expect(outputs.counts).toMatchObject({ backbones: 6, sequences: 18, predicted: 18 });
  const { designs } = outputs;
  expect(designs.filter(({ passed }) => passed).length).toBe(outputs.counts['passed']);
  expect(outputs.counts['passed']).toBeGreaterThan(0);
  for (const { passed, scores } of designs) expect(passed).toBe(scores['pae']! < 10 && scores['target_aligned_antibody_rmsd']! < 2);
  const passed = designs.filter((design) => design.passed).map(({ scores }) => scores['interaction_pae']!);
  expect(designs.map((design) => design.passed)).toEqual(designs.map((design) => design.passed).toSorted((a, b) => Number(b) - Number(a)));
  expect(passed).toEqual(passed.toSorted((a, b) => a - b));
  const names = outcome.artifacts!.map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining([
      'target.pdb',
      'framework.pdb',
      'designs.qv',
      'scores.csv',
      'results.json',
      'logs.txt',
      'design_1.pdb',
      'design_18.pdb',
    ]),
  );
  const log = (await storage.read('t/batches/b/jobs/1/logs.txt')).toString();
  expect(log).toMatch(/rfdiffusion .*-n 6 -l H1:7,H3:5-13 -h B146,B170[^]*proteinmpnn[^]*-n 3 -t 0.2[^]*rf2[^]*-r 10/);
  expect((await storage.read('t/batches/b/jobs/1/design_1.pdb')).toString()).toContain('SAMPLE_NOT_A_DESIGN');
  expect((await storage.read('t/batches/b/jobs/1/scores.csv')).toString().split('\n')[1]).toMatch(
    new RegExp(`^${designs[0]!.tag},${designs[0]!.passed},`),
  );
});

test.each<[string, JsonObject, string, string]>([
  ['a stage that fails', { fail: 'rf2' }, 'retryable executor_error', 'rf2 left no result'],
  ['a stage that leaves nothing', { empty: 'proteinmpnn' }, 'retryable executor_error', 'proteinmpnn left no result'],
  ['a stage that runs out of memory', { oom: 'rfdiffusion' }, 'retryable out_of_memory', 'rfdiffusion ran out of memory'],
])('%s is named, and its log kept', async (_, script, kind, message) => {
  const outcome = await one({ inputs, parameters: { designs: 1 } }, script);
  expect(outcome.ok ? 'ok' : `${outcome.kind} ${outcome.code}`).toBe(kind);
  expect(outcome).toMatchObject({ message: expect.stringContaining(message) });
  expect(outcome.artifacts!.map(({ name }) => name)).toContain('logs.txt');
});

test.each<[string, JsonObject, string]>([
  ['a target that is none', { target: 'HEADER' }, 'inputs.target has no atom'],
  ['a line that is no atom', { target: `${target}\nATOM  nonsense` }, 'line 5'],
  ['a hotspot that is not there', { hotspots: ['B99'] }, 'B99, which is no residue'],
  ['a framework without its chain', { framework: `${atom('A', 1)}\nREMARK PDBinfo-LABEL:    1 H3` }, 'no chain H'],
  ['a framework without loops', { framework: atom('H', 1) }, 'marks no loops'],
  ['a loop of a chain that is not there', { loops: { L1: '7' } }, 'no chain L'],
  ['a range that is none', { loops: { H3: '13-5' } }, 'inputs.loops.H3'],
])('%s is refused with its place', (_, changes, message) => {
  const read = () => readRequest({ inputs: { ...inputs, ...changes } });
  expect(read).toThrow(BadRequest);
  expect(read).toThrow(message);
});

test('a design that is cut off is none', () => {
  expect(readQuiver('QV_TAG a\nQV_SCORE a pae=3.5|x=nan\nATOM  1\nQV_TAG b\n')).toEqual([
    { tag: 'a', scores: { pae: 3.5 }, pdb: 'ATOM  1\n' },
  ]);
});
