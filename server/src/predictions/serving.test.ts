import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import {
  bigMlp,
  countedLoop,
  crossRow,
  fillBomb,
  fixedBatch,
  identity,
  int64Identity,
  reciprocal,
  secondAxis,
  smallMlp,
  stringIdentity,
  twoInputs,
} from '../../test/support/onnx-models.ts';
import type { Tensor } from '../executors/onnx/tensor.ts';
import { buildServer } from '../http/server.ts';
import type { App } from '../lib/app.ts';
import { silent } from '../lib/log.ts';
import { isAlive } from '../lib/processes.ts';
import { Models, type ModelSpec } from '../models/models.ts';
import { Predictor, type PredictorOptions } from './predictor.ts';
import { predictRoutes } from './routes.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-predict-'));
const scratch = join(folder, 'scratch');
const aqsol = fileURLToPath(new URL('../../../examples/models/aqsol_logs.onnx', import.meta.url));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, bytes: Uint8Array): string => {
  const path = join(folder, `${name}.onnx`);
  writeFileSync(path, bytes);
  return path;
};
const spec = (name: string, bytes: Uint8Array, options: Record<string, unknown> = {}): ModelSpec => ({
  name,
  version: '1.0.0',
  executor: 'onnx',
  options: { path: file(name.replaceAll('/', '-'), bytes), ...options },
});

const declared: ModelSpec[] = [
  spec('lab/small', smallMlp(), { batching: {} }),
  spec('two', twoInputs(), { batching: { max_rows: 4 } }),
  spec('cross', crossRow()),
  spec('fixed', fixedBatch()),
  spec('voice', secondAxis()),
  spec('texts', stringIdentity()),
  spec('longs', int64Identity()),
  spec('halves', identity('float16', ['N', 2])),
  spec('reciprocal', reciprocal(), { batching: {} }),
  spec('bomb', fillBomb(), { memory_limit_mb: 1024 }),
  spec('loop', countedLoop(), { timeout_ms: 2_000 }),
  spec('slow', countedLoop()),
  spec('shared-loop', countedLoop(), { timeout_ms: 2_000, batching: {} }),
  {
    name: 'solubility',
    version: '1.0.0',
    executor: 'onnx',
    options: { path: aqsol, preprocess: 'smiles-morgan2048-desc16', outputs: ['logS'] },
  },
  { name: 'broken', version: '1.0.0', executor: 'onnx', options: { path: '/nowhere.onnx' } },
];
const voiceFacts = {
  inputs: { input: 0, state: 1, sr: null },
  outputs: { output: 0, stateN: 1 },
  safe: true,
  maxRows: 16,
  memoryBytes: 1e8,
};

const opened: (App | Predictor)[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each[Symbol.asyncDispose]();
});

const predictorOf = (models: readonly ModelSpec[], more: Partial<PredictorOptions> = {}): Predictor => {
  const predictor = new Predictor({
    models: new Models(models),
    log: silent,
    scratch,
    factsOf: (model) => Promise.resolve(model.name === 'voice' ? voiceFacts : null),
    ...more,
  });
  opened.push(predictor);
  return predictor;
};

const start = async (more: Partial<PredictorOptions> = {}) => {
  const predictor = predictorOf(declared, more);
  const app = await buildServer({
    keys: [{ key: 'k', tenant: 't', user: 'u' }],
    log: silent,
    checkReplies: true,
    routes: (routes) => predictRoutes(routes, { predictor }),
  });
  opened.push(app);
  const headers = { authorization: 'Bearer k' };
  return {
    app,
    predictor,
    post: (url: string, payload: object) => app.inject({ method: 'POST', url, headers, payload }),
    predict: async (model: string, inputs: unknown, wish: object = {}) => {
      const reply = await app.inject({ method: 'POST', url: '/v1/predict', headers, payload: { model, inputs, ...wish } });
      return {
        status: reply.statusCode,
        body: reply.json<{ outputs?: unknown; error?: { code: string; message: string; param: string } }>(),
        headers: reply.headers,
      };
    },
  };
};

const find = (name: string): ModelSpec => declared.find((model) => model.name === name)!;

const outputs = async (asked: Promise<{ body: { outputs?: unknown; error?: { message: string } } }>): Promise<unknown> => {
  const { body } = await asked;
  return body.outputs ?? body.error?.message;
};

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await delay(5);
};

