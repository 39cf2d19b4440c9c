import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { conformance } from '../conformance.ts';
import type { Executor, Failure, JsonObject, Outcome, RunSignals, Success, Task } from '../executor.ts';
import { checkOptions, concurrencyOf, openExecutor } from '../registry.ts';
import { startUpstream, type Upstream } from './upstream.ts';

let upstream: Upstream;
let logged = '';
const log = pino({ level: 'trace' }, new Writable({ write: (part, _, done) => ((logged += String(part)), done()) }));
const opened: Executor[] = [];

beforeAll(async () => {
  upstream = await startUpstream();
});
afterEach(async () => {
  for (const executor of opened.splice(0)) await executor[Symbol.asyncDispose]();
});
afterAll(async () => {
  await upstream[Symbol.asyncDispose]();
});

const open = async (options: Record<string, unknown> = {}) => {
  const model = { name: 'llm', version: '1.0.0', executor: 'openai', options: { base_url: upstream.url, ...options } } as const;
  const executor = await openExecutor(model, { log, scratch: '/nonexistent', crash: () => {} });
  opened.push(executor);
  return executor;
};

const task = (line: number, body: JsonObject = {}, url = '/v1/chat/completions'): Task => ({
  line,
  customId: `r${line}`,
  url,
  body: { model: 'llm', messages: [{ role: 'user', content: 'hi' }], ...body },
  attempt: 1,
});

const never = () => ({ stop: new AbortController().signal, abort: new AbortController().signal });

const all = async (executor: Executor, tasks: Task[], signals: RunSignals = never()): Promise<Outcome[]> => {
  const outcomes: Outcome[] = [];
  for await (const group of executor.run(tasks, signals)) outcomes.push(...group);
  return outcomes;
};

const one = async (body: JsonObject, options: Record<string, unknown> = {}, url?: string): Promise<Success | Failure> => {
  const outcomes = await all(await open(options), [task(1, body, url)]);
  expect(outcomes).toHaveLength(1);
  return outcomes[0]!;
};

conformance('openai', {
  open: (most) => open({ max_concurrency: most }),
  quick: (line) => task(line),
  slow: (line, ms) => task(line, { mode: 'slow', wait: ms }),
  bad: (line) => task(line, { mode: 'status', status: 422 }),
});

describe('a call', () => {
  test('goes to the endpoint, under the upstream name of the model, without streaming', async () => {
    for (const base_url of [upstream.url, `${upstream.url}/`, `${upstream.url}/v1`, `${upstream.url}/v1/`]) {
      await one({ stream: false, stream_options: {}, temperature: 0.5 }, { base_url, upstream_model: 'org/real' });
      expect(upstream.calls.at(-1)).toMatchObject({ url: '/v1/chat/completions', body: { model: 'org/real', temperature: 0.5 } });
      expect(Object.keys(upstream.calls.at(-1)!.body)).toEqual(['model', 'messages', 'temperature']);
    }
    await one({ input: 'x' }, { base_url: `${upstream.url}/openai/v1?api-version=2` }, '/v1/embeddings');
    expect(upstream.calls.at(-1)).toMatchObject({ url: '/openai/v1/embeddings?api-version=2', body: { model: 'llm' } });
  });

  test('carries the key, from the options or from a file, and the headers', async () => {
    await one({}, { api_key: 'sk-secret', headers: { 'X-Team': 'chem' } });
    expect(upstream.calls.at(-1)!.headers).toMatchObject({ authorization: 'Bearer sk-secret', 'x-team': 'chem' });
    const folder = mkdtempSync(join(tmpdir(), 'sluice-key-'));
    writeFileSync(join(folder, 'key'), 'sk-from-file\n');
    await one({}, { api_key_file: join(folder, 'key') });
    expect(upstream.calls.at(-1)!.headers.authorization).toBe('Bearer sk-from-file');
    await expect(open({ api_key_file: join(folder, 'none') })).rejects.toThrow("option 'api_key_file'");
    writeFileSync(join(folder, 'key'), '\n');
    await expect(open({ api_key_file: join(folder, 'key') })).rejects.toThrow('must hold one line');
    rmSync(folder, { recursive: true });
    await one({});
    expect(upstream.calls.at(-1)!.headers.authorization).toBeUndefined();
  });

  test('options that exclude each other are named', () => {
    const options = { base_url: 'http://x', api_key: 'a', api_key_file: '/b' };
    expect(checkOptions({ executor: 'openai', options })).toEqual(["options 'api_key' and 'api_key_file' exclude each other."]);
    expect(checkOptions({ executor: 'openai', options: { base_url: 'http://x', api_key: 'a\nb', headers: { 'a b': 'c' } } })).toHaveLength(
      2,
    );
  });

  test('gives the reply on one line, its numbers untouched, with usage and request id', async () => {
    const outcome = await one({});
    expect(outcome).toMatchObject({
      ok: true,
      status: 200,
      requestId: 'up-1',
      usage: { input_tokens: 7, cached_tokens: 3, output_tokens: 5, reasoning_tokens: 2 },
    });
    expect(outcome.body).not.toMatch(/[\r\n]/);
    expect(outcome.body).toContain('12345678901234567890');
    expect(JSON.parse(outcome.body!)).toMatchObject({ object: 'chat.completion' });
  });

  test('reuses connections, no more than may be open at once', async () => {
    const before = upstream.connections;
    upstream.open.most = 0;
    const tasks = Array.from({ length: 60 }, (_, index) => task(index + 1, { mode: 'slow', wait: 5 }));
    expect(await all(await open({ max_concurrency: 4 }), tasks)).toHaveLength(60);
    expect(upstream.open.most).toBe(4);
    expect(upstream.connections - before).toBeLessThanOrEqual(4);
  });
});

