import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call, chatLine, createBatch, linesIn, untilEnded, upload } from '../support/requests.ts';
import { untilEvent, untilSettled } from '../support/follow.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';
import { refusal, wired } from './wire.ts';

/** What a batch can do here that it cannot at OpenAI, with the stock client where it will carry it. */
let sluice: Sluice;
beforeAll(async () => {
  sluice = await startSluice();
});
afterAll(async () => {
  // What a failed test left running would be waited for.
  for (const worker of sluice.workers) worker.abort();
  await sluice[Symbol.asyncDispose]();
});

type Dict = Record<string, unknown>;
const create = async (lines: Dict[], options: Dict = {}) =>
  (await createBatch(wired(sluice).client, lines, options)) as OpenAI.Batch & Dict;
const patch = (id: string, body: unknown) => call(sluice.client, 'PATCH', `/v1/batches/${id}`, body);
const held = () => create([chatLine('fine'), chatLine('held', { echo: { delay_ms: 600_000 } })]);
const abort = async (id: string) => {
  await call(sluice.client, 'POST', `/v1/batches/${id}/cancel`, { mode: 'abort' });
  return untilEnded(sluice.client, id);
};

test.each([
  ['15m', 900],
  ['6h', 21_600],
  ['7d', 604_800],
] as const)('a window of %s', async (completion_window, seconds) => {
  const batch = await create([chatLine(1)], { completion_window });
  expect(batch.expires_at! - batch.created_at).toBe(seconds);
  expect(await untilEnded(sluice.client, batch.id)).toMatchObject({ status: 'completed', completion_window });
});

test.each<[Dict, number]>([
  [{}, 1],
  [{ priority: 'high' }, 10],
  [{ priority: 'medium' }, 5],
  [{ priority: 0 }, 0],
  [{ metadata: { priority: 'high' } }, 10],
  [{ metadata: { priority: '42' } }, 42],
  [{ metadata: { priority: 'Medium' } }, 5],
  [{ metadata: { priority: 'urgent' } }, 1],
  [{ priority: 'normal', metadata: { priority: 'high' } }, 1],
  // Somebody else's words.
  [{ metadata: { priority: 'constructor' } }, 1],
  [{ metadata: { priority: '1000' }, priority: null }, 1],
])('priority by %o', async (options, priority) => {
  expect(await create([chatLine(1)], options)).toMatchObject({ priority, metadata: options['metadata'] ?? null });
});

test.each([
  [{ priority: 'urgent' }, 'priority'],
  [{ priority: 101 }, 'priority'],
  [{ priority: -1 }, 'priority'],
])('no priority: %o', async (options, param) => {
  expect(await refusal(create([chatLine(1)], options))).toMatchObject({ status: 400, param });
});

test('text that PostgreSQL cannot hold is no trouble of the server’s', async () => {
  const body = { input_file_id: 'file-none', endpoint: '/v1/chat/completions', completion_window: '24h' };
  const post = (more: Dict) => call(sluice.client, 'POST', '/v1/batches', { ...body, ...more });
  expect(await post({ name: 'half \ud800', metadata: { half: '\ud800', 'key \udc00': 'v' } })).toMatchObject({
    status: 200,
    body: { name: 'half \ufffd', metadata: { half: '\ufffd', 'key \ufffd': 'v' } },
  });
  for (const more of [
    { name: 'n\0l' },
    { metadata: { a: 'n\0l' } },
    { metadata: { 'n\0l': 'a' } },
    { input_file_id: 'n\0l' },
    { pool: 'n\0l' },
  ])
    expect(await post(more)).toMatchObject({ status: 400, body: { error: { code: 'invalid_value' } } });
});

test('a name, and fields kept for later', async () => {
  const later = { dedup: 'exact', strategy: 'sequential', max_concurrent: 3, pool: 'gpu' };
  expect(await create([chatLine(1)], { name: 'nightly', ...later })).toMatchObject({ name: 'nightly', ...later });
  expect(await refusal(create([chatLine(1)], { dedup: 'maybe' }))).toMatchObject({ status: 400, param: 'dedup' });
});

