import { EventEmitter, once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Storage } from '../../src/storage/storage.ts';
import { chatLine, jsonl } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

/** Uploads whose sender goes away. */
const ended = new EventEmitter<{ put: [error: unknown] }>();
const watched = (storage: Storage): Storage => ({
  ...storage,
  put: async (key, bytes, options) => {
    try {
      const stored = await storage.put(key, bytes, options);
      ended.emit('put', null);
      return stored;
    } catch (error) {
      ended.emit('put', error);
      throw error;
    }
  },
});

let sluice: Sluice;
beforeAll(async () => {
  sluice = await startSluice({ scheduler: false, workers: 0, storage: watched });
});
afterAll(() => sluice[Symbol.asyncDispose]());

const content = jsonl(Array.from({ length: 5_000 }, (_, i) => chatLine(i)));
const field = (name: string, value: string) => `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const opening = '--b\r\ncontent-disposition: form-data; name="file"; filename="x.jsonl"\r\ncontent-type: application/octet-stream\r\n\r\n';

const send = (path: string, headers: Record<string, string | number>) =>
  request(`${sluice.url}${path}`, {
    method: 'POST',
    headers: { authorization: 'Bearer test-key', 'content-type': 'multipart/form-data; boundary=b', ...headers },
  });

const keys = async () => {
  const found: string[] = [];
  for await (const { key } of sluice.storage.list('')) found.push(key);
  return found;
};

test.each([
  ['with a length', { 'content-length': content.length + 1_000 }, [field('purpose', 'batch'), opening]],
  ['in chunks', {}, [field('purpose', 'batch'), opening]],
  ['before its purpose was sent', {}, [opening]],
] as const)('an upload cut half-way %s leaves nothing', async (_, headers, head) => {
  const cut = send('/v1/files', headers);
  cut.on('error', () => {});
  const put = once(ended, 'put');
  for (const text of head) cut.write(text);
  await new Promise<void>((resolve) => cut.write(content.subarray(0, content.length / 2), () => resolve()));
  cut.destroy();
  expect((await put)[0]).toBeInstanceOf(Error);
  expect([(await sluice.client.files.list()).data, await keys()]).toEqual([[], []]);
});

test('a part cut half-way is no part', async () => {
  const { client } = sluice;
  const upload = await client.uploads.create({ filename: 'x', purpose: 'batch', bytes: content.length, mime_type: 'x' });
  const cut = send(`/v1/uploads/${upload.id}/parts`, {});
  cut.on('error', () => {});
  const put = once(ended, 'put');
  cut.write(opening.replace('"file"', '"data"'));
  await new Promise<void>((resolve) => cut.write(content.subarray(0, content.length / 2), () => resolve()));
  cut.destroy();
  expect((await put)[0]).toBeInstanceOf(Error);
  expect(await keys()).toEqual([]);
  const part = await client.uploads.parts.create(upload.id, { data: new File([new Uint8Array(content)], 'part') });
  expect(await client.uploads.complete(upload.id, { part_ids: [part.id] })).toMatchObject({
    status: 'completed',
    file: { bytes: content.length },
  });
});

test('a body that ends before its last boundary is told so, where its sender still listens', async () => {
  const before = (await sluice.client.files.list()).data.length;
  const body = Buffer.concat([Buffer.from(field('purpose', 'batch') + opening), content]);
  const whole = send('/v1/files', { 'content-length': body.length });
  whole.end(body);
  const [reply] = (await once(whole, 'response')) as [IncomingMessage];
  expect(reply.statusCode).toBe(400);
  reply.resume();
  expect((await sluice.client.files.list()).data).toHaveLength(before);
});
