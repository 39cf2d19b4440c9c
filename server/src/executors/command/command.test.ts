import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { silent } from '../../lib/log.ts';
import type { ModelSpec } from '../../models/models.ts';
import { openMemory } from '../../storage/memory.ts';
import { conformance } from '../conformance.ts';
import type { Executor, ExecutorContext, JsonObject, Outcome, Task } from '../executor.ts';
import { LoadError } from '../executor.ts';
import { checkOptions } from '../registry.ts';
import { commandKind } from './command.ts';

const scratch = await mkdtemp(join(tmpdir(), 'sluice-command-'));
afterAll(() => rm(scratch, { recursive: true, force: true }));

const storage = openMemory();
const context: ExecutorContext = { log: silent, scratch, storage, crash: () => {} };

/** A program for tests: what it does is in its first argument, a script of this test's and nobody else's. */
const program = join(scratch, 'program.mjs');
await writeFile(program, `#!${process.execPath}\nawait (0, eval)(process.argv[2]);\n`);
await chmod(program, 0o755);

const model = (options: Record<string, unknown>): ModelSpec => ({
  name: 'lab/tool',
  version: '1.2.3',
  executor: 'echo',
  options: { program, ...options },
});
const open = (options: Record<string, unknown>): Promise<Executor> => commandKind.open(model(options), context);
const script = (code: (...args: never[]) => unknown): string => `(${code.toString()})()`;

const task = (line: number, inputs: JsonObject = {}): Task => ({
  line,
  customId: `r${line}`,
  url: '/v1/predict',
  body: { model: 'lab/tool', inputs },
  attempt: 1,
  folder: `t/batches/b/jobs/${line}`,
});
const signals = () => ({ stop: new AbortController().signal, abort: new AbortController().signal });
const collect = async (executor: Executor, tasks: Task[], given = signals()): Promise<Outcome[]> => {
  const all: Outcome[] = [];
  for await (const outcomes of executor.run(tasks, given)) all.push(...outcomes);
  return all.toSorted((a, b) => a.line - b.line);
};
const one = async (options: Record<string, unknown>, asked = task(1)): Promise<Outcome> =>
  (await collect(await open(options), [asked]))[0]!;
const bodyOf = (outcome: Outcome): JsonObject => {
  if (!outcome.ok) throw new Error(outcome.message);
  return JSON.parse(outcome.body) as JsonObject;
};

/** As /proc has it: `Z` is dead and not yet buried, `-` gone. */
const stateOf = (pid: number): string => {
  try {
    return /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))![1]!;
  } catch {
    return '-';
  }
};

const obeying = script(async () => {
  const { ms, code } = JSON.parse(process.argv[3]!) as { ms?: number; code?: number };
  await new Promise((resolve) => setTimeout(resolve, ms ?? 0));
  process.stdout.write('{"done": true}');
  process.exitCode = code ?? 0;
});
const obey = { args: [obeying, '{/inputs/script}'] };
conformance('command', {
  open: (most) => open({ ...obey, max_concurrency: most }),
  quick: (line) => task(line, { script: '{}' }),
  slow: (line, ms) => task(line, { script: JSON.stringify({ ms }) }),
  bad: (line) => task(line, { script: '{"code": 3}' }),
});

