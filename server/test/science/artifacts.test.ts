import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sweepSegments } from '../../src/batches/garbage.ts';
import { sql } from '../../src/db/sql.ts';
import { dropOldJobs, sweepJobObjects } from '../../src/jobs/sweep.ts';
import type { ModelSpec } from '../../src/models/models.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { call, createBatch, linesIn, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

const scratch = await mkdtemp(join(tmpdir(), 'sluice-artifacts-'));
afterAll(() => rm(scratch, { recursive: true, force: true }));

/**
 * Leaves a table and a page, says something, and ends as the request asks. `wait`: not before a file of that name is
 * there, so that a test decides when.
 */
const program = join(scratch, 'tool.mjs');
await writeFile(
  program,
  `#!${process.execPath}
import { existsSync, watch, writeFileSync } from 'node:fs';
import { readFileSync } from 'node:fs';
const { text, exit, wait, begun } = JSON.parse(readFileSync('inputs.json', 'utf8'));
console.log('working on ' + text);
if (begun) writeFileSync(begun, '');
if (wait) await new Promise((resolve) => { const look = () => existsSync(wait) && resolve(); const w = setInterval(look, 20); void w; look(); });
writeFileSync('table.csv', 'text\\n' + text + '\\n');
writeFileSync('page.html', '<script>alert(1)</script>');
process.stdout.write('done\\n');
process.exit(exit ?? 0);
`,
);
await chmod(program, 0o755);

const tool: ModelSpec = {
  name: 'lab/tool',
  version: '1.0.0',
  executor: 'command',
  options: {
    program,
    files: [{ path: 'inputs.json', json: '/inputs' }],
    outputs: [
      { pattern: 'table.csv', required: true },
      { pattern: '*.html', type: 'text/html' },
    ],
    max_concurrency: 2,
  },
};

interface File {
  name: string;
  content_type: string;
  bytes: number;
  sha256: string;
  attempt: number;
  url: string;
}

const line = (id: string, inputs: object) => ({
  custom_id: id,
  method: 'POST',
  url: '/v1/predict',
  body: { model: 'lab/tool', inputs },
});

let sluice: Sluice;
beforeAll(async () => {
  sluice = await startSluice({
    models: [tool, { ...tool, name: 'lab/same', options: { ...tool.options, deterministic: true } }],
    // No heartbeat: it would tell a worker of a lease that is gone, and end its program, before that has written anything.
    timing: { leaseSeconds: 600, heartbeatSeconds: 600 },
    retry: { maxAttempts: 2 },
    keys: [
      { key: 'test-key', tenant: 'default', user: 'admin', role: 'admin' },
      { key: 'other-key', tenant: 'other', user: 'eve', role: 'admin' },
    ],
  });
});
afterAll(() => sluice[Symbol.asyncDispose]());

const filesOf = async (path: string): Promise<File[]> => (await call(sluice.client, 'GET', path)).body['data'] as File[];
const get = (path: string, headers: Record<string, string> = {}, key = 'test-key') =>
  fetch(sluice.url + path, { headers: { authorization: `Bearer ${key}`, ...headers } });
const keysUnder = async (prefix: string): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of sluice.storage.list(prefix)) keys.push(key);
  return keys;
};
/** The storage, all of it written a day ago. */
const aged = (storage: Storage): Storage => ({
  ...storage,
  delete: (key) => storage.delete(key),
  async *list(prefix) {
    for await (const each of storage.list(prefix)) yield { ...each, modified: new Date(Date.now() - 86_400_000) };
  },
});

