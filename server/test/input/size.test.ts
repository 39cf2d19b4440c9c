import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { BatchError } from '@sluice/contract';
import { afterEach, describe, expect, test } from 'vitest';
import { InputScan } from '../../src/batches/scan.ts';
import { Models } from '../../src/models/models.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { chatLine, createBatch, jsonl, linesIn, untilEnded, upload } from '../support/requests.ts';
import { startSluice, testLimits, type Sluice, type SluiceOptions } from '../support/sluice.ts';

let sluice: Sluice | null = null;
afterEach(async () => {
  await sluice?.[Symbol.asyncDispose]();
  sluice = null;
});
const start = async (options: SluiceOptions = {}) => {
  sluice = await startSluice(options);
  return sluice.client;
};
const [a, b] = [JSON.stringify(chatLine('a')), JSON.stringify(chatLine('b'))];

test.each([
  ['a byte over 16 MB', 16 * 2 ** 20 + 1],
  ['50 MB', 50e6],
])('a line of %s is refused by its number, and its neighbours are seen', async (_, length) => {
  const client = await start({ workers: 0 });
  const line = Buffer.alloc(length, 'x');
  const ended = await untilEnded(
    client,
    (await createBatch(client, Buffer.concat([Buffer.from(`${a}\n`), line, Buffer.from(`\n${b}\n${a}\n`)]))).id,
  );
  expect(ended).toMatchObject({ status: 'failed' });
  expect(ended.errors!.data).toMatchObject([
    {
      code: 'invalid_json_line',
      line: 2,
      message: expect.stringContaining(`has ${length.toLocaleString('en')} bytes; a line may have 16,777,216`) as string,
    },
    { code: 'duplicate_custom_id', line: 4 },
  ]);
});

test('a line of just 16 MB runs', async () => {
  const client = await start();
  const shell = JSON.stringify(chatLine('big', { body: { model: 'echo', messages: [{ role: 'user', content: '' }] } }));
  const content = 'x'.repeat(16 * 2 ** 20 - shell.length);
  const line = chatLine('big', { body: { model: 'echo', messages: [{ role: 'user', content }] } });
  const ended = await untilEnded(client, (await createBatch(client, Buffer.from(`${a}\n${JSON.stringify(line)}\r\n${b}`))).id);
  expect(ended).toMatchObject({ status: 'completed', request_counts: { total: 3, completed: 3 } });
  const [, big] = await linesIn(client, ended.output_file_id);
  expect((big!['response'] as { body: { choices: [{ message: { content: string } }] } }).body.choices[0].message.content.length).toBe(
    content.length,
  );
});

test('errors are shown up to a limit; all of them are in a file', async () => {
  const client = await start({ limits: { maxErrors: 10 } });
  const lines = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? chatLine(i) : 'oops'));
  const ended = await untilEnded(client, (await createBatch(client, lines)).id);
  const wrong = Array.from({ length: 50 }, (_, i) => 2 * i + 2);
  expect(ended.errors!.data!.map(({ line }) => line)).toEqual(wrong.slice(0, 10));
  const listed = await linesIn(client, ended['errors_file_id'] as string);
  expect(listed.map((error) => error['line'])).toEqual(wrong);
  expect(listed.slice(0, 10)).toEqual(ended.errors!.data);
  expect(await client.files.retrieve(ended['errors_file_id'] as string)).toMatchObject({
    purpose: 'batch_output',
    filename: `${ended.id}_errors.jsonl`,
  });
  const few = await untilEnded(client, (await createBatch(client, lines.slice(0, 20))).id);
  expect(few).toMatchObject({ errors_file_id: null, errors: { data: { length: 10 } } });
});

test('more lines than a batch may have', async () => {
  const client = await start({ limits: { maxLines: 10 } });
  const lines = Array.from({ length: 11 }, (_, i) => chatLine(i));
  const ended = await untilEnded(client, (await createBatch(client, lines)).id);
  expect(ended).toMatchObject({
    status: 'failed',
    errors: { data: [{ code: 'too_many_tasks', line: null, message: expect.stringContaining('10 lines') as string }] },
  });
  expect(await untilEnded(client, (await createBatch(client, lines.slice(1))).id)).toMatchObject({ status: 'completed' });
});

test('OpenAI’s own limits, where they are switched on', async () => {
  const client = await start({
    limits: { openai: true, maxLines: 50_000 },
    models: [{ name: 'other', version: '1.0.0', executor: 'echo', options: {} }],
  });
  const ended = await untilEnded(
    client,
    (await createBatch(client, [chatLine(1), chatLine(2), chatLine(3, { model: 'other' }), chatLine(4)])).id,
  );
  expect(ended.errors!.data).toMatchObject([{ code: 'mismatched_model', line: 3, param: 'body.model' }]);
  await expect(createBatch(client, [chatLine(1)], { completion_window: '7d' })).rejects.toMatchObject({
    status: 400,
    param: 'completion_window',
  });
  await expect(createBatch(client, [chatLine(1)], { endpoint: '/v1/predict' })).rejects.toMatchObject({ status: 400, param: 'endpoint' });
});

