import { once } from 'node:events';
import { connect } from 'node:net';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { bytesOf } from '../executors/onnx/tensor.ts';
import { buildServer } from '../http/server.ts';
import type { App } from '../lib/app.ts';
import { ApiError } from '../lib/errors.ts';
import { silent } from '../lib/log.ts';
import { Models, type ModelSpec } from '../models/models.ts';
import type { InferOptions, Infers } from '../predictions/infer.ts';
import { Predictor } from '../predictions/predictor.ts';
import { fixedBatch, identity, int64Identity, smallMlp, stringIdentity, twoInputs } from '../../test/support/onnx-models.ts';
import { limitOf } from './body.ts';
import { oipRoutes } from './routes.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-oip-'));
const file = (name: string, bytes: Uint8Array): string => {
  const path = join(folder, `${name}.onnx`);
  writeFileSync(path, bytes);
  return path;
};
const onnx = (name: string, bytes: Uint8Array, version = '1.0.0'): ModelSpec => ({
  name,
  version,
  executor: 'onnx',
  options: { path: file(name.replace('/', '-') + version, bytes) },
});

let app: App;
let url: string;
let predictor: Predictor;
let well = true;
const maxBytes = 200_000;

beforeAll(async () => {
  const models = new Models([
    onnx('id', identity('float32', ['N', 3])),
    onnx('lab/net', smallMlp(), '1.9.0'),
    onnx('lab/net', smallMlp(), '1.10.0'),
    onnx('int64', int64Identity()),
    onnx('int8', identity('int8', ['N', 2])),
    onnx('uint64', identity('uint64', ['N'])),
    onnx('bool', identity('bool', ['N', 2])),
    onnx('half', identity('float16', ['N', 2])),
    onnx('strings', stringIdentity()),
    onnx('two', twoInputs()),
    onnx('fixed', fixedBatch()),
    onnx('scalar', identity('int64', [])),
    onnx('image', identity('float32', ['N', 3, 'H'])),
    { name: 'broken', version: '1.0.0', executor: 'onnx', options: { path: file('broken', new Uint8Array(20)) } },
    { name: 'chat', version: '1.0.0', executor: 'openai', options: { base_url: 'http://127.0.0.1:9/v1' } },
  ]);
  predictor = new Predictor({ models, log: silent, scratch: folder });
  app = await buildServer({
    keys: [{ key: 'k', tenant: 't', user: 'u' }],
    log: silent,
    routes: (app) => {
      app.addHook('onClose', () => predictor[Symbol.asyncDispose]());
      const unload = (model: ModelSpec) => predictor.loaded.unload(model);
      oipRoutes(app, { models, infers: predictor, unload, ready: async () => well, version: async () => '0.1.0', maxBytes });
    },
  });
  url = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

const specification: unknown = parse(readFileSync(new URL('../../test/support/open_inference_rest.yaml', import.meta.url), 'utf8'));
const ajv = new Ajv({ strict: false, allErrors: true }).addSchema({ $id: 'oip', ...(specification as object) });
const holds = (schema: string, value: unknown): void => {
  const valid = ajv.validate({ $ref: `oip#/components/schemas/${schema}` }, value);
  expect(valid ? [] : ajv.errors).toEqual([]);
};

const authorization = 'Bearer k';
const get = async (path: string, headers: Record<string, string> = { authorization }) => {
  const reply = await fetch(url + path, { headers });
  const text = await reply.text();
  return { status: reply.status, headers: reply.headers, text, json: text === '' ? null : (JSON.parse(text) as Record<string, unknown>) };
};
const post = async (path: string, body?: unknown, headers: Record<string, string> = {}, method = 'POST') => {
  const payload =
    body instanceof Uint8Array ? Buffer.from(body) : typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
  const reply = await fetch(url + path, {
    method,
    headers: { authorization, ...headers },
    ...(payload === undefined ? {} : { body: payload }),
  });
  const bytes = Buffer.from(await reply.arrayBuffer());
  return { status: reply.status, headers: reply.headers, bytes, text: bytes.toString() };
};

interface Output {
  name: string;
  datatype: string;
  shape: number[];
  data: unknown[];
  parameters?: { binary_data_size: number };
}
interface Reply {
  model_name: string;
  model_version: string;
  id?: string;
  outputs: Output[];
}

const infer = async (model: string, body: unknown): Promise<Reply> => {
  const { status, text } = await post(`/v2/models/${model}/infer`, body, { 'content-type': 'application/json' });
  expect([status, status === 200 ? '' : text]).toEqual([200, '']);
  const reply = JSON.parse(text) as Reply;
  holds('inference_response', reply);
  return reply;
};

const tensor = (name: string, datatype: string, shape: number[], data: unknown, more: object = {}) => ({
  name,
  datatype,
  shape,
  data,
  ...more,
});

/** JSON and bytes as one body, with the header that tells them apart. */
const binary = (json: unknown, ...parts: Uint8Array[]): [Buffer, Record<string, string>] => {
  const head = Buffer.from(JSON.stringify(json));
  return [
    Buffer.concat([head, ...parts]),
    { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(head.length) },
  ];
};

const split = (bytes: Buffer, headers: Headers): { json: Reply; rest: Buffer } => {
  const length = Number(headers.get('inference-header-content-length'));
  return { json: JSON.parse(bytes.subarray(0, length).toString()) as Reply, rest: bytes.subarray(length) };
};

const refused = async (path: string, body: unknown, headers: Record<string, string> = {}): Promise<{ status: number; error: string }> => {
  const reply = await post(path, body, headers);
  const json = JSON.parse(reply.text) as { error: string };
  expect(Object.keys(json)).toEqual(['error']);
  holds('inference_error_response', json);
  // Neither the runtime's words nor a stack.
  expect(json.error).not.toMatch(/onnxruntime|\.cc|::|\bat .*:\d+|\/tmp\//);
  return { status: reply.status, error: json.error };
};

describe('the server', () => {
  test('is live and ready without a key; the rest needs one', async () => {
    expect(await get('/v2/health/live', {})).toMatchObject({ status: 200, json: { live: true } });
    expect(await get('/v2/health/ready', {})).toMatchObject({ status: 200, json: { ready: true } });
    well = false;
    expect(await get('/v2/health/ready', {})).toMatchObject({ status: 503, json: { ready: false } });
    well = true;
    for (const path of ['/v2', '/v2/models', '/v2/models/id', '/v2/models/id/ready']) {
      const reply = await get(path, {});
      expect([reply.status, Object.keys(reply.json!)]).toEqual([401, ['error']]);
      expect(reply.headers.get('www-authenticate')).toBe('Bearer');
    }
  });

  test('says what it is', async () => {
    for (const path of ['/v2', '/v2/']) {
      const { json } = await get(path);
      holds('metadata_server_response', json);
      expect(json).toMatchObject({ name: 'sluice', version: '0.1.0', extensions: expect.arrayContaining(['binary_tensor_data']) });
    }
  });

  test('lists its ONNX models, each once', async () => {
    const { json } = await get('/v2/models');
    expect(json!['models']).toEqual(expect.arrayContaining(['id', 'lab/net']));
    expect(json!['models']).not.toContain('chat');
    expect((json!['models'] as string[]).filter((name) => name === 'lab/net')).toHaveLength(1);
  });
});

describe('a model', () => {
  test.each(['lab/net', 'lab%2Fnet', 'lab/net/versions/1.10.0', 'lab%2Fnet/versions/1.10.0'])('%s says what it takes', async (path) => {
    const { json } = await get(`/v2/models/${path}`);
    holds('metadata_model_response', json);
    expect(json).toEqual({
      name: 'lab/net',
      versions: ['1.9.0', '1.10.0'],
      platform: 'onnx_onnxv1',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 64] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 10] }],
    });
    expect(await get(`/v2/models/${path}/ready`)).toMatchObject({ status: 200, json: { name: 'lab/net', ready: true } });
  });

  test('has a configuration, as Triton would have it', async () => {
    expect((await get('/v2/models/strings/config')).json).toEqual({
      name: 'strings',
      platform: 'onnxruntime_onnx',
      backend: 'onnxruntime',
      max_batch_size: 0,
      input: [{ name: 'x', data_type: 'TYPE_STRING', dims: [-1, 2] }],
      output: [{ name: 'y', data_type: 'TYPE_STRING', dims: [-1, 2] }],
    });
  });

  test('that does not load is not ready, and its file is not named', async () => {
    const reply = await get('/v2/models/broken/ready');
    expect(reply).toMatchObject({ status: 503, json: { name: 'broken', ready: false, error: 'The model could not be loaded.' } });
    const body = { inputs: [tensor('x', 'FP32', [1], [1])] };
    expect(await refused('/v2/models/broken/infer', body)).toEqual({ status: 503, error: 'The model could not be loaded.' });
  });

  test.each([
    ['GET', '/v2/models/none', 404],
    ['GET', '/v2/models/none/ready', 404],
    ['GET', '/v2/models/id/versions/9.9.9', 404],
    ['POST', '/v2/models/none/infer', 404],
    ['POST', '/v2/models/id/versions/2/infer', 404],
    ['POST', '/v2/models/chat/infer', 400],
    ['GET', '/v2/models/%ff', 400],
    ['GET', '/v2/models/id/infer', 405],
    ['POST', '/v2/models/id/ready', 405],
    ['POST', '/v2/models/id', 405],
    ['PUT', '/v2/models/id/infer', 405],
    ['DELETE', '/v2/models/id', 405],
    ['POST', '/v2/health/live', 405],
    ['GET', '/v2/nothing', 404],
    ['POST', '/v2/repository/models/none/load', 404],
  ])('%s %s is refused with %i', async (method, path, status) => {
    const reply = await post(path, method === 'GET' ? undefined : '{}', {}, method);
    expect(reply.status).toBe(status);
    expect(Object.keys(JSON.parse(reply.text) as object)).toEqual(['error']);
    expect(reply.headers.has('allow')).toBe(status === 405);
  });
});

