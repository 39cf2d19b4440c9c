import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import OpenAI, { APIError } from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Usage } from '../executors/executor.ts';
import { oddStream, startUpstream, type Upstream } from '../executors/openai/upstream.ts';
import { buildServer } from '../http/server.ts';
import type { App } from '../lib/app.ts';
import { silent } from '../lib/log.ts';
import { Models, type ModelSpec, type Registered } from '../models/models.ts';
import { Passthrough } from './passthrough.ts';
import { passthroughRoutes, type PassthroughParts } from './routes.ts';

const key = 'sk-upstream-0123456789';
let upstream: Upstream;
const apps: App[] = [];

beforeAll(async () => {
  upstream = await startUpstream();
});
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  upstream.down = null;
});
afterAll(() => upstream[Symbol.asyncDispose]());

interface Started {
  url: string;
  client: OpenAI;
  clientFor: (apiKey: string) => OpenAI;
  used: { model: string; usage: Usage }[];
  /** A call as it goes over the wire: `body.mode` tells the upstream what to do. */
  post: (body: object, path?: string, signal?: AbortSignal) => Promise<Response>;
}

const start = async (
  models: ModelSpec[] = [],
  { source = null, answer }: { source?: (() => Promise<Registered>) | null; answer?: PassthroughParts['answer'] } = {},
): Promise<Started> => {
  const known = new Models(models, source);
  const used: Started['used'] = [];
  const app = await buildServer({
    keys: [
      { key: 'k', tenant: 't', user: 'u' },
      { key: 'k2', tenant: 't2', user: 'u' },
    ],
    log: silent,
    checkReplies: true,
    routes: (app) =>
      passthroughRoutes(app, {
        models: known,
        passthrough: new Passthrough({ models: known, log: silent, scratch: tmpdir() }),
        used: (model, usage) => used.push({ model: model.name, usage }),
        ...(answer && { answer }),
      }),
  });
  apps.push(app);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const clientFor = (apiKey: string) => new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 });
  const headers = { authorization: 'Bearer k', 'content-type': 'application/json' };
  const post = (body: object, path = '/v1/chat/completions', signal?: AbortSignal) =>
    fetch(url + path, { method: 'POST', headers, body: JSON.stringify({ model: 'llm', ...body }), ...(signal && { signal }) });
  return { url, client: clientFor('k'), clientFor, used, post };
};

const llm = (options: Record<string, unknown> = {}): ModelSpec => ({
  name: 'llm',
  version: '1.0.0',
  executor: 'openai',
  options: { base_url: `${upstream.url}/v1`, api_key: key, upstream_model: 'org/real', ...options },
});

const messages = [{ role: 'user' as const, content: 'Say it again, Sam.' }];

