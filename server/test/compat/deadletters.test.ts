import { afterAll, beforeAll, expect, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { call, chatLine, createBatch, linesIn, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

type Dict = Record<string, unknown>;

let sluice: Sluice;
/** Two batches of ada's with dead letters of two causes, and one of eve's. */
let first: string;
let second: string;
beforeAll(async () => {
  sluice = await startSluice({
    keys: [
      { key: 'ada', tenant: 'lab', user: 'ada' },
      { key: 'bob', tenant: 'lab', user: 'bob' },
      { key: 'eve', tenant: 'other', user: 'eve' },
    ],
    retry: { maxAttempts: 2 },
  });
  const [ada, bob, eve] = [sluice.clientFor('ada'), sluice.clientFor('bob'), sluice.clientFor('eve')];
  first = (
    await untilEnded(
      ada,
      (
        await createBatch(ada, [
          chatLine('fine'),
          chatLine('busy-1', { echo: { status: 503 } }),
          chatLine('bad', { echo: { status: 400 } }),
          chatLine('busy-2', { echo: { status: 503 } }),
          chatLine('slow', { echo: { status: 429 } }),
        ])
      ).id,
    )
  ).id;
  second = (await untilEnded(bob, (await createBatch(bob, [chatLine('busy-3', { echo: { status: 503 } })])).id)).id;
  await untilEnded(eve, (await createBatch(eve, [chatLine('theirs', { echo: { status: 503 } })])).id);
});
afterAll(() => sluice[Symbol.asyncDispose]());

const get = (path: string, key = 'ada') => call(sluice.clientFor(key), 'GET', `/v1/dead_letters${path}`);
const post = (path: string, body: Dict, key = 'ada') => call(sluice.clientFor(key), 'POST', `/v1/dead_letters${path}`, body);
const list = async (query = '', key = 'ada') => (await get(query, key)).body['data'] as Dict[];
const names = async (query = '', key = 'ada') => (await list(query, key)).map((letter) => letter['custom_id']);

test('a list by batch and line, of one’s own tenant, page after page', async () => {
  expect(await names()).toEqual(['busy-3', 'busy-1', 'busy-2', 'slow']);
  expect(await names('', 'eve')).toEqual(['theirs']);
  const one = await get('?limit=1');
  expect(one.body).toMatchObject({ object: 'list', has_more: true });
  const rest = await get(`?limit=3&after=${String(one.body['last_id'])}`);
  expect((rest.body['data'] as Dict[]).map((letter) => letter['custom_id'])).toEqual(['busy-1', 'busy-2', 'slow']);
  expect(rest.body['has_more']).toBe(false);
  expect((await get(`?after=${String(one.body['last_id'])}`, 'eve')).status).toBe(404);
  expect((await list())[1]).toMatchObject({ batch_id: first, line: 2, status: 'open', attempts: 2, status_code: 503, user: 'ada' });
});

test('by batch, model, code, user, text and time', async () => {
  const [busy] = await list(`?batch=${second}`);
  expect(busy).toMatchObject({ custom_id: 'busy-3', model: 'echo@1.0.0' });
  expect(await names('?model=echo')).toHaveLength(4);
  expect(await names('?model=echo@1.0.0')).toHaveLength(4);
  expect(await names('?model=ech')).toEqual([]);
  expect(await names(`?code=${String(busy!['code'])}&user=bob`)).toEqual(['busy-3']);
  expect(await names('?code=nothing')).toEqual([]);
  expect(await names('?q=429')).toEqual(['slow']);
  expect(await names(`?q=${encodeURIComponent('%')}`)).toEqual([]);
  const died = Math.floor(busy!['died_at'] as number);
  expect(await names(`?batch=${second}&since=${died}&until=${died + 1}`)).toEqual(['busy-3']);
  expect(await names(`?batch=${second}&since=${died + 1}`)).toEqual([]);
  expect(await names(`?until=${died - 3_600}`)).toEqual([]);
  expect((await get('?status=nonsense')).status).toBe(400);
});

test('causes are counted over batches, and filter the list', async () => {
  const causes = await list('?group=cause');
  expect(causes).toMatchObject([
    { object: 'dead_letter.cause', count: 3, batches: 2 },
    { count: 1, batches: 1 },
  ]);
  expect(causes[0]!['first_seen'] as number).toBeLessThan(causes[0]!['last_seen'] as number);
  expect(await get(`/${String(causes[0]!['sample'])}`)).toMatchObject({ status: 200, body: { custom_id: 'busy-3' } });
  expect(await names(`?cause=${encodeURIComponent(String(causes[0]!['cause']))}`)).toEqual(['busy-3', 'busy-1', 'busy-2']);
  expect(await names(`?cause=${encodeURIComponent(String(causes[1]!['cause']))}`)).toEqual(['slow']);
  expect(await get('?group=cause&limit=1')).toMatchObject({ body: { has_more: true } });
  expect(await list('?group=cause', 'eve')).toMatchObject([{ count: 1, batches: 1 }]);
});

test('one with its input and every attempt; others have none of it', async () => {
  const [letter] = await list(`?batch=${second}`);
  expect(await get(`/${String(letter!['id'])}`)).toMatchObject({
    status: 200,
    body: {
      ...letter,
      input: { custom_id: 'busy-3', body: { sluice_echo: { status: 503 } } },
      output: { custom_id: 'busy-3' },
      history: [{ number: 1 }, { number: 2 }],
      newest: null,
    },
  });
  expect((await get(`/${String(letter!['id'])}`, 'eve')).status).toBe(404);
  expect((await get('/nonsense')).status).toBe(404);
  // A request that failed at once is no dead letter.
  const requests = (await call(sluice.clientFor('ada'), 'GET', `/v1/batches/${first}/requests`)).body['data'] as Dict[];
  expect((await get(`/${String(requests[2]!['id'])}`)).status).toBe(404);
});

test('the download has inputs, byte for byte, and errors', async () => {
  const reply = await fetch(`${sluice.url}/v1/dead_letters/download?batch=${first}`, { headers: { authorization: 'Bearer ada' } });
  expect(reply.headers.get('content-type')).toBe('application/x-ndjson');
  const lines = (await reply.text()).split('\n').slice(0, -1);
  expect(lines.map((line) => JSON.parse(line) as Dict)).toMatchObject([
    { batch_id: first, line: 2, attempts: 2, error: { status_code: 503 }, request: { custom_id: 'busy-1' } },
    { line: 4, request: { custom_id: 'busy-2' } },
    { line: 5, error: { status_code: 429 }, request: { custom_id: 'slow' } },
  ]);
  expect(lines[0]).toContain(`"request":${JSON.stringify(chatLine('busy-1', { echo: { status: 503 } }))}}`);
  const theirs = await fetch(`${sluice.url}/v1/dead_letters/download?batch=${first}`, { headers: { authorization: 'Bearer eve' } });
  expect(await theirs.text()).toBe('');

  // The errors are kept longer than the input.
  const client = sluice.clientFor('ada');
  const batch = await untilEnded(client, (await createBatch(client, [chatLine('gone', { echo: { status: 503 } })])).id);
  await sluice.storage.delete((await sluice.db.one<{ key: string }>(sql`select input_key as key from batches where id = ${batch.id}`)).key);
  expect(await get(`/download?batch=${batch.id}`)).toMatchObject({ body: { error: { status_code: 503 }, request: null } });
  expect(await names(`?batch=${batch.id}`)).toEqual([null]);
  expect((await call(client, 'DELETE', `/v1/batches/${batch.id}`)).status).toBe(200);
  expect(await names(`?batch=${batch.id}`)).toEqual([]);
});

test('discarding marks, with who and why; the batch and its files stay', async () => {
  const client = sluice.clientFor('ada');
  const batch = await untilEnded(
    client,
    (
      await createBatch(
        client,
        ['a', 'b', 'c'].map((id) => chatLine(id, { echo: { status: 503 } })),
      )
    ).id,
  );
  const errors = await linesIn(client, batch.error_file_id);
  const of = (status: string) => names(`?batch=${batch.id}&status=${status}`);
  const ids = (await list(`?batch=${batch.id}`)).map((letter) => letter['id'] as string);

  expect((await post('/discard', { reason: 'x' })).status).toBe(400);
  expect((await post('/discard', { filter: {}, reason: 'x' })).status).toBe(400);
  expect((await post('/discard', { filter: { batch: batch.id } })).status).toBe(400);
  expect((await post('/discard', { filter: { batch: batch.id }, reason: 'x' }, 'eve')).body).toMatchObject({ discarded: 0 });
  expect((await post('/discard', { ids, reason: 'x' }, 'eve')).body).toMatchObject({ discarded: 0, skipped: 3 });

  expect(await post('/discard', { ids: [ids[0], 'nonsense'], reason: 'a known bug' }, 'bob')).toMatchObject({
    status: 200,
    body: { object: 'dead_letters.discarded', discarded: 1, skipped: 1 },
  });
  expect((await post('/discard', { filter: { batch: batch.id }, exclude: [ids[1]], reason: 'later' })).body).toMatchObject({
    discarded: 1,
  });
  expect((await post('/discard', { ids: [ids[0]], reason: 'again' })).body).toMatchObject({ discarded: 0, skipped: 1 });
  expect([await of('open'), await of('discarded'), await of('all')]).toEqual([['b'], ['a', 'c'], ['a', 'b', 'c']]);
  expect((await list(`?batch=${batch.id}&status=discarded`))[0]).toMatchObject({
    status: 'discarded',
    discarded_by: 'bob',
    discard_reason: 'a known bug',
    discarded_at: expect.any(Number) as number,
  });
  expect(await client.batches.retrieve(batch.id)).toEqual(batch);
  expect(await linesIn(client, batch.error_file_id)).toEqual(errors);
});
