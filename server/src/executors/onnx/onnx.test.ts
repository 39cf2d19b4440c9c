import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { silent } from '../../lib/log.ts';
import { isAlive } from '../../lib/processes.ts';
import { lanes, type Lane } from '../../policy/turns.ts';
import { conformance } from '../conformance.ts';
import { LoadError, type Executor, type Json, type Outcome, type Task } from '../executor.ts';
import { bomb, external, identity, loop, reciprocal, twoInputs } from './fixtures.ts';
import { openOnnx, type Onnx } from './onnx.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-onnx-'));
const scratch = join(folder, 'scratch');
const aqsol = fileURLToPath(new URL('../../../../examples/models/aqsol_logs.onnx', import.meta.url));
const chemistry = { path: aqsol, preprocess: 'smiles-morgan2048-desc16', outputs: ['logS'] };

const fixture = (name: string, bytes: Uint8Array): string => {
  const path = join(folder, `${name}.onnx`);
  writeFileSync(path, bytes);
  return path;
};
const loops = fixture('loop', loop());
/** About what a millisecond takes; a machine under load takes longer, which no test minds. */
const roundsPerMs = 1400;

const opened: Executor[] = [];
afterEach(async () => {
  for (const executor of opened.splice(0)) await executor[Symbol.asyncDispose]();
});
afterAll(() => rmSync(folder, { recursive: true }));

const openFor = (options: Record<string, unknown>, tuning?: { recycleAfter: number }): Promise<Onnx> => {
  const model = { name: 'm', version: '1.2.0', executor: 'onnx', options } as const;
  return openOnnx(model, { log: silent, scratch, crash: () => {} }, tuning);
};

/** Closed when the test has ended. */
const open = async (...given: Parameters<typeof openFor>): Promise<Onnx> => {
  const executor = await openFor(...given);
  opened.push(executor);
  return executor;
};

const task = (line: number, inputs: Json): Task => ({
  line,
  customId: `r${line}`,
  url: '/v1/predict',
  body: { model: 'm', inputs },
  attempt: 1,
});

const all = async (executor: Executor, inputs: Json[], each: (outcomes: Outcome[]) => void = () => {}): Promise<Outcome[]> => {
  const outcomes: Outcome[] = [];
  const signals = { stop: new AbortController().signal, abort: new AbortController().signal };
  const tasks = inputs.map((input, index) => task(index + 1, input));
  for await (const group of executor.run(tasks, signals)) {
    outcomes.push(...group);
    each(group);
  }
  return outcomes.sort((a, b) => a.line - b.line);
};

const times = (count: number, input: Json): Json[] => Array.from({ length: count }, () => input);

/** The outputs of each, or why there are none. */
const results = async (executor: Executor, inputs: Json[]): Promise<unknown[]> =>
  (await all(executor, inputs)).map((outcome) =>
    outcome.ok ? (JSON.parse(outcome.body) as { outputs: unknown }).outputs : outcome.message,
  );

conformance('onnx', {
  open: (most) => open({ path: loops, processes: most, slice: 1 }),
  quick: (line) => task(line, 0),
  slow: (line, ms) => task(line, ms * roundsPerMs),
  bad: (line) => task(line, 'x'),
});