describe('files of a batch', () => {
  test('what a request leaves is kept, sent in ranges as what is safe, and seen by its tenant only', async () => {
    const created = await createBatch(sluice.client, [line('a', { text: 'first' }), line('b', { text: 'bad', exit: 3 })], {
      endpoint: '/v1/predict',
    });
    const batch = await untilEnded(sluice.client, created.id);
    expect(batch.request_counts).toMatchObject({ completed: 1, failed: 1 });
    const base = `/v1/batches/${batch.id}/requests/1/artifacts`;
    const files = await filesOf(base);
    expect(files.map(({ name, content_type, bytes, attempt }) => [name, content_type, bytes, attempt])).toEqual(
      [
        ['logs.txt', 'text/plain; charset=utf-8', 22],
        ['page.html', 'text/html', 25],
        ['table.csv', 'text/csv; charset=utf-8', 11],
      ].map((each) => [...each, 1]),
    );
    const [answer] = await linesIn(sluice.client, batch.output_file_id);
    const { artifacts } = (answer!['response'] as { body: { artifacts: object[] } }).body;
    expect(artifacts).toHaveLength(3);
    expect(JSON.stringify(artifacts)).not.toContain('default/');

    const table = await get(`${base}/table.csv`);
    expect(await table.text()).toBe('text\nfirst\n');
    expect(Object.fromEntries(table.headers)).toMatchObject({
      'content-type': 'text/csv; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'content-disposition': 'attachment; filename="table.csv"',
      etag: `"${files[2]!.sha256}"`,
    });
    const part = await get(`${base}/table.csv`, { range: 'bytes=5-9' });
    expect([part.status, await part.text(), part.headers.get('content-range')]).toEqual([206, 'first', 'bytes 5-9/11']);
    expect((await get(`${base}/table.csv`, { 'if-none-match': `"${files[2]!.sha256}"` })).status).toBe(304);
    expect((await get(`${base}/table.csv`, { range: 'bytes=90-' })).status).toBe(416);
    const page = await get(`${base}/page.html`);
    expect(page.headers.get('content-type')).toBe('application/octet-stream');
    expect(page.headers.get('content-security-policy')).toContain('sandbox');

    // Of the one that failed: what it said.
    expect((await filesOf(`/v1/batches/${batch.id}/requests/2/artifacts`)).map(({ name }) => name)).toEqual(['logs.txt']);
    expect(await (await get(`/v1/batches/${batch.id}/requests/2/artifacts/logs.txt`)).text()).toContain('working on bad');

    for (const path of [base, `${base}/table.csv`, `/v1/batches/${batch.id}/artifacts`]) {
      expect((await get(path, {}, 'other-key')).status).toBe(404);
      expect((await fetch(sluice.url + path)).status).toBe(401);
    }
    for (const path of [`${base}/none.csv`, `${base}/..%2f..%2fx`, `/v1/batches/${batch.id}/requests/3/artifacts`])
      expect((await get(path)).status).toBe(404);

    const folder = `default/batches/${batch.id}/`;
    expect(await keysUnder(folder)).toHaveLength(4);
    expect((await call(sluice.client, 'DELETE', `/v1/batches/${batch.id}`)).status).toBe(200);
    expect(await keysUnder(folder)).toEqual([]);
    expect((await get(`${base}/table.csv`)).status).toBe(404);
  });

  test('attempts keep their logs apart; those of the newest are shown', async () => {
    const created = await createBatch(sluice.client, [line('a', { text: 'again', exit: 75 })], { endpoint: '/v1/predict' });
    await untilEnded(sluice.client, created.id);
    const base = `/v1/batches/${created.id}/requests/1/artifacts`;
    expect((await filesOf(base)).map(({ name, attempt }) => [name, attempt])).toEqual([['logs.txt', 2]]);
    expect((await filesOf(`${base}?attempt=1`)).map(({ attempt }) => attempt)).toEqual([1]);
  });

  test('a worker that lost its lease leaves nothing that is seen, and what it wrote is swept', async () => {
    const [begun, wait] = [join(scratch, 'begun'), join(scratch, 'go')];
    const created = await createBatch(sluice.client, [line('a', { text: 'slow', begun, wait })], { endpoint: '/v1/predict' });
    const { existsSync } = await import('node:fs');
    await expect.poll(() => existsSync(begun), { timeout: 20_000 }).toBe(true);
    const { no } = await sluice.db.one<{ no: number }>(sql`select no from batches where id = ${created.id}`);
    // As if it had hung for longer than its lease, while the program goes on.
    const fenced = new Promise<void>((resolve) => sluice.workers[0]!.once('fenced', () => resolve()));
    await sluice.db.run(sql`
      update chunks set state = 'queued', token = null, worker_id = null, leased_until = null where batch_no = ${no} and state = 'leased'`);
    await writeFile(wait, '');
    await fenced;
    const batch = await untilEnded(sluice.client, created.id);
    expect(batch.request_counts).toMatchObject({ completed: 1 });
    const rows = await sluice.db.many<{ storage_key: string }>(sql`select storage_key from artifacts where batch_no = ${no}`);
    expect(new Set(rows.map(({ storage_key }) => storage_key.split('/').at(-2)))).toHaveProperty('size', 1);
    await sluice.db.run(sql`update batches set completed_at = now() - interval '3 hours' where no = ${no}`);
    await sweepSegments(sluice.db, aged(sluice.storage));
    expect((await keysUnder(`default/batches/${created.id}/`)).toSorted()).toEqual(rows.map(({ storage_key }) => storage_key).toSorted());
    expect(await (await get(`/v1/batches/${created.id}/requests/1/artifacts/table.csv`)).text()).toBe('text\nslow\n');
  });
});

