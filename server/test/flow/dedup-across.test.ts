import { afterAll, beforeAll, expect, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { expireResults, trimResults } from '../../src/cache/results.ts';
import { call, chatLine, createBatch, linesIn, untilEnded, upload } from '../support/requests.ts';
import { startSluice, type Sluice, type SluiceOptions } from '../support/sluice.ts';

type Row = Record<string, unknown>;

const keys = [
  { key: 'ann', tenant: 'one', user: 'ann' },
  { key: 'bob', tenant: 'one', user: 'bob' },
  { key: 'eve', tenant: 'two', user: 'eve' },
];
/** Of the tests of scopes and limits each has its own. */
const start = (dedup: NonNullable<SluiceOptions['dedup']> = {}): Promise<Sluice> => startSluice({ keys, dedup });

let sluice: Sluice;
beforeAll(async () => {
  sluice = await start();
});
afterAll(() => sluice[Symbol.asyncDispose]());

const ask = (id: string, text: string, more: Row = {}): Row => {
  const line = chatLine(id);
  return { ...line, body: { ...(line['body'] as Row), messages: [{ role: 'user', content: text }], ...more } };
};

interface Ended {
  id: string;
  counts: unknown;
  output: Row[];
  requests: Row[];
}

const run = async (lines: Row[], { on = sluice, as = 'ann', ...options }: Row & { on?: Sluice; as?: string } = {}): Promise<Ended> => {
  const client = on.clientFor(as);
  const { id } = await createBatch(client, lines, { dedup: 'exact', ...options });
  const ended = await untilEnded(client, id);
  expect(ended).toMatchObject({ status: 'completed', request_counts: { total: lines.length, completed: lines.length } });
  const requests = (await call(client, 'GET', `/v1/batches/${id}/requests?limit=1000`)).body['data'] as Row[];
  return { id, counts: ended['dedup_counts'], output: await linesIn(client, ended.output_file_id), requests };
};

const bodyOf = (line: Row): Row => (line['response'] as { body: Row }).body;

test('a batch gets the answers that another gave, byte by byte, under its own ids, with links to the originals', async () => {
  const first = await run([ask('a', 'one ☃'), ask('b', 'two')]);
  expect(first.counts).toEqual({ batch: 0, cache: 0, semantic: 0 });
  const second = await run([ask('x', 'three'), ask('y', 'two', { user: 'somebody' }), ask('z', 'one ☃'), ask('w', 'one ☃')]);
  expect(second.counts).toEqual({ batch: 0, cache: 3, semantic: 0 });
  expect(second.output.map((line) => line['custom_id'])).toEqual(['x', 'y', 'z', 'w']);
  expect(second.output.slice(1).map(bodyOf)).toEqual([first.output[1], first.output[0], first.output[0]].map((line) => bodyOf(line!)));
  expect(second.requests.map(({ dedup, attempts }) => [dedup, attempts])).toEqual([
    [null, 1],
    [{ kind: 'cache', original: first.requests[1]!['id'] }, 0],
    [{ kind: 'cache', original: first.requests[0]!['id'] }, 0],
    [{ kind: 'cache', original: first.requests[0]!['id'] }, 0],
  ]);
  const one = await call(sluice.clientFor('ann'), 'GET', `/v1/requests/${String(second.requests[1]!['id'])}`);
  expect(one.body).toMatchObject({ dedup: { kind: 'cache', original: first.requests[1]!['id'] }, output: { custom_id: 'y' } });
});

test('another question, an unspoken wish, chance, and dedup off are answered anew', async () => {
  await run([ask('a', 'q'), ask('b', 'q', { temperature: 1 })]);
  const counts = async (lines: Row[], options: Row = {}): Promise<unknown> => ((await run(lines, options)).counts as Row)['cache'];
  expect(await counts([ask('a', 'q', { max_tokens: 5 })])).toBe(0);
  expect(await counts([ask('a', 'q', { temperature: 1 })])).toBe(0);
  expect(await counts([ask('a', 'q')], { dedup: 'off' })).toBe(0);
  // echo is too quick for its answers to be looked up unless somebody asks for it.
  expect(await counts([ask('a', 'q')], { dedup: null })).toBe(0);
  expect(await counts([ask('a', 'q')])).toBe(1);
  expect(await counts([ask('a', 'q', { temperature: 1 })], { dedup_sampled: true })).toBe(0);
  expect(await counts([ask('a', 'q', { temperature: 1 })], { dedup_sampled: true })).toBe(1);
});

test('the same question in other words is one in its batch too, and failures are nobody else’s', async () => {
  const batch = await run([ask('a', 'w'), { ...ask('b', 'w'), body: { messages: [{ role: 'user', content: 'w' }], model: 'echo' } }]);
  expect(batch.requests.map(({ dedup }) => dedup)).toEqual([null, { kind: 'batch', original: batch.requests[0]!['id'] }]);
  const client = sluice.clientFor('ann');
  const failing = [ask('f', 'fails', { sluice_echo: { status: 400 } })];
  for (let i = 0; i < 2; i++)
    expect(await untilEnded(client, (await createBatch(client, failing, { dedup: 'exact' })).id)).toMatchObject({
      request_counts: { completed: 0, failed: 1 },
      dedup_counts: { cache: 0 },
    });
});

test('another tenant gets nothing, and another user of the tenant does', async () => {
  const lines = [ask('a', 'ours')];
  await run(lines);
  expect((await run(lines, { as: 'eve' })).counts).toMatchObject({ cache: 0 });
  expect((await run(lines, { as: 'bob' })).counts).toMatchObject({ cache: 1 });
});

test('scope user keeps answers to one user; scope global shares them, and does not say whose they are', async () => {
  await using own = await start({ scope: 'user' });
  const lines = [ask('a', 'mine')];
  await run(lines, { on: own });
  expect((await run(lines, { on: own, as: 'bob' })).counts).toMatchObject({ cache: 0 });
  expect((await run(lines, { on: own })).counts).toMatchObject({ cache: 1 });
  await using shared = await start({ scope: 'global' });
  const original = await run(lines, { on: shared });
  const eve = await run(lines, { on: shared, as: 'eve' });
  expect(eve.requests.map(({ dedup }) => dedup)).toEqual([{ kind: 'cache', original: null }]);
  const bob = await run(lines, { on: shared, as: 'bob' });
  expect(bob.requests.map(({ dedup }) => dedup)).toEqual([{ kind: 'cache', original: original.requests[0]!['id'] }]);
});

test('an answer goes with its time, with the bytes it may take, and with its batch', async () => {
  await using own = await start({ ttlSeconds: 3_600 });
  const lines = [ask('a', 'old'), ask('b', 'older')];
  const first = await run(lines, { on: own });
  expect((await run(lines, { on: own })).counts).toMatchObject({ cache: 2 });
  // It is over for whoever asks before anybody sweeps.
  await own.db.run(sql`update results set expires_at = now()`);
  const second = await run(lines, { on: own });
  expect(second.counts).toMatchObject({ cache: 0 });
  const rows = () =>
    own.db.many<{ line: number; id: string }>(sql`select line, b.id from results r join batches b on b.no = r.batch_no order by line`);
  // Replaced by what was answered anew.
  expect(await rows()).toEqual([1, 2].map((line) => ({ line, id: second.id })));
  await own.db.run(sql`update results set created_at = now() - interval '1 hour' where line = 1`);
  const { bytes } = await own.db.one<{ bytes: number }>(sql`select sum(body_bytes)::bigint as bytes from results`);
  expect([await trimResults(own.db, bytes), await trimResults(own.db, bytes - 1)]).toEqual([0, 1]);
  expect(await rows()).toEqual([{ line: 2, id: second.id }]);
  await call(own.clientFor('ann'), 'DELETE', `/v1/batches/${first.id}`);
  await call(own.clientFor('ann'), 'DELETE', `/v1/batches/${second.id}`);
  expect(await rows()).toEqual([]);
  const third = await run(lines, { on: own });
  expect(third.counts).toMatchObject({ cache: 0 });
  await own.db.run(sql`update results set expires_at = now() where line = 1`);
  expect([await expireResults(own.db), await rows()]).toEqual([1, [{ line: 2, id: third.id }]]);
});

test('an answer whose bytes are gone is made anew', async () => {
  const lines = [ask('a', 'lost'), ask('b', 'kept elsewhere'), ask('c', 'lost')];
  const first = await run(lines.slice(0, 1));
  const segment = await sluice.db.one<{ storage_key: string }>(sql`
    select storage_key from segments s join batches b on b.no = s.batch_no where b.id = ${first.id}`);
  await sluice.storage.delete(segment.storage_key);
  const second = await run(lines);
  expect(second.counts).toEqual({ batch: 1, cache: 0, semantic: 0 });
});

test('a continuation may be answered by what others were told since', async () => {
  const client = sluice.clientFor('ann');
  const asked = ask('a', 'later', { sluice_echo: { fail_times: 5 } });
  const { id } = await createBatch(client, [asked], { dedup: 'exact' });
  expect(await untilEnded(client, id)).toMatchObject({ request_counts: { failed: 1 } });
  const again = await call(client, 'POST', `/v1/batches/${id}/retry`, {});
  const ended = await untilEnded(client, String(again.body['id']));
  expect(ended).toMatchObject({ dedup: 'exact', request_counts: { failed: 1 }, dedup_counts: { cache: 0 } });
});

test('a batch that wants similar requests is refused where nothing can find them', async () => {
  const client = sluice.clientFor('ann');
  const file = await upload(client, [ask('a', 'x')]);
  const body = { input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '1h', dedup: 'semantic' };
  for (const path of ['/v1/batches', '/v1/batches?dry_run=true']) {
    const reply = await call(client, 'POST', path, body);
    expect(reply.status).toBe(400);
    expect(reply.body['error']).toMatchObject({ param: 'dedup', message: expect.stringContaining('dedup.semantic_model') as unknown });
  }
});

test('similar requests share an answer where their batch asks for it, and say how similar they are', async () => {
  await using own = await start({ semanticModel: 'echo', semanticThreshold: 0.95 });
  const first = await run([ask('a', 'What is water?'), ask('b', 'Something else altogether')], { on: own, dedup: 'semantic' });
  expect(first.counts).toEqual({ batch: 0, cache: 0, semantic: 0 });
  // echo's vectors are alike only for the same words: the words are the same here, what else is asked is not sent twice.
  const near = [ask('x', 'What is water?', { messages: [{ content: 'What is water?', role: 'user' }] }), ask('y', 'What is fire?')];
  expect((await run(near, { on: own })).counts).toEqual({ batch: 0, cache: 0, semantic: 0 });
  const other = [
    ask('p', 'What is water?', { messages: [{ name: 'ann', role: 'user', content: 'What is water?' }] }),
    ask('q', 'What is earth?'),
  ];
  const second = await run(other, { on: own, dedup: 'semantic' });
  expect(second.counts).toEqual({ batch: 0, cache: 0, semantic: 1 });
  expect(second.requests.map(({ dedup }) => dedup)).toEqual([
    { kind: 'semantic', original: first.requests[0]!['id'], similarity: 1 },
    null,
  ]);
  // Another parameter is another question, however similar the words.
  const longer = [ask('r', 'What is water?', { max_tokens: 9 })];
  expect((await run(longer, { on: own, dedup: 'semantic' })).counts).toEqual({ batch: 0, cache: 0, semantic: 0 });
});