describe('molecules', () => {
  // One for all of them: what one has been asked changes nothing for the next.
  let executor: Onnx;
  beforeAll(async () => {
    executor = await openFor({ ...chemistry, processes: 1 });
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  const benign = ['CCO', 'c1ccccc1', 'CC(=O)Oc1ccccc1C(=O)O', 'C[N+](C)(C)C.[Br-]', ' CCO '];

  test('a prediction has its shape', async () => {
    const [outcome] = await all(executor, [{ smiles: 'CCO' }]);
    expect(JSON.parse(outcome!.body!)).toEqual({
      id: expect.stringMatching(/^pred_[0-9a-f]{20}$/),
      object: 'prediction',
      model: 'm',
      version: '1.2.0',
      outputs: { logS: expect.closeTo(1.1, 0) },
    });
  });

  test.for([
    ['a chain of 700 atoms', 'C'.repeat(700), '700 atoms'],
    ['400 nested parentheses', `${'C('.repeat(400)}C${')'.repeat(400)}`, /nests 400|atoms/],
    ['C(C) 400 times', 'C(C)'.repeat(400), '800 atoms'],
    ['3,000 characters', '%'.repeat(3000), '2000 characters'],
    ['nothing', '', 'is empty'],
    ['blanks', '   ', 'is empty'],
    ['a name behind it', 'CCO name', 'white space'],
    ['no molecule', 'C1CC', 'unclosed ring'],
    ['a valence too many', 'C[C](C)(C)(C)C', 'Explicit valence for atom # 1 C, 5'],
    ['no SMILES at all', 'xyz', 'SMILES Parse Error'],
  ] as const)('%s fails alone', async ([, smiles, reason]) => {
    const { pids } = executor;
    const inputs = [...benign, smiles, ...benign].map((text) => ({ smiles: text }));
    const outcomes = await all(executor, inputs);
    expect(outcomes.filter((outcome) => !outcome.ok)).toMatchObject([
      { line: benign.length + 1, kind: 'permanent', code: 'invalid_input', message: expect.stringMatching(/^inputs\.smiles/) },
    ]);
    expect(outcomes[benign.length]).toHaveProperty('message', expect.stringMatching(reason));
    expect(executor.pids).toEqual(pids);
  });

  test('other inputs are refused by name', async () => {
    expect(await results(executor, [null, 'CCO', { smile: 'CCO' }, { smiles: 5 }, {}])).toEqual([
      'inputs must be an object such as {"smiles": "CCO"}.',
      'inputs must be an object such as {"smiles": "CCO"}.',
      'inputs.smile is not known; this model takes smiles. Did you mean smiles?',
      'inputs.smiles must be a string.',
      'inputs.smiles is missing.',
    ]);
  });

  test('a process gives way to a new one after its share of molecules, and none is lost', async () => {
    const own = await open({ ...chemistry, processes: 1, slice: 10 }, { recycleAfter: 30 });
    const before = own.pids;
    expect((await results(own, times(200, { smiles: 'CCO' }))).filter((result) => typeof result === 'string')).toEqual([]);
    await expect.poll(() => own.pids.filter((pid) => before.includes(pid))).toEqual([]);
  });
});

describe('tensors', () => {
  test('several inputs, each of its own type', async () => {
    const executor = await open({ path: fixture('two', twoInputs()), processes: 1 });
    const result = await results(executor, [
      { a: [1, 2.5], b: [3, 4] },
      { a: [1, 2], b: [3, 4.5] },
      { a: [1, 2] },
      { a: [1], b: [1, 2] },
      { a: [1, '2'], b: [1, 2] },
      { a: [1, [2]], b: [1, 2] },
      { a: [1, 1e300], b: [1, 2] },
      { a: [1, 2], b: [1, 2 ** 60] },
      { a: [1, 2], b: [1, 2], c: 1 },
      [1, 2],
      { a: [0, 0], b: [0, -1] },
    ]);
    expect(result).toEqual([
      { y: [7, 10.5] },
      'inputs.b[1] must be a whole number from -9007199254740991 to 9007199254740991 (int64).',
      'inputs.b is missing.',
      'inputs.a has 1 items; it must have 2.',
      'inputs.a[1] must be a number.',
      'inputs.a[1] must be a number.',
      'inputs.a[1] is too large for float32.',
      'inputs.b[1] must be a whole number from -9007199254740991 to 9007199254740991 (int64).',
      'inputs.c is not known; this model takes a, b. Did you mean a?',
      'inputs must be an object with a, b.',
      { y: [0, -2] },
    ]);
  });

  test('columns take the names given to them', async () => {
    const executor = await open({ path: fixture('two', twoInputs()), processes: 1, outputs: ['left', 'right'] });
    expect(await results(executor, [{ a: [0.1, 2], b: [0, 0] }])).toEqual([{ left: 0.1, right: 2 }]);
  });

  test('a model of one input takes its value without the name, in any depth and type', async () => {
    const deep = await open({ path: fixture('deep', identity('uint8', [2, 2])), processes: 1 });
    const value = [
      [1, 2],
      [3, 255],
    ];
    expect(await results(deep, [value, { x: value }, [[1, 2]], [1, 256]])).toEqual([
      { y: value },
      { y: value },
      'inputs has 1 items; it must have 2.',
      'inputs[0] must be a list of 2.',
    ]);
    const truth = await open({ path: fixture('truth', identity('bool', [])), processes: 1 });
    expect(await results(truth, [true, false, 2])).toEqual([
      { y: true },
      { y: false },
      'inputs must be a whole number from 0 to 1 (bool).',
    ]);
    const whole = await open({ path: fixture('whole', identity('int32', [1])), processes: 1 });
    expect(await results(whole, [[-5], [2 ** 31]])).toEqual([
      { y: -5 },
      'inputs[0] must be a whole number from -2147483648 to 2147483647 (int32).',
    ]);
  });

  test('a model whose batch is fixed, or whose rows differ in shape, gets them one by one', async () => {
    const fixed = await open({ path: fixture('fixed', identity('float32', [3], 1)), processes: 1 });
    expect(await results(fixed, [[[1, 2, 3]], [[4, 5, 6]], [1, 2, 3]])).toEqual([
      { y: [1, 2, 3] },
      { y: [4, 5, 6] },
      'inputs has 3 items; it must have 1.',
    ]);
    const ragged = await open({ path: fixture('ragged', identity('float32', ['M'])), processes: 2 });
    expect(await results(ragged, [[1], [1, 2, 3], [5, 6], [[1]]])).toEqual([
      { y: 1 },
      { y: [1, 2, 3] },
      { y: [5, 6] },
      'inputs must be nested 1 deep, not 2.',
    ]);
  });

  test('what JSON cannot hold fails alone', async () => {
    const executor = await open({ path: fixture('reciprocal', reciprocal()), processes: 1 });
    expect(await results(executor, [2, 0, 4])).toEqual([{ y: 0.5 }, 'An output is not a finite number.', { y: 0.25 }]);
  });
});

describe('a model that cannot be loaded says why', () => {
  /** Why it does not load; nothing is left behind. */
  const refusal = async (options: Record<string, unknown>): Promise<string> => {
    const failure: unknown = await open(options).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LoadError);
    expect(readdirSync(scratch)).toEqual([]);
    return (failure as LoadError).message;
  };

  test('no file, or no model in it', async () => {
    expect(await refusal({ path: join(folder, 'none.onnx') })).toMatch(/none\.onnx.*doesn't exist/);
    expect(await refusal({ path: fixture('garbage', Buffer.from('not a model')) })).toMatch(/protobuf/i);
    expect(await refusal({ path: fixture('empty', Buffer.alloc(0)) })).toMatch(/cannot be loaded/);
  });

  test('data outside its folder', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'sluice-outside-'));
    writeFileSync(join(outside, 'w.bin'), Buffer.alloc(4));
    expect(await refusal({ path: fixture('above', external(`../${basename(outside)}/w.bin`)) })).toMatch(/escapes model directory/);
    symlinkSync(join(outside, 'w.bin'), join(folder, 'link.bin'));
    expect(await refusal({ path: fixture('link', external('link.bin')) })).toMatch(/escapes model directory/);
    rmSync(outside, { recursive: true });
  });

  test('inputs and outputs that do not fit the options', async () => {
    expect(await refusal({ ...chemistry, path: loops })).toMatch(/need one input float32\[N, 2064\]; the model has x int64\[N\]/);
    expect(await refusal({ ...chemistry, outputs: ['a', 'b'] })).toMatch(/'outputs' gives 2 names; the model has 1 values a row/);
    expect(await refusal({ path: fixture('words', identity('string', [])) })).toMatch(/input 'x' has type string/);
  });
});

