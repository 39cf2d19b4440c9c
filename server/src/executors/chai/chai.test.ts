import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { silent } from '../../lib/log.ts';
import { openMemory } from '../../storage/memory.ts';
import { BadRequest } from '../bad-request.ts';
import type { Executor, ExecutorContext, JsonObject, Outcome, Task } from '../executor.ts';
import { chaiKind } from './chai.ts';
import { readNpz } from './npz.ts';
import { fasta, readRequest, restraintsCsv } from './request.ts';

const sample = fileURLToPath(new URL('../../../../examples/chai-sample/chai-sample.mjs', import.meta.url));
const scratch = await mkdtemp(join(tmpdir(), 'sluice-chai-'));
afterAll(() => rm(scratch, { recursive: true, force: true }));

const storage = openMemory();
const context: ExecutorContext = { log: silent, scratch, storage, crash: () => {} };
const protein = 'MTEYKLVVVGAGGVGKSALTIQLIQ';

const open = (script: JsonObject = {}, options: Record<string, unknown> = {}): Promise<Executor> =>
  chaiKind.open(
    {
      name: 'chai-1',
      version: '0.6.1',
      executor: 'chai',
      options: {
        program: process.execPath,
        args: [sample],
        env: { CHAI_SAMPLE: JSON.stringify(script) },
        tool_version: '0.6.1+sample',
        ...options,
      },
    },
    context,
  );
const entities = (smiles: string) => [
  { type: 'protein', name: 'target', sequence: protein },
  { type: 'ligand', smiles },
];
const task = (line: number, inputs: JsonObject, parameters?: JsonObject): Task => ({
  line,
  customId: `c${line}`,
  url: '/v1/predict',
  body: { model: 'chai-1', inputs, ...(parameters && { parameters }) },
  attempt: 1,
  folder: `t/batches/b/jobs/${line}`,
});
const one = async (asked: Task, script: JsonObject = {}, options: Record<string, unknown> = {}): Promise<Outcome> => {
  await using executor = await open(script, options);
  const signals = { stop: new AbortController().signal, abort: new AbortController().signal };
  const all: Outcome[] = [];
  for await (const outcomes of executor.run([asked], signals)) all.push(...outcomes);
  return all[0]!;
};

test('a complex: structures in the order of their scores, whatever order the tool left them in', async () => {
  const outcome = await one(
    task(1, { entities: entities('CCO'), restraints: [{ type: 'contact', chain_a: 'A', residue_a: 'M1', chain_b: 'B' }] }, { seed: 3 }),
  );
  if (!outcome.ok) throw new Error(outcome.message);
  const { outputs } = JSON.parse(outcome.body) as { outputs: JsonObject & { models: { aggregate_score: number; structure: string }[] } };
  const scores = outputs.models.map((model) => model.aggregate_score);
  expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  expect(new Set(scores).size).toBe(5);
  expect(outputs).toMatchObject({
    aggregate_score: scores[0],
    msa: 'single_sequence',
    tool: { name: 'chai-lab', version: '0.6.1+sample' },
    parameters: { num_trunk_recycles: 3, num_diffn_timesteps: 200, seed: 3 },
  });
  expect(outcome.artifacts!.map(({ name }) => name).toSorted()).toEqual(
    [
      'input.fasta',
      'restraints.csv',
      'parameters.json',
      'structure.cif',
      'model_1.cif',
      'model_2.cif',
      'model_3.cif',
      'model_4.cif',
      'results.json',
      'logs.txt',
      'metadata.json',
    ].toSorted(),
  );
  expect((await storage.read('t/batches/b/jobs/1/structure.cif')).toString()).toContain('SAMPLE_NOT_A_PREDICTION');
  expect((await storage.read('t/batches/b/jobs/1/input.fasta')).toString()).toBe(
    `>protein|name=target\n${protein}\n>ligand|name=ligand-2\nCCO\n`,
  );
});

test.each<[string, JsonObject, string, string]>([
  ['what the tool refuses', { refuse: ['CCO'] }, 'permanent invalid_request', 'Too many tokens'],
  ['out of memory', { oom: ['CCO'] }, 'retryable out_of_memory', 'out of memory'],
  ['structures that are cut off', { cut: ['CCO'] }, 'retryable executor_error', 'left no result'],
])('%s is told apart, and its log kept', async (_, script, kind, message) => {
  const outcome = await one(task(2, { entities: entities('CCO') }), script);
  expect(outcome.ok ? 'ok' : `${outcome.kind} ${outcome.code}`).toBe(kind);
  expect(outcome).toMatchObject({ message: expect.stringContaining(message) });
  expect(outcome.artifacts!.map(({ name }) => name)).toContain('logs.txt');
});

test('a program that is not there, and one that takes too long', async () => {
  expect(await one(task(3, { entities: entities('C') }), {}, { program: '/no/such' })).toMatchObject({ ok: false });
  expect(await one(task(3, { entities: entities('CN') }), { delays: { CN: 60_000 } }, { timeout_ms: 300 })).toMatchObject({
    kind: 'retryable',
    code: 'request_timeout',
  });
});

test.each<[string, JsonObject, string]>([
  ['no entity', { entities: [] }, 'inputs.entities'],
  ['a letter that is no residue', { entities: [{ type: 'protein', sequence: 'MT1' }] }, 'inputs.entities.0'],
  [
    'two of one name',
    {
      entities: [
        { type: 'protein', name: 'a', sequence: 'MT' },
        { type: 'ligand', name: 'a', smiles: 'C' },
      ],
    },
    "name 'a' is there twice",
  ],
  [
    'a restraint to nobody',
    { entities: [{ type: 'protein', sequence: 'MT' }], restraints: [{ type: 'contact', chain_a: 'A', chain_b: 'C' }] },
    "chain 'C'",
  ],
  ['more than the tool takes', { entities: [{ type: 'protein', sequence: 'M'.repeat(2_049) }] }, '2048 tokens'],
  ['a record within a record', { entities: [{ type: 'ligand', smiles: 'C\n>protein|name=x\nMT' }] }, 'holds no ligand'],
])('%s is refused with its place', (_, inputs, message) => {
  expect(() => readRequest({ inputs })).toThrow(BadRequest);
  expect(() => readRequest({ inputs })).toThrow(message);
});

test('the input files are the tool’s, exactly; answers are shared where a seed makes them the same', async () => {
  const request = readRequest({
    inputs: {
      entities: [
        { type: 'dna', sequence: 'ac gt' },
        { type: 'glycan', glycan: 'NAG(4-1 NAG)' },
      ],
      restraints: [{ type: 'covalent', chain_a: 'A', residue_a: 'C2@N3', chain_b: 'B', residue_b: '@C1', max_distance: 3 }],
    },
  });
  expect(fasta(request)).toBe('>dna|name=dna-1\nACGT\n>glycan|name=glycan-2\nNAG(4-1 NAG)\n');
  expect(restraintsCsv(request)).toContain('restraint1,A,C2@N3,B,@C1,covalent,1,0,3,');
  await using executor = await open();
  const asked = task(1, { entities: entities('CCO') });
  expect(executor.identity!(asked)).toBe(null);
  expect(executor.identity!(task(1, { entities: entities('CCO') }, { seed: 1 }))).not.toBe(
    executor.identity!(task(1, { entities: entities('CCN') }, { seed: 1 })),
  );
});

test('an archive that is none, or is cut off, is an error', () => {
  expect(() => readNpz(Buffer.from('PK'))).toThrow('not a NumPy archive');
  expect(() => readNpz(Buffer.from('PK\x05\x06', 'latin1'))).toThrow('out of range');
});
