import type { KeyList, PortalSearch, View } from '@sluice/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call, chatLine, createBatch, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

let sluice: Sluice;
let batch: { id: string; input_file_id: string };
beforeAll(async () => {
  sluice = await startSluice({
    keys: [
      { key: 'sk-ada-0123456789', tenant: 'lab', user: 'ada', role: 'admin' },
      { key: 'bob', tenant: 'lab', user: 'bob' },
      { key: 'eve', tenant: 'other', user: 'eve' },
    ],
    models: [{ name: 'boltz-2', version: '2.0.0', executor: 'echo', options: {} }],
    retry: { maxAttempts: 1 },
  });
  const lines = [chatLine('mol-41'), chatLine('mol-42'), chatLine('mol-43', { echo: { status: 418 } })];
  batch = await createBatch(sluice.clientFor('sk-ada-0123456789'), lines, {
    name: 'Kinase panel',
    metadata: { project: 'lead op' },
  });
  await untilEnded(sluice.clientFor('sk-ada-0123456789'), batch.id);
});
afterAll(() => sluice[Symbol.asyncDispose]());

const ada = 'sk-ada-0123456789';
const ask = (method: string, path: string, body?: unknown, key = ada) => call(sluice.clientFor(key), method, path, body);
const search = async (q: string, key = ada): Promise<PortalSearch['data']> => {
  const { status, body } = await ask('GET', `/v1/portal/search?q=${encodeURIComponent(q)}`, undefined, key);
  expect(status).toBe(200);
  return (body as unknown as PortalSearch).data;
};
const kinds = (found: PortalSearch['data']): string[] => found.map(({ kind, id }) => `${kind} ${id}`);

describe('⌘K', () => {
  test('finds by id, by its beginning, and in an address', async () => {
    expect(await search(batch.id)).toEqual([
      expect.objectContaining({ kind: 'batch', id: batch.id, title: 'Kinase panel', status: 'completed', exact: true }),
    ]);
    expect(kinds(await search(batch.id.slice(0, 20)))).toEqual([`batch ${batch.id}`]);
    expect(kinds(await search(`http://x/batches/${batch.id}?tab=requests`))).toEqual([`batch ${batch.id}`]);
    expect(kinds(await search(batch.input_file_id))).toEqual([`file ${batch.input_file_id}`]);
    const request = `batch_req_${batch.id.slice(6, 30)}00000002`;
    expect(await search(request)).toEqual([expect.objectContaining({ kind: 'request', id: request, line: 2, batch_id: batch.id })]);
    const job = (
      await ask('POST', '/v1/jobs', {
        model: 'echo',
        messages: [{ role: 'user', content: 'x' }],
      })
    ).body;
    expect(kinds(await search(String(job['id'])))).toEqual([`job ${String(job['id'])}`]);
    expect(await search('batch_00')).toEqual([]);
  });

  test('finds names, metadata, errors, custom_ids, files and models', async () => {
    for (const q of ['kin', 'panel kinase', 'lead', 'PROJECT']) expect(kinds(await search(q))).toContain(`batch ${batch.id}`);
    expect(kinds(await search('418'))).toContain(`batch ${batch.id}`);
    expect(await search('mol-42')).toEqual([
      expect.objectContaining({ kind: 'request', title: 'mol-42', line: 2, batch_id: batch.id, detail: 'Line 2 of Kinase panel' }),
    ]);
    expect(kinds(await search('bolt'))).toEqual(['model boltz-2']);
    expect(kinds(await search('requests'))).toContain(`file ${batch.input_file_id}`);
    expect(await search('nothing of the kind')).toEqual([]);
    for (const q of ["'", '%', '&|!()', '\\', '"', '<->', ':*']) await search(q);
  });

  test('finds nothing of another tenant’s', async () => {
    for (const q of [batch.id, batch.input_file_id, 'kinase', 'mol-42', '418', 'requests', `batch_req_${batch.id.slice(6, 30)}00000002`])
      expect([q, await search(q, 'eve')]).toEqual([q, []]);
    expect(kinds(await search('bolt', 'eve'))).toEqual(['model boltz-2']);
  });
});