test('interactive goes before jobs before bulk, and leaves each its fifth', async () => {
  const executor = await open({ path: loops, processes: 1, slice: 1 });
  const order: string[] = [];
  const signals = { stop: new AbortController().signal, abort: new AbortController().signal };
  const run = async (lane: Lane): Promise<void> => {
    const tasks = Array.from({ length: 60 }, (_, i) => task(i + 1, 2 * roundsPerMs));
    for await (const group of executor.run(tasks, { ...signals, lane })) order.push(...group.map(() => lane));
  };
  await Promise.all(lanes.map(run));
  // Of 100 tasks 60, 20 and 20; then 40 jobs beside 10 lines. The process had some before all others came.
  const count = (of: Lane, before: Lane): number => order.slice(0, order.lastIndexOf(before)).filter((lane) => lane === of).length;
  expect(count('jobs', 'interactive')).toBeGreaterThanOrEqual(18);
  expect(count('jobs', 'interactive')).toBeLessThanOrEqual(22);
  expect(count('bulk', 'interactive')).toBeGreaterThanOrEqual(18);
  expect(count('bulk', 'interactive')).toBeLessThanOrEqual(22);
  expect(count('bulk', 'jobs')).toBeGreaterThanOrEqual(28);
  expect(count('bulk', 'jobs')).toBeLessThanOrEqual(32);
});

