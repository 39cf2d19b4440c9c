import OpenAI from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, chatLine, createBatch } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';
import { refusal, wired } from './wire.ts';

let sluice: Sluice;
beforeAll(async () => {
  sluice = await startSluice({
    scheduler: false,
    workers: 0,
    keys: [
      { key: 'test-key', tenant: 'default', user: 'admin' },
      { key: 'pages', tenant: 'pages', user: 'p' },
    ],
  });
});
afterAll(() => sluice[Symbol.asyncDispose]());

test('batches are listed newest first, page by page', async () => {
  const { client, exchanges } = wired(sluice, { apiKey: 'pages' });
  await client.batches.list();
  expect(exchanges.at(-1)!.body).toEqual({ object: 'list', data: [], first_id: null, last_id: null, has_more: false });
  const made: string[] = [];
  for (let i = 0; i < 23; i++) made.unshift((await createBatch(client, [chatLine(i)])).id);
  const ids = (body: Record<string, unknown> | null) => (body!['data'] as { id: string }[]).map(({ id }) => id);
  await client.batches.list();
  const page = exchanges.at(-1)!.body;
  expect(ids(page)).toEqual(made.slice(0, 20));
  expect(page).toMatchObject({ first_id: made[0], last_id: made[19], has_more: true });
  await client.batches.list({ after: made[19]!, limit: 3 });
  expect(exchanges.at(-1)!.body).toMatchObject({ first_id: made[20], last_id: made[22], has_more: false });
  const before = exchanges.length;
  const all: string[] = [];
  for await (const batch of client.batches.list({ limit: 10 })) all.push(batch.id);
  expect(all).toEqual(made);
  expect(exchanges.length - before).toBe(3);
  for (const limit of [0, 101, 1.5]) expect(await refusal(client.batches.list({ limit }))).toMatchObject({ status: 400, param: 'limit' });
  expect(await refusal(client.batches.list({ after: 'batch_none' }))).toMatchObject({ status: 404 });
});

test('errors become the client’s own classes', async () => {
  const { client } = wired(sluice);
  const stranger = wired(sluice, { apiKey: 'wrong' }).client;
  const unknown = await refusal(stranger.batches.list());
  expect(unknown).toBeInstanceOf(OpenAI.AuthenticationError);
  expect(unknown).toMatchObject({ status: 401, code: 'invalid_api_key' });
  expect(JSON.stringify(unknown.error)).not.toContain('wrong');
  for (const call of [() => client.batches.retrieve('batch_none'), () => client.batches.cancel('batch_none')]) {
    const missing = await refusal(call());
    expect(missing).toBeInstanceOf(OpenAI.NotFoundError);
    expect(missing.message).toMatch(/No batch found with id 'batch_none'/);
  }
  expect(await refusal(client.batches.create({} as OpenAI.BatchCreateParams))).toBeInstanceOf(OpenAI.BadRequestError);
  expect(await refusal(client.models.retrieve('gpt-9'))).toMatchObject({ status: 404, code: 'model_not_found' });
});

test('every reply has a request id, which errors carry too', async () => {
  const { client, exchanges } = wired(sluice);
  const { response, request_id } = await client.batches.list().withResponse();
  expect(response.headers.get('x-request-id')).toBe(request_id);
  const error = await refusal(client.batches.retrieve('batch_none'));
  expect(error.requestID).toBe(exchanges.at(-1)!.headers.get('x-request-id'));
  expect(new Set(exchanges.map(({ headers }) => headers.get('x-request-id'))).size).toBe(exchanges.length);
});

test('what is no request at all is answered in the envelope, and never a 500', async () => {
  const { client } = sluice;
  const raw = (method: string, path: string, body: string, type = 'application/json') =>
    fetch(`${sluice.url}${path}`, { method, body, headers: { authorization: 'Bearer test-key', 'content-type': type } });
  const replies = [
    await raw('POST', '/v1/batches', '{"input_file_id": '),
    await raw('POST', '/v1/batches', 'null'),
    await raw('POST', '/v1/batches', '[]'),
    await raw('POST', '/v1/batches', 'a=b', 'application/x-www-form-urlencoded'),
    await raw('POST', '/v1/files', 'not multipart', 'multipart/form-data'),
    await raw('POST', '/v1/files', '--x\r\nnot multipart', 'multipart/form-data; boundary=x'),
    await raw('PUT', '/v1/batches', '{}'),
    await raw('POST', '/v1/batches/batch_none/nothing', '{}'),
  ];
  for (const reply of replies) {
    expect(reply.status).toBeGreaterThanOrEqual(400);
    expect(reply.status).toBeLessThan(500);
    expect(await reply.json()).toEqual({
      error: {
        message: expect.any(String) as string,
        type: expect.any(String) as string,
        param: null,
        code: expect.toSatisfy((c) => c === null || typeof c === 'string') as string,
      },
    });
  }
  expect((await call(client, 'GET', '/v1/batches/%00')).status).toBeLessThan(500);
  expect((await call(client, 'GET', '/v1/batches?after=%00')).status).toBeLessThan(500);
});

test('models are listed', async () => {
  const { client } = wired(sluice);
  const list = await client.models.list();
  expect(list.data.map(({ id, object }) => [id, object])).toEqual([['echo', 'model']]);
  expect(await client.models.retrieve('echo')).toMatchObject({ id: 'echo', object: 'model' });
});