test('a file larger than the server takes', async () => {
  const client = await start({ limits: { maxFileBytes: 1_000 }, workers: 0 });
  await expect(upload(client, jsonl(Array.from({ length: 100 }, (_, i) => chatLine(i))))).rejects.toMatchObject({
    status: 400,
    code: 'file_too_large',
  });
  expect((await client.files.list()).data).toEqual([]);
});

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
/** What this process holds, in bytes, and not what it has yet to throw away: how much that is depends on how busy the machine is. */
const held = (): number => {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

/** 10 million take a minute: `SLUICE_LONG=1`. */
const million = process.env['SLUICE_LONG'] ? 10_000_000 : 1_000_000;

describe(`${million.toLocaleString('en')} lines`, () => {
  /** An input that is made as it is read: what the process holds is then only what the scan does. */
  const made = (line: (n: number) => string): { storage: Storage; peak: () => number } => {
    const length = line(0).length;
    let [peak, before, reads] = [0, 0, 0];
    const read = async (_: string, { start = 0, end = Infinity } = {}): Promise<Buffer> => {
      if (reads++ % 8 === 0) {
        const now = held();
        before ||= now;
        peak = Math.max(peak, now - before);
      }
      const stop = Math.min(end, million * length);
      const first = Math.floor(start / length);
      let text = '';
      for (let n = first; n * length < stop; n++) text += line(n);
      return Buffer.from(text.slice(start - first * length, stop - first * length), 'latin1');
    };
    return { storage: { read } as unknown as Storage, peak: () => peak };
  };
  const scan = async (line: (n: number) => string, maxErrors = 1_000) => {
    const { storage, peak } = made(line);
    const errors: BatchError[] = [];
    const input = new InputScan({
      storage,
      inputKey: 'made',
      endpoint: '/v1/predict',
      models: new Models([]),
      tenant: 'default',
      limits: testLimits,
      onError: (error) => void (errors.length < maxErrors && errors.push(error)),
    });
    let index = 0;
    for await (const block of input.index()) index += block.length;
    return { input, errors, index, megabytes: peak() / 2 ** 20 };
  };
  const padded = (n: number) => String(n).padStart(8, '0');

  test('that are fine', { timeout: 300_000 }, async () => {
    const { input, index, megabytes } = await scan(
      (n) => `{"custom_id":"${padded(n)}","method":"POST","url":"/v1/predict","body":{"model":"echo","inputs":1}}\n`,
    );
    expect([input.lines, input.errors, index]).toEqual([million, 0, 16 + 24 * million]);
    expect(input.models()).toMatchObject([{ lines: [1, million + 1], count: million }]);
    expect(megabytes).toBeLessThan(million > 1e6 ? 300 : 60);
  });

  test('of two bytes, each wrong', { timeout: 300_000 }, async () => {
    const { input, errors, megabytes } = await scan(() => '0\n');
    expect([input.lines, input.errors, errors.length]).toEqual([million, million, 1_000]);
    expect(megabytes).toBeLessThan(million > 1e6 ? 50 : 20);
  });

  test('that all have the same custom_id', { timeout: 300_000 }, async () => {
    const { input, errors, megabytes } = await scan(
      () => '{"custom_id":"x","method":"POST","url":"/v1/predict","body":{"model":"echo","inputs":1}}\n',
    );
    expect([input.lines, input.errors]).toEqual([million, million - 1]);
    expect(errors[0]).toMatchObject({ code: 'duplicate_custom_id', line: 2 });
    expect(megabytes).toBeLessThan(million > 1e6 ? 50 : 20);
  });
});

test('200,000 lines of two bytes, through the server: a failed batch, and every error in its file', async () => {
  const client = await start({ workers: 0 });
  const count = 200_000;
  const ended = await untilEnded(client, (await createBatch(client, Buffer.from(`${a}\n${'0\n'.repeat(count)}`))).id);
  expect(ended).toMatchObject({ status: 'failed', errors: { data: { length: 1_000 } } });
  const content = await (await client.files.content(ended['errors_file_id'] as string)).text();
  expect(content.split('\n').length - 1).toBe(count);
  expect(JSON.parse(content.slice(content.lastIndexOf('\n', content.length - 2)))).toMatchObject({ line: count + 1 });
});