describe('a row that hangs or kills', () => {
  test('the one that hangs fails, and its neighbours do not', async () => {
    const executor = await open({ path: loops, processes: 2, timeout_ms: 2000 });
    const inputs = Array.from({ length: 24 }, (_, index) => (index === 5 ? 60_000 * roundsPerMs : index));
    const outcomes = await all(executor, inputs);
    expect(outcomes.filter((outcome) => !outcome.ok)).toMatchObject([
      { line: 6, kind: 'permanent', code: 'request_timeout', message: 'The model gave no result within 2000 ms.' },
    ]);
    expect(outcomes).toHaveLength(24);
  });

  test('a process that dies takes nothing with it', async () => {
    const executor = await open({ path: loops, processes: 2, slice: 4 });
    let killed = 0;
    const outcomes = await all(executor, times(60, 20 * roundsPerMs), () => {
      if (killed++ < 2) process.kill(executor.pids[0]!, 'SIGKILL');
    });
    expect(outcomes).toHaveLength(60);
    expect(outcomes.filter((outcome) => !outcome.ok)).toEqual([]);
  });

  test.for([1, 5])('a process that stands still is replaced, and nobody is blamed: slices of %i', async (slice) => {
    const executor = await open({ ...chemistry, processes: 1, slice, timeout_ms: 3000 });
    const [pid] = executor.pids;
    let stopped = false;
    const outcomes = await all(executor, times(40, { smiles: 'CCO' }), () => {
      if (!stopped) process.kill(pid!, 'SIGSTOP');
      stopped = true;
    });
    expect(outcomes.filter((outcome) => !outcome.ok)).toEqual([]);
    expect(outcomes).toHaveLength(40);
    expect(executor.pids).not.toContain(pid);
  });

  test('one that asks for too much memory fails alone', async () => {
    const executor = await open({ path: fixture('bomb', bomb()), processes: 1, memory_limit_mb: 1024, slice: 4 });
    const result = await all(executor, [
      [10, 10],
      [100_000, 100_000],
      [100, 100],
    ]);
    expect(result).toMatchObject([{ ok: true }, { ok: false, kind: 'permanent', code: 'executor_error' }, { ok: true }]);
  });
});