test('arguments and files are filled from the request, and what it leaves is kept', async () => {
  const outcome = await one(
    {
      args: [
        script(async () => {
          const { readFileSync, writeFileSync, mkdirSync } = process.getBuiltinModule('node:fs');
          mkdirSync('out/deep', { recursive: true });
          writeFileSync('out/deep/model_0.cif', 'data_model\n');
          writeFileSync('out/table.csv', 'a,b\n');
          writeFileSync(
            'out/result.json',
            JSON.stringify({ args: process.argv.slice(3), yaml: readFileSync('in/a.yaml', 'utf8'), json: readFileSync('b.json', 'utf8') }),
          );
          console.log('working');
          console.error('on it');
        }),
        '--smiles={/inputs/smiles}',
        '{/inputs/n?7}',
        '{dir}/out',
        '{custom_id} {line} {attempt} {model} {version} {{literal}}',
      ],
      files: [
        { path: 'in/a.yaml', content: 'smiles: {/inputs/smiles}\n' },
        { path: 'b.json', json: '/inputs' },
      ],
      outputs: [{ pattern: 'out/**/model_*.cif', name: 'structure.cif', required: true }, { pattern: 'out/*.csv' }],
      result: 'out/result.json',
    },
    task(1, { smiles: '-C; rm -rf $(HOME) `x` "q" \n' }),
  );
  const { outputs, artifacts, object, version } = bodyOf(outcome) as {
    outputs: { args: string[]; yaml: string; json: string };
    artifacts: JsonObject[];
    object: string;
    version: string;
  };
  expect([object, version]).toEqual(['prediction', '1.2.3']);
  expect(outputs.args[0]).toBe('--smiles=-C; rm -rf $(HOME) `x` "q" \n');
  expect(outputs.args[1]).toBe('7');
  expect(outputs.args[2]).toMatch(/command-\w+\/out$/);
  expect(outputs.args[3]).toBe('r1 1 1 lab/tool 1.2.3 {literal}');
  expect(outputs.yaml).toContain('smiles: -C; rm');
  expect(JSON.parse(outputs.json)).toEqual({ smiles: '-C; rm -rf $(HOME) `x` "q" \n' });
  expect(artifacts.map(({ name, content_type, bytes }) => [name, content_type, bytes])).toEqual([
    ['structure.cif', 'chemical/x-mmcif', 11],
    ['table.csv', 'text/csv; charset=utf-8', 4],
    ['logs.txt', 'text/plain; charset=utf-8', 14],
  ]);
  expect((await storage.read('t/batches/b/jobs/1/structure.cif')).toString()).toBe('data_model\n');
  expect((await storage.read('t/batches/b/jobs/1/logs.txt')).toString()).toBe('working\non it\n');
  expect((await readdir(scratch)).filter((name) => name.startsWith('command-'))).toEqual([]);
});

test.each<[string, JsonObject, string]>([
  ['a field that is missing', {}, 'body.inputs.x is missing.'],
  ['a field that is no single value', { x: [1] }, 'body.inputs.x must be a text, a number or a boolean.'],
  ['a value that would be an option', { x: '--output=/etc/passwd' }, "body.inputs.x must not begin with '-'."],
  ['a NUL', { x: 'a\0b' }, 'NUL'],
])('%s is the fault of the request', async (_, inputs, message) => {
  const outcome = await one({ args: [script(() => {}), '{/inputs/x}'] }, task(1, inputs));
  expect(outcome).toMatchObject({ ok: false, kind: 'permanent', code: 'invalid_request', message: expect.stringContaining(message) });
});

test('how a program ends decides whether it is run again, and what it said last is in the message', async () => {
  const ends = (code: string, more: Record<string, unknown> = {}) => one({ args: [`console.error('out of paper'); ${code}`], ...more });
  expect(await ends('process.exit(2)')).toMatchObject({
    kind: 'permanent',
    message: 'The program ended with exit code 2. It said last: out of paper',
  });
  expect(await ends('process.exit(75)')).toMatchObject({ kind: 'retryable' });
  expect(await ends('process.exit(2)', { retryable_exits: [2] })).toMatchObject({ kind: 'retryable' });
  expect(await ends('process.exit(3)', { memory_exits: [3] })).toMatchObject({ kind: 'retryable', code: 'out_of_memory', needs: 'memory' });
  expect(await ends('process.exit(3)', { memory_exits: [3], gpu_env: ['CUDA_VISIBLE_DEVICES'] })).toMatchObject({ needs: 'gpu_memory' });
  // As the kernel does to what a machine has no memory for.
  expect(await ends("process.kill(process.pid, 'SIGKILL')")).toMatchObject({ kind: 'retryable', code: 'out_of_memory', needs: 'memory' });
  expect(await ends("process.kill(process.pid, 'SIGSEGV')")).toMatchObject({
    kind: 'retryable',
    message: expect.stringContaining('SIGSEGV'),
  });
  expect(await ends('0', { outputs: [{ pattern: '*.cif', required: true }] })).toMatchObject({
    kind: 'permanent',
    message: expect.stringContaining("no file that matches '*.cif'"),
  });
  expect(await ends('0', { result: 'r.json' })).toMatchObject({ kind: 'permanent', message: expect.stringContaining("left no 'r.json'") });
  expect(await one({ program: '/no/such/program' })).toMatchObject({ ok: false, kind: 'permanent' });
});