describe('views', () => {
  const create = async (body: object, key = ada): Promise<View> =>
    (await ask('POST', '/v1/portal/views', body, key)).body as unknown as View;
  const list = async (key = ada): Promise<View[]> =>
    (await ask('GET', '/v1/portal/views?screen=batches', undefined, key)).body['data'] as View[];

  test('are one’s own, or shared with the tenant; their slugs stay', async () => {
    const mine = await create({ screen: 'batches', name: 'Failed: last week', query: { status: 'failed', from: '7d' } });
    expect(mine).toMatchObject({ slug: 'failed-last-week', mine: true, shared: false, owner: 'ada' });
    expect((await create({ screen: 'batches', name: 'failed last week!', query: {} })).slug).toBe('failed-last-week-2');
    expect((await create({ screen: 'jobs', name: 'failed last week', query: {} })).slug).toBe('failed-last-week');
    expect((await create({ screen: 'batches', name: '…', query: {} })).slug).toBe('view');
    expect(await list('bob')).toEqual([]);
    const shared = (await ask('PATCH', `/v1/portal/views/${mine.id}`, { shared: true, name: 'Broken' })).body;
    expect(shared).toMatchObject({ slug: 'failed-last-week', name: 'Broken', query: { status: 'failed', from: '7d' } });
    expect(await list('bob')).toEqual([expect.objectContaining({ id: mine.id, mine: false })]);
    expect(await list('eve')).toEqual([]);
    for (const [key, status] of [
      ['bob', 403],
      ['eve', 404],
    ] as const) {
      expect((await ask('PATCH', `/v1/portal/views/${mine.id}`, { name: 'x' }, key)).status).toBe(status);
      expect((await ask('DELETE', `/v1/portal/views/${mine.id}`, undefined, key)).status).toBe(status);
    }
    expect((await ask('DELETE', `/v1/portal/views/${mine.id}`)).status).toBe(200);
    expect((await ask('DELETE', `/v1/portal/views/${mine.id}`)).status).toBe(404);
    expect(await list('bob')).toEqual([]);
  });

  test('made side by side they get slugs of their own', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => create({ screen: 'batches', name: 'same', query: {} }, 'bob')));
    expect(new Set(made.map(({ slug }) => slug)).size).toBe(8);
  });
});

test('settings are a user’s own', async () => {
  expect((await ask('GET', '/v1/portal/settings')).body).toMatchObject({ settings: {}, updated_at: null });
  const settings = { tiles: ['running', 'failed'], nested: { density: 'comfortable' } };
  expect((await ask('PUT', '/v1/portal/settings', { settings })).body).toMatchObject({ settings });
  expect((await ask('GET', '/v1/portal/settings')).body).toMatchObject({ settings });
  for (const key of ['bob', 'eve']) expect((await ask('GET', '/v1/portal/settings', undefined, key)).body).toMatchObject({ settings: {} });
  expect((await ask('PUT', '/v1/portal/settings', { settings: { long: 'x'.repeat(40_000) } })).status).toBe(413);
});

test('keys: an admin sees the tenant’s, others their own, and nobody a key', async () => {
  const keys = async (key: string): Promise<KeyList['data']> =>
    (await ask('GET', '/v1/portal/keys', undefined, key)).body['data'] as KeyList['data'];
  const all = await keys(ada);
  expect(all.map(({ user, role, prefix, current }) => [user, role, prefix, current])).toEqual([
    ['ada', 'admin', 'sk-a', true],
    ['bob', 'user', '', false],
  ]);
  expect(Date.now() / 1_000 - all[0]!.last_used_at!).toBeLessThan(120);
  expect((await keys('bob')).map(({ user }) => user)).toEqual(['bob']);
  expect((await keys('eve')).map(({ user }) => user)).toEqual(['eve']);
  expect(JSON.stringify(all)).not.toContain('0123456789');
});

test('a bulk operation means what the list shows', async () => {
  const preview = async (filter: object) => (await ask('POST', '/v1/bulk/preview', { on: 'batches', action: 'retry', filter })).body;
  expect(
    await preview({
      q: 'kin pan',
      model: ['echo', 'other'],
      user: ['ada'],
      sla: ['met'],
      priority: [1],
      pool: ['dedicated'],
      error: '418',
    }),
  ).toMatchObject({ matched: 1 });
  for (const other of [
    { q: 'panels' },
    { model: ['other'] },
    { user: ['bob'] },
    { sla: ['breached'] },
    { priority: [10] },
    { pool: ['gpu'] },
    { error: '500' },
  ])
    expect([other, (await preview(other))['matched']]).toEqual([other, 0]);
  expect((await ask('POST', '/v1/bulk/preview', { on: 'requests', action: 'retry', filter: { model: ['a', 'b'] } })).status).toBe(400);
});
