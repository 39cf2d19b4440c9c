import { hash } from 'node:crypto';
import { expect } from 'vitest';
import type { FilePage } from '@sluice/contract';
import { test as base } from '../../test/support/database.ts';
import { field, filePart, form, serveFiles, upload, type FilesServer } from '../../test/support/files.ts';
import { sql } from '../db/sql.ts';
import { parseRange } from './content.ts';
import { createFile } from './files.ts';

const test = base.extend<{ server: FilesServer }>({
  server: [
    async ({ db }, use) => {
      await using server = await serveFiles(db);
      await use(server);
    },
    { scope: 'file' },
  ],
});

const content = Buffer.from(`{"custom_id": "1"}\n`.repeat(1000));
const add = async (server: FilesServer, { key = 'ada', purpose = 'batch', filename = 'input.jsonl' } = {}): Promise<string> =>
  (await upload(server, form(filePart(content, { filename }), field('purpose', purpose)), { key })).file().id;

test('lists newest first, by pages, purpose and user', async ({ server }) => {
  await server.db.run(sql`delete from files`);
  expect((await server.send('/v1/files')).json()).toEqual({ object: 'list', data: [], first_id: null, last_id: null, has_more: false });
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) ids.push(await add(server, { key: i % 2 ? 'bob' : 'ada', purpose: i < 2 ? 'evals' : 'batch' }));
  await add(server, { key: 'eve' });
  const list = async (query: string) => (await server.send(`/v1/files${query}`)).json() as FilePage;
  const idsOf = async (query: string) => (await list(query)).data.map(({ id }) => id);
  const newest = ids.toReversed();
  expect(await idsOf('')).toEqual(newest);
  expect(await idsOf('?order=asc')).toEqual(ids);
  expect(await list('?limit=2')).toMatchObject({ first_id: newest[0], last_id: newest[1], has_more: true });
  expect(await idsOf(`?limit=2&after=${newest[1]!}`)).toEqual(newest.slice(2, 4));
  expect(await list(`?limit=2&after=${newest[2]!}`)).toMatchObject({ first_id: newest[3], last_id: newest[4], has_more: false });
  expect(await list(`?after=${newest[4]!}`)).toMatchObject({ data: [], first_id: null, has_more: false });
  expect(await idsOf(`?order=asc&limit=2&after=${ids[1]!}`)).toEqual(ids.slice(2, 4));
  expect(await idsOf('?purpose=evals')).toEqual(newest.slice(3));
  expect(await idsOf('?purpose=nothing')).toEqual([]);
  expect(await idsOf('?user=bob')).toEqual([ids[3], ids[1]]);
  expect(await idsOf(`?user=ada&purpose=batch&after=${ids[4]!}`)).toEqual([ids[2]]);
  // A page is the same when its last file is deleted before the next is asked for.
  await server.send(`/v1/files/${newest[1]!}`, { method: 'DELETE' });
  expect(await idsOf(`?limit=2&after=${newest[1]!}`)).toEqual(newest.slice(2, 4));
  for (const [query, param] of [
    ['?limit=0', 'limit'],
    ['?limit=10001', 'limit'],
    ['?limit=x', 'limit'],
    ['?order=up', 'order'],
    ['?after=file-none', 'after'],
  ])
    expect((await server.send(`/v1/files${query!}`)).error()).toMatchObject({ type: 'invalid_request_error', param });
});

test('a file that is deleted is gone, once', async ({ server }) => {
  const id = await add(server);
  const missing = {
    error: { message: `No such File object: ${id}`, type: 'invalid_request_error', param: 'id', code: null },
  };
  expect((await server.send(`/v1/files/${id}`)).file()).toMatchObject({ id, bytes: content.length });
  expect((await server.send(`/v1/files/${id}`, { method: 'DELETE' })).json()).toEqual({ id, object: 'file', deleted: true });
  for (const [path, method] of [
    ['', 'DELETE'],
    ['', 'GET'],
    ['/content', 'GET'],
  ] as const) {
    const reply = await server.send(`/v1/files/${id}${path}`, { method });
    expect(reply.status).toBe(404);
    expect(reply.json()).toEqual(missing);
  }
  expect((await server.send(`/v1/files/${id}/content`, { method: 'HEAD' })).status).toBe(404);
});

test('tenants see nothing of each other; users of one tenant share', async ({ server }) => {
  const id = await add(server);
  for (const [path, method] of [
    ['', 'GET'],
    ['/content', 'GET'],
    ['/content', 'HEAD'],
    ['', 'DELETE'],
  ] as const)
    expect((await server.send(`/v1/files/${id}${path}`, { method, key: 'eve' })).status).toBe(404);
  expect(((await server.send('/v1/files', { key: 'eve' })).json() as FilePage).data.map((file) => file.id)).not.toContain(id);
  expect((await server.send(`/v1/files?after=${id}`, { key: 'eve' })).status).toBe(400);
  expect((await server.send(`/v1/files/${id}`, { key: 'bob' })).file()).toMatchObject({ id, created_by: 'ada' });
});

