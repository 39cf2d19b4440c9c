import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { silent } from '../../lib/log.ts';
import { conformance } from '../conformance.ts';
import type { Executor, Failure, Json, Outcome, Success, Task } from '../executor.ts';
import { checkOptions, concurrencyOf, openExecutor } from '../registry.ts';
import { startOipServer, type OipServer } from './server.ts';
import { outputsOf, tensorsIn, type RemotePort } from './rows.ts';

let server: OipServer;
const opened: Executor[] = [];

beforeAll(async () => {
  server = await startOipServer();
});
afterEach(async () => {
  for (const executor of opened.splice(0)) await executor[Symbol.asyncDispose]();
  Object.assign(server, { down: null, reply: null });
});
afterAll(() => server[Symbol.asyncDispose]());

const open = async (options: Record<string, unknown> = {}) => {
  const model = { name: 'lab/wait', version: '1.0.0', executor: 'oip', options: { base_url: server.url, ...options } } as const;
  const executor = await openExecutor(model, { log: silent, scratch: '/nonexistent', crash: () => {} });
  opened.push(executor);
  return executor;
};

const row = (ms: number, note = 'é', big: Json = [1, 2]): Json => ({ ms, note, big });
const task = (line: number, inputs: Json = row(0)): Task => ({
  line,
  customId: `r${line}`,
  url: '/v1/predict',
  body: { model: 'lab/wait', inputs },
  attempt: 1,
});

const all = async (executor: Executor, tasks: Task[]): Promise<Outcome[]> => {
  const outcomes: Outcome[] = [];
  const signals = { stop: new AbortController().signal, abort: new AbortController().signal };
  for await (const group of executor.run(tasks, signals)) outcomes.push(...group);
  return outcomes;
};
const one = async (inputs: Json = row(0), options: Record<string, unknown> = {}): Promise<Success | Failure> =>
  (await all(await open(options), [task(1, inputs)]))[0]!;

conformance('oip', {
  open: (most) => open({ max_concurrency: most }),
  quick: (line) => task(line),
  slow: (line, ms) => task(line, row(ms)),
  bad: (line) => task(line, row(-1)),
});

describe.each([true, false])('with binary: %s', (binary) => {
  test('a row, rows and tensors go as tensors, and come back as they were given', async () => {
    const outputs = async (inputs: Json) => {
      const outcome = await one(inputs, { binary });
      expect(outcome).toMatchObject({ ok: true, status: 200 });
      return outcome.body!;
    };
    expect(JSON.parse(await outputs(row(0)))).toMatchObject({
      object: 'prediction',
      model: 'lab/wait',
      version: '1.0.0',
      outputs: { note: 'é', big: [1, 2] },
    });
    expect(await outputs([row(0, 'a'), row(0, 'b', [3, 4])])).toContain('"outputs":[{"note":"a","big":[1,2]},{"note":"b","big":[3,4]}]');
    const whole = {
      ms: [0, 0],
      note: ['a', 'b'],
      big: [
        [1, 2],
        [3, 4],
      ],
    };
    expect(await outputs(whole)).toContain('"outputs":{"note":["a","b"],"big":[[1,2],[3,4]]}');
    const sent = server.calls.at(-1)!;
    expect(sent.headers['content-type']).toBe(binary ? 'application/octet-stream' : 'application/json');
    expect(sent.headers['inference-header-content-length'] !== undefined).toBe(binary);
  });

  test('integers of 64 bits keep their digits', async () => {
    // As `parseExactly` gives them to a task.
    const raw = (text: string): Json => (JSON as unknown as { rawJSON: (text: string) => Json }).rawJSON(text);
    const outcome = await one(row(0, 'x', [raw('9007199254740993'), raw('-9223372036854775808')]), { binary });
    expect(outcome.body).toContain('"big":[9007199254740993,-9223372036854775808]');
  });
});

test('the model’s address is what the options say, with key and headers; its metadata is asked once', async () => {
  for (const base_url of [server.url, `${server.url}/`, `${server.url}/v2`, `${server.url}/v2/`]) {
    const executor = await open({ base_url, model: 'real/name', version: '2.1.0', api_key: 'sk-oip', headers: { 'X-Team': 'chem' } });
    server.calls.length = 0;
    expect(
      await all(
        executor,
        [1, 2, 3].map((line) => task(line)),
      ),
    ).toHaveLength(3);
    expect(server.calls.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /v2/models/real%2Fname/versions/2.1.0',
      ...Array.from({ length: 3 }, () => 'POST /v2/models/real%2Fname/versions/2.1.0/infer'),
    ]);
    for (const { headers } of server.calls) expect(headers).toMatchObject({ authorization: 'Bearer sk-oip', 'x-team': 'chem' });
  }
});

