import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { silent } from '../lib/log.ts';
import { AnswerCache, type Computed, type Question } from './answers.ts';
import { decodeAnswer, encodeAnswer, RedisTier } from './redis.ts';

/** Debian's package `redis-server`; `.ci/run` installs it. */
const redisThere = spawnSync('redis-server', ['--version']).status === 0;
if (!redisThere) console.warn('redis-server is not installed: the tests that need one are skipped');

const never = new AbortController().signal;
const stack: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const end of stack.splice(0).toReversed()) await end();
});

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

/** A Redis of this test's own: it is stopped and started, which the machine's own must not be. */
const startRedis = async (port: number): Promise<ChildProcess> => {
  const child = spawn('redis-server', ['--port', String(port), '--save', '', '--appendonly', 'no', '--bind', '127.0.0.1'], {
    stdio: 'ignore',
  });
  await once(child, 'spawn');
  stack.push(() => void child.kill('SIGKILL'));
  return child;
};

const question: Question = { key: 'a'.repeat(64), tenant: 't*', model: 'm@1.0.0' };
const computed = (body: string): Computed => ({ answer: { status: 200, body, at: Date.now() }, keep: true });
const openCache = (port: number): { cache: AnswerCache; redis: RedisTier } => {
  const redis = new RedisTier(`redis://127.0.0.1:${port}`, silent);
  const cache = new AnswerCache({ maxBytes: 1_000_000, ttlSeconds: 60, redis });
  stack.push(() => cache[Symbol.asyncDispose]());
  return { cache, redis };
};
const untilReady = async (...tiers: RedisTier[]): Promise<void> => {
  await expect.poll(() => tiers.map(({ state }) => state)).not.toContain('away');
};

test.each(['short', 'ünïcode 😀 '.repeat(500)])('an answer is the same after its way through bytes', async (body) => {
  const bytes = await encodeAnswer({ status: 201, body, at: 1_700_000_000_123 });
  expect(await decodeAnswer(bytes)).toEqual({ status: 201, body, at: 1_700_000_000_123 });
  expect(bytes.length).toBeLessThan(body.length > 1_000 ? body.length / 4 : 100);
  expect(await decodeAnswer(Buffer.from('somebody else wrote this'))).toBe(null);
  expect(await decodeAnswer(bytes.subarray(0, 5))).toBe(null);
});

test.skipIf(!redisThere)('answers are shared between processes, and forgotten in all of them', async () => {
  const port = await freePort();
  await startRedis(port);
  const [one, other] = [openCache(port), openCache(port)];
  await untilReady(one.redis, other.redis);
  await one.cache.through(question, async () => computed('shared'), never);
  await expect.poll(() => other.redis.get(question)).toMatchObject({ body: 'shared' });
  const hit = await other.cache.through(question, async () => computed('again'), never);
  expect([hit.state, hit.from, hit.answer.body]).toEqual(['HIT', 'redis', 'shared']);
  one.cache.reset('t');
  expect(await other.redis.get(question)).not.toBe(null);
  one.cache.reset('t*');
  await expect.poll(() => other.redis.get(question)).toBe(null);
});

test.skipIf(!redisThere)('Redis may stop and start under load: every question is answered, and hits come back', async () => {
  const port = await freePort();
  const server = await startRedis(port);
  const { cache, redis } = openCache(port);
  await untilReady(redis);
  let n = 0;
  const ask = () =>
    cache.through({ ...question, key: (n++).toString(16).padStart(64, '0') }, async () => computed('x'.repeat(2_000)), never);
  const many = (count: number) => Promise.all(Array.from({ length: count }, ask));
  await many(200);
  server.kill('SIGKILL');
  for (let round = 0; redis.state === 'ok'; round++) {
    expect(await many(50)).toHaveLength(50);
    if (round > 10_000) throw new Error('it never noticed that Redis is gone');
  }
  expect(cache.figures('t*').redis).toBe('away');
  await many(200);
  await startRedis(port);
  await untilReady(redis);
  const known = { ...question, key: 'b'.repeat(64) };
  await cache.through(known, async () => computed('kept'), never);
  await expect.poll(() => redis.get(known)).toMatchObject({ body: 'kept' });
});

test.skipIf(!redisThere)('a Redis that hangs is left alone after a few tries', async () => {
  const port = await freePort();
  const server = await startRedis(port);
  const { cache, redis } = openCache(port);
  await untilReady(redis);
  server.kill('SIGSTOP');
  for (let n = 0; n < 3; n++) await cache.through({ ...question, key: String(n).padStart(64, '0') }, async () => computed('x'), never);
  expect(redis.state).toBe('away');
  server.kill('SIGCONT');
});