describe('a failure', () => {
  test.for([
    [400, 'permanent', 'upstream_rejected'],
    [401, 'permanent', 'upstream_rejected'],
    [404, 'permanent', 'upstream_rejected'],
    [408, 'retryable', 'request_timeout'],
    [409, 'retryable', 'upstream_error'],
    [422, 'permanent', 'upstream_rejected'],
    [429, 'retryable', 'rate_limited'],
    [500, 'retryable', 'upstream_error'],
    [503, 'retryable', 'upstream_error'],
  ] as const)('%i is %s', async ([status, kind, code]) => {
    const outcome = await one({ mode: 'status', status });
    expect(outcome).toMatchObject({ ok: false, kind, code, status, message: `The upstream answered ${status}: no luck` });
    expect(JSON.parse(outcome.body!)).toMatchObject({ error: { message: 'no luck' } });
  });

  test('says how long to wait', async () => {
    const wait = async (headers: JsonObject) => {
      const outcome = await one({ mode: 'status', status: 429, headers });
      return outcome.ok ? null : outcome.retryAfterMs;
    };
    expect(await wait({ 'retry-after': '7' })).toBe(7000);
    expect(await wait({ 'retry-after': '7', 'retry-after-ms': '1500' })).toBe(1500);
    expect(await wait({ 'retry-after': 'soon' })).toBeUndefined();
    expect(await wait({})).toBeUndefined();
    const date = await wait({ 'retry-after': new Date(Date.now() + 30_000).toUTCString() });
    expect(date).toBeGreaterThan(27_000);
    expect(date).toBeLessThanOrEqual(30_000);
    expect(await wait({ 'retry-after': new Date(0).toUTCString() })).toBe(0);
  });

  test.for([
    ['hang', 'first_byte_timeout_ms', /had not begun to answer within 60 ms/],
    ['hang', 'total_timeout_ms', /had not answered in full within 60 ms/],
    ['trickle', 'total_timeout_ms', /had not answered in full within 60 ms/],
  ] as const)('%s runs into %s', async ([mode, option, message]) => {
    const outcome = await one({ mode }, { [option]: 60 });
    expect(outcome).toMatchObject({ ok: false, kind: 'retryable', code: 'request_timeout', message: expect.stringMatching(message) });
    expect(outcome.status).toBeUndefined();
    expect(outcome.ms).toBeGreaterThanOrEqual(59);
  });

  test.for(['cut', 'reset', 'malformed', 'scalar', 'binary'])('%s may go better next time', async (mode) => {
    const outcome = await one({ mode });
    expect(outcome).toMatchObject({ ok: false, kind: 'retryable', code: 'upstream_error' });
    expect(outcome).not.toHaveProperty('status');
  });

  test('nobody there may change', async () => {
    const gone = await startUpstream();
    await gone[Symbol.asyncDispose]();
    const outcome = await one({}, { base_url: gone.url });
    expect(outcome).toMatchObject({
      ok: false,
      kind: 'retryable',
      code: 'upstream_error',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('an error that is no JSON is kept as its words', async () => {
    const outcome = await one({ mode: 'html' });
    expect(outcome).toMatchObject({ ok: false, kind: 'retryable', status: 502 });
    expect(outcome.body).not.toMatch(/[\r\n]/);
    expect(JSON.parse(outcome.body!)).toEqual({
      error: { message: '<html> Bad gateway </html>', type: 'server_error', param: null, code: 'upstream_error' },
    });
  });

  test.for(['huge', 'endless'])('a reply over 64 MB is given up: %s', async (mode) => {
    const outcome = await one({ mode });
    expect(outcome).toMatchObject({
      ok: false,
      kind: 'permanent',
      code: 'upstream_error',
      message: expect.stringContaining('larger than 64 MB'),
    });
  });
});

describe('the key is never seen again', () => {
  const secret = 'sk-very-secret-0123456789';
  const options = () => ({ api_key: secret, headers: { 'x-token': 'tok-987654321' } });

  test.for(['leak', 'leakText', 'leakOk', 'hang', 'reset', 'ok'])('%s', async (mode) => {
    logged = '';
    const outcome = await one({ mode }, { ...options(), total_timeout_ms: 500, base_url: upstream.url });
    const shown = JSON.stringify(outcome) + logged;
    expect(shown).not.toContain(secret);
    expect(shown).not.toContain('tok-987654321');
    // eslint-disable-next-line vitest/no-conditional-expect -- half of the modes say the key
    if (mode.startsWith('leak')) expect(shown).toContain('[redacted]');
  });

  test('not even when options are wrong', async () => {
    const failure: unknown = await open({ ...options(), api_key: `${secret}\n`, max_concurrency: 'x' }).catch((error: unknown) => error);
    expect(String(failure)).toContain('api_key');
    expect(String(failure)).not.toContain(secret);
  });
});

test('concurrency falls under load refused, and comes back', async () => {
  const executor = await open({ max_concurrency: 12, breaker_failures: 0 });
  expect(concurrencyOf(executor)).toEqual({ used: 0, limit: 12, most: 12 });
  const limit = () => concurrencyOf(executor)!.limit;
  const many = (body: JsonObject, count: number) =>
    all(
      executor,
      Array.from({ length: count }, (_, index) => task(index + 1, body)),
    );
  await many({ mode: 'status', status: 429 }, 12);
  // One burst cuts once.
  expect(limit()).toBe(6);
  for (let round = 0; round < 4; round++) await many({ mode: 'status', status: 503 }, 6);
  expect(limit()).toBe(1);
  await many({}, 400);
  expect(limit()).toBeGreaterThan(8);
  expect(limit()).toBeLessThanOrEqual(12);
});

describe('an upstream that is down', () => {
  const many = (count: number, body: JsonObject = {}) => Array.from({ length: count }, (_, index) => task(index + 1, body));
  const down = { mode: 'status', status: 503 };

  test.for([down, { mode: 'status', status: 500 }, { mode: 'reset' }, { mode: 'hang' }])(
    '%o is left alone: the rest is not started, and not charged',
    async (body) => {
      const executor = await open({
        max_concurrency: 1,
        breaker_failures: 5,
        breaker_open_ms: 60_000,
        first_byte_timeout_ms: body.mode === 'hang' ? 500 : 30_000,
      });
      const started: number[] = [];
      const before = upstream.calls.length;
      const outcomes = await all(executor, many(40, body), { ...never(), started: (line: number) => void started.push(line) });
      expect(outcomes.map(({ line, ok }) => [line, ok])).toEqual([1, 2, 3, 4, 5].map((line) => [line, false]));
      expect(started).toEqual([1, 2, 3, 4, 5]);
      expect(executor.ready!()).toBe(false);
      expect(await all(executor, many(40))).toEqual([]);
      expect(upstream.calls.length - before).toBe(5);
    },
  );

  test('what it refuses is no sign of it', async () => {
    const executor = await open({ max_concurrency: 1, breaker_failures: 5 });
    for (const status of [400, 401, 404, 409, 422, 429]) expect(await all(executor, many(10, { mode: 'status', status }))).toHaveLength(10);
    expect(executor.ready!()).toBe(true);
  });

  test('one call probes; once it succeeds, the others follow', async () => {
    const executor = await open({ max_concurrency: 4, breaker_failures: 1, breaker_open_ms: 1 });
    await all(executor, many(1, down));
    await expect.poll(() => executor.ready!()).toBe(true);
    const before = upstream.calls.length;
    expect(await all(executor, many(20, down))).toHaveLength(1);
    expect(upstream.calls.length - before).toBe(1);
    await expect.poll(() => executor.ready!()).toBe(true);
    // Two runs at once: the one that is not the probe leaves its tasks as they are.
    const [first, second] = await Promise.all([all(executor, many(20)), all(executor, many(20))]);
    expect([first.length, second.length].sort((a, b) => a - b)).toEqual([0, 20]);
    expect(first.concat(second).every(({ ok }) => ok)).toBe(true);
    expect(await all(executor, many(20))).toHaveLength(20);
  });

  test('a probe that is cancelled leaves the place to the next', async () => {
    const executor = await open({ max_concurrency: 1, breaker_failures: 1, breaker_open_ms: 1 });
    await all(executor, many(1, down));
    await expect.poll(() => executor.ready!()).toBe(true);
    const abort = new AbortController();
    const probing = all(executor, many(2, { mode: 'hang' }), { stop: new AbortController().signal, abort: abort.signal });
    await expect.poll(() => upstream.open.now).toBe(1);
    expect(executor.ready!()).toBe(false);
    abort.abort();
    expect((await probing).map((outcome) => outcome.ok || outcome.kind)).toEqual(['cancelled']);
    expect(executor.ready!()).toBe(true);
    expect(await all(executor, many(2))).toHaveLength(2);
  });
});