describe('an inference', () => {
  test('in JSON, nested and flat, with id and version', async () => {
    const nested = [
      [1, 2.5, -3],
      [4, 5, 6e-3],
    ];
    const flat = await infer('id', { id: '42', inputs: [tensor('x', 'FP32', [2, 3], nested.flat())] });
    expect(flat).toMatchObject({
      id: '42',
      model_name: 'id',
      model_version: '1.0.0',
      outputs: [{ name: 'y', datatype: 'FP32', shape: [2, 3] }],
    });
    expect((flat.outputs[0]!.data as number[]).map(Math.fround)).toEqual(nested.flat().map(Math.fround));
    expect((await infer('id/versions/1.0.0', { inputs: [tensor('x', 'FP32', [2, 3], nested)] })).outputs).toEqual(flat.outputs);
    const old = await infer('lab%2Fnet/versions/1.9.0', { inputs: [tensor('x', 'FP32', [1, 64], Array(64).fill(0.5))] });
    expect(old).toMatchObject({ model_name: 'lab/net', model_version: '1.9.0', outputs: [{ shape: [1, 10] }] });
    expect(old).not.toHaveProperty('id');
  });

  test('keeps integers of 64 bits to the digit', async () => {
    const body =
      '{"inputs":[{"name":"x","datatype":"INT64","shape":[1,3],"data":[[9007199254740993,-9223372036854775808,9223372036854775807]]}]}';
    expect((await post('/v2/models/int64/infer', body)).text).toContain(
      '"data":[9007199254740993,-9223372036854775808,9223372036854775807]',
    );
    const most = '{"inputs":[{"name":"x","datatype":"UINT64","shape":[1],"data":[18446744073709551615]}]}';
    expect((await post('/v2/models/uint64/infer', most)).text).toContain('"data":[18446744073709551615]');
  });

  test('has the other types', async () => {
    const y = async (model: string, datatype: string, shape: number[], data: unknown[]) =>
      (await infer(model, { inputs: [tensor('x', datatype, shape, data)] })).outputs[0]!.data;
    expect(await y('int8', 'INT8', [2, 2], [-128, 127, 0, 1])).toEqual([-128, 127, 0, 1]);
    expect(await y('bool', 'BOOL', [1, 2], [true, false])).toEqual([true, false]);
    expect(await y('half', 'FP16', [1, 2], [1.5, -65_504])).toEqual([1.5, -65_504]);
    expect(await y('strings', 'BYTES', [1, 2], ['héllo😀', ''])).toEqual(['héllo😀', '']);
  });

  test('selects outputs, and checks their names', async () => {
    const inputs = [tensor('x', 'FP32', [1, 3], [1, 2, 3])];
    expect((await infer('id', { inputs, outputs: [{ name: 'y' }] })).outputs).toHaveLength(1);
    expect((await infer('id', { inputs, outputs: [] })).outputs).toHaveLength(1);
    expect(await refused('/v2/models/id/infer', { inputs, outputs: [{ name: 'z' }] })).toEqual({
      status: 400,
      error: expect.stringContaining('outputs.z is not known'),
    });
    expect(await refused('/v2/models/id/infer', { inputs, outputs: [{ name: 'y' }, { name: 'y' }] })).toEqual({
      status: 400,
      error: expect.stringContaining('twice'),
    });
    expect(await refused('/v2/models/id/infer', { inputs, outputs: [{ name: 'y', parameters: { classification: 3 } }] })).toMatchObject({
      status: 501,
    });
  });

  test('takes parameters it knows or can leave aside, of the right kind', async () => {
    const inputs = [tensor('x', 'FP32', [1, 3], [1, 2, 3])];
    await infer('id', { inputs, parameters: { priority: 1, timeout: 5_000_000, sequence_id: 0, mine: 'x' } });
    for (const [parameters, status] of [
      [{ a: [] }, 400],
      [{ timeout: -1 }, 400],
      [{ binary_data_output: 'yes' }, 400],
      [{ sequence_id: 7, sequence_start: true }, 501],
      [[], 400],
    ] as const)
      expect(await refused('/v2/models/id/infer', { inputs, parameters })).toMatchObject({ status: status });
    expect(await refused('/v2/models/id/infer', { inputs, id: 5 })).toMatchObject({ status: 400 });
  });
});

