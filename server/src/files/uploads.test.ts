import { createHash, hash } from 'node:crypto';
import fc from 'fast-check';
import { maxPartBytes } from '@sluice/contract';
import { expect } from 'vitest';
import { test as base } from '../../test/support/database.ts';
import { end, field, filePart, form, keysOf, multipart, serveFiles, type FilesServer, type Reply } from '../../test/support/files.ts';
import { sql } from '../db/sql.ts';
import { openMemory } from '../storage/memory.ts';
import type { Storage } from '../storage/storage.ts';
import { purgeUploads } from './expire.ts';

const test = base.extend<{ server: FilesServer }>({
  server: [
    async ({ db }, use) => {
      await using server = await serveFiles(db, { limits: { maxFileBytes: 2 ** 33 } });
      await use(server);
    },
    { scope: 'file' },
  ],
});

const content = Buffer.from(`{"custom_id": "größe"}\n`.repeat(5000));
const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest('hex');
const begin = (server: FilesServer, more = {}) =>
  server.post('/v1/uploads', { filename: 'in.jsonl', purpose: 'batch', bytes: content.length, mime_type: 'application/jsonl', ...more });
const part = (server: FilesServer, id: string, bytes: Uint8Array, key = 'ada'): Promise<Reply> =>
  server.send(`/v1/uploads/${id}/parts`, { method: 'POST', key, headers: multipart, body: [form(filePart(bytes, { name: 'data' }))] });
const idOf = (reply: Reply) => (reply.json() as { id: string }).id;
const complete = (server: FilesServer, id: string, part_ids: string[], more = {}) =>
  server.post(`/v1/uploads/${id}/complete`, { part_ids, ...more });

test('parts that arrive in any order, side by side, become one file', async ({ server }) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(content.length), { maxLength: 6 }), async (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), content.length];
      const begun = await begin(server, { expires_after: { anchor: 'created_at', seconds: 7200 } });
      const { id, created_at } = begun.upload();
      expect(begun.json()).toEqual({
        id: expect.stringMatching(/^upload_/) as string,
        object: 'upload',
        bytes: content.length,
        created_at,
        expires_at: created_at + 3600,
        filename: 'in.jsonl',
        purpose: 'batch',
        status: 'pending',
        file: null,
      });
      const sent = await Promise.all(at.slice(1).map((to, i) => part(server, id, content.subarray(at[i], to))));
      for (const reply of sent)
        expect(reply.json()).toEqual({
          id: expect.stringMatching(/^part_/) as string,
          object: 'upload.part',
          created_at: expect.any(Number) as number,
          upload_id: id,
        });
      const done = (await complete(server, id, sent.map(idOf), { md5: md5(content) })).upload();
      expect(done).toMatchObject({
        id,
        status: 'completed',
        file: { object: 'file', bytes: content.length, sha256: hash('sha256', content), purpose: 'batch' },
      });
      expect(done.file!.expires_at).toBe(done.file!.created_at + 7200);
      expect((await server.send(`/v1/files/${done.file!.id}/content`)).body.equals(content)).toBe(true);
      expect((await server.send(`/v1/uploads/${id}`)).json()).toEqual(done);
      // A client whose reply was lost asks again.
      expect((await complete(server, id, sent.map(idOf))).json()).toEqual(done);
    }),
    { numRuns: 10 },
  );
});

test('the order is that of part_ids, and parts that are not named are left out', async ({ server }) => {
  const id = idOf(await begin(server));
  const second = idOf(await part(server, id, content.subarray(1003)));
  await part(server, id, Buffer.from('never named'));
  const first = idOf(await part(server, id, content.subarray(0, 1003)));
  const refused = async (ids: string[], more: object, param: string) => {
    const reply = await complete(server, id, ids, more);
    expect({ status: reply.status, ...reply.error() }).toMatchObject({ status: 400, param });
  };
  await refused([], {}, 'part_ids');
  await refused([first], {}, 'part_ids');
  await refused([first, first], {}, 'part_ids');
  await refused([first, second, 'part_none'], {}, 'part_ids');
  await refused([first, second], { md5: md5(Buffer.from('other')) }, 'md5');
  await refused([second, first], { md5: md5(content) }, 'md5');
  expect((await keysOf(server.storage)).filter((key) => key.includes(`/uploads/${id}/`))).toHaveLength(3);
  const done = (await complete(server, id, [first, second], { md5: md5(content).toUpperCase() })).upload();
  expect(done.file!.sha256).toBe(hash('sha256', content));
});