test('the content comes whole, with what a browser must not guess', async ({ server }) => {
  const id = await add(server, { filename: 'run \\"1\\"; größe.jsonl' });
  const reply = await server.send(`/v1/files/${id}/content`, { headers: { accept: 'application/binary' } });
  expect(reply.status).toBe(200);
  expect(reply.body.equals(content)).toBe(true);
  expect(reply.headers).toMatchObject({
    'content-type': 'application/octet-stream',
    'content-length': String(content.length),
    'accept-ranges': 'bytes',
    'x-content-type-options': 'nosniff',
    etag: `"${hash('sha256', content)}"`,
  });
  expect(reply.headers['content-disposition']).toMatch(
    /^attachment; filename="run [^"]*\.jsonl"; filename\*=UTF-8''run%20[^"]*gr%C3%B6%C3%9Fe\.jsonl$/,
  );
  const head = await server.send(`/v1/files/${id}/content`, { method: 'HEAD' });
  expect(head.headers).toMatchObject({ etag: reply.headers.etag, 'content-length': String(content.length) });
  expect(head.body).toHaveLength(0);
  const again = await server.send(`/v1/files/${id}/content`, { headers: { 'if-none-match': `W/"x", ${reply.headers.etag!}` } });
  expect(again.status).toBe(304);
  expect(again.body).toHaveLength(0);
});

test('ranges', async ({ server }) => {
  const id = await add(server);
  const size = content.length;
  const get = (range: string, more = {}, method = 'GET') => server.send(`/v1/files/${id}/content`, { method, headers: { range, ...more } });
  const good: [string, number, number][] = [
    ['bytes=0-0', 0, 1],
    ['bytes=10-99', 10, 100],
    ['bytes=500-', 500, size],
    ['bytes=-7', size - 7, size],
    [`bytes=-${size * 2}`, 0, size],
    [`bytes=5-${size * 9}`, 5, size],
    ['BYTES = 3 - 4', 3, 5],
  ];
  for (const [range, start, end] of good) {
    const reply = await get(range);
    expect(reply.status).toBe(206);
    expect(reply.headers).toMatchObject({ 'content-range': `bytes ${start}-${end - 1}/${size}`, 'content-length': String(end - start) });
    expect(reply.body.equals(content.subarray(start, end))).toBe(true);
  }
  for (const range of ['bytes=5-4', 'bytes=-', 'bytes=a-b', 'lines=1-2', 'bytes=1-2,5-6', 'nonsense']) {
    const reply = await get(range);
    expect({ status: reply.status, bytes: reply.body.length }).toEqual({ status: 200, bytes: size });
  }
  for (const range of [`bytes=${size}-`, `bytes=${size}-${size + 5}`, 'bytes=-0']) {
    const reply = await get(range);
    expect(reply.status).toBe(416);
    expect(reply.headers['content-range']).toBe(`bytes */${size}`);
    expect(reply.error().code).toBe('range_not_satisfiable');
  }
  const head = await get('bytes=0-9', {}, 'HEAD');
  expect({ status: head.status, length: head.headers['content-length'] }).toEqual({ status: 206, length: '10' });
  expect((await get('bytes=0-9', { 'if-range': '"another"' })).status).toBe(200);
  expect((await get('bytes=0-9', { 'if-range': head.headers.etag! })).status).toBe(206);
  expect(parseRange('bytes=0-', 0)).toBe('outside');
});

test('files the server makes are like those that were sent', async ({ server }) => {
  const who = { tenant: 'lab', user: 'ada' };
  const { id } = await createFile(server, who, {
    filename: 'batch_1_output.jsonl',
    purpose: 'batch_output',
    bytes: [content],
    expiresSeconds: 60,
  });
  const file = (await server.send(`/v1/files/${id}`)).file();
  expect(file).toMatchObject({ purpose: 'batch_output', sha256: hash('sha256', content), expires_at: file.created_at + 60 });
  expect((await server.send(`/v1/files/${id}/content`)).body.equals(content)).toBe(true);
  const lasting = await createFile(server, who, { filename: 'x', purpose: 'batch_output', bytes: [] });
  expect(lasting.expires_at).toBe(null);
  expect((await server.send(`/v1/files/${lasting.id}/content`)).body).toHaveLength(0);
});

test('a file is gone at the second it expires', async ({ server }) => {
  const id = await add(server);
  await server.db.run(sql`update files set expires_at = now() where id = ${id}`);
  expect((await server.send(`/v1/files/${id}`)).status).toBe(404);
  expect((await server.send(`/v1/files/${id}`, { method: 'DELETE' })).status).toBe(404);
  expect(((await server.send('/v1/files')).json() as FilePage).data.map((file) => file.id)).not.toContain(id);
});

test('bytes that vanished from the storage are a 404, not a failure', async ({ server }) => {
  const id = await add(server);
  await server.storage.delete(`lab/files/${id}`);
  expect((await server.send(`/v1/files/${id}/content`)).status).toBe(404);
});