describe('binary tensors', () => {
  const values = new Float32Array([1, -2.5, NaN, 4, Infinity, 6]);
  const x = { name: 'x', datatype: 'FP32', shape: [2, 3], parameters: { binary_data_size: 24 } };

  test.each([
    ['for all outputs', { parameters: { binary_data_output: true } }],
    ['for one of them', { outputs: [{ name: 'y', parameters: { binary_data: true } }] }],
    [
      'for one of them, against the rest',
      { outputs: [{ name: 'y', parameters: { binary_data: true } }], parameters: { binary_data_output: false } },
    ],
  ])('go in and out, asked %s', async (_, wish) => {
    const reply = await post('/v2/models/id/infer', ...binary({ id: 'b', inputs: [x], ...wish }, bytesOf(values)));
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'application/octet-stream']);
    const { json, rest } = split(reply.bytes, reply.headers);
    expect(json).toEqual({ id: 'b', model_name: 'id', model_version: '1.0.0', outputs: [{ ...x, name: 'y' }] });
    // Bit for bit, NaN among them.
    expect(rest.equals(Buffer.from(bytesOf(values)))).toBe(true);
  });

  test('go in, and JSON comes out; or the other way', async () => {
    const [body, headers] = binary({ inputs: [x] }, bytesOf(new Float32Array([1, 2, 3, 4, 5, 6])));
    const reply = await post('/v2/models/id/infer', body, headers);
    expect(JSON.parse(reply.text)).toMatchObject({ outputs: [{ data: [1, 2, 3, 4, 5, 6] }] });
    expect(reply.headers.has('inference-header-content-length')).toBe(false);
    const out = await post('/v2/models/int64/infer', {
      inputs: [tensor('x', 'INT64', [1, 3], [1, 2, 3])],
      parameters: { binary_data_output: true },
    });
    expect(split(out.bytes, out.headers).rest.readBigInt64LE(16)).toBe(3n);
  });

  test('and JSON tensors go together, of any type and size', async () => {
    const b = { name: 'b', datatype: 'INT64', shape: [1, 2], parameters: { binary_data_size: 16 } };
    const a = tensor('a', 'FP32', [1, 2], [0.5, 1]);
    const bytes = bytesOf(new BigInt64Array([10n, 20n]));
    const mixed = await post('/v2/models/two/infer', ...binary({ inputs: [a, b] }, bytes));
    expect(JSON.parse(mixed.text)).toMatchObject({ outputs: [{ data: [20.5, 41] }] });
    const both = { name: 'a', datatype: 'FP32', shape: [1, 2], parameters: { binary_data_size: 8 } };
    // Padding of the JSON moves the bytes to places that are no multiple of 8.
    for (let padding = 0; padding < 8; padding++) {
      const reply = await post(
        '/v2/models/two/infer',
        ...binary({ id: 'x'.repeat(padding), inputs: [both, b] }, bytesOf(new Float32Array([0.5, 1])), bytes),
      );
      expect(JSON.parse(reply.text)).toMatchObject({ outputs: [{ data: [20.5, 41] }] });
    }
    const strings = Buffer.from([2, 0, 0, 0, 0xc3, 0xa9, 0, 0, 0, 0]);
    const s = { name: 'x', datatype: 'BYTES', shape: [1, 2], parameters: { binary_data_size: 10 } };
    const out = await post('/v2/models/strings/infer', ...binary({ inputs: [s], parameters: { binary_data_output: true } }, strings));
    expect(split(out.bytes, out.headers).rest.equals(strings)).toBe(true);
  });

  test('larger than one write go in and out whole', async () => {
    const large = Float32Array.from({ length: 30_000 }, (_, i) => i);
    const image = { name: 'x', datatype: 'FP32', shape: [1, 3, 10_000], parameters: { binary_data_size: large.byteLength } };
    const ask = binary({ inputs: [image], parameters: { binary_data_output: true } }, bytesOf(large));
    for (const reply of await Promise.all([1, 2, 3].map(() => post('/v2/models/image/infer', ...ask)))) {
      expect(Number(reply.headers.get('content-length'))).toBe(reply.bytes.length);
      expect(split(reply.bytes, reply.headers).rest.equals(Buffer.from(bytesOf(large)))).toBe(true);
    }
  });

  test('alone are one tensor, whose shape the model knows', async () => {
    const raw = (model: string, bytes: Uint8Array) => post(`/v2/models/${model}/infer`, bytes, { 'inference-header-content-length': '0' });
    const one = await raw('id', bytesOf(new Float32Array([1, 2, 3])));
    expect(split(one.bytes, one.headers).json.outputs).toMatchObject([{ shape: [1, 3], parameters: { binary_data_size: 12 } }]);
    const image = await raw('image', new Uint8Array(4 * 3 * 5));
    expect(split(image.bytes, image.headers).json.outputs).toMatchObject([{ shape: [1, 3, 5] }]);
    for (const [model, bytes] of [
      ['id', new Uint8Array(13)],
      ['id', new Uint8Array(0)],
      ['two', new Uint8Array(8)],
      ['strings', Buffer.from('a')],
    ] as const)
      expect(await refused(`/v2/models/${model}/infer`, bytes, { 'inference-header-content-length': '0' })).toMatchObject({ status: 400 });
  });

  test.each([
    ['a header longer than the body', '999999'],
    ['a negative one', '-1'],
    ['no number', 'abc'],
    ['in the middle of the JSON', '10'],
  ])('are refused with %s', async (_, length) => {
    const [body, headers] = binary({ inputs: [x] }, bytesOf(values));
    expect(await refused('/v2/models/id/infer', body, { ...headers, 'inference-header-content-length': length })).toMatchObject({
      status: 400,
    });
  });
});

