import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { silent } from '../../lib/log.ts';
import { openMemory } from '../../storage/memory.ts';
import { BadRequest } from '../bad-request.ts';
import { conformance } from '../conformance.ts';
import type { Executor, ExecutorContext, JsonObject, Outcome, Task } from '../executor.ts';
import { boltzKind } from './boltz.ts';
import { inputFile } from './input.ts';
import { readRecord } from './output.ts';
import { outputsOf } from './outputs.ts';
import { readRequest } from './request.ts';

const sample = fileURLToPath(new URL('../../../../examples/boltz-sample/boltz-sample.mjs', import.meta.url));
const shared = fileURLToPath(new URL('fixtures', import.meta.url));
const scratch = await mkdtemp(join(tmpdir(), 'sluice-boltz-'));
afterAll(() => rm(scratch, { recursive: true, force: true }));

const storage = openMemory();
const context: ExecutorContext = { log: silent, scratch, storage, crash: () => {} };
const sequence = 'MTEYKLVVVGAGGVGKSALTIQLIQ';

const open = (script: JsonObject = {}, options: Record<string, unknown> = {}): Promise<Executor> =>
  boltzKind.open(
    {
      name: 'boltz-2',
      version: '2.2.0',
      executor: 'boltz',
      options: { program: process.execPath, args: [sample], env: { BOLTZ_SAMPLE: JSON.stringify(script) }, ...options },
    },
    context,
  );
const task = (line: number, inputs: JsonObject, parameters?: JsonObject): Task => ({
  line,
  customId: `lig-${line}`,
  url: '/v1/predict',
  body: { model: 'boltz-2', inputs: { protein: sequence, ...inputs }, ...(parameters && { parameters }) },
  attempt: 1,
  folder: `t/batches/b/jobs/${line}`,
});
const signals = () => ({ stop: new AbortController().signal, abort: new AbortController().signal });
const collect = async (executor: Executor, tasks: Task[]): Promise<Outcome[]> => {
  const all: Outcome[] = [];
  for await (const outcomes of executor.run(tasks, signals())) all.push(...outcomes);
  return all.toSorted((a, b) => a.line - b.line);
};
const outputsIn = (outcome: Outcome | undefined): JsonObject => {
  if (!outcome?.ok) throw new Error(outcome?.message);
  return (JSON.parse(outcome.body) as { outputs: JsonObject }).outputs;
};
const told = (outcomes: Outcome[]) => outcomes.map((outcome) => (outcome.ok ? 'ok' : `${outcome.kind} ${outcome.code}`));

conformance('boltz', {
  open: (most) => open({ delays: { CN: 30, CNN: 40, CNNN: 60_000 } }, { max_concurrency: most, group_size: 1 }),
  quick: (line) => task(line, { smiles: 'CCO' }),
  slow: (line, ms) => task(line, { smiles: ms === 30 ? 'CN' : ms === 40 ? 'CNN' : 'CNNN' }),
  bad: (line) => task(line, { protein: 'MTEY1' }),
});

test('a screen: one process, one protein, many ligands; each with its numbers, structure and files', async () => {
  const smiles = ['CCO', 'CC(=O)Oc1ccccc1C(=O)O', 'c1ccccc1O'];
  const outcomes = await collect(
    await open(),
    smiles.map((text, i) => task(i + 1, { smiles: text, name: `ligand ${i}` })),
  );
  expect(told(outcomes)).toEqual(['ok', 'ok', 'ok']);
  const outputs = outputsIn(outcomes[1]) as Record<string, number> & { tool: JsonObject; parameters: JsonObject; msa: string };
  expect(outputs['pic50']).toBeCloseTo(6 - outputs['affinity_pred_value']!, 4);
  expect(outputs['ic50_um']).toBeCloseTo(10 ** outputs['affinity_pred_value']!, 3);
  expect(outputs.msa).toBe('single_sequence');
  expect(outputs.tool).toEqual({ name: expect.any(String), version: '2.2.0+sample' });
  expect(outputs.parameters).toMatchObject({ sampling_steps: 200, diffusion_samples_affinity: 5, seed: null });
  const { artifacts } = JSON.parse((outcomes[1] as { body: string }).body) as { artifacts: { name: string; content_type: string }[] };
  expect(artifacts.map(({ name }) => name).toSorted()).toEqual([
    'affinity.json',
    'confidence.json',
    'input.yaml',
    'logs.txt',
    'metadata.json',
    'plddt.npz',
    'results.json',
    'structure.cif',
  ]);
  const cif = (await storage.read('t/batches/b/jobs/2/structure.cif')).toString();
  expect(cif).toMatch(/^data_model/);
  expect(cif).toMatch(/^HETATM .* LIG1 /m);
  expect(parse((await storage.read('t/batches/b/jobs/2/input.yaml')).toString())).toEqual({
    version: 1,
    sequences: [{ protein: { id: 'A', sequence, msa: 'empty' } }, { ligand: { id: 'B', smiles: smiles[1] } }],
    properties: [{ affinity: { binder: 'B' } }],
  });
  const log = (await storage.read('t/batches/b/jobs/2/logs.txt')).toString();
  expect(log).toContain('Processing 3 inputs');
});

