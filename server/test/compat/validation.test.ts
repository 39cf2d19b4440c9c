import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chatLine, createBatch, untilEnded, upload } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';
import { refusal, wired } from './wire.ts';

let sluice: Sluice;
beforeAll(async () => {
  sluice = await startSluice({
    workers: 0,
    models: [{ name: 'upstream', version: '1.0.0', executor: 'openai', options: { base_url: 'http://127.0.0.1:9/v1' } }],
  });
});
afterAll(() => sluice[Symbol.asyncDispose]());

type Line = Record<string, unknown>;
const without = (line: Line, key: string): Line => Object.fromEntries(Object.entries(line).filter(([name]) => name !== key));
const withBody = (body: Line): Line => chatLine('one', { body });
const messages = [{ role: 'user', content: 'hi' }];

/** What validation says of a file: OpenAI's words where they are known, each with the line it is about. */
const errorsOf = async (lines: (Line | string)[], options: Line = {}): Promise<unknown[]> => {
  const { client } = wired(sluice);
  const batch = await untilEnded(client, (await createBatch(client, lines, options)).id);
  expect(batch).toMatchObject({ status: 'failed', output_file_id: null, error_file_id: null, completed_at: null, usage: null });
  expect(batch.request_counts).toMatchObject({ total: 0, completed: 0, failed: 0 });
  expect(batch.failed_at).toBeGreaterThanOrEqual(batch.created_at);
  expect(batch.errors!.object).toBe('list');
  return batch.errors!.data!;
};

describe('a line that is wrong fails the batch', () => {
  test.each<[string, Line | string, { code: string; param: string | null; message: string | RegExp }]>([
    ['not JSON', '{"custom_id": "x"', { code: 'invalid_json_line', param: null, message: /^This line is not parseable as valid JSON\./ }],
    ...['custom_id', 'method', 'url', 'body'].map((key): [string, Line, { code: string; param: string; message: string }] => [
      `without ${key}`,
      without(chatLine('one'), key),
      { code: 'missing_required_parameter', param: key, message: `Missing required parameter: '${key}'.` },
    ]),
    [
      'of another url',
      chatLine('one', { url: '/v1/embeddings' }),
      { code: 'invalid_url', param: 'url', message: 'The URL provided for this request does not match the batch endpoint.' },
    ],
    ['of another method', chatLine('one', { method: 'GET' }), { code: 'invalid_method', param: 'method', message: /POST/ }],
    [
      'with an unknown model',
      chatLine('one', { model: 'gpt-9' }),
      { code: 'model_not_found', param: 'body.model', message: "The provided model 'gpt-9' is not supported by the Batch API." },
    ],
    ['without a model', withBody({ messages }), { code: 'invalid_request', param: 'body.model', message: 'Model parameter is required.' }],
    [
      'with a model that is no text',
      withBody({ model: 7, messages }),
      { code: 'invalid_request', param: 'body.model', message: 'Model parameter is required.' },
    ],
    [
      'without messages',
      withBody({ model: 'echo' }),
      { code: 'invalid_request', param: 'body.messages', message: 'Messages parameter is required.' },
    ],
    [
      'that streams',
      withBody({ model: 'echo', messages, stream: true }),
      { code: 'streaming_unsupported', param: 'body.stream', message: 'Chat Completions: Streaming is not supported in the Batch API.' },
    ],
    ['with a body that is none', chatLine('one', { body: 'text' }), { code: 'invalid_type', param: 'body', message: /expected an object/ }],
    [
      'with a number as custom_id',
      chatLine('one', { custom_id: 7 }),
      { code: 'invalid_type', param: 'custom_id', message: /expected a string/ },
    ],
    ['with an empty custom_id', chatLine(''), { code: 'invalid_value', param: 'custom_id', message: /empty/ }],
    ['that is a list', '[]', { code: 'invalid_json_line', param: null, message: /not a JSON object/ }],
  ])('%s', async (_, line, { code, param, message }) => {
    const errors = await errorsOf([chatLine('fine'), line, chatLine('also fine')]);
    expect(errors).toEqual([
      { code, param, line: 2, message: typeof message === 'string' ? message : (expect.stringMatching(message) as string) },
    ]);
  });

  test('with the custom_id of another', async () => {
    expect(await errorsOf([chatLine('a'), chatLine('b'), chatLine('a'), chatLine('b')])).toEqual([
      { code: 'duplicate_custom_id', param: 'custom_id', line: 3, message: expect.stringContaining("'a'") as string },
      { code: 'duplicate_custom_id', param: 'custom_id', line: 4, message: expect.stringContaining("'b'") as string },
    ]);
  });

  test('for a model that does not answer the endpoint', async () => {
    const line = { custom_id: 'a', method: 'POST', url: '/v1/predict', body: { model: 'upstream', inputs: {} } };
    expect(await errorsOf([line], { endpoint: '/v1/predict' })).toMatchObject([{ code: 'invalid_request', param: 'body.model', line: 1 }]);
  });
});