describe('what does not fit is refused, and the server lives', () => {
  const x = (shape: unknown, data: unknown, more: object = {}) => ({ inputs: [{ name: 'x', datatype: 'FP32', shape, data, ...more }] });

  test.each<[string, string, unknown]>([
    ['a negative dimension', 'id', x([-1, 3], [1, 2, 3])],
    ['a shape that is not the data’s', 'id', x([2, 3], [1, 2, 3])],
    ['a shape that overflows', 'id', x([2 ** 31, 2 ** 31, 4], [1])],
    ['a shape that overflows to 0', 'id', x([2 ** 32, 2 ** 32], [])],
    ['a rank that is not the model’s', 'id', x([3], [1, 2, 3])],
    ['a dimension that is not the model’s', 'id', x([1, 4], [1, 2, 3, 4])],
    ['a batch that the model has not', 'fixed', x([2, 4], [1, 2, 3, 4, 5, 6, 7, 8])],
    ['a type that is not the model’s', 'id', { inputs: [tensor('x', 'FP64', [1, 3], [1, 2, 3])] }],
    ['an unknown type', 'id', { inputs: [tensor('x', 'BF16', [1, 3], [1, 2, 3])] }],
    ['an input too many', 'id', { inputs: [tensor('x', 'FP32', [1, 3], [1, 2, 3]), tensor('z', 'FP32', [1], [1])] }],
    ['an input twice', 'id', { inputs: [tensor('x', 'FP32', [1, 3], [1, 2, 3]), tensor('x', 'FP32', [1, 3], [1, 2, 3])] }],
    ['no input', 'id', { inputs: [] }],
    ['no inputs at all', 'id', {}],
    ['int8 300', 'int8', { inputs: [tensor('x', 'INT8', [1, 2], [300, 0])] }],
    ['2^53 + 1 for a dimension', 'id', '{"inputs":[{"name":"x","datatype":"FP32","shape":[9007199254740993,3],"data":[]}]}'],
    ['2^64', 'int64', '{"inputs":[{"name":"x","datatype":"INT64","shape":[1,3],"data":[18446744073709551616,1,2]}]}'],
    ['NaN', 'id', '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,3],"data":[NaN,1,2]}]}'],
    ['1e999', 'id', '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,3],"data":[1e999,1,2]}]}'],
    ['a NUL in a string', 'strings', { inputs: [tensor('x', 'BYTES', [1, 2], ['a\0b', 'c'])] }],
    ['a list', 'id', []],
    ['a text', 'id', '"x"'],
    ['nothing', 'id', ''],
    ['half of it', 'id', '{"inputs":[{"name":"x"'],
    ['bytes that are no UTF-8', 'id', Buffer.from([0x7b, 0xff, 0x7d])],
    ['depth', 'id', `{"inputs":${'['.repeat(50_000)}${']'.repeat(50_000)}}`],
    ['a prototype', 'id', '{"__proto__":{"inputs":[]},"constructor":1}'],
  ])('%s', async (_, model, body) => {
    expect(await refused(`/v2/models/${model}/infer`, body)).toMatchObject({ status: 400 });
    expect((await get('/v2/models/id/ready')).status).toBe(200);
  });

  test('a body that is too large, announced or not', async () => {
    const large = Buffer.alloc(maxBytes + 1, 0x20);
    expect(await refused('/v2/models/id/infer', large)).toMatchObject({ status: 413 });
    const stream = new ReadableStream({ start: (to) => (to.enqueue(large), to.close()) });
    const reply = await fetch(`${url}/v2/models/id/infer`, { method: 'POST', headers: { authorization }, body: stream, duplex: 'half' });
    expect(reply.status).toBe(413);
    await reply.text();
    expect(await refused('/v2/models/id/infer', '{}', { 'content-encoding': 'gzip' })).toMatchObject({ status: 415 });
  });

  test('more JSON than can be read at once, while bytes may be as many as are configured', () => {
    expect([limitOf(2 ** 27, null), limitOf(2 ** 27, 500), limitOf(1_000, null)]).toEqual([2 ** 25, 2 ** 27, 1_000]);
    expect(() => limitOf(2 ** 27, 2 ** 25 + 1)).toThrow(/send tensors as bytes/);
  });

  test('a body that never comes holds nothing up', async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write(`POST /v2/models/id/infer HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-length: ${maxBytes}\r\n\r\n{`);
    await infer('id', { inputs: [tensor('x', 'FP32', [1, 3], [1, 2, 3])] });
    socket.destroy();
    expect((await get('/v2/health/live')).status).toBe(200);
  });
});