describe.each(['echo itself', 'an upstream'])('the stock client, with %s', (which) => {
  /** Sluice before another Sluice, whose `echo` is the upstream. */
  const both = async (): Promise<Started & { model: string }> => {
    const behind = await start();
    if (which === 'echo itself') return { ...behind, model: 'echo' };
    const options = { base_url: `${behind.url}/v1`, api_key: 'k', upstream_model: 'echo' };
    return { ...(await start([{ name: 'lab/llm', version: '2.0.0', executor: 'openai', options }])), model: 'lab/llm@2.0.0' };
  };

  test('chats, at once and in a stream', async () => {
    const { client, model, used } = await both();
    const whole = await client.chat.completions.create({ model, messages });
    expect(whole.choices[0]!.message.content).toBe('Say it again, Sam.');
    const chunks = await Array.fromAsync(
      await client.chat.completions.create({ model, messages, stream: true, stream_options: { include_usage: true } }),
    );
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('Say it again, Sam.');
    expect(chunks.length).toBeGreaterThan(5);
    expect(chunks.at(-1)!.usage).toEqual(whole.usage);
    expect(chunks.at(-2)!.choices[0]!.finish_reason).toBe('stop');
    const usage = { input_tokens: whole.usage!.prompt_tokens, output_tokens: whole.usage!.completion_tokens };
    await expect.poll(() => used).toMatchObject([{ usage }, { usage }]);
  });

  test('completes, embeds and responds', async () => {
    const { client, model, used } = await both();
    expect((await client.completions.create({ model, prompt: 'a b c' })).choices[0]!.text).toBe('a b c');
    const parts = await Array.fromAsync(await client.completions.create({ model, prompt: 'a b c', stream: true }));
    expect(parts.map(({ choices }) => choices[0]!.text).join('')).toBe('a b c');
    const [float, base64] = [
      await client.embeddings.create({ model, input: ['x', 'y'], encoding_format: 'float' }),
      await client.embeddings.create({ model, input: ['x', 'y'] }),
    ];
    expect(float.data).toHaveLength(2);
    expect(base64.data[1]!.embedding[3]).toBeCloseTo(float.data[1]!.embedding[3]!, 5);
    expect((await client.responses.create({ model, input: 'again' })).output_text).toBe('again');
    const stream = client.responses.stream({ model, input: 'again and again' });
    const types = new Set((await Array.fromAsync(stream)).map(({ type }) => type));
    for (const type of ['response.created', 'response.output_text.delta', 'response.completed'] as const) expect(types).toContain(type);
    expect((await stream.finalResponse()).output_text).toBe('again and again');
    await expect.poll(() => used.length).toBeGreaterThanOrEqual(5);
  });

  test('sees errors of the model', async () => {
    const { client, model } = await both();
    const script = { sluice_echo: { status: 422 } };
    const error: unknown = await client.chat.completions.create({ model, messages, ...script }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(APIError);
    expect(error).toMatchObject({ status: 422, code: 'upstream_rejected', message: expect.stringContaining('sluice_echo asked') });
  });
});

describe('a call', () => {
  test('goes to the upstream as it came, but for the name of the model', async () => {
    const { url, used } = await start([llm({ headers: { 'x-team': 'chem' } })]);
    const body =
      '{"model":"llm","seed":9007199254740993,"messages":[{"role":"user","content":"h\\u00e9"}],"stream":false,"x":{"y":[null]}}';
    const headers = { authorization: 'Bearer k', 'content-type': 'application/json' };
    const reply = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body });
    const sent = upstream.calls.at(-1)!;
    expect(sent).toMatchObject({ url: '/v1/chat/completions', headers: { authorization: `Bearer ${key}`, 'x-team': 'chem' } });
    expect(sent.body).toMatchObject({ model: 'org/real', stream: false, x: { y: [null] }, messages: [{ content: 'hé' }] });
    expect(sent.headers['content-length']).toBe(String(Buffer.byteLength(body.replace('"llm"', '"org/real"').replace('\\u00e9', 'é'))));
    // The reply too: pretty-printed, with a number that no double holds.
    expect(await reply.text()).toContain('\r\n  "big": 12345678901234567890');
    await expect
      .poll(() => used)
      .toEqual([{ model: 'llm', usage: { input_tokens: 7, cached_tokens: 3, output_tokens: 5, reasoning_tokens: 2 } }]);
  });

  test('is streamed byte for byte, and what it used is counted', async () => {
    const { post, used } = await start([llm()]);
    const reply = await post({ stream: true, mode: 'stream' });
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    expect(await reply.text()).toBe(oddStream.join(''));
    expect(upstream.calls.at(-1)!.headers.accept).toBe('text/event-stream');
    await expect.poll(() => used).toMatchObject([{ usage: { input_tokens: 7, cached_tokens: 3, output_tokens: 5 } }]);
  });

  test('whose client reads no further holds the upstream up; one whose client leaves is ended', async () => {
    const { url, post } = await start([llm({ max_concurrency: 1 })]);
    Object.assign(upstream.stream, { bytes: 0, held: false });
    const headers = { authorization: 'Bearer k', 'content-type': 'application/json' };
    const request = httpRequest(`${url}/v1/chat/completions`, { method: 'POST', headers });
    request.end(JSON.stringify({ model: 'llm', stream: true, mode: 'endlessStream' }));
    const [reply] = (await once(request, 'response')) as [IncomingMessage];
    await expect.poll(() => upstream.stream.held).toBe(true);
    // What sockets hold, and no more than that.
    const held = upstream.stream.bytes;
    expect(held).toBeLessThan(32 * 2 ** 20);
    let read = 0;
    reply.on('data', (part: Buffer) => (read += part.length));
    await expect.poll(() => read).toBeGreaterThan(held);
    reply.on('error', () => {});
    request.destroy();
    await expect.poll(() => upstream.open.now).toBe(0);
    // Its slot is free again.
    expect((await post({})).status).toBe(200);
  });

  test('whose client leaves before the reply has begun is ended', async () => {
    const { client } = await start([llm()]);
    const gone = new AbortController();
    const script = { mode: 'hang' };
    const asking = client.chat.completions.create({ model: 'llm', messages, ...script }, { signal: gone.signal });
    await expect.poll(() => upstream.open.now).toBe(1);
    gone.abort();
    await expect(asking).rejects.toThrow(/aborted/i);
    await expect.poll(() => upstream.open.now).toBe(0);
  });

  test('waits for a slot of its model', async () => {
    const { post } = await start([llm({ max_concurrency: 2 })]);
    upstream.open.most = 0;
    const replies = await Promise.all(Array.from({ length: 8 }, () => post({ mode: 'slow', wait: 20 })));
    expect(replies.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(upstream.open.most).toBe(2);
  });

  test('too many that wait are turned away', async () => {
    const { post } = await start([llm({ max_concurrency: 1 })]);
    const gone = new AbortController();
    const refused: Response[] = [];
    for (let i = 0; i < 20; i++)
      void post({ mode: 'hang' }, undefined, gone.signal).then(
        (reply) => refused.push(reply),
        () => {},
      );
    // One is under way, and eight wait for it.
    await expect.poll(() => refused.length).toBe(11);
    expect(refused.map((reply) => [reply.status, reply.headers.get('retry-after')])).toEqual(Array.from({ length: 11 }, () => [503, '1']));
    gone.abort();
    await expect.poll(() => upstream.open.now).toBe(0);
  });
});