test('at its time-out a program is killed with all it has started', async () => {
  const outcome = await one({
    args: [
      script(async () => {
        const { spawn } = process.getBuiltinModule('node:child_process');
        const child = spawn('sleep', ['600'], { detached: false, stdio: 'inherit' });
        console.log(`child ${child.pid}`);
        await new Promise(() => setInterval(() => {}, 1_000));
      }),
    ],
    timeout_ms: 700,
  });
  expect(outcome).toMatchObject({ ok: false, kind: 'retryable', code: 'request_timeout' });
  const pid = Number(/child (\d+)/.exec(outcome.ok ? '' : outcome.message)![1]);
  await expect.poll(() => stateOf(pid)).toMatch(/^[ZX-]$/);
});

test('a program sees of the environment what it is shown, and no more', async () => {
  process.env['SLUICE_TEST_SECRET'] = 'secret';
  process.env['CUDA_VISIBLE_DEVICES'] = '3';
  const outcome = await one({
    args: [script(() => console.log(JSON.stringify(process.env)))],
    env: { MODE: 'fast' },
    gpu_env: ['CUDA_VISIBLE_DEVICES'],
  });
  const { outputs } = bodyOf(outcome) as { outputs: Record<string, string> };
  expect(outputs).toMatchObject({ MODE: 'fast', CUDA_VISIBLE_DEVICES: '3' });
  // Node hands NODE_V8_COVERAGE on by itself, where what runs is counted.
  expect(
    Object.keys(outputs).filter(
      (name) =>
        ![
          'PATH',
          'LANG',
          'TZ',
          'HOME',
          'TMPDIR',
          'PWD',
          'OLDPWD',
          '_',
          'SHLVL',
          'MODE',
          'CUDA_VISIBLE_DEVICES',
          'NODE_V8_COVERAGE',
        ].includes(name),
    ),
  ).toEqual([]);
  expect(await one({ args: ['0'], pass_env: ['SLUICE_API_KEY'] }).catch((error: unknown) => error)).toBeInstanceOf(LoadError);
});

test('limits of memory and processor time hold', async () => {
  const memory = await one({
    args: ['const all = []; for (;;) all.push(Buffer.alloc(16 << 20, 1))'],
    memory_mb: 2_000,
    timeout_ms: 20_000,
  });
  expect(memory).toMatchObject({ ok: false });
  const cpu = await one({ args: ['for (;;);'], cpu_seconds: 1, timeout_ms: 20_000 });
  expect(cpu).toMatchObject({ ok: false, kind: 'permanent', message: expect.stringContaining('processor time') });
});

test('links out of the folder are no files, and files are bounded', async () => {
  const links = script(async () => {
    const { symlinkSync, writeFileSync } = process.getBuiltinModule('node:fs');
    symlinkSync('/etc/passwd', 'a.txt');
    writeFileSync('b.txt', 'x'.repeat(1_000));
  });
  const { artifacts } = bodyOf(await one({ args: [links], outputs: [{ pattern: '*.txt' }] })) as { artifacts: { name: string }[] };
  expect(artifacts.map(({ name }) => name)).toEqual(['b.txt', 'logs.txt']);
  expect(await one({ args: [links], outputs: [{ pattern: '*.txt' }], max_output_bytes: 999 })).toMatchObject({
    ok: false,
    message: expect.stringContaining('more than 999 bytes'),
  });
});

test('one process may answer many requests, and what it answered before it failed counts', async () => {
  const answering = script(async () => {
    const { readFileSync, appendFileSync } = process.getBuiltinModule('node:fs');
    for (const line of readFileSync('requests.jsonl', 'utf8').trim().split('\n')) {
      const { custom_id, body } = JSON.parse(line) as { custom_id: string; body: { inputs: { x: number } } };
      const { x } = body.inputs;
      if (x === 3) appendFileSync('results.jsonl', `${JSON.stringify({ custom_id, error: { message: 'three is too many' } })}\n`);
      else if (x === 5) {
        appendFileSync('results.jsonl', '{"custom_id": "r5", "outp');
        process.exit(75);
      } else if (x !== 4) appendFileSync('results.jsonl', `${JSON.stringify({ custom_id, outputs: { double: 2 * x } })}\n`);
    }
  });
  const executor = await open({ args: [answering], per: 'chunk', chunk_size: 4 });
  const outcomes = await collect(
    executor,
    [1, 2, 3, 4, 7, 5, 6].map((x, i) => ({ ...task(i + 1, { x }), customId: `r${x}` })),
  );
  expect(
    outcomes.map((outcome) =>
      outcome.ok ? (JSON.parse(outcome.body) as { outputs: unknown }).outputs : [outcome.kind, outcome.message.split('.')[0]],
    ),
  ).toEqual([
    { double: 2 },
    { double: 4 },
    ['permanent', 'three is too many'],
    ['permanent', 'The program left no line for this request in results'],
    { double: 14 },
    ['retryable', 'The program ended with exit code 75'],
    ['retryable', 'The program ended with exit code 75'],
  ]);
});