describe('PATCH', () => {
  test('changes name, metadata, priority and deadline of a batch that runs', async () => {
    const batch = await held();
    await untilEvent(sluice.client, batch.id, 'batch.in_progress');
    const deadline = batch.created_at + 7_200;
    const changed = await patch(batch.id, { name: 'new', metadata: { a: 'b' }, priority: 'high', deadline });
    expect([changed.status, changed.body]).toMatchObject([200, { name: 'new', metadata: { a: 'b' }, priority: 10, expires_at: deadline }]);
    expect((await patch(batch.id, { completion_window: '6h' })).body).toMatchObject({
      expires_at: batch.created_at + 21_600,
      completion_window: '6h',
    });
    // Somebody else's word changes nothing.
    expect((await patch(batch.id, { metadata: { priority: 'urgent' } })).body).toMatchObject({ priority: 10 });
    expect((await patch(batch.id, { metadata: { priority: 'medium' } })).body).toMatchObject({
      priority: 5,
      metadata: { priority: 'medium' },
    });
    expect((await patch(batch.id, { metadata: null, name: null })).body).toMatchObject({ metadata: null, name: null, priority: 5 });
    expect(await abort(batch.id)).toMatchObject({ status: 'cancelled', priority: 5 });
  });

  test('two changes at once are both kept', async () => {
    const batch = await create([chatLine(1)]);
    await Promise.all([patch(batch.id, { name: 'one' }), patch(batch.id, { metadata: { two: '2' } })]);
    expect(await sluice.client.batches.retrieve(batch.id)).toMatchObject({ name: 'one', metadata: { two: '2' } });
  });

  test('after the end only what steers nothing', async () => {
    const batch = await create([chatLine(1)]);
    await untilEnded(sluice.client, batch.id);
    expect((await patch(batch.id, { name: 'archived', metadata: { kept: 'yes', priority: 'high' } })).body).toMatchObject({
      name: 'archived',
      metadata: { kept: 'yes', priority: 'high' },
      priority: 1,
      status: 'completed',
    });
    for (const body of [{ priority: 3 }, { deadline: batch.created_at + 1_000_000 }, { completion_window: '7d' }])
      expect(await patch(batch.id, body)).toMatchObject({ status: 409, body: { error: { code: 'conflict' } } });
  });

  test.each([
    [{}, null],
    [{ status: 'completed' }, 'status'],
    [{ deadline: 1 }, 'deadline'],
    [{ deadline: 1e18 }, 'deadline'],
    [{ completion_window: 'soon' }, 'completion_window'],
    [{ metadata: { n: 1 } }, 'metadata.n'],
    [{ deadline: 4e9, completion_window: '1h' }, 'deadline'],
  ])('refuses %o', async (body, param) => {
    const batch = await create([chatLine(1)]);
    expect(await patch(batch.id, body)).toMatchObject({ status: 400, body: { error: { param } } });
  });
});

