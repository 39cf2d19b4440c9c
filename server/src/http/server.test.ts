import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { CreateBatch, Metadata, RetryBatch } from '@sluice/contract';
import { Type } from 'typebox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../lib/app.ts';
import { ApiError } from '../lib/errors.ts';
import { silent } from '../lib/log.ts';
import { StorageFull } from '../storage/storage.ts';
import { buildServer } from './server.ts';

const key = { authorization: 'Bearer sk-test' };
const trouble: Record<string, Error> = {
  unreachable: Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:5432'), { code: 'ECONNREFUSED' }),
  full: new StorageFull(new Error('ENOSPC /secret/path')),
  conflict: new ApiError('conflict', "Cannot cancel a batch with status 'completed'.", { bare: true }),
  bug: new TypeError('undefined is not a function at /secret/path.ts:12'),
  nul: Object.assign(new Error('unsupported Unicode escape sequence'), { code: '22P05' }),
};

const count = async (stream: AsyncIterable<Buffer>) => {
  let bytes = 0;
  for await (const chunk of stream) bytes += chunk.length;
  return { bytes };
};

const { input_file_id: _file, endpoint: _endpoint, completion_window: _window, ...rest } = CreateBatch.properties;

/** As OpenAI has it: a file and an endpoint are named. */
const Create = Type.Object(
  { ...Type.Required(Type.Pick(CreateBatch, ['input_file_id', 'endpoint', 'completion_window'])).properties, ...rest },
  { additionalProperties: false },
);

const routes = (app: App) => {
  app.post('/v1/batches', { schema: { body: Create } }, (request) => request.body);
  app.post('/v1/batches/:id/retry', { schema: { body: RetryBatch } }, (request) => request.body);
  const response = { 200: Type.Object({ tenant: Type.String() }) };
  app.get('/v1/batches/:id', { schema: { response } }, (request) => ({ tenant: request.identity.tenant }));
  app.get('/v1/wrong', { schema: { response } }, () => JSON.parse('{"tenant":7}') as { tenant: string });
  const query = Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })), metadata: Type.Optional(Metadata) });
  app.get('/v1/batches', { schema: { querystring: query } }, (request) => request.query);
  app.get('/v1/trouble/:name', (request) => {
    throw trouble[(request.params as { name: string }).name]!;
  });
  app.post('/v1/files', (request) => count(request.raw));
  app.get('/v1/events', (_request, reply) => {
    const events = new Readable({ read() {} });
    events.push('id: 1\n\n');
    app.closing.addEventListener('abort', () => events.push(null));
    return reply.type('text/event-stream').send(events);
  });
};

let app: App;
beforeAll(async () => {
  app = await buildServer({
    keys: [{ key: 'sk-test', tenant: 'lab', user: 'ada' }],
    log: silent,
    routes,
    checkReplies: true,
    bodyLimit: 4096,
  });
});
afterAll(() => app.close());

const create = { input_file_id: 'file-1', endpoint: '/v1/predict', completion_window: '24h' };
const post = (payload: unknown, url = '/v1/batches') =>
  app.inject({
    method: 'POST',
    url,
    headers: { ...key, 'content-type': 'application/json' },
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  });

test('every reply carries the request id, the version and the time it took', async () => {
  for (const url of ['/v1/batches/b', '/v1/nowhere', '/v1/trouble/bug']) {
    const reply = await app.inject({ url, headers: key });
    expect(reply.headers['x-request-id']).toMatch(/^req_[0-9a-f]{32}$/);
    expect(reply.headers['openai-processing-ms']).toMatch(/^\d+$/);
    expect(reply.headers['x-content-type-options']).toBe('nosniff');
  }
  const reply = await app.inject({ url: '/v1/batches/b', headers: key });
  expect(reply.headers).toMatchObject({ 'openai-version': '2020-10-01', 'cache-control': 'no-store' });
  expect(reply.json()).toEqual({ tenant: 'lab' });
});

test.each(['/v1/batches/b', '/%761/batches/b', '/v1/batches/b/'])('%s is closed to those without a key', async (url) => {
  const reply = await app.inject({ url });
  expect(reply.statusCode).toBe(401);
  expect(reply.json()).toMatchObject({ error: { type: 'authentication_error', code: 'invalid_api_key', param: null } });
});