test('two that complete at once make one file', async ({ server }) => {
  await server.db.run(sql`update uploads set status = 'cancelled' where status = 'pending'`);
  await purgeUploads(server);
  const before = (await keysOf(server.storage)).length;
  const id = idOf(await begin(server));
  const only = idOf(await part(server, id, content));
  const replies = await Promise.all(Array.from({ length: 5 }, () => complete(server, id, [only])));
  expect(new Set(replies.map((reply) => reply.upload().file!.id)).size).toBe(1);
  await purgeUploads(server);
  expect(await keysOf(server.storage)).toHaveLength(before + 1);
});

test('an upload that was cancelled takes nothing more; its parts go', async ({ server }) => {
  const id = idOf(await begin(server));
  const only = idOf(await part(server, id, content));
  const cancelled = (await server.send(`/v1/uploads/${id}/cancel`, { method: 'POST' })).upload();
  expect(cancelled).toMatchObject({ status: 'cancelled', file: null });
  expect((await server.send(`/v1/uploads/${id}/cancel`, { method: 'POST' })).json()).toEqual(cancelled);
  for (const reply of [await part(server, id, content), await complete(server, id, [only])]) {
    expect(reply.status).toBe(409);
    expect(reply.error().code).toBe('conflict');
  }
  await purgeUploads(server);
  expect((await keysOf(server.storage)).filter((key) => key.includes(id))).toEqual([]);
  expect(await server.db.many(sql`select from upload_parts where upload_id = ${id}`)).toEqual([]);
});

test('an upload is over an hour after it began', async ({ server }) => {
  const id = idOf(await begin(server));
  const only = idOf(await part(server, id, content));
  await server.db.run(sql`update uploads set expires_at = now() where id = ${id}`);
  expect((await server.send(`/v1/uploads/${id}`)).upload().status).toBe('expired');
  expect((await part(server, id, content)).status).toBe(409);
  expect((await complete(server, id, [only])).status).toBe(409);
  expect((await server.send(`/v1/uploads/${id}/cancel`, { method: 'POST' })).status).toBe(409);
});

test('a completed upload cannot be cancelled', async ({ server }) => {
  const id = idOf(await begin(server, { bytes: 0, purpose: 'user_data' }));
  expect((await complete(server, id, [])).upload()).toMatchObject({ status: 'completed', file: { bytes: 0 } });
  const reply = await server.send(`/v1/uploads/${id}/cancel`, { method: 'POST' });
  expect({ status: reply.status, retry: reply.headers['x-should-retry'] }).toEqual({ status: 409, retry: 'false' });
});

test('tenants see nothing of each other', async ({ server }) => {
  const id = idOf(await begin(server));
  const mine = idOf(await part(server, id, content));
  const replies = [
    await part(server, id, content, 'eve'),
    await server.post(`/v1/uploads/${id}/complete`, { part_ids: [mine] }, 'eve'),
    await server.send(`/v1/uploads/${id}/cancel`, { method: 'POST', key: 'eve' }),
    await server.send(`/v1/uploads/${id}`, { key: 'eve' }),
  ];
  for (const reply of replies) {
    expect(reply.status).toBe(404);
    expect(reply.error()).toMatchObject({ message: `No such Upload object: ${id}`, param: 'id' });
  }
  // Nor do uploads take the parts of others.
  const theirs = idOf(await server.post('/v1/uploads', { filename: 'x', purpose: 'batch', bytes: content.length, mime_type: 'x' }, 'eve'));
  const reply = await server.post(`/v1/uploads/${theirs}/complete`, { part_ids: [mine] }, 'eve');
  expect(reply.error()).toMatchObject({ param: 'part_ids' });
  expect((await keysOf(server.storage)).filter((key) => key.startsWith('other/'))).toEqual([]);
});

