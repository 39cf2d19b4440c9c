import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { afterEach, expect, test } from 'vitest';
import { LoadError, type ExecutorContext } from '../executors/executor.ts';
import { openExecutor } from '../executors/registry.ts';
import type { App } from '../lib/app.ts';
import { silent } from '../lib/log.ts';
import { Models, type ModelSpec } from '../models/models.ts';
import { Predictor } from './predictor.ts';
import { predictRoutes } from './routes.ts';
import { buildServer } from '../http/server.ts';

const declared: ModelSpec[] = [
  { name: 'lab/echo', version: '1.9.0', executor: 'echo', options: {} },
  { name: 'lab/echo', version: '1.10.0', executor: 'echo', options: {} },
  { name: 'chat', version: '1.0.0', executor: 'openai', options: { base_url: 'http://127.0.0.1:9/v1' } },
  { name: 'broken', version: '1.0.0', executor: 'onnx', options: { path: '/nowhere.onnx' } },
];

const opened: App[] = [];
afterEach(async () => {
  for (const app of opened.splice(0)) await app.close();
});

const start = async (open?: (model: ModelSpec, context: ExecutorContext) => ReturnType<typeof openExecutor>) => {
  const models = new Models(declared);
  const predictor = new Predictor({ models, log: silent, scratch: tmpdir(), ...(open ? { open } : {}) });
  const app = await buildServer({
    keys: [{ key: 'k', tenant: 't', user: 'u' }],
    log: silent,
    checkReplies: true,
    routes: (app) => {
      predictRoutes(app, { predictor });
    },
  });
  opened.push(app);
  const headers = { authorization: 'Bearer k' };
  return {
    app,
    predict: (payload: object) => app.inject({ method: 'POST', url: '/v1/predict', headers, payload }),
  };
};

test('a prediction is answered at once', async () => {
  const { predict } = await start();
  const reply = await predict({ model: 'lab/echo', inputs: { smiles: 'CCO' } });
  expect(reply.statusCode).toBe(200);
  expect(reply.json()).toMatchObject({ object: 'prediction', model: 'lab/echo', version: '1.10.0', outputs: { smiles: 'CCO' } });
});

test.each<[string, object, number, string]>([
  ['an unknown model', { model: 'gpt-9', inputs: {} }, 404, 'model_not_found'],
  ['no inputs', { model: 'echo' }, 400, 'missing_required_parameter'],
  ['a model of another endpoint', { model: 'chat', inputs: {} }, 400, 'invalid_value'],
  ['a model that does not load', { model: 'broken', inputs: {} }, 503, 'model_not_ready'],
  ['a status the model answers', { model: 'echo', inputs: {}, sluice_echo: { status: 429 } }, 429, 'rate_limited'],
  ['a crash of the model', { model: 'echo', inputs: {}, sluice_echo: { crash: true } }, 500, 'executor_error'],
])('%s', async (_, body, status, code) => {
  const { predict } = await start();
  const reply = await predict(body);
  expect(reply.json()).toMatchObject({ error: { code } });
  expect(reply.statusCode).toBe(status);
});

test('a model is opened once, at its first request', async () => {
  let opens = 0;
  const { predict } = await start((model, context) => {
    opens++;
    return model.name === 'lab/echo' ? Promise.reject(new LoadError('no such file')) : openExecutor(model, context);
  });
  expect(opens).toBe(0);
  await Promise.all([1, 2, 3].map((n) => predict({ model: 'echo', inputs: { n } })));
  expect(opens).toBe(1);
  for (const _ of [1, 2]) expect((await predict({ model: 'lab/echo', inputs: {} })).statusCode).toBe(503);
  expect(opens).toBe(2);
});

test('a client that goes away ends its prediction', async () => {
  const ended = Promise.withResolvers<void>();
  const running = Promise.withResolvers<void>();
  const { app } = await start(async (model, context) => {
    const executor = await openExecutor(model, context);
    const run = executor.run.bind(executor);
    executor.run = (tasks, signals) => {
      signals.abort.addEventListener('abort', () => ended.resolve());
      running.resolve();
      return run(tasks, signals);
    };
    return executor;
  });
  const address = await app.listen({ port: 0 });
  const headers = { authorization: 'Bearer k', 'content-type': 'application/json' };
  const request = httpRequest(`${address}/v1/predict`, { method: 'POST', headers });
  request.end(JSON.stringify({ model: 'echo', inputs: {}, sluice_echo: { delay_ms: 60_000 } }));
  const failed = once(request, 'error');
  await running.promise;
  request.destroy(new Error('gone'));
  await failed;
  await expect(ended.promise).resolves.toBeUndefined();
});