test('where one process answers many requests, each has the files that are its own', async () => {
  const leaving = script(async () => {
    const { mkdirSync, readFileSync, writeFileSync } = process.getBuiltinModule('node:fs');
    mkdirSync('out');
    // The script is a template too: no `{line}` stands in it.
    const results = readFileSync('requests.jsonl', 'utf8')
      .trim()
      .split('\n')
      .map((text) => {
        const { custom_id: id, line: n } = JSON.parse(text) as { custom_id: string; line: number };
        if (n !== 3) writeFileSync(`out/${n}.pose.txt`, `of ${id}`);
        if (!id.includes('/')) writeFileSync(`out/by ${id}.csv`, id);
        return JSON.stringify({ custom_id: id, outputs: { n } });
      });
    writeFileSync('results.jsonl', results.join('\n'));
    console.log('said by all');
  });
  const outputs = [
    { pattern: 'out/{line}.pose.txt', name: 'pose.txt', required: true },
    { pattern: 'out/by {custom_id}.csv', name: 'own.csv' },
  ];
  const executor = await open({ args: [leaving], per: 'chunk', chunk_size: 20, outputs });
  const names = ['a', '*', 'gone', '../up', '{a,b}[!c]', ...Array.from({ length: 6 }, (_, i) => `r${i}`)];
  const outcomes = await collect(
    executor,
    names.map((customId, i) => ({ ...task(i + 1), customId })),
  );
  expect(outcomes[2]).toMatchObject({ ok: false, kind: 'permanent', message: expect.stringContaining("no file that matches 'out/{line}") });
  for (const [i, outcome] of outcomes.entries()) {
    if (i === 2) continue;
    // What would mean other files in a pattern names none.
    const own = /[/*{]/.test(names[i]!) ? ['pose.txt'] : ['own.csv', 'pose.txt'];
    expect(outcome.artifacts!.map(({ name }) => name)).toEqual([...own, 'logs.txt']);
    expect((bodyOf(outcome)['artifacts'] as { name: string }[]).map(({ name }) => name)).toEqual(own);
    const text = async (name: string) => (await storage.read(outcome.artifacts!.find((each) => each.name === name)!.key)).toString();
    expect(await text('pose.txt')).toBe(`of ${names[i]}`);
    if (own.includes('own.csv')) expect(await text('own.csv')).toBe(names[i]);
    expect(await text('logs.txt')).toContain('said by all');
  }
});

test('a pattern that could mean the files of any request is refused where one process answers many', () => {
  const check = (per: string, pattern: string) => checkOptions({ executor: 'command', options: { program, per, outputs: [{ pattern }] } });
  expect(check('chunk', 'out/*.sdf')).toEqual([
    "option 'outputs': 'out/*.sdf' must hold {line} or {custom_id}, for one process answers many requests.",
  ]);
  expect([check('chunk', 'out/{line}.sdf'), check('request', 'out/*.sdf')]).toEqual([[], []]);
});

test('answers are shared where the operator says that they are the same, and the program is not told whose request it is', async () => {
  const identity = async (options: Record<string, unknown>, inputs: JsonObject) => (await open(options)).identity!(task(1, inputs));
  expect(await identity({ args: ['{/inputs/x}'] }, { x: 1 })).toBe(null);
  expect(await identity({ args: ['{/inputs/x}', '{custom_id}'], deterministic: true }, { x: 1 })).toBe(null);
  expect(await identity({ args: ['{/inputs/x}'], deterministic: true }, { x: 1 })).toBe('{"inputs":{"x":1}}');
});