describe('files of a job', () => {
  const submit = async (inputs: object): Promise<string> => {
    const { body } = await call(sluice.client, 'POST', '/v1/jobs', { model: 'lab/tool', inputs }, { prefer: 'wait=30' });
    return body['id'] as string;
  };

  test('are kept, sent, and removed with it', async () => {
    const id = await submit({ text: 'job' });
    const base = `/v1/jobs/${id}/artifacts`;
    expect((await filesOf(base)).map(({ name }) => name)).toEqual(['logs.txt', 'page.html', 'table.csv']);
    expect(await (await get(`${base}/table.csv`)).text()).toBe('text\njob\n');
    expect((await get(`${base}/table.csv`, {}, 'other-key')).status).toBe(404);
    await sluice.storage.put(`default/jobs/${id}/999-1/table.csv`, [Buffer.from('of a dead worker')]);
    expect(await sweepJobObjects(sluice.db, aged(sluice.storage), new Date(Date.now() - 1_000))).toBe(1);
    expect(await keysUnder(`default/jobs/${id}/`)).toHaveLength(3);
    expect((await call(sluice.client, 'DELETE', `/v1/jobs/${id}`)).status).toBe(200);
    expect(await keysUnder(`default/jobs/${id}/`)).toEqual([]);
  });

  test('go with its retention; one that failed has its log', async () => {
    const id = await submit({ text: 'bad', exit: 3 });
    expect((await filesOf(`/v1/jobs/${id}/artifacts`)).map(({ name }) => name)).toEqual(['logs.txt']);
    await sluice.db.run(sql`update jobs set ended_at = now() - interval '9 days' where id = ${id}`);
    await dropOldJobs(sluice.db, sluice.storage, 0);
    expect(await keysUnder(`default/jobs/${id}/`)).toEqual([]);
  });
});

describe('requests that are the same', () => {
  const shared = (text: string, ids: string[]) =>
    ids.map((id) => ({ ...line(id, { text }), body: { model: 'lab/same', inputs: { text } } }));
  const ran = async (batch: string, count: number): Promise<string[]> =>
    Promise.all(
      Array.from({ length: count }, async (_, i) => (await get(`/v1/batches/${batch}/requests/${i + 1}/artifacts/table.csv`)).text()),
    );

  test('share their files with their answer, in a batch and across batches, and keep them when the first is deleted', async () => {
    const first = await untilEnded(
      sluice.client,
      (await createBatch(sluice.client, shared('one', ['a', 'b']), { endpoint: '/v1/predict', dedup: 'exact' })).id,
    );
    expect(first['dedup_counts']).toEqual({ batch: 1, cache: 0, semantic: 0 });
    expect(await ran(first.id, 2)).toEqual(Array(2).fill('text\none\n'));
    const second = await untilEnded(
      sluice.client,
      (await createBatch(sluice.client, shared('one', ['c']), { endpoint: '/v1/predict', dedup: 'exact' })).id,
    );
    expect(second['dedup_counts']).toEqual({ batch: 0, cache: 1, semantic: 0 });
    await call(sluice.client, 'DELETE', `/v1/batches/${first.id}`);
    expect(await ran(second.id, 1)).toEqual(['text\none\n']);
  });
});