describe('a prediction', () => {
  test('comes in the form in which it was asked', async () => {
    const { predict, post } = await start();
    expect(await outputs(predict('two', { a: [1, 2], b: [10, 20] }))).toEqual({ y: [21, 42] });
    expect(
      await outputs(
        predict('two', [
          { a: [1, 2], b: [10, 20] },
          { a: [0, 0], b: [1, 1] },
        ]),
      ),
    ).toEqual([{ y: [21, 42] }, { y: [2, 2] }]);
    expect(
      await outputs(
        predict('two', {
          a: [
            [1, 2],
            [0, 0],
          ],
          b: [
            [10, 20],
            [1, 1],
          ],
        }),
      ),
    ).toEqual({
      y: [
        [21, 42],
        [2, 2],
      ],
    });
    expect((await post('/v1/models/two/predict', { inputs: { a: [1, 2], b: [1, 1] } })).json()).toMatchObject({
      model: 'two',
      outputs: { y: [3, 4] },
    });
    const row = Array.from({ length: 64 }, () => 0.5);
    const named = (await post('/v1/models/lab/small/versions/1.0.0/predict', { inputs: row })).json<{ outputs: { y: number[] } }>();
    expect(named.outputs.y).toHaveLength(10);
    expect((await post('/v1/models/lab/small/versions/2.0.0/predict', { inputs: row })).statusCode).toBe(404);
  });

  test('says where the time went', async () => {
    const { predict } = await start();
    const { headers } = await predict('two', { a: [1, 2], b: [1, 1] });
    expect(headers['server-timing']).toMatch(/^queue;dur=[\d.]+, batch;dur=[\d.]+, compute;dur=[\d.]+$/);
  });

  test('of molecules', async () => {
    const { predict } = await start();
    expect(await outputs(predict('solubility', { smiles: 'CCO' }))).toEqual({ logS: expect.closeTo(1.1, 0) });
    expect(await outputs(predict('solubility', [{ smiles: 'CCO' }, { smiles: 'c1ccccc1' }]))).toEqual([
      { logS: expect.any(Number) },
      { logS: expect.any(Number) },
    ]);
    expect(await outputs(predict('solubility', { smiles: ['CCO', 'c1ccccc1'] }))).toEqual({
      logS: [expect.any(Number), expect.any(Number)],
    });
    for (const [inputs, param] of [
      [{ smiles: 'C1CC' }, 'inputs.smiles'],
      [[{ smiles: 'CCO' }, { smiles: 'C1CC' }], 'inputs[1].smiles'],
      [{ smiles: ['CCO', 'CC', 'C1CC'] }, 'inputs.smiles[2]'],
      [[{ smiles: 'CCO' }, { smiles: '' }], 'inputs[1].smiles'],
    ] as const) {
      const { status, body } = await predict('solubility', inputs);
      expect([status, body]).toMatchObject([400, { error: { code: 'invalid_input', param, message: expect.stringContaining(param) } }]);
    }
  });

  test('other types, axes and batches', async () => {
    const { predict } = await start();
    expect(await outputs(predict('texts', ['héllo😀', '']))).toEqual({ y: ['héllo😀', ''] });
    expect(await outputs(predict('longs', [2 ** 53 - 1, -5, 0]))).toEqual({ y: [2 ** 53 - 1, -5, 0] });
    expect(
      await outputs(
        predict('halves', [
          [0.5, -2],
          [65504, 0],
        ]),
      ),
    ).toEqual({
      y: [
        [0.5, -2],
        [65504, 0],
      ],
    });
    expect(await outputs(predict('fixed', [[1, 2, 3, 4]]))).toEqual({ y: [2, 4, 6, 8] });
    expect(await outputs(predict('fixed', [{ x: [[1, 2, 3, 4]] }, { x: [[0, 0, 0, 1]] }]))).toEqual([
      { y: [2, 4, 6, 8] },
      { y: [0, 0, 0, 2] },
    ]);
    const state = [Array(8).fill(1), Array(8).fill(2)];
    expect(await outputs(predict('voice', { input: [1, 3], state, sr: 10 }))).toEqual({
      output: 20,
      stateN: [Array(8).fill(2), Array(8).fill(3)],
    });
    // Rows of different widths and rates, each with its own answer.
    expect(
      await outputs(
        predict(
          'voice',
          [
            { input: [1, 3], state, sr: 10 },
            { input: [4], state, sr: 100 },
          ],
          { outputs: ['output'] },
        ),
      ),
    ).toEqual([{ output: 20 }, { output: 400 }]);
  });

  test('of a model whose rows depend on each other is for one row at a time', async () => {
    const { predict } = await start();
    const rows = [{ x: [1, 2, 3, 4] }, { x: [5, 6, 7, 8] }];
    expect(await outputs(predict('cross', rows))).toEqual([{ y: [0, 0, 0, 0] }, { y: [0, 0, 0, 0] }]);
    expect(await outputs(predict('cross', { x: rows.map(({ x }) => x) }))).toEqual({
      y: [
        [-2, -2, -2, -2],
        [2, 2, 2, 2],
      ],
    });
  });

  test.each<[string, string, unknown, object, number, string, string]>([
    ['an output that is not there', 'two', { a: [1, 2], b: [1, 1] }, { outputs: ['y', 'z'] }, 400, 'invalid_input', 'outputs[1]'],
    ['no output', 'two', { a: [1, 2], b: [1, 1] }, { outputs: [] }, 400, 'invalid_input', 'outputs'],
    [
      'a fixed batch that is not met',
      'fixed',
      [
        [1, 2, 3, 4],
        [1, 2, 3, 4],
      ],
      {},
      400,
      'invalid_input',
      'inputs.x',
    ],
    ['what JSON cannot hold', 'reciprocal', 0, {}, 500, 'executor_error', 'outputs.y'],
    ['a model that is not there', 'none', 0, {}, 404, 'model_not_found', 'model'],
    ['a model that does not load', 'broken', 0, {}, 503, 'model_not_ready', ''],
    ['too little time', 'loop', 2 ** 40, { timeout_ms: 100 }, 504, 'request_timeout', ''],
    ['a run that hangs', 'loop', 2 ** 40, {}, 504, 'request_timeout', ''],
    ['too much memory', 'bomb', [60_000, 60_000], {}, 500, 'executor_error', ''],
  ])('%s', async (_, model, inputs, wish, status, code, param) => {
    const { predict } = await start();
    const reply = await predict(model, inputs, wish);
    expect(reply.body).toMatchObject({ error: { code, ...(param && { param }) } });
    expect(reply.status).toBe(status);
  });
});

