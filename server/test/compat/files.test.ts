import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI, { toFile, type Uploadable } from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chatLine, jsonl } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';
import { refusal, wired } from './wire.ts';

let sluice: Sluice;
let folder: string;
const content = jsonl([chatLine('ünï'), chatLine(2)]);
beforeAll(async () => {
  sluice = await startSluice({ scheduler: false, workers: 0 });
  folder = await mkdtemp(join(tmpdir(), 'sluice-compat-'));
  await writeFile(join(folder, 'upload'), content);
});
afterAll(async () => {
  await sluice[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

test.each<[string, () => Uploadable | Promise<Uploadable>]>([
  ['a buffer', () => toFile(content, 'upload')],
  ['a File', () => new File([new Uint8Array(content)], 'upload')],
  ['a stream of a file without extension', () => createReadStream(join(folder, 'upload'))],
  ['a Response', () => new Response(new Uint8Array(content), { headers: { 'content-type': 'application/x-whatever' } })],
  [
    'bytes in pieces',
    () =>
      toFile(
        (async function* () {
          for (const byte of content) yield Buffer.of(byte);
        })(),
        'upload',
      ),
  ],
])('a file is given as %s', async (_, give) => {
  const { client } = wired(sluice);
  const file = await client.files.create({ file: await give(), purpose: 'batch' });
  expect(file).toMatchObject({ bytes: content.length, purpose: 'batch', status: 'processed', status_details: null });
  expect(file.expires_at! - file.created_at).toBe(30 * 86_400);
  expect(Buffer.from(await (await client.files.content(file.id)).arrayBuffer())).toEqual(content);
  expect(await client.files.retrieve(file.id)).toEqual(file);
  expect(await client.files.waitForProcessing(file.id)).toEqual(file);
});

test.each(['assistants', 'fine-tune', 'vision', 'user_data', 'evals'] as const)('purpose %s takes any bytes, for ever', async (purpose) => {
  const { client } = wired(sluice);
  const file = await client.files.create({ file: await toFile(Buffer.of(0, 255, 10), 'bytes.bin'), purpose });
  expect(file).toMatchObject({ purpose, expires_at: null, bytes: 3 });
});

test('expires_after says how long a file lives', async () => {
  const { client } = wired(sluice);
  const create = async (seconds: number) =>
    client.files.create({ file: await toFile(content, 'a.jsonl'), purpose: 'batch', expires_after: { anchor: 'created_at', seconds } });
  const file = await create(3_600);
  expect(file.expires_at! - file.created_at).toBe(3_600);
  for (const wrong of [3_599, 2_592_001, 1.5]) {
    const error = await refusal(create(wrong));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ param: 'expires_after.seconds', code: 'invalid_value' });
  }
});

test.each([
  ['empty', ''],
  ['no object first', '[1]\n'],
  ['damaged from the start', '{malformed\n'],
  ['neither JSON nor a table', 'Dear batch,\nplease run.\n'],
])('a batch file that is %s is refused at once, in OpenAI’s words', async (_, text) => {
  const { client } = wired(sluice);
  const error = await refusal(toFile(Buffer.from(text), 'a.jsonl').then((file) => client.files.create({ file, purpose: 'batch' })));
  expect(error).toBeInstanceOf(OpenAI.BadRequestError);
  expect(error.error).toEqual({
    message: expect.stringMatching(/^Invalid file format for Batch API\. Must be \.jsonl/) as string,
    type: 'invalid_request_error',
    param: null,
    code: null,
  });
});

test('an unknown purpose, and none', async () => {
  const { client } = wired(sluice);
  const file = await toFile(content, 'a.jsonl');
  expect(await refusal(client.files.create({ file, purpose: 'batch_output' as 'batch' }))).toMatchObject({ status: 400, param: 'purpose' });
  expect(await refusal(client.files.create({ file } as OpenAI.FileCreateParams))).toMatchObject({
    status: 400,
    code: 'missing_required_parameter',
    param: 'purpose',
  });
});

test('files are listed page by page, newest first or oldest, of one purpose', async () => {
  const { client, exchanges } = wired(sluice);
  const made: string[] = [];
  for (let i = 0; i < 5; i++) made.push((await client.files.create({ file: await toFile(content, `p${i}`), purpose: 'vision' })).id);
  const first = await client.files.list({ purpose: 'vision', limit: 2 });
  expect(first.data.map(({ id }) => id)).toEqual([made[4], made[3]]);
  // The client keeps the ids of a page to itself.
  expect(exchanges.at(-1)!.body).toMatchObject({ object: 'list', first_id: made[4], last_id: made[3], has_more: true });
  const all: string[] = [];
  for await (const file of client.files.list({ purpose: 'vision', limit: 2, order: 'asc' })) all.push(file.id);
  // One more of that purpose was made by another test.
  expect(all.slice(-5)).toEqual(made);
  await client.files.list({ purpose: 'vision', order: 'asc', after: made[3]! });
  expect(exchanges.at(-1)!.body).toMatchObject({ has_more: false, first_id: made[4], last_id: made[4] });
  await client.files.list({ purpose: 'vision', order: 'asc', after: made[4]! });
  expect(exchanges.at(-1)!.body).toMatchObject({ data: [], has_more: false, first_id: null, last_id: null });
  expect(await refusal(client.files.list({ limit: 0 }))).toMatchObject({ status: 400, param: 'limit' });
});

test('a deleted file is gone', async () => {
  const { client } = wired(sluice);
  const { id } = await client.files.create({ file: await toFile(content, 'a.jsonl'), purpose: 'batch' });
  expect(await client.files.delete(id)).toEqual({ id, object: 'file', deleted: true });
  for (const call of [() => client.files.delete(id), () => client.files.retrieve(id), () => client.files.content(id)]) {
    const error = await refusal(call());
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
    expect(error.error).toEqual({ message: `No such File object: ${id}`, type: 'invalid_request_error', param: 'id', code: null });
  }
});