describe('the repository', () => {
  test('has an index', async () => {
    for (const body of [undefined, {}, { ready: true }]) {
      const reply = await post('/v2/repository/index', body);
      expect(JSON.parse(reply.text)).toEqual(expect.arrayContaining([{ name: 'lab/net', version: '1.10.0', state: 'READY', reason: '' }]));
    }
    expect(await refused('/v2/repository/index', '{"ready":"yes"}')).toMatchObject({ status: 400 });
    expect(await refused('/v2/repository/index', '[')).toMatchObject({ status: 400 });
  });

  test('loads and unloads', async () => {
    const isLoaded = () => predictor.loaded.list().some(({ model }) => model.name === 'half');
    expect(await post('/v2/repository/models/half/load')).toMatchObject({ status: 200, text: '' });
    expect(isLoaded()).toBe(true);
    expect(await post('/v2/repository/models/half/unload', { parameters: { unload_dependents: true } })).toMatchObject({
      status: 200,
      text: '',
    });
    await expect.poll(isLoaded).toBe(false);
    await infer('half', { inputs: [tensor('x', 'FP16', [1, 2], [1, 2])] });
    expect(await refused('/v2/repository/models/half/load', { parameters: { config: '{}' } })).toMatchObject({ status: 501 });
    expect(await refused('/v2/repository/models/half/load', { parameters: { 'file:../../x': 'aGk=' } })).toMatchObject({ status: 501 });
    expect(await refused('/v2/repository/models/half/unload', { parameters: { what: 1 } })).toMatchObject({ status: 400 });
    expect(await refused('/v2/repository/models/half/explode', {})).toMatchObject({ status: 404 });
  });
});