test('bodies that make no sense', async ({ server }) => {
  for (const [more, param] of [
    [{ bytes: 2 ** 33 + 1 }, 'bytes'],
    [{ bytes: -1 }, 'bytes'],
    [{ bytes: '5' }, 'bytes'],
    [{ purpose: 'batch_output' }, 'purpose'],
    [{ filename: '' }, 'filename'],
    [{ mime_type: undefined }, 'mime_type'],
    [{ extra: 1 }, 'extra'],
    [{ expires_after: { anchor: 'created_at', seconds: 1 } }, 'expires_after.seconds'],
  ] as const) {
    const reply = await begin(server, more);
    expect({ status: reply.status, param: reply.error().param }).toEqual({ status: 400, param });
  }
  expect((await begin(server, { filename: '../../in\u0000\u0007.jsonl' })).upload().filename).toBe('in.jsonl');
  const id = idOf(await begin(server));
  const send = (body: Buffer) => server.send(`/v1/uploads/${id}/parts`, { method: 'POST', headers: multipart, body: [body] });
  expect((await send(form())).error()).toMatchObject({ code: 'missing_required_parameter', param: 'data' });
  expect((await send(form(filePart('x')))).error()).toMatchObject({ code: 'unknown_parameter', param: 'file' });
  expect((await send(form(filePart('x', { name: 'data' }), field('purpose', 'batch')))).error()).toMatchObject({ param: 'purpose' });
  expect((await keysOf(server.storage)).filter((key) => key.includes(id))).toEqual([]);
  expect((await part(server, 'upload_none', content)).status).toBe(404);
});

test('a part has at most 64 MB', async ({ server }) => {
  const id = idOf(await begin(server));
  const megabyte = Buffer.alloc(2 ** 20);
  const [head, tail] = [filePart('', { name: 'data' }).subarray(0, -2), Buffer.from(`\r\n${end}`)];
  const send = (more: number) => {
    const body = function* () {
      yield head;
      for (let i = 0; i < 64; i++) yield megabyte;
      yield Buffer.alloc(more);
      yield tail;
    };
    return server.send(`/v1/uploads/${id}/parts`, { method: 'POST', headers: multipart, body: body() });
  };
  const over = await send(1);
  expect({ status: over.status, ...over.error() }).toMatchObject({ status: 400, code: 'file_too_large', param: 'data' });
  const most = await send(0);
  expect(most.status).toBe(200);
  expect(await server.storage.size(`lab/uploads/${id}/${idOf(most)}`)).toBe(maxPartBytes);
});

test('a batch file is looked at when it is whole', async ({ server }) => {
  const id = idOf(await begin(server, { bytes: 5 }));
  const only = idOf(await part(server, id, Buffer.from('hello')));
  expect((await complete(server, id, [only])).error()).toEqual({
    message: 'Invalid file format for Batch API. Must be .jsonl',
    type: 'invalid_request_error',
    param: null,
    code: null,
  });
  expect((await server.send(`/v1/uploads/${id}`)).upload().status).toBe('pending');
});

test('an upload cancelled while it is being completed makes no file', async ({ db }) => {
  const memory = openMemory();
  let cancel: (() => Promise<unknown>) | null = null;
  const storage: Storage = {
    ...memory,
    async stream(key, range) {
      await cancel?.();
      return memory.stream(key, range);
    },
  };
  await using server = await serveFiles(db, { storage });
  const id = idOf(await begin(server));
  const only = idOf(await part(server, id, content));
  cancel = () => server.send(`/v1/uploads/${id}/cancel`, { method: 'POST' });
  expect((await complete(server, id, [only])).status).toBe(409);
  expect((await keysOf(storage)).filter((key) => key.includes('/files/'))).toEqual([]);

  // The sweep may even take the parts from under it.
  const other = idOf(await begin(server));
  const another = idOf(await part(server, other, content));
  cancel = async () => {
    await server.send(`/v1/uploads/${other}/cancel`, { method: 'POST' });
    await purgeUploads(server);
  };
  expect((await complete(server, other, [another])).status).toBe(409);
  expect(await keysOf(storage)).toEqual([]);
});

test('no room for the whole leaves the parts', async ({ db }) => {
  await using server = await serveFiles(db, { storage: openMemory({ capacity: content.length * 1.5 }) });
  const id = idOf(await begin(server));
  const only = idOf(await part(server, id, content));
  expect((await part(server, id, content)).status).toBe(507);
  expect((await complete(server, id, [only])).status).toBe(507);
  expect(await keysOf(server.storage)).toEqual([`lab/uploads/${id}/${only}`]);
});