describe('a failure', () => {
  test.for<[string, Json, string]>([
    ['an input is missing', { ms: 1, note: 'x' }, 'inputs.big is missing'],
    ['one is unknown', { ms: 1, note: 'x', big: [1, 2], bog: 1 }, 'Did you mean big?'],
    ['a shape is wrong', row(0, 'x', [1, 2, 3]), 'has shape [1, 3]; the model takes [-1, 2]'],
    ['a type is wrong', row(0, 'x', [1, 2.5]), 'inputs.big[0][1] must be a whole number'],
    ['a text has a NUL', row(0, 'a\0b'), 'NUL'],
    ['there is no object', [1, 2], 'must be an object with ms, note, big'],
    ['there is nothing', null, 'inputs is missing'],
  ])('is the request’s own where %s, and no call is made', async ([, inputs, words]) => {
    server.calls.length = 0;
    const outcome = await one(inputs);
    expect(outcome).toMatchObject({ ok: false, kind: 'permanent', code: 'invalid_input', message: expect.stringContaining(words) });
    expect(server.calls.filter(({ method }) => method === 'POST')).toEqual([]);
  });

  test('of the server is told in its words, in the envelope of replies here', async () => {
    const outcome = await one(row(-1));
    expect(outcome).toMatchObject({ ok: false, kind: 'permanent', code: 'upstream_rejected', status: 400 });
    expect(JSON.parse(outcome.body!)).toEqual({
      error: {
        message: 'The upstream answered 400: ms must not be negative',
        type: 'invalid_request_error',
        param: null,
        code: 'upstream_rejected',
      },
    });
  });

  test.for<[string, (reply: ServerResponse) => void]>([
    ['no JSON', (reply) => reply.end('oops')],
    ['no outputs', (reply) => reply.end('{}')],
    ['empty outputs', (reply) => reply.end('{"outputs":[]}')],
    ['an output of another type', (reply) => reply.end('{"outputs":[{"name":"big","datatype":"FP32","shape":[1],"data":[1]}]}')],
    ['fewer values than its shape', (reply) => reply.end('{"outputs":[{"name":"big","datatype":"INT64","shape":[3],"data":[1]}]}')],
    [
      'a header that lies',
      (reply) =>
        reply
          .writeHead(200, { 'inference-header-content-length': '999' })
          .end('{"outputs":[{"name":"big","datatype":"INT64","shape":[1],"data":[1]}]}'),
    ],
    ['half of it', (reply) => reply.writeHead(200, { 'content-length': '1000' }).write('{', () => reply.destroy())],
  ])('may go better next time where the reply is %s', async ([, answer]) => {
    server.reply = answer;
    expect(await one()).toMatchObject({ ok: false, kind: 'retryable', code: 'upstream_error' });
  });

  test('to ask for the metadata may go better next time, and does', async () => {
    const executor = await open();
    server.down = 503;
    const outcomes = await all(
      executor,
      [1, 2, 3].map((line) => task(line)),
    );
    expect(outcomes.map((outcome) => outcome.ok || [outcome.kind, outcome.status])).toEqual(
      Array.from({ length: 3 }, () => ['retryable', 503]),
    );
    server.down = null;
    expect(await all(executor, [task(4)])).toMatchObject([{ ok: true }]);
  });

  test('of a server that is down opens the breaker', async () => {
    const executor = await open({ breaker_failures: 3, breaker_open_ms: 60_000, max_concurrency: 1 });
    server.down = 500;
    expect(
      await all(
        executor,
        Array.from({ length: 20 }, (_, i) => task(i + 1)),
      ),
    ).toHaveLength(3);
    expect(executor.ready!()).toBe(false);
  });
});

test('two requests are one question exactly where their tensors and their form are the same', async () => {
  const executor = await open();
  const of = (inputs: Json) => executor.identity!(task(1, inputs));
  expect(of(row(0))).toBeNull();
  await all(executor, [task(1)]);
  const raw = (text: string): Json => (JSON as unknown as { rawJSON: (text: string) => Json }).rawJSON(text);
  expect(of(row(0, 'x', [1, 2]))).toEqual(of({ big: [1, 2], note: 'x', ms: 0 }));
  const others = [row(0, 'x', [1, 3]), row(0, 'y', [1, 2]), [row(0, 'x', [1, 2])], { ms: [0], note: ['x'], big: [[1, 2]] }];
  for (const other of others) expect(of(other)).not.toEqual(of(row(0, 'x', [1, 2])));
  expect(of(row(0, 'x', [raw('9007199254740993'), 0]))).not.toEqual(of(row(0, 'x', [raw('9007199254740992'), 0])));
  expect(of(row(0, 'x', [1.5, 2]))).toBeNull();
});

test('its options are checked', () => {
  const check = (options: object) => checkOptions({ executor: 'oip', options: { ...options } });
  expect(check({ base_url: 'http://x', model: 'm', version: '1', binary: false, api_key: 'k' })).toEqual([]);
  expect(check({ base_url: 'http://x', binary: 'yes', api_key: 'k', api_key_file: '/f', modle: 'm' })).toHaveLength(3);
});

test('concurrency adapts', async () => {
  expect(concurrencyOf(await open({ max_concurrency: 12 }))).toEqual({ used: 0, limit: 12, most: 12 });
});

test('a tensor without rows stands beside those that have some', () => {
  const ports: RemotePort[] = [
    { name: 'x', datatype: 'FP32', shape: [-1, 2] },
    { name: 'rate', datatype: 'INT64', shape: [] },
  ];
  const { form, tensors } = tensorsIn({ x: [1, 2], rate: 16_000 }, ports);
  expect([form, tensors.map(({ shape }) => shape)]).toEqual(['row', [[1, 2], []]]);
  expect(() => tensorsIn([{ x: [1, 2], rate: 1 }], ports)).toThrow(/not all inputs of this model have rows/);
  expect(outputsOf('row', tensors)).toBe('{"x":[1,2],"rate":16000}');
});