describe('a dry run', () => {
  const dry = async (lines: Dict[] | Buffer, options: Dict = {}) => {
    const file = await upload(sluice.client, lines);
    const body = { input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h', ...options };
    const before = await sluice.client.batches.list();
    const reply = await call(sluice.client, 'POST', '/v1/batches?dry_run=true', body);
    expect((await sluice.client.batches.list()).data[0]?.id).toBe(before.data[0]?.id);
    return { reply, body };
  };

  test('says what a batch would be, and makes none', async () => {
    const { reply } = await dry([chatLine(1), chatLine(2)]);
    expect(reply).toMatchObject({ status: 200, body: { object: 'batch.dry_run', valid: true, errors: null, lines: 2, workers: 1 } });
    expect(reply.body['models']).toMatchObject([{ model: 'echo@1.0.0', lines: 2 }]);
    expect(reply.body['estimated_seconds']).toBeGreaterThan(0);
  });

  test('finds what the real thing finds', async () => {
    const lines = [chatLine(1), chatLine(1), { custom_id: 'x' }, chatLine(3, { model: 'gpt-9' })];
    const { reply, body } = await dry(lines);
    const real = await untilEnded(sluice.client, (await sluice.client.batches.create(body as OpenAI.BatchCreateParams)).id);
    expect(reply.body).toMatchObject({ valid: false, errors: { data: real.errors!.data, total: real.errors!.data!.length } });
    const missing = { input_file_id: 'file-none' };
    const none = await untilEnded(
      sluice.client,
      (await sluice.client.batches.create({ ...body, ...missing } as OpenAI.BatchCreateParams)).id,
    );
    expect((await dry(lines, missing)).reply.body).toMatchObject({ valid: false, errors: { data: none.errors!.data } });
    for (const wrong of [{ completion_window: 'soon' }, { priority: 'x' }, { nonsense: 1 }])
      expect((await dry(lines, wrong)).reply.status).toBe(400);
  });
});

test('a clone has the settings of another batch and a file of its own', async () => {
  const first = await create([chatLine('old')], {
    name: 'daily',
    priority: 7,
    completion_window: '6h',
    metadata: { a: 'b' },
    output_expires_after: { anchor: 'created_at', seconds: 7_200 },
  });
  const file = await upload(sluice.client, [chatLine('new')]);
  const clone = await call(sluice.client, 'POST', `/v1/batches/${first.id}/clone`, { input_file_id: file.id, metadata: { c: 'd' } });
  expect(clone).toMatchObject({
    status: 200,
    body: { name: 'daily', priority: 7, completion_window: '6h', metadata: { c: 'd' }, input_file_id: file.id, continues: null },
  });
  expect(clone.body['id']).not.toBe(first.id);
  const ended = await untilEnded(sluice.client, clone.body['id'] as string);
  expect((await linesIn(sluice.client, ended.output_file_id)).map((line) => line['custom_id'])).toEqual(['new']);
  const output = await sluice.client.files.retrieve(ended.output_file_id!);
  expect(output.expires_at! - output.created_at).toBe(7_200);
  expect(await call(sluice.client, 'POST', `/v1/batches/${first.id}/clone`, { nonsense: 1 })).toMatchObject({
    status: 400,
    body: { error: { param: 'nonsense' } },
  });
});

test('a batch that has ended can be deleted, with its files', async () => {
  const { client } = wired(sluice);
  const running = await held();
  await untilSettled(client, running.id, 1);
  expect(await call(client, 'DELETE', `/v1/batches/${running.id}`)).toMatchObject({ status: 409 });
  const ended = await abort(running.id);
  expect(ended.output_file_id && ended.error_file_id).toBeTruthy();
  expect(await call(client, 'DELETE', `/v1/batches/${running.id}`)).toMatchObject({
    status: 200,
    body: { id: running.id, object: 'batch', deleted: true },
  });
  const gone = [
    () => client.batches.retrieve(running.id),
    () => client.files.retrieve(ended.output_file_id!),
    () => client.files.content(ended.error_file_id!),
  ];
  for (const each of gone) expect(await refusal(each())).toBeInstanceOf(OpenAI.NotFoundError);
  expect(await call(client, 'DELETE', `/v1/batches/${running.id}`)).toMatchObject({ status: 404 });
  // The input is its owner's.
  expect((await client.files.retrieve(ended.input_file_id)).id).toBe(ended.input_file_id);
  const left: string[] = [];
  for await (const { key } of sluice.storage.list(`default/${running.id}/`)) left.push(key);
  expect(left).toEqual([]);
});

describe('Idempotency-Key', () => {
  const send = (key: string, body: Dict) => call(sluice.client, 'POST', '/v1/batches', body, { 'idempotency-key': key });
  const body = { input_file_id: 'file-none', endpoint: '/v1/chat/completions', completion_window: '24h', metadata: { a: '1', b: '2' } };

  test('the same body gives the same batch, however it is written', async () => {
    const [first, again] = [await send('one', body), await send('one', { ...body, metadata: { b: '2', a: '1' } })];
    expect([first.headers.get('idempotent-replayed'), again.headers.get('idempotent-replayed')]).toEqual([null, 'true']);
    expect(again.body['id']).toBe(first.body['id']);
    expect((await send('two', body)).body['id']).not.toBe(first.body['id']);
  });

  test('another body is a conflict', async () => {
    await send('three', body);
    expect(await send('three', { ...body, priority: 5 })).toMatchObject({ status: 409, body: { error: { code: 'idempotency_mismatch' } } });
  });

  test('twenty at once make one', async () => {
    const replies = await Promise.all(Array.from({ length: 20 }, () => send('many', body)));
    expect(new Set(replies.map(({ status, body }) => `${status} ${String(body['id'])}`)).size).toBe(1);
    expect(replies.filter(({ headers }) => headers.get('idempotent-replayed') === null)).toHaveLength(1);
  });

  test('a key that is too long', async () => {
    expect(await send('k'.repeat(256), body)).toMatchObject({ status: 400, body: { error: { param: 'Idempotency-Key' } } });
  });
});

test('partial results can be read while a batch runs, and all of them later', async () => {
  const { client } = sluice;
  const batch = await create([
    chatLine('b'),
    chatLine('held', { echo: { delay_ms: 600_000 } }),
    chatLine('bad', { echo: { status: 400 } }),
    chatLine('a'),
  ]);
  await untilEvent(client, batch.id, ({ data }) => (data as { failed?: number }).failed === 1);
  const read = async (kind: 'output' | 'errors') => {
    const reply = await fetch(`${sluice.url}/v1/batches/${batch.id}/${kind}`, { headers: { authorization: `Bearer ${client.apiKey}` } });
    const lines = (await reply.text()).trimEnd().split('\n');
    return { ids: lines.map((line) => (JSON.parse(line) as Dict)['custom_id']), incomplete: reply.headers.get('x-sluice-incomplete') };
  };
  expect(await read('output')).toEqual({ ids: ['b', 'a'], incomplete: 'true' });
  expect(await read('errors')).toEqual({ ids: ['bad'], incomplete: 'true' });
  await abort(batch.id);
  expect(await read('output')).toEqual({ ids: ['b', 'a'], incomplete: null });
  expect(await read('errors')).toEqual({ ids: ['held', 'bad'], incomplete: null });
});
