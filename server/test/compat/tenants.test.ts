import { toFile } from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, chatLine, createBatch, untilEnded, upload } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

/** Every route, asked by another tenant about what is not its own. */
let sluice: Sluice;
beforeAll(async () => {
  sluice = await startSluice({
    keys: [
      { key: 'ada', tenant: 'lab', user: 'ada' },
      { key: 'bob', tenant: 'lab', user: 'bob' },
      { key: 'eve', tenant: 'other', user: 'eve' },
    ],
  });
});
afterAll(() => sluice[Symbol.asyncDispose]());

test('another tenant’s things are not there, by any route', async () => {
  const [ada, bob, eve] = [sluice.clientFor('ada'), sluice.clientFor('bob'), sluice.clientFor('eve')];
  const batch = await untilEnded(ada, (await createBatch(ada, [chatLine('a'), chatLine('b', { echo: { status: 400 } })])).id);
  const request = ((await call(ada, 'GET', `/v1/batches/${batch.id}/requests`)).body['data'] as { id: string }[])[1]!.id;
  const pending = await ada.uploads.create({ filename: 'x', purpose: 'batch', bytes: 1, mime_type: 'x' });

  const routes: [string, string, unknown?][] = [
    ['GET', `/v1/batches/${batch.id}`],
    ['PATCH', `/v1/batches/${batch.id}`, { name: 'mine' }],
    ['DELETE', `/v1/batches/${batch.id}`],
    ['POST', `/v1/batches/${batch.id}/cancel`, {}],
    ['POST', `/v1/batches/${batch.id}/retry`, {}],
    ['POST', `/v1/batches/${batch.id}/clone`, {}],
    ['GET', `/v1/batches/${batch.id}/output`],
    ['GET', `/v1/batches/${batch.id}/errors`],
    ['GET', `/v1/batches/${batch.id}/events`],
    ['GET', `/v1/batches/${batch.id}/requests`],
    ['GET', `/v1/batches?after=${batch.id}`],
    ['GET', `/v1/requests/${request}`],
    ['POST', `/v1/requests/${request}/retry`, {}],
    ...[batch.input_file_id, batch.output_file_id!, batch.error_file_id!].flatMap((file): [string, string][] => [
      ['GET', `/v1/files/${file}`],
      ['GET', `/v1/files/${file}/content`],
      ['HEAD', `/v1/files/${file}/content`],
      ['DELETE', `/v1/files/${file}`],
    ]),
    ['GET', `/v1/uploads/${pending.id}`],
    ['POST', `/v1/uploads/${pending.id}/cancel`, {}],
    ['POST', `/v1/uploads/${pending.id}/complete`, { part_ids: [] }],
  ];
  for (const [method, path, body] of routes)
    expect([method, path, (await call(eve, method, path, body)).status]).toEqual([method, path, 404]);
  await expect(eve.uploads.parts.create(pending.id, { data: await toFile(Buffer.of(1), 'x') })).rejects.toMatchObject({ status: 404 });
  expect((await eve.batches.list()).data).toEqual([]);
  expect((await eve.files.list()).data).toEqual([]);

  // A batch on another tenant's file finds no such file, and a dry run says no more than that.
  const body = { input_file_id: batch.input_file_id, endpoint: '/v1/chat/completions', completion_window: '24h' } as const;
  expect(await untilEnded(eve, (await eve.batches.create(body)).id)).toMatchObject({
    status: 'failed',
    errors: { data: [{ code: 'invalid_request', param: 'file_id' }] },
  });
  expect((await call(eve, 'POST', '/v1/batches?dry_run=true', body)).body).toMatchObject({ valid: false, lines: 0, bytes: 0 });
  // One tenant's Idempotency-Key means nothing to another.
  const key = { 'idempotency-key': 'same' };
  const made = [await call(ada, 'POST', '/v1/batches', body, key), await call(eve, 'POST', '/v1/batches', body, key)];
  expect(made.map(({ status }) => status)).toEqual([200, 200]);
  expect(made[0]!.body['id']).not.toBe(made[1]!.body['id']);

  // Nothing of it left a trace, and users of one tenant share.
  expect(await bob.batches.retrieve(batch.id)).toEqual(batch);
  expect((await ada.uploads.cancel(pending.id)).status).toBe('cancelled');
});

test('lists of a tenant can be of one user', async () => {
  const [ada, bob] = [sluice.clientFor('ada'), sluice.clientFor('bob')];
  const theirs = await createBatch(bob, [chatLine('x')]);
  await upload(ada, [chatLine('y')]);
  const list = async (path: string) =>
    ((await call(ada, 'GET', path)).body['data'] as { id: string; created_by: string }[]).map((each) => each.created_by);
  expect(new Set(await list('/v1/batches'))).toEqual(new Set(['ada', 'bob']));
  expect(await list('/v1/batches?user=bob')).toEqual(['bob']);
  expect(await list('/v1/batches?user=nobody')).toEqual([]);
  expect(new Set(await list('/v1/files?user=ada'))).toEqual(new Set(['ada']));
  expect(await untilEnded(ada, theirs.id)).toMatchObject({ status: 'completed', created_by: 'bob' });
  // Its files are its maker's.
  expect((await list('/v1/files?user=bob')).length).toBe(2);
});