describe('a failure', () => {
  test.for([400, 401, 404, 409, 429, 500, 503])('%i is as the upstream sent it, with Retry-After', async (status) => {
    const { post } = await start([llm()]);
    const reply = await post({ mode: 'status', status, headers: { 'retry-after': '7', 'x-secret': 'no' } });
    expect([reply.status, reply.headers.get('retry-after'), reply.headers.get('x-secret')]).toEqual([status, '7', null]);
    expect(await reply.json()).toEqual({ error: { message: 'no luck', type: 'x', param: null, code: null } });
  });

  test.for(['leak', 'leakText', 'leakAddress'])('never says the key or the address: %s', async (mode) => {
    const { post } = await start([llm({ headers: { 'x-token': 'tok-987654321' } })]);
    const reply = await post({ mode });
    const said = (await reply.text()) + JSON.stringify([...reply.headers]);
    expect(reply.status).toBeGreaterThanOrEqual(400);
    expect(said).toContain('[redacted]');
    for (const secret of [key, 'tok-987654321', new URL(upstream.url).host]) expect(said).not.toContain(secret);
  });

  test('no upstream there is 502, and its address is not told', async () => {
    const gone = await startUpstream();
    await gone[Symbol.asyncDispose]();
    const { post } = await start([llm({ base_url: gone.url })]);
    const reply = await post({});
    expect(reply.status).toBe(502);
    const { error } = (await reply.json()) as { error: { code: string; message: string } };
    expect(error.code).toBe('upstream_error');
    expect(error.message).not.toMatch(/127\.0\.0\.1|ECONN/);
  });

  test('an upstream that does not begin to answer is 504', async () => {
    const { post } = await start([llm({ first_byte_timeout_ms: 30 })]);
    const reply = await post({ mode: 'hang' });
    expect([reply.status, ((await reply.json()) as { error: { code: string } }).error.code]).toEqual([504, 'request_timeout']);
  });

  test('a stream that breaks off is no stream that ended', async () => {
    const { post } = await start([llm()]);
    const reply = await post({ stream: true, mode: 'cutStream' });
    expect(reply.status).toBe(200);
    await expect(reply.text()).rejects.toThrow(/terminated/);
  });

  test('an upstream that is down is left alone, and asked again later', async () => {
    const { post } = await start([llm({ breaker_failures: 3, breaker_open_ms: 2_000 })]);
    upstream.down = 500;
    for (let i = 0; i < 3; i++) expect((await post({})).status).toBe(500);
    const before = upstream.calls.length;
    const reply = await post({});
    expect([reply.status, reply.headers.get('retry-after'), upstream.calls.length]).toEqual([503, expect.stringMatching(/^[12]$/), before]);
    upstream.down = null;
    await expect.poll(async () => (await post({})).status).toBe(200);
  });

  test.each<[string, object, number, string]>([
    ['an unknown model', { model: 'gpt-9' }, 404, 'model_not_found'],
    ['a model of another kind', { model: 'net' }, 400, 'invalid_value'],
    ['no model', { model: 5 }, 400, 'invalid_type'],
    ['a model that does not load', { model: 'broken' }, 503, 'model_not_ready'],
  ])('%s', async (_, body, status, code) => {
    const { post } = await start([
      { name: 'net', version: '1.0.0', executor: 'onnx', options: { path: '/nowhere.onnx' } },
      { ...llm({ api_key: undefined, api_key_file: '/nowhere' }), name: 'broken' },
    ]);
    const reply = await post(body);
    expect([reply.status, await reply.json()]).toMatchObject([status, { error: { code } }]);
  });
});

test('a model of a tenant is that tenant’s alone', async () => {
  const model = { ...llm(), tenant: 't2', no: 1 };
  const { clientFor } = await start([], { source: async () => ({ revision: 1, versions: [{ model, ready: true }], aliases: [] }) });
  const ask = (apiKey: string) => clientFor(apiKey).chat.completions.create({ model: 'llm', messages });
  expect(await ask('k2')).toMatchObject({ id: 'c1' });
  await expect(ask('k')).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
});

test('something may stand between a request and its model', async () => {
  const asked: unknown[] = [];
  const { post } = await start([llm()], {
    answer: async (given, ask) => {
      asked.push(given.identity.tenant, given.exchange.url);
      return given.exchange.body['cached'] === true
        ? { ok: true, status: 200, headers: { 'x-cache': 'HIT' }, body: '{"kept":1}' }
        : ask(given);
    },
  });
  const reply = await post({ cached: true }, '/v1/embeddings');
  expect([reply.headers.get('x-cache'), await reply.json(), asked]).toEqual(['HIT', { kept: 1 }, ['t', '/v1/embeddings']]);
  expect((await post({})).status).toBe(200);
});