test('all bad lines are reported, in order, and everything about each', async () => {
  const lines = Array.from({ length: 60 }, (_, i): Line | string => {
    if (i % 10 === 3) return 'oops';
    return i % 10 === 7 ? { custom_id: String(i) } : chatLine(i);
  });
  const errors = (await errorsOf(lines.with(0, chatLine('ok')))) as { line: number; code: string; param: string | null }[];
  expect(errors.filter(({ code }) => code === 'invalid_json_line').map(({ line }) => line)).toEqual([4, 14, 24, 34, 44, 54]);
  expect(errors.filter(({ line }) => line === 8).map(({ param }) => param)).toEqual(['method', 'url', 'body']);
  expect(errors).toHaveLength(6 + 6 * 3);
  expect(errors.map(({ line }) => line)).toEqual(errors.map(({ line }) => line).toSorted((a, b) => a - b));
});

test('an input file that is not there, or is no batch file, makes a batch that fails', async () => {
  const { client } = wired(sluice);
  const image = await upload(client, Buffer.from('{}\n'), 'user_data');
  for (const id of ['file-0000000000000000000000', 'not even an id', image.id]) {
    const batch = await client.batches.create({ input_file_id: id, endpoint: '/v1/chat/completions', completion_window: '24h' });
    expect(batch).toMatchObject({ status: 'validating', input_file_id: id, errors: null });
    expect(await untilEnded(client, batch.id)).toMatchObject({
      status: 'failed',
      errors: {
        object: 'list',
        data: [
          {
            code: 'invalid_request',
            param: 'file_id',
            line: null,
            message: `Cannot find file ${id}, or organization default does not have access to it.`,
          },
        ],
      },
    });
  }
});

describe('what is wrong with a create itself is said at once', () => {
  const fine = { input_file_id: 'file-none', endpoint: '/v1/chat/completions', completion_window: '24h' };
  const pairs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v']));
  test.each<[string, Line, { code: string; param: string; message: RegExp }]>([
    [
      'an endpoint',
      { endpoint: '/v1/chat' },
      { code: 'invalid_value', param: 'endpoint', message: /Supported values are: '\/v1\/responses'/ },
    ],
    ['a window', { completion_window: '1 day' }, { code: 'invalid_value', param: 'completion_window', message: /completion_window/ }],
    [
      'a window of nothing',
      { completion_window: '0h' },
      { code: 'invalid_value', param: 'completion_window', message: /completion_window/ },
    ],
    [
      'a window of more than a year',
      { completion_window: '9999d' },
      { code: 'invalid_value', param: 'completion_window', message: /completion_window/ },
    ],
    [
      'a list in metadata',
      { metadata: { tags: ['a'] } },
      {
        code: 'invalid_type',
        param: 'metadata.tags',
        message: /^Invalid type for 'metadata\.tags': expected a string, but got an array instead\.$/,
      },
    ],
    [
      'a number in metadata',
      { metadata: { n: 1 } },
      { code: 'invalid_type', param: 'metadata.n', message: /expected a string, but got an integer/ },
    ],
    [
      '17 pairs of metadata',
      { metadata: pairs(17) },
      { code: 'invalid_value', param: 'metadata', message: /too many properties.*at most 16/ },
    ],
    ['a long key in metadata', { metadata: { ['k'.repeat(65)]: 'v' } }, { code: 'invalid_value', param: 'metadata', message: /64/ }],
    [
      'a long value in metadata',
      { metadata: { k: 'v'.repeat(513) } },
      { code: 'invalid_value', param: 'metadata.k', message: /too long.*512/ },
    ],
    [
      'an unknown field',
      { completion_windw: '24h' },
      { code: 'unknown_parameter', param: 'completion_windw', message: /'completion_windw'/ },
    ],
    [
      'an output that lives too short',
      { output_expires_after: { anchor: 'created_at', seconds: 60 } },
      { code: 'invalid_value', param: 'output_expires_after.seconds', message: /3600/ },
    ],
    [
      'an unknown anchor',
      { output_expires_after: { anchor: 'completed_at', seconds: 3_600 } },
      { code: 'invalid_value', param: 'output_expires_after.anchor', message: /created_at/ },
    ],
    ['a type', { input_file_id: 7 }, { code: 'invalid_type', param: 'input_file_id', message: /expected a string, but got an integer/ }],
  ])('%s', async (_, change, { code, param, message }) => {
    const { client } = wired(sluice);
    const error = await refusal(client.batches.create({ ...fine, ...change } as OpenAI.BatchCreateParams));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ code, param, type: 'invalid_request_error' });
    expect((error.error as { message: string }).message).toMatch(message);
  });

  test.each(['input_file_id', 'endpoint', 'completion_window'])('no %s', async (param) => {
    const { client } = wired(sluice);
    const error = await refusal(client.batches.create(without(fine, param) as unknown as OpenAI.BatchCreateParams));
    expect(error).toMatchObject({ status: 400, code: 'missing_required_parameter', param });
  });

  test('metadata may be as large as OpenAI lets it, and is given back as it came', async () => {
    const { client } = wired(sluice);
    const metadata = { ...pairs(15), ['k'.repeat(64)]: 'ü'.repeat(512) };
    const batch = await client.batches.create({ ...fine, metadata } as OpenAI.BatchCreateParams);
    expect((await client.batches.retrieve(batch.id)).metadata).toEqual(metadata);
  });
});