describe('typed tensors', () => {
  const longs: Tensor = { name: 'x', datatype: 'INT64', shape: [1, 3], data: BigInt64Array.of(2n ** 53n + 1n, -(2n ** 63n), 7n) };

  test('go through exactly', async () => {
    const predictor = predictorOf(declared);
    const { outputs: all, times } = await predictor.infer(find('longs'), [longs], { tenant: 't' });
    expect(all).toEqual([{ ...longs, name: 'y' }]);
    expect(times.computeMs).toBeGreaterThan(0);
    const none: Tensor = { name: 'x', datatype: 'INT64', shape: [0, 3], data: new BigInt64Array(0) };
    expect((await predictor.infer(find('longs'), [none], { tenant: 't' })).outputs[0]!.shape).toEqual([0, 3]);
    expect((await predictor.portsOf(find('longs'))).inputs).toEqual([{ name: 'x', type: 'int64', shape: ['N', 3] }]);
  });

  test('more rows than a run takes are split, and come together', async () => {
    const predictor = predictorOf(declared);
    const rows = 11;
    const a: Tensor = { name: 'a', datatype: 'FP32', shape: [rows, 2], data: Float32Array.from({ length: 2 * rows }, (_, i) => i) };
    const b: Tensor = {
      name: 'b',
      datatype: 'INT64',
      shape: [rows, 2],
      data: BigInt64Array.from({ length: 2 * rows }, (_, i) => BigInt(i)),
    };
    const { outputs: all } = await predictor.infer(find('two'), [b, a], { tenant: 't' });
    expect(all[0]).toEqual({
      name: 'y',
      datatype: 'FP32',
      shape: [rows, 2],
      data: Float32Array.from({ length: 2 * rows }, (_, i) => 3 * i),
    });
    expect(predictor.loaded.figuresOf(find('two')).sizes).toMatchObject({ count: 3, sum: 11 });
  });

  test.each<[string, Partial<Tensor>[], string]>([
    ['nothing', [], 'inputs.x is missing'],
    ['an extra tensor', [{}, { name: 'xx' }], 'inputs.xx is not known'],
    ['one given twice', [{}, {}], 'inputs.x is given twice'],
    ['another type', [{ datatype: 'INT32', data: Int32Array.of(1, 2, 3) }], 'inputs.x must be INT64, not INT32'],
    ['another rank', [{ shape: [3] }], 'inputs.x has shape [3]; it must be [N, 3]'],
    ['another size', [{ shape: [3, 1] }], 'it must be [N, 3]'],
    ['a negative size', [{ shape: [-1, 3] }], 'inputs.x has shape'],
    ['too few values', [{ data: BigInt64Array.of(1n) }], 'has 1 values; its shape [1, 3] needs 3'],
  ])('%s is refused', async (_, tensors, words) => {
    const predictor = predictorOf(declared);
    const asked = predictor.infer(
      find('longs'),
      tensors.map((tensor) => ({ ...longs, ...tensor })),
      { tenant: 't' },
    );
    await expect(asked).rejects.toMatchObject({ code: 'invalid_input', message: expect.stringContaining(words) });
  });
});