describe('a process of a model', () => {
  const home = (pid: number) => readlinkSync(`/proc/${pid}/cwd`);

  test('sees no secret, and works in an empty folder of its own', async () => {
    process.env['DATABASE_URL'] = 'postgres://u:secret@host/db';
    process.env['OPENAI_API_KEY'] = 'sk-secret';
    const executor = await open({ ...chemistry, processes: 2 });
    await results(executor, times(100, { smiles: 'CCO' }));
    await expect.poll(() => executor.pids.length).toBe(2);
    const [one, other] = executor.pids as [number, number];
    const names = readFileSync(`/proc/${one}/environ`, 'utf8')
      .split('\0')
      .map((entry) => entry.split('=')[0]!)
      .filter((name) => name !== '');
    // Node hands the last one on by itself, where coverage is measured.
    for (const name of names)
      expect([
        'PATH',
        'LANG',
        'TZ',
        'HOME',
        'TMPDIR',
        'ORT_DISABLE_TELEMETRY',
        'NODE_COMPILE_CACHE',
        'PWD',
        'OLDPWD',
        '_',
        'NODE_V8_COVERAGE',
      ]).toContain(name);
    expect(home(one)).not.toBe(home(other));
    expect(home(one).startsWith(scratch)).toBe(true);
    expect(readdirSync(home(one))).toEqual([]);
    delete process.env['DATABASE_URL'];
    delete process.env['OPENAI_API_KEY'];
    await executor[Symbol.asyncDispose]();
    expect(readdirSync(scratch)).toEqual([]);
  });

  test('reports to nobody: no database, no file, no thread, and not for the sake of CI', async () => {
    const executor = await open({ ...chemistry, processes: 1 });
    await results(executor, [{ smiles: 'CCO' }]);
    const [pid] = executor.pids as [number];
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    expect(environment).toContain('ORT_DISABLE_TELEMETRY=1');
    expect(environment).toContain(`HOME=${home(pid)}`);
    expect(environment.some((entry) => entry.startsWith('CI='))).toBe(false);
    expect(readdirSync(home(pid), { recursive: true })).toEqual([]);
    const files = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
    expect(files.filter((file) => /\.db|\.ses|mat-debug|Microsoft/.test(file))).toEqual([]);
    const threads = readdirSync(`/proc/${pid}/task`).map((id) => readFileSync(`/proc/${pid}/task/${id}/comm`, 'utf8').trim());
    // A thread has its maker's name until it takes its own: one more of these would be the library's.
    expect(threads.filter((name) => name === 'MainThread' || name === 'WorkerThread').sort()).toEqual(['MainThread', 'WorkerThread']);
    for (const name of threads)
      expect(['MainThread', 'WorkerThread', 'V8Worker', 'DelayedTaskSche', 'SignalInspector', 'libuv-worker']).toContain(name);
  });

  test('ends when the executor is killed, even in the middle of a loop', async () => {
    const code = `
      import { openOnnx } from ${JSON.stringify(new URL('onnx.ts', import.meta.url).href)};
      const context = { log: { warn() {}, error() {} }, scratch: ${JSON.stringify(scratch)}, crash() {} };
      const model = { name: 'm', version: '1.0.0', executor: 'onnx', options: { path: ${JSON.stringify(loops)}, processes: 1 } };
      const executor = await openOnnx(model, context);
      process.stdout.write(String(executor.pids[0]));
      const never = { stop: new AbortController().signal, abort: new AbortController().signal };
      const task = { line: 1, customId: 'r', url: '/v1/predict', body: { inputs: ${600_000 * roundsPerMs} }, attempt: 1 };
      for await (const _ of executor.run([task], never));`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [said] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(said.toString());
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await once(parent, 'close');
    await expect.poll(() => isAlive(pid)).toBe(false);
    rmSync(scratch, { recursive: true });
  });

  test('its memory is known, and gone with it', async () => {
    const executor = await open({ ...chemistry, processes: 1 });
    expect(executor.memory()).toBeGreaterThan(50e6);
    expect(executor.memory()).toBeLessThan(1e9);
    await executor[Symbol.asyncDispose]();
    expect(executor.memory()).toBe(0);
  });
});
