import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { silent } from '../../lib/log.ts';
import type { ExecutorName } from '../../models/models.ts';
import type { Executor, JsonObject, Outcome, Task } from '../executor.ts';
import { startUpstream, type Upstream } from '../openai/upstream.ts';
import { openExecutor } from '../registry.ts';
import { Breakers } from './breakers.ts';

let upstream: Upstream;
let elsewhere: Upstream;
let breakers: Breakers;
const opened: Executor[] = [];

beforeAll(async () => {
  [upstream, elsewhere] = [await startUpstream(), await startUpstream()];
});
beforeEach(() => {
  breakers = new Breakers();
});
afterEach(async () => {
  upstream.down = null;
  for (const executor of opened.splice(0)) await executor[Symbol.asyncDispose]();
});
afterAll(async () => {
  await upstream[Symbol.asyncDispose]();
  await elsewhere[Symbol.asyncDispose]();
});

const open = async (name: string, options: JsonObject, executor: ExecutorName = 'openai') => {
  const limits = { max_concurrency: 1, breaker_failures: 3, breaker_open_ms: 60_000, ...options };
  const model = { name, version: '1.0.0', executor, options: limits } as const;
  const it = await openExecutor(model, { log: silent, scratch: '/nonexistent', breakers, crash: () => {} });
  opened.push(it);
  return it;
};

const all = async (executor: Executor, count: number, body: JsonObject = {}): Promise<Outcome[]> => {
  const tasks = Array.from({ length: count }, (_, i): Task => {
    return { line: i + 1, customId: `r${i}`, url: '/v1/chat/completions', body: { model: 'm', messages: [], ...body }, attempt: 1 };
  });
  const outcomes: Outcome[] = [];
  const never = new AbortController().signal;
  for await (const group of executor.run(tasks, { stop: never, abort: never })) outcomes.push(...group);
  return outcomes;
};

test('models of one upstream are left alone together; another server and another path are not concerned', async () => {
  // However it is written, and whatever the key.
  const a = await open('a', { base_url: upstream.url, breaker_open_ms: 1, api_key: 'one' });
  const b = await open('b', { base_url: `${upstream.url}/v1/?code=two`, upstream_model: 'other' });
  const other = await open('other', { base_url: elsewhere.url });
  const path = await open('path', { base_url: `${upstream.url}/tenant` });
  expect(await all(b, 2)).toHaveLength(2);
  upstream.down = 503;
  expect(await all(a, 10)).toHaveLength(3);
  const before = upstream.calls.length;
  // Its time is up after a millisecond; what probes then fails, and is charged to whoever it was.
  await expect.poll(() => b.ready!()).toBe(true);
  expect(await all(b, 10)).toHaveLength(1);
  expect(upstream.calls.length - before).toBe(1);
  expect([a.ready!(), b.ready!()]).toEqual([false, false]);
  expect([await all(a, 10), await all(b, 10)]).toEqual([[], []]);
  expect(upstream.calls.length - before).toBe(1);
  upstream.down = null;
  expect(await all(other, 5)).toHaveLength(5);
  expect(await all(path, 5)).toHaveLength(5);
});

test('a call of one model that goes well lets the others through again', async () => {
  const [a, b] = [await open('a', { base_url: upstream.url, breaker_open_ms: 1 }), await open('b', { base_url: upstream.url })];
  upstream.down = 500;
  await all(a, 10);
  upstream.down = null;
  await expect.poll(() => b.ready!()).toBe(true);
  expect(await all(b, 4)).toHaveLength(4);
  // Had it to probe for itself, one of two runs would start nothing.
  expect((await Promise.all([all(a, 4), all(a, 4)])).map(({ length }) => length)).toEqual([4, 4]);
});

test('a call under way when another model finds the upstream down ends, and the rest of its run does not start', async () => {
  const [a, b] = [await open('a', { base_url: upstream.url }), await open('b', { base_url: upstream.url })];
  const before = upstream.open.now;
  const running = all(b, 10, { mode: 'slow', wait: 1_000 });
  await expect.poll(() => upstream.open.now - before).toBe(1);
  expect(await all(a, 10, { mode: 'status', status: 500 })).toHaveLength(3);
  expect((await running).map(({ ok }) => ok)).toEqual([true]);
});

test('whatever the executor: the same server behind it counts', async () => {
  const a = await open('a', { base_url: upstream.url });
  const oip = await open('oip', { base_url: `${upstream.url}/v2` }, 'oip');
  const http = await open('http', { base_url: `${upstream.url}/`, api: 'nim-boltz2' }, 'http');
  const deaf = await open('deaf', { base_url: upstream.url, breaker_failures: 0 });
  await all(a, 10, { mode: 'status', status: 500 });
  expect([oip.ready!(), http.ready!()]).toEqual([false, false]);
  // A model whose breaker never opens minds nobody else's.
  expect(deaf.ready!()).toBe(true);
  expect(await all(deaf, 2)).toHaveLength(2);
  expect(a.ready!()).toBe(false);
});