describe('rows that share a run', () => {
  const ask = (predictor: Predictor, model: string, value: number) =>
    predictor.predict(find(model), { inputs: value }, { onGone: () => {} });

  test('are those that wait when the process is free', async () => {
    const predictor = predictorOf(declared);
    await ask(predictor, 'reciprocal', 1);
    const { sizes } = predictor.loaded.figuresOf(find('reciprocal'));
    const [runs, rows] = [sizes.count, sizes.sum];
    const all = await Promise.all(Array.from({ length: 40 }, (_, i) => ask(predictor, 'reciprocal', 1 + i)));
    all.forEach(({ body }, i) =>
      expect(JSON.parse(body)).toMatchObject({
        outputs: { y: Number((1 / (1 + i)).toFixed(5)) === 0 ? 0 : expect.closeTo(1 / (1 + i), 5) },
      }),
    );
    expect(sizes.sum - rows).toBe(40);
    expect(sizes.count - runs).toBeLessThanOrEqual(2);
  });

  test('do not suffer from one that fails', async () => {
    const predictor = predictorOf(declared);
    const rows = (value: number) => predictor.predict(find('reciprocal'), { inputs: value }, { onGone: () => {} });
    await rows(1);
    const all = await Promise.allSettled([1, 0, 2, 4].map(rows));
    expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
  });

  test('do not hang with one that hangs', async () => {
    const predictor = predictorOf(declared);
    await ask(predictor, 'shared-loop', 1);
    const all = await Promise.allSettled([
      ask(predictor, 'shared-loop', 5),
      ask(predictor, 'shared-loop', 2 ** 40),
      ask(predictor, 'shared-loop', 7),
    ]);
    expect(all).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code: 'request_timeout' } },
      { status: 'fulfilled' },
    ]);
  });
});