test.each<[string, unknown, Record<string, string | null>]>([
  [
    'a field left out',
    { ...create, endpoint: undefined },
    { code: 'missing_required_parameter', param: 'endpoint', message: "Missing required parameter: 'endpoint'." },
  ],
  ['no body', '', { code: 'missing_required_parameter', param: 'input_file_id' }],
  ['an unknown field', { ...create, windw: 1 }, { code: 'unknown_parameter', param: 'windw', message: "Unknown parameter: 'windw'." }],
  [
    'metadata that is no text',
    { ...create, metadata: { tags: ['a'] } },
    {
      code: 'invalid_type',
      param: 'metadata.tags',
      message: "Invalid type for 'metadata.tags': expected a string, but got an array instead.",
    },
  ],
  [
    'metadata that is no object',
    { ...create, metadata: 'x' },
    { code: 'invalid_type', param: 'metadata', message: "Invalid type for 'metadata': expected an object, but got a string instead." },
  ],
  ['a metadata key too long', { ...create, metadata: { ['k'.repeat(65)]: 'v' } }, { code: 'invalid_value', param: 'metadata' }],
  ['a metadata value too long', { ...create, metadata: { k: 'v'.repeat(513) } }, { code: 'invalid_value', param: 'metadata.k' }],
  [
    'too much metadata',
    { ...create, metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, ''])) },
    { code: 'invalid_value', param: 'metadata' },
  ],
  [
    'an endpoint that is none',
    { ...create, endpoint: '/v1/nope' },
    { code: 'invalid_value', param: 'endpoint', message: expect.stringContaining('Supported values are:') as string },
  ],
  [
    'a window that is none',
    { ...create, completion_window: '25x' },
    { code: 'invalid_value', param: 'completion_window', message: expect.stringContaining('completion_window') as string },
  ],
  ['a window of another type', { ...create, completion_window: 24 }, { code: 'invalid_type', param: 'completion_window' }],
  ['a priority too high', { ...create, priority: 101 }, { code: 'invalid_value', param: 'priority' }],
  [
    'a priority with no such name',
    { ...create, priority: 'urgent' },
    { code: 'invalid_value', param: 'priority', message: "Invalid value: 'urgent'. Supported values are: 'normal', 'medium', and 'high'." },
  ],
  [
    'a priority of no type',
    { ...create, priority: [] },
    {
      code: 'invalid_type',
      param: 'priority',
      message: "Invalid type for 'priority': expected one of an integer or a string, but got an array instead.",
    },
  ],
  [
    'a nested number',
    { ...create, output_expires_after: { anchor: 'created_at', seconds: 1 } },
    { code: 'invalid_value', param: 'output_expires_after.seconds' },
  ],
  [
    'an anchor that is none',
    { ...create, output_expires_after: { anchor: 'now', seconds: 3600 } },
    { code: 'invalid_value', param: 'output_expires_after.anchor' },
  ],
  ['an array', [], { code: 'invalid_type', param: null }],
  ['half a body', '{"a":', { code: null, param: null, type: 'invalid_request_error' }],
  ['a poisoned body', '{"__proto__":{}}', { code: null, param: null }],
])('%s is said in OpenAI’s words', async (_, body, error) => {
  const reply = await post(body);
  expect(reply.json()).toMatchObject({ error });
  expect(Object.keys(reply.json<{ error: object }>().error).sort()).toEqual(['code', 'message', 'param', 'type']);
  expect(reply.statusCode).toBe(400);
});

test('a body is taken as it was sent', async () => {
  const body = { ...create, metadata: { a: '1' }, priority: 'high', name: null };
  expect((await post(body)).json()).toEqual(body);
  expect((await post({ lines: ['3'] }, '/v1/batches/b/retry')).json()).toMatchObject({
    error: { param: 'lines[0]', code: 'invalid_type' },
  });
  expect((await app.inject({ method: 'POST', url: '/v1/batches/b/retry', headers: key })).json()).toEqual({});
});

