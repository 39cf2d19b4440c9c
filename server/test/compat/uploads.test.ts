import { createHash } from 'node:crypto';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chatLine, jsonl, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';
import { refusal, wired } from './wire.ts';

let sluice: Sluice;
beforeAll(async () => {
  sluice = await startSluice();
});
afterAll(() => sluice[Symbol.asyncDispose]());

const content = jsonl(Array.from({ length: 30 }, (_, i) => chatLine(`id-${i}`)));
const md5 = createHash('md5').update(content).digest('hex');
/** Borders in the middle of lines. */
const pieces = [content.subarray(0, 1_000), content.subarray(1_000, 1_001), content.subarray(1_001, 2_500), content.subarray(2_500)];

const begin = (client: OpenAI, bytes = content.length) =>
  client.uploads.create({ filename: 'parts.jsonl', purpose: 'batch', bytes, mime_type: 'application/jsonl' });
const add = async (client: OpenAI, upload: string, data: Buffer) =>
  client.uploads.parts.create(upload, { data: await toFile(data, 'part') });

test('parts that come in any order make the file that their order says, and a batch runs on it', async () => {
  const { client } = wired(sluice);
  const upload = await begin(client);
  expect(upload).toMatchObject({ object: 'upload', status: 'pending', bytes: content.length, file: null, purpose: 'batch' });
  expect(upload.expires_at - upload.created_at).toBe(3_600);
  // All at once, the last first.
  const parts = (await Promise.all(pieces.toReversed().map((piece) => add(client, upload.id, piece)))).toReversed();
  for (const part of parts) expect(part).toMatchObject({ object: 'upload.part', upload_id: upload.id });
  const done = await client.uploads.complete(upload.id, { part_ids: parts.map(({ id }) => id), md5 });
  expect(done).toMatchObject({
    id: upload.id,
    status: 'completed',
    file: { object: 'file', bytes: content.length, filename: 'parts.jsonl' },
  });
  expect(Buffer.from(await (await client.files.content(done.file!.id)).arrayBuffer())).toEqual(content);
  const batch = await client.batches.create({ input_file_id: done.file!.id, endpoint: '/v1/chat/completions', completion_window: '24h' });
  expect(await untilEnded(client, batch.id)).toMatchObject({ status: 'completed', request_counts: { total: 30, completed: 30 } });
  // A client whose reply was lost asks again.
  expect(await client.uploads.complete(upload.id, { part_ids: parts.map(({ id }) => id), md5 })).toEqual(done);
});

test('bytes that do not add up, a wrong MD5 and a part of elsewhere leave the upload open', async () => {
  const { client } = wired(sluice);
  const upload = await begin(client);
  const parts = [];
  for (const piece of pieces) parts.push((await add(client, upload.id, piece)).id);
  const other = await add(client, (await begin(client)).id, pieces[0]!);
  const complete = (part_ids: string[], rest = {}) => client.uploads.complete(upload.id, { part_ids, ...rest });
  const wrong: [string[], { md5?: string }, string][] = [
    [parts.slice(1), {}, 'part_ids'],
    [[...parts, parts[0]!], {}, 'part_ids'],
    [[other.id, ...parts.slice(1)], {}, 'part_ids'],
    [parts, { md5: '0'.repeat(32) }, 'md5'],
  ];
  for (const [ids, rest, param] of wrong) {
    const error = await refusal(complete(ids, rest));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error.param).toBe(param);
  }
  expect(await complete(parts, { md5 })).toMatchObject({ status: 'completed' });
});

test('a cancelled upload takes no more, and cancelling again says the same', async () => {
  const { client } = wired(sluice);
  const upload = await begin(client);
  const part = await add(client, upload.id, content);
  expect(await client.uploads.cancel(upload.id)).toMatchObject({ status: 'cancelled', file: null });
  expect(await client.uploads.cancel(upload.id)).toMatchObject({ status: 'cancelled' });
  expect(await refusal(add(client, upload.id, content))).toBeInstanceOf(OpenAI.ConflictError);
  expect(await refusal(client.uploads.complete(upload.id, { part_ids: [part.id] }))).toBeInstanceOf(OpenAI.ConflictError);
});

test('what is not JSON lines is refused when it is complete', async () => {
  const { client } = wired(sluice);
  const upload = await begin(client, 5);
  const part = await add(client, upload.id, Buffer.from('a,b,c'));
  expect(await refusal(client.uploads.complete(upload.id, { part_ids: [part.id] }))).toMatchObject({
    status: 400,
    message: expect.stringContaining('Must be .jsonl') as string,
  });
});

test('an unknown upload', async () => {
  const { client } = wired(sluice);
  expect(await refusal(client.uploads.cancel('upload_none'))).toBeInstanceOf(OpenAI.NotFoundError);
  expect(await refusal(add(client, 'upload_none', content))).toBeInstanceOf(OpenAI.NotFoundError);
  expect(await refusal(client.uploads.complete('upload_none', { part_ids: [] }))).toBeInstanceOf(OpenAI.NotFoundError);
});