describe('a process', () => {
  const roundsPerMs = 1400;
  /** All that was asked of it so far is under way. */
  const isRunning = ({ open, waiting }: { open: number; waiting: number }): boolean => open > 0 && waiting === 0;
  const ask = (predictor: Predictor, value: number, model = 'slow', wish = {}) =>
    predictor.predict(find(model), { inputs: value, ...wish }, { onGone: () => {} });

  test('that is killed takes with it what it ran, to be tried again, and nothing else', async () => {
    const predictor = predictorOf(declared);
    await ask(predictor, 1);
    const served = predictor.loaded.at(find('slow'))!;
    const [pid] = served.pids;
    // So long that it is under way when its process is killed.
    const running = ask(predictor, 20_000 * roundsPerMs);
    await until(() => isRunning(served));
    const waiting = [1, 2, 3].map((value) => ask(predictor, value));
    await until(() => served.waiting === 3);
    process.kill(pid!, 'SIGKILL');
    await expect(running).rejects.toMatchObject({ code: 'executor_lost', status: 503, headers: { 'retry-after': '1' } });
    for (const each of await Promise.all(waiting)) expect(JSON.parse(each.body)).toMatchObject({ outputs: { y: expect.any(Number) } });
    expect(served.pids).not.toContain(pid);
  });

  test('is killed for what nobody waits for any more, and only then', async () => {
    const predictor = predictorOf(declared);
    await ask(predictor, 1);
    const served = predictor.loaded.at(find('slow'))!;
    const [pid] = served.pids;
    let leave: () => void = () => {};
    // So long that nobody would live to see its end.
    const left = predictor.predict(find('slow'), { inputs: 20_000 * roundsPerMs }, { onGone: (gone) => (leave = gone) });
    await until(() => isRunning(served));
    expect(isAlive(pid!)).toBe(true);
    leave();
    await expect(left).rejects.toMatchObject({ status: 499 });
    await expect(ask(predictor, 2, 'slow', { timeout_ms: 30_000 })).resolves.toBeDefined();
    expect(isAlive(pid!)).toBe(false);
    expect(served.pids).not.toContain(pid);
  });

  test('more is refused than may wait, with when to come again', async () => {
    const predictor = predictorOf(declared, { settings: { queueRows: 3 } });
    await ask(predictor, 1);
    // It runs until it is left.
    let leave: () => void = () => {};
    const running = predictor.predict(find('slow'), { inputs: 20_000 * roundsPerMs }, { onGone: (gone) => (leave = gone) });
    await until(() => isRunning(predictor.loaded.at(find('slow'))!));
    const waiting = [1, 2, 3].map((value) => ask(predictor, value));
    await expect(ask(predictor, 4)).rejects.toMatchObject({
      code: 'model_overloaded',
      status: 503,
      headers: { 'retry-after': expect.stringMatching(/^\d+$/) },
    });
    leave();
    await expect(running).rejects.toMatchObject({ status: 499 });
    await Promise.all(waiting);
    // What takes a fifth of a second for each cannot be promised within five milliseconds.
    const slow = [1, 2, 3].map(() => ask(predictor, 200 * roundsPerMs));
    await until(() => predictor.loaded.at(find('slow'))!.open === 3);
    await expect(ask(predictor, 1, 'slow', { timeout_ms: 5 })).rejects.toMatchObject({
      code: expect.stringMatching(/model_overloaded|request_timeout/),
    });
    await Promise.all(slow);
  });

  test('of a client that goes away is free for others', async () => {
    const { app, predictor } = await start();
    await ask(predictor, 1, 'loop');
    const address = await app.listen({ port: 0 });
    const request = httpRequest(`${address}/v1/predict`, {
      method: 'POST',
      headers: { authorization: 'Bearer k', 'content-type': 'application/json' },
    });
    request.end(JSON.stringify({ model: 'loop', inputs: 2 ** 40 }));
    const served = predictor.loaded.at(find('loop'))!;
    await until(() => served.open === 1);
    const failed = once(request, 'error');
    request.destroy(new Error('gone'));
    await failed;
    await until(() => served.open === 0);
    expect([served.open, served.waiting]).toEqual([0, 0]);
  });
});

describe('memory', () => {
  const models = ['a', 'b', 'c'].map((name) => spec(name, bigMlp(), { pinned: name === 'a' }));
  const x = Array.from({ length: 256 }, () => 0.1);

  test('goes from the model that was used longest ago to one that is wanted; a pinned one stays', async () => {
    const measured = predictorOf(models);
    await measured.predict(models[0]!, { inputs: x }, { onGone: () => {} });
    const each = measured.loaded.memory;
    const predictor = predictorOf(models, { settings: { memory: 2.6 * each } });
    const pids: number[] = [];
    for (const model of models) {
      await predictor.predict(model, { inputs: x }, { onGone: () => {} });
      pids.push(predictor.loaded.at(model)!.pids[0]!);
    }
    expect(predictor.loaded.list().map(({ model }) => model.name)).toEqual(['a', 'c']);
    await until(() => !isAlive(pids[1]!));
    await predictor.predict(models[1]!, { inputs: x }, { onGone: () => {} });
    expect(predictor.loaded.list().map(({ model }) => model.name)).toEqual(['a', 'b']);
    expect(await predictor.loaded.unload(models[1]!)).toBe(true);
    expect(await predictor.loaded.unload(models[1]!)).toBe(false);
  });
});