test('a query string is read as what its schema says', async () => {
  const get = (limit: string) => app.inject({ url: `/v1/batches?limit=${limit}&other=1`, headers: key });
  expect((await get('20')).json()).toEqual({ limit: 20, other: '1' });
  expect((await get('0')).json()).toMatchObject({
    error: {
      code: 'invalid_value',
      param: 'limit',
      message: "Invalid 'limit': integer below minimum value. Expected a value >= 1, but got 0 instead.",
    },
  });
  expect((await get('ten')).json()).toMatchObject({ error: { code: 'invalid_type', param: 'limit' } });
});

test('what is not there is 404, what is there for other methods is 405', async () => {
  expect((await app.inject({ url: '/v1/nowhere' })).json()).toMatchObject({
    error: { code: 'not_found', message: 'Invalid URL (GET /v1/nowhere)' },
  });
  const reply = await app.inject({ method: 'DELETE', url: '/v1/batches?x=1', headers: key });
  expect(reply.statusCode).toBe(405);
  expect(reply.headers['allow']).toBe('GET, HEAD, POST');
  expect((await app.inject({ url: '/v1/batches/%zz', headers: key })).json()).toMatchObject({ error: { type: 'invalid_request_error' } });
});

test('a body or a type it does not take', async () => {
  const large = await post({ ...create, name: 'x'.repeat(5000) });
  expect([large.statusCode, large.json()]).toMatchObject([413, { error: { code: 'payload_too_large' } }]);
  const xml = await app.inject({ method: 'POST', url: '/v1/batches', headers: { ...key, 'content-type': 'text/xml' }, payload: '<a/>' });
  expect([xml.statusCode, xml.json()]).toMatchObject([415, { error: { code: 'invalid_request' } }]);
});

test.each([
  ['unreachable', 503, 'unavailable'],
  ['full', 507, 'storage_full'],
  ['conflict', 409, null],
  ['bug', 500, 'server_error'],
  ['nul', 400, 'invalid_value'],
])('%s is %i, and tells nothing of the inside', async (name, status, code) => {
  const reply = await app.inject({ url: `/v1/trouble/${name}`, headers: key });
  expect([reply.statusCode, reply.json<{ error: { code: string } }>().error.code]).toEqual([status, code]);
  expect(reply.body).not.toMatch(/secret|10\.0\.0\.7|at /);
  expect(reply.headers['retry-after']).toBe(name === 'unreachable' ? '2' : undefined);
  expect(reply.headers['x-should-retry']).toBe(name === 'conflict' ? 'false' : undefined);
});

test('a reply that is not what its schema says fails in tests', async () => {
  expect((await app.inject({ url: '/v1/wrong', headers: key })).statusCode).toBe(500);
});

test('multipart reaches its room unread', async () => {
  const payload = Buffer.alloc(100_000, 'x');
  const headers = { ...key, 'content-type': 'multipart/form-data; boundary=b' };
  const address = await app.listen({ port: 0 });
  const reply = await fetch(`${address}/v1/files`, { method: 'POST', headers, body: payload });
  expect(await reply.json()).toEqual({ bytes: 100_000 });
});

test('what is not HTTP gets the envelope as well', async () => {
  const { port } = app.server.address() as { port: number };
  const socket = connect(port, '127.0.0.1');
  socket.write('NONSENSE\r\n\r\n');
  const text = Buffer.concat(await Array.fromAsync(socket as AsyncIterable<Buffer>)).toString();
  expect(text).toMatch(/^HTTP\/1\.1 400 /);
  expect(JSON.parse(text.split('\r\n\r\n')[1]!)).toMatchObject({ error: { type: 'invalid_request_error' } });
});

test('closing ends the streams', async () => {
  const own = await buildServer({ keys: [{ key: 'sk-test', tenant: 'lab', user: 'ada' }], log: silent, routes });
  const address = await own.listen({ port: 0 });
  const text = await new Promise<string>((resolve, reject) => {
    httpRequest(`${address}/v1/events`, { headers: key }, (reply) => {
      let text = '';
      reply.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        void own.close();
      });
      reply.on('end', () => resolve(text));
    })
      .on('error', reject)
      .end();
  });
  expect(text).toBe('id: 1\n\n');
});
