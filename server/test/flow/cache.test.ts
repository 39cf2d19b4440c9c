import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { AnswerCache } from '../../src/cache/answers.ts';
import { AskingCache } from '../../src/cache/asking.ts';
import { cacheRoutes } from '../../src/cache/routes.ts';
import { settledAnswers } from '../../src/cache/settled.ts';
import { Listener } from '../../src/db/listen.ts';
import { buildServer } from '../../src/http/server.ts';
import { silent } from '../../src/lib/log.ts';
import { makeScratch } from '../../src/lib/scratch.ts';
import type { ModelSpec } from '../../src/models/models.ts';
import { keptAnswers } from '../../src/passthrough/kept.ts';
import { Passthrough } from '../../src/passthrough/passthrough.ts';
import { passthroughRoutes } from '../../src/passthrough/routes.ts';
import { defaultDedup } from '../../src/policy/dedup.ts';
import { Predictor } from '../../src/predictions/predictor.ts';
import { predictRoutes } from '../../src/predictions/routes.ts';
import { createBatch, untilEnded } from '../support/requests.ts';
import { startSluice } from '../support/sluice.ts';

const examples = fileURLToPath(new URL('../../../examples', import.meta.url));
const aqsol: ModelSpec = {
  name: 'aqsol-logs',
  version: '1.0.0',
  executor: 'onnx',
  options: { path: join(examples, 'models/aqsol_logs.onnx'), preprocess: 'smiles-morgan2048-desc16', outputs: ['logS'], processes: 1 },
};
const keys = [
  { key: 'ann', tenant: 'one', user: 'ann' },
  { key: 'bob', tenant: 'one', user: 'bob' },
  { key: 'eve', tenant: 'two', user: 'eve' },
];

/** Sluice, and beside it the routes that answer at once, with a cache between them and the models. */
const start = async () => {
  const stack = new AsyncDisposableStack();
  const sluice = stack.use(await startSluice({ keys, models: [aqsol] }));
  const { db, storage, models } = sluice;
  const listener = stack.use(new Listener(db.url, ['cache']));
  await listener.start();
  const scratch = await makeScratch('test', tmpdir());
  const cache = new AnswerCache({ maxBytes: 10_000_000, ttlSeconds: 3_600, redis: null, settled: settledAnswers(db, storage) });
  const asking = new AskingCache({ cache, scope: 'tenant', dedup: defaultDedup });
  const app = await buildServer({
    keys,
    log: silent,
    checkReplies: true,
    routes: (routes) => {
      predictRoutes(routes, { predictor: new Predictor({ models, log: silent, scratch }), asking });
      passthroughRoutes(routes, { models, passthrough: new Passthrough({ models, log: silent, scratch }), answer: keptAnswers(asking) });
      cacheRoutes(routes, { db, answers: cache, listener });
    },
  });
  stack.defer(() => app.close());
  const call = async (method: 'GET' | 'POST', url: string, payload?: object, { as = 'ann', ...headers }: Record<string, string> = {}) => {
    const reply = await app.inject({ method, url, headers: { authorization: `Bearer ${as}`, ...headers }, ...(payload && { payload }) });
    return {
      status: reply.statusCode,
      cache: reply.headers['x-cache'],
      age: reply.headers['age'],
      body: reply.json<Record<string, unknown>>(),
    };
  };
  const predict = (smiles: string, headers?: Record<string, string>, more: object = {}) =>
    call('POST', '/v1/predict', { model: 'aqsol-logs', inputs: { smiles }, ...more }, headers);
  return { sluice, call, predict, [Symbol.asyncDispose]: () => stack.disposeAsync() };
};

test('one cache for predictions, chats and what batches have computed', async () => {
  await using site = await start();
  const { sluice, call, predict } = site;

  const first = await predict('CCO');
  expect([first.status, first.cache]).toEqual([200, 'MISS']);
  const second = await predict('CCO');
  expect([second.cache, second.age]).toEqual(['HIT', expect.stringMatching(/^\d+$/)]);
  expect(second.body['outputs']).toEqual(first.body['outputs']);
  expect(second.body['id']).not.toBe(first.body['id']);
  // Of the same tenant, but of no other; and never where the request says so.
  expect((await predict('CCO', { as: 'bob' })).cache).toBe('HIT');
  expect((await predict('CCO', { as: 'eve' })).cache).toBe('MISS');
  expect((await predict('CCO', { 'cache-control': 'no-store' })).cache).toBe('BYPASS');
  expect((await predict('CCO', {}, { skip_cache: true })).cache).toBe('BYPASS');
  expect((await predict('CCO', { 'cache-control': 'no-cache' })).cache).toBe('MISS');
  // A failure is no answer.
  for (const _ of [1, 2]) expect((await predict('not a molecule')).status).toBe(400);
  expect((await call('POST', '/v1/predict', { model: 'aqsol-logs', inputs: [{ smiles: 'CCO' }] })).cache).toBe('MISS');

  // What a batch has computed is not computed again.
  const client = sluice.clientFor('ann');
  const lines = ['CCN', 'c1ccccc1'].map((smiles, i) => ({
    custom_id: String(i),
    method: 'POST',
    url: '/v1/predict',
    body: { model: 'aqsol-logs', inputs: { smiles } },
  }));
  const { id } = await createBatch(client, lines, { endpoint: '/v1/predict' });
  expect((await untilEnded(client, id)).status).toBe('completed');
  expect((await predict('CCN')).cache).toBe('HIT');
  expect((await predict('CCN', { as: 'eve' })).cache).toBe('MISS');

  const chat = (content: string, more: object = {}, headers?: Record<string, string>) =>
    call('POST', '/v1/chat/completions', { model: 'echo', messages: [{ role: 'user', content }], ...more }, headers);
  expect((await chat('hello')).cache).toBe('MISS');
  expect((await chat('hello', { user: 'somebody' })).cache).toBe('HIT');
  expect((await chat('hello', { temperature: 1 })).cache).toBe('BYPASS');
  expect((await chat('hello', { temperature: 1, seed: 5 })).cache).toBe('MISS');
  expect((await chat('hello', {}, { 'cache-control': 'no-store' })).cache).toBe('BYPASS');
  expect((await chat('hello', { sluice_echo: { status: 500 } })).status).toBe(500);

  const metrics = (await call('GET', '/v1/cache/metrics')).body as {
    hits: number;
    hits_from: Record<string, number>;
    models: { model: string }[];
  };
  expect(metrics.hits_from).toEqual({ memory: 3, redis: 0, batch: 1, flight: 0 });
  expect(metrics.models.map(({ model }) => model).toSorted()).toEqual(['aqsol-logs@1.0.0', 'echo@1.0.0']);
  expect((await call('POST', '/v1/cache/reset')).status).toBe(200);
  expect((await predict('CCO')).cache).toBe('MISS');
  expect((await predict('CCO', { as: 'eve' })).cache).toBe('HIT');
});

test('many who ask the same at once make the model work once', async () => {
  await using site = await start();
  const replies = await Promise.all(Array.from({ length: 20 }, () => site.predict('CC(=O)Oc1ccccc1C(=O)O')));
  expect(replies.filter(({ cache }) => cache === 'MISS')).toHaveLength(1);
  expect(new Set(replies.map(({ body }) => JSON.stringify(body['outputs']))).size).toBe(1);
  expect(new Set(replies.map(({ body }) => body['id'])).size).toBe(20);
});