test('a bad ligand fails alone, by name, although the tool ends with exit code 0', async () => {
  const outcomes = await collect(await open({ bad: ['CCBr'] }), [
    task(1, { smiles: 'CCO' }),
    task(2, { smiles: 'CCBr' }),
    task(3, { smiles: 'CCN' }),
  ]);
  expect(told(outcomes)).toEqual(['ok', 'permanent invalid_request', 'ok']);
  expect(outcomes[1]).toMatchObject({ message: expect.stringContaining('3D conformer') });
  expect(outcomes[1]!.artifacts?.map(({ name }) => name)).toEqual(['metadata.json', 'input.yaml', 'logs.txt']);
});

test('a ligand on which the tokenizer fails has no result, and the first keeps its own', async () => {
  const outcomes = await collect(await open({ skip: ['CCBr'] }), [
    task(1, { smiles: 'CCO' }),
    task(2, { smiles: 'CCBr' }),
    task(3, { smiles: 'CCN' }),
  ]);
  expect(told(outcomes)).toEqual(['ok', 'permanent invalid_request', 'ok']);
  const [alone] = await collect(await open(), [task(1, { smiles: 'CCO' })]);
  expect(outputsIn(outcomes[0])['affinity_pred_value']).toBe(outputsIn(alone)['affinity_pred_value']);
});

test('a ligand that runs out of memory does not take the affinities of the others with it, and is run again alone', async () => {
  const three = [task(1, { smiles: 'CCO' }), task(2, { smiles: 'CCBr' }), task(3, { smiles: 'CCN' })];
  expect(told(await collect(await open({ oom: ['CCBr'] }), three))).toEqual(['ok', 'ok', 'ok']);
  expect(told(await collect(await open({ oom_affinity: ['CCBr'] }), three))).toEqual(['ok', 'ok', 'ok']);
  const outcomes = await collect(await open({ oom_always: ['CCBr'] }), three);
  expect(told(outcomes)).toEqual(['ok', 'retryable out_of_memory', 'ok']);
  expect(outcomes[1]).toMatchObject({ needs: 'gpu_memory' });
  expect((await collect(await open({ oom_always: ['CCBr'] }, { accelerator: 'cpu' }), three))[1]).toMatchObject({ needs: 'memory' });
  expect(outputsIn(outcomes[2])).toHaveProperty('affinity_pred_value');
  expect(told(await collect(await open({ oom_always: ['CC'] }), three))).toEqual(Array(3).fill('retryable out_of_memory'));
});

test('at a time-out what is there counts', async () => {
  const outcomes = await collect(
    await open({ delay_ms: 1_500 }, { timeout_ms: 3_000 }),
    [1, 2, 3, 4].map((n) => task(n, { smiles: 'C'.repeat(n), affinity: false })),
  );
  expect(told(outcomes)[0]).toBe('ok');
  expect(told(outcomes)[3]).toBe('retryable request_timeout');
});

test('no sequence leaves the machine unless the operator named a server', async () => {
  const seen = async (options: Record<string, unknown>, inputs: JsonObject) =>
    outputsIn((await collect(await open({}, options), [task(1, inputs)]))[0])['msa'];
  expect(await seen({}, { smiles: 'CCO' })).toBe('single_sequence');
  expect(await seen({ msa_server_url: 'http://msa.internal' }, { smiles: 'CCO' })).toBe('server');
  expect(
    await seen({ msa_server_url: 'http://msa.internal' }, { protein: { sequence, msa: `>query\n${sequence}\n` }, smiles: 'CCO' }),
  ).toBe('user');
});