test('statistics count requests, rows and time', async () => {
  const stats = async (path: string) =>
    (
      (await get(path)).json as {
        model_stats: { name: string; inference_count: number; inference_stats: Record<string, { count: number; ns: number }> }[];
      }
    ).model_stats;
  const [before] = await stats('/v2/models/uint64/stats');
  await infer('uint64', { inputs: [tensor('x', 'UINT64', [4], [1, 2, 3, 4])] });
  await refused('/v2/models/uint64/infer', { inputs: [] });
  const [after] = await stats('/v2/models/uint64/versions/1.0.0/stats');
  expect(after!.inference_count - before!.inference_count).toBe(4);
  expect(after!.inference_stats['fail']!.count - before!.inference_stats['fail']!.count).toBe(1);
  expect(after!.inference_stats['success']!.ns).toBeGreaterThan(before!.inference_stats['success']!.ns);
  expect((await stats('/v2/models/stats')).map(({ name }) => name)).toContain('lab/net');
});

describe('what the model’s queue says', () => {
  const ports = { inputs: [{ name: 'x', type: 'float32', shape: ['N'] }], outputs: [{ name: 'y', type: 'float32', shape: ['N'] }] };
  const ask = async (answer: Infers['infer']) => {
    const models = new Models([onnx('m', identity('float32', ['N']))]);
    const app = await buildServer({
      keys: [{ key: 'k', tenant: 't', user: 'u' }],
      log: silent,
      routes: (app) =>
        oipRoutes(app, {
          models,
          infers: { infer: answer, portsOf: async () => ports },
          unload: async () => {},
          ready: async () => true,
          version: async () => '0',
          maxBytes,
        }),
    });
    const address = await app.listen({ host: '127.0.0.1', port: 0 });
    const gone = new AbortController();
    const asking = fetch(`${address}/v2/models/m/infer`, {
      method: 'POST',
      headers: { authorization },
      body: JSON.stringify({ inputs: [tensor('x', 'FP32', [1], [1])], parameters: { timeout: 1_500 } }),
      signal: gone.signal,
    });
    return { app, asking, gone };
  };

  test.each<[number, ApiError, string]>([
    [
      503,
      new ApiError('model_overloaded', 'Too much waits for this model.', { headers: { 'retry-after': '3' } }),
      'Too much waits for this model.',
    ],
    [504, new ApiError('request_timeout', 'The model did not answer within 2 ms.'), 'The model did not answer within 2 ms.'],
    [500, new ApiError('executor_error', 'Non-zero status code from /onnxruntime/core/x.cc:77'), 'The model failed on these inputs.'],
    [
      500,
      new Error('boom at /home/x.ts:1') as ApiError,
      'The server had an error while processing your request. It was logged with the request id.',
    ],
  ])('is %i to a client', async (status, error, words) => {
    const { app, asking } = await ask(() => Promise.reject(error));
    const reply = await asking;
    expect([reply.status, await reply.json()]).toEqual([status, { error: words }]);
    expect(reply.headers.get('retry-after')).toBe(status === 503 ? '3' : null);
    await app.close();
  });

  test('is told when its client leaves, and how long that waits', async () => {
    const asked = Promise.withResolvers<InferOptions>();
    const { app, asking, gone } = await ask((_model, _inputs, options) => {
      asked.resolve(options);
      return new Promise((_, reject) => {
        options.signal!.addEventListener('abort', () => reject(new ApiError('unavailable', 'gone')));
      });
    });
    const { signal, timeoutMs, tenant } = await asked.promise;
    expect([timeoutMs, tenant]).toEqual([2, 't']);
    const left = once(signal!, 'abort');
    gone.abort();
    await expect(asking).rejects.toThrow(/aborted/);
    await left;
    await app.close();
  });
});