test('the input file says what was asked, exactly', () => {
  const request = readRequest({
    inputs: {
      proteins: [{ id: ['A', 'C'], sequence, modifications: [{ position: 12, ccd: 'SEP' }], cyclic: true }, { sequence: 'MK TV' }],
      ligand: { ccd: 'ATP' },
      pocket: {
        contacts: [
          ['A', 5],
          ['D', 2],
        ].map(([chain, at]) => [chain === 'D' ? 'B' : 'A', at!]),
        max_distance: 8,
      },
      templates: [{ cif: 'data_x', chain_id: 'A', force: true, threshold: 2 }],
    },
  });
  expect(inputFile(request, (chain) => ['/msa/0.a3m', '/msa/1.a3m'][chain]!, ['/templates/2.cif'])).toBe(`version: 1
sequences:
  - protein:
      id:
        - A
        - C
      sequence: ${sequence}
      msa: /msa/0.a3m
      modifications:
        - position: 12
          ccd: SEP
      cyclic: true
  - protein:
      id: B
      sequence: MKTV
      msa: /msa/1.a3m
  - ligand:
      id: D
      ccd: ATP
constraints:
  - pocket:
      binder: D
      contacts:
        - - A
          - 5
        - - B
          - 2
      max_distance: 8
      force: false
templates:
  - cif: /templates/2.cif
    chain_id: A
    force: true
    threshold: 2
properties:
  - affinity:
      binder: D
`);
});

test.each<[string, JsonObject, string]>([
  ['a letter that is no amino acid', { protein: 'MTEJ', smiles: 'C' }, "has 'J' at residue 4"],
  ['no protein', { smiles: 'C' }, 'either `protein` or `proteins`'],
  ['two ligands', { protein: 'MT', smiles: 'C', ligand: { ccd: 'ATP' } }, 'either `ligand` or `smiles`'],
  ['a pocket of a chain that is not there', { protein: 'MT', smiles: 'C', pocket: { contacts: [['Z', 1]] } }, "chain 'Z'"],
  ['alignments for some', { proteins: [{ sequence: 'MT', msa: '>a\nMT' }, { sequence: 'MK' }], smiles: 'C' }, 'all have an `msa`, or none'],
  ['affinity of nothing', { protein: 'MT', affinity: true }, 'affinity is predicted of a ligand'],
])('%s is refused with its place', (_, inputs, message) => {
  expect(() => readRequest({ inputs })).toThrow(BadRequest);
  expect(() => readRequest({ inputs })).toThrow(message);
});

test('parameters are bounded, and an unknown one is named', () => {
  expect(() => readRequest({ inputs: { protein: 'MT', smiles: 'C' }, parameters: { sampling_steps: 0 } })).toThrow(
    'parameters.sampling_steps',
  );
  expect(() => readRequest({ inputs: { protein: 'MT', smiles: 'C' }, parameters: { steps: 3 } })).toThrow('parameters.steps is not known');
});

test('files as boltz 2.2.0 writes them are read, and one that is cut off is none', async () => {
  const out = join(scratch, 'recorded');
  await cp(shared, out, { recursive: true });
  const record = await readRecord(out, 'aurka_acp');
  expect(record?.structures[0]?.confidence.ligand_iptm).toBe(0.86);
  const request = readRequest({ inputs: { protein: sequence, smiles: 'CCO' } });
  const outputs = outputsOf(request, record!.structures[0]!.confidence, record!.affinity, {
    msa: 'user',
    tool: { name: 'boltz', version: '2.2.0' },
  });
  expect(outputs).toMatchObject({ affinity_pred_value: 1.21, pic50: 4.79, ic50_um: 16.2181, affinity_probability_binary: 0.37 });
  const cif = join(out, 'boltz_results_inputs/predictions/aurka_acp/aurka_acp_model_0.cif');
  expect(existsSync(cif)).toBe(true);
  const { writeFile } = await import('node:fs/promises');
  await writeFile(cif, (await readFile(cif, 'utf8')).slice(0, 500));
  expect(await readRecord(out, 'aurka_acp')).toBe(null);
});
