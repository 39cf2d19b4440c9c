import { hash } from 'node:crypto';
import { connect } from 'node:net';
import { once } from 'node:events';
import type { Batch, DeletedModel, ModelAlias, ModelAliasMove, ModelList, WorkersHealth } from '@sluice/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { Models } from '../../src/models/models.ts';
import { holdVersions } from '../../src/registry/hold.ts';
import { registrySource } from '../../src/registry/snapshot.ts';
import { rescueVettings, takeForVetting, finishVetting } from '../../src/registry/vetting.ts';
import { identity } from '../support/onnx-models.ts';
import { callsOf, formOf, vet } from '../support/registry.ts';
import { createBatch, linesIn, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

let sluice: Sluice;
let lab: ReturnType<typeof callsOf>;
let plant: ReturnType<typeof callsOf>;
let root: ReturnType<typeof callsOf>;

beforeAll(async () => {
  sluice = await startSluice({
    models: [
      { name: 'shared', version: '1.0.0', executor: 'echo', options: {} },
      { name: 'shared', version: '1.10.0', executor: 'onnx', options: { path: '/secret/place.onnx' } },
      { name: 'described', version: '2.0.0', executor: 'echo', options: {}, schema: { title: 'A number', required: ['x'] } },
    ],
    keys: [
      { key: 'lab', tenant: 'lab', user: 'ada' },
      { key: 'plant', tenant: 'plant', user: 'bob' },
      { key: 'root', tenant: 'lab', user: 'ann', role: 'admin' },
    ],
    upstreams: '127.0.0.0/8, localhost',
    maxModelBytes: 200_000,
  });
  [lab, plant, root] = [callsOf(sluice.url, 'lab'), callsOf(sluice.url, 'plant'), callsOf(sluice.url, 'root')];
});
afterAll(() => sluice[Symbol.asyncDispose]());

/** A model as a file; `seed` makes its bytes others. */
const onnx = (seed = 0): Uint8Array => identity('float32', ['N', 2], { metadata: { seed: String(seed) } });

const objects = async (): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of sluice.storage.list('models/')) keys.push(key);
  return keys;
};

const register = async (call: typeof lab, name: string, version: string, { seed = 0, ready = true } = {}): Promise<void> => {
  expect(await call('POST', '/v1/models', { name, version })).toMatchObject({ status: 200 });
  expect(await call('POST', `/v1/models/${name}/versions/${version}/upload`, formOf(onnx(seed)))).toMatchObject({ status: 200 });
  if (ready) expect(await vet(sluice.db)).toBe(`${name}@${version}`);
};

test('the life of a version: registered, uploaded, vetted, served, archived, restored, deleted', async () => {
  const made = await lab('POST', '/v1/models', { name: 'team/iris', version: '1.0.0', tags: ['flowers'], card: '# Iris' });
  expect(made).toMatchObject({
    status: 200,
    body: {
      id: 'team/iris@1.0.0',
      object: 'model',
      status: 'pending',
      reason: null,
      owned_by: 'ada',
      executor: 'onnx',
      latest: null,
      file: null,
      card: '# Iris',
    },
  });
  expect(await lab('POST', '/v1/models', { name: 'team/iris', version: '1.0.0' })).toMatchObject({
    status: 409,
    body: { error: { code: 'conflict' } },
  });

  const bytes = onnx(1);
  const sha256 = hash('sha256', bytes, 'hex');
  const uploaded = await lab('POST', '/v1/models/team/iris/upload', formOf(bytes, '../../iris.onnx'));
  expect(uploaded).toMatchObject({
    status: 200,
    body: { status: 'uploaded', file: { filename: 'iris.onnx', bytes: bytes.length, sha256 } },
  });
  // Nothing is served that was not vetted.
  expect(await lab('GET', '/v1/models/by-name/team/iris/latest?ready_only=true')).toMatchObject({ status: 404 });
  expect(await lab('GET', '/v1/models/by-name/team/iris/latest')).toMatchObject({ body: { status: 'uploaded' } });

  const lease = await takeForVetting(sluice.db, 'w1', 30);
  expect(lease).toMatchObject({
    tenant: 'lab',
    name: 'team/iris',
    version: '1.0.0',
    executor: 'onnx',
    file: { bytes: bytes.length, sha256 },
  });
  expect(Buffer.from(await sluice.storage.read(lease!.file.key))).toEqual(Buffer.from(bytes));
  expect(await lab('GET', '/v1/models/team/iris')).toMatchObject({ body: { id: 'team/iris', status: 'validating' } });
  expect(await lab('POST', '/v1/models/team/iris/upload', formOf(onnx(2)))).toMatchObject({ status: 409 });
  expect(await lab('DELETE', '/v1/models/team/iris')).toMatchObject({ status: 409 });
  const report = { steps: [{ name: 'walk', status: 'failed' as const, ms: 1, message: 'no' }] };
  const refused = { status: 'failed' as const, reason: 'walk: no', report, inputs: null, outputs: null, metadata: null };
  expect(await finishVetting(sluice.db, { no: lease!.no, token: lease!.token - 1 }, refused)).toBe('lost');
  expect(await finishVetting(sluice.db, lease!, refused)).toBe('done');
  expect(await lab('GET', '/v1/models/team/iris/versions/1.0.0')).toMatchObject({ body: { status: 'failed', reason: 'walk: no', report } });

  // Another file may come for what was refused; the first has gone with it.
  await lab('POST', '/v1/models/team/iris/versions/1.0.0/upload', formOf(onnx(3)));
  expect(await sluice.storage.size(lease!.file.key)).toBeNull();
  await vet(sluice.db);
  expect(await lab('GET', '/v1/models/team/iris')).toMatchObject({
    body: { status: 'ready', reason: null, latest: '1.0.0', inputs: [{ name: 'x' }], ready_at: expect.any(Number) },
  });
  expect(await lab('GET', '/v1/models/team/iris/schema')).toMatchObject({
    body: { type: 'object', required: ['x'], properties: { x: { type: 'array', items: { type: 'number' }, minItems: 2, maxItems: 2 } } },
  });

  // Ready is for ever: words may change, what answers may not.
  expect(await lab('POST', '/v1/models/team/iris/upload', formOf(onnx(4)))).toMatchObject({ status: 409 });
  expect(await lab('PATCH', '/v1/models/team/iris', { options: { timeout_ms: 500 } })).toMatchObject({ status: 409 });
  expect(await lab('PATCH', '/v1/models/team/iris', { tags: ['b'], card: null })).toMatchObject({
    status: 200,
    body: { tags: ['b'], card: null },
  });

  expect(await lab('POST', '/v1/models/team/iris/versions/1.0.0/archive')).toMatchObject({
    status: 200,
    body: { status: 'archived', latest: null },
  });
  expect(await lab('POST', '/v1/models/team/iris/versions/1.0.0/archive')).toMatchObject({ status: 200 });
  expect(await lab('POST', '/v1/models/team/iris/versions/1.0.0/restore')).toMatchObject({ body: { status: 'ready' } });
  expect(await lab<DeletedModel>('DELETE', '/v1/models/team/iris/versions/1.0.0')).toMatchObject({
    body: { id: 'team/iris@1.0.0', object: 'model', deleted: true },
  });
  expect(await lab('GET', '/v1/models/team/iris')).toMatchObject({ status: 404, body: { error: { code: 'model_not_found' } } });
  expect(await objects()).toEqual([]);
});

test('versions are in semantic order, and a model shows its newest', async () => {
  await register(lab, 'order', '1.9.0', { seed: 1 });
  await register(lab, 'order', '1.10.0', { seed: 1 });
  await register(lab, 'order', '2.0.0-rc.1', { seed: 2, ready: false });
  const { body } = await lab<ModelList>('GET', '/v1/models/by-name/order/versions');
  expect(body.data.map(({ id, status }) => [id, status])).toEqual([
    ['order@2.0.0-rc.1', 'uploaded'],
    ['order@1.10.0', 'ready'],
    ['order@1.9.0', 'ready'],
  ]);
  expect(await lab('GET', '/v1/models/order')).toMatchObject({
    body: { id: 'order', version: '2.0.0-rc.1', status: 'uploaded', latest: '1.10.0', versions: 3 },
  });
  expect(await lab('GET', '/v1/models/by-name/order/latest?ready_only=true')).toMatchObject({ body: { id: 'order@1.10.0' } });
  const listed = (await lab<ModelList>('GET', '/v1/models?q=order')).body.data.map(({ id }) => id);
  expect(listed).toEqual(['order', 'order@1.10.0', 'order@1.9.0']);
  const first = await lab<ModelList>('GET', '/v1/models?limit=2');
  const second = await lab<ModelList>('GET', `/v1/models?limit=1000&after=${first.body.last_id}`);
  expect([...first.body.data, ...second.body.data].map(({ id }) => id)).toEqual(
    (await lab<ModelList>('GET', '/v1/models')).body.data.map(({ id }) => id),
  );
  await vet(sluice.db);
  // Two versions of the same bytes share a file, which goes with the last of them.
  const before = (await objects()).length;
  await lab('DELETE', '/v1/models/order/versions/1.9.0');
  expect((await objects()).length).toBe(before);
  await lab('DELETE', '/v1/models/order');
  expect((await objects()).length).toBe(before - 2);
});

test('declared models are seen by everybody, and changed by nobody', async () => {
  for (const call of [lab, plant]) {
    const { body } = await call('GET', '/v1/models/shared');
    expect(body).toMatchObject({ id: 'shared', version: '1.10.0', status: 'ready', declared: true, owned_by: 'sluice', versions: 2 });
    expect(JSON.stringify(body)).not.toContain('/secret');
  }
  expect(await lab('GET', '/v1/models/shared@1.0.0')).toMatchObject({ body: { id: 'shared@1.0.0', executor: 'echo' } });
  expect(await root('POST', '/v1/models', { name: 'shared', version: '3.0.0' })).toMatchObject({ status: 409 });
  for (const [method, path, body] of [
    ['PATCH', '/v1/models/shared', { tags: [] }],
    ['DELETE', '/v1/models/shared', undefined],
    ['POST', '/v1/models/shared/archive', undefined],
    ['PUT', '/v1/models/shared/aliases/champion', { version: '1.0.0' }],
  ] as const)
    expect(await root(method, path, body), path).toMatchObject({
      status: 409,
      body: { error: { message: expect.stringContaining('configuration') } },
    });
});

test('tenants are apart: the same name is two models, and nobody sees the other', async () => {
  await register(lab, 'apart', '1.0.0', { seed: 5 });
  await register(plant, 'apart', '3.0.0', { seed: 6 });
  expect(await lab('GET', '/v1/models/apart')).toMatchObject({ body: { version: '1.0.0' } });
  expect(await plant('GET', '/v1/models/apart')).toMatchObject({ body: { version: '3.0.0' } });
  await register(lab, 'mine', '1.0.0', { seed: 7 });
  for (const [method, path, body] of [
    ['GET', '/v1/models/mine', undefined],
    ['GET', '/v1/models/mine/versions/1.0.0', undefined],
    ['GET', '/v1/models/mine/schema', undefined],
    ['GET', '/v1/models/by-name/mine/versions', undefined],
    ['GET', '/v1/models/mine/aliases', undefined],
    ['PATCH', '/v1/models/mine', { tags: [] }],
    ['POST', '/v1/models/mine/upload', { file_id: 'file-x' }],
    ['PUT', '/v1/models/mine/aliases/champion', { version: '1.0.0' }],
    ['POST', '/v1/models/mine/aliases/champion/rollback', undefined],
    ['POST', '/v1/models/mine/archive', undefined],
    ['DELETE', '/v1/models/mine', undefined],
  ] as const)
    expect(await plant(method, path, body), path).toMatchObject({ status: 404 });
  const seen = (await plant<ModelList>('GET', '/v1/models')).body.data.map(({ id }) => id);
  expect(seen).toContain('apart');
  expect(seen).not.toContain('mine');
  // Nor in a batch.
  const client = sluice.clientFor('plant');
  const batch = await createBatch(client, Buffer.from(line('mine')), { endpoint: '/v1/predict' });
  expect(await untilEnded(client, batch.id)).toMatchObject({ status: 'failed', errors: { data: [{ code: 'model_not_found' }] } });
});

const line = (model: string, id = 'a'): string =>
  `${JSON.stringify({ custom_id: id, method: 'POST', url: '/v1/predict', body: { model, inputs: { x: [1, 2] } } })}\n`;

test('columns of outputs are declared with a version, and changed when it is ready', async () => {
  const first = { y: { title: 'Twice', unit: 'm' } };
  expect(await lab('POST', '/v1/models', { name: 'team/columns', output_columns: { y: { unit: 3 } } })).toMatchObject({ status: 400 });
  expect(await lab('POST', '/v1/models', { name: 'team/columns', output_columns: first })).toMatchObject({
    status: 200,
    body: { output_columns: first },
  });
  const llama = { name: 'team/llama', executor: 'openai', options: { base_url: 'http://127.0.0.1:9/v1' }, output_columns: first };
  expect(await root('POST', '/v1/models', llama)).toMatchObject({ status: 200, body: { status: 'ready' } });
  const changed = { y: { unit: 'km' } };
  expect(await root('PATCH', '/v1/models/team/llama', { output_columns: changed })).toMatchObject({ body: { output_columns: changed } });
  await expect.poll(() => sluice.models.find('team/llama', 'lab')?.outputColumns).toEqual(changed);
  expect(await lab('GET', '/v1/models/team/llama/schema')).toMatchObject({
    body: { $defs: { outputs: { properties: { y: { 'x-unit': 'km' } } } } },
  });
  expect(await root('PATCH', '/v1/models/team/llama', { output_columns: null })).toMatchObject({ body: { output_columns: null } });
});

test('a schema that the configuration has of a model is served; without one its executor knows', async () => {
  const draft = 'https://json-schema.org/draft/2020-12/schema';
  expect((await lab('GET', '/v1/models/described@2.0.0/schema')).body).toEqual({ $schema: draft, title: 'A number', required: ['x'] });
  expect(await lab('GET', '/v1/models/described')).toMatchObject({ body: { schema: { title: 'A number', required: ['x'] } } });
  expect(await lab('GET', '/v1/models/shared@1.0.0/schema')).toMatchObject({ body: { title: 'shared@1.0.0', type: 'object' } });
});

test('a batch keeps the version it resolved, and its keys stay inside', async () => {
  await register(lab, 'pinned', '1.0.0', { seed: 8 });
  await lab('PUT', '/v1/models/pinned/aliases/champion', { version: '1.0.0' });
  const client = sluice.clientFor('lab');
  const batch = await createBatch(client, Buffer.from(line('pinned@champion') + line('pinned', 'b')), { endpoint: '/v1/predict' });
  await register(lab, 'pinned', '2.0.0', { seed: 9 });
  await lab('PUT', '/v1/models/pinned/aliases/champion', { version: '2.0.0' });
  const ended = await untilEnded(client, batch.id);
  expect(ended).toMatchObject({ status: 'completed', model: 'pinned', models: ['pinned@1.0.0'], request_counts: { completed: 2 } });
  const lines = await linesIn(client, ended.output_file_id);
  expect(lines.map((each) => (each['response'] as { body: unknown }).body)).toEqual([
    expect.objectContaining({ model: 'pinned', version: '1.0.0' }),
    expect.objectContaining({ model: 'pinned', version: '1.0.0' }),
  ]);
  expect(JSON.stringify(await lab<Batch>('GET', `/v1/batches/${batch.id}`))).not.toContain('lab:');
  expect(JSON.stringify(await lab('GET', `/v1/batches/${batch.id}/requests`))).not.toContain('lab:');
  expect(JSON.stringify(await lab('GET', '/v1/analytics'))).not.toContain('lab:');
  // What a worker has loaded is told to whose it is; to others, that there is something.
  const loaded = async (call: typeof lab) => (await call<WorkersHealth>('GET', '/health/workers')).body.workers[0]!.loaded;
  await expect.poll(async () => (await loaded(lab)).map(({ model }) => model)).toContain('pinned@1.0.0');
  const { status, body } = await plant<WorkersHealth>('GET', '/health/workers');
  expect({ status, body }).toMatchObject({
    status: 200,
    body: { status: 'ok', ready: 1, workers: [{ held_bytes: expect.any(Number) }] },
  });
  expect(body.workers[0]!.loaded_others).toBeGreaterThan(0);
  expect(JSON.stringify(body)).not.toContain('pinned');
  expect((await loaded(lab)).find(({ model }) => model === 'pinned@1.0.0')!.held_bytes).toBeGreaterThan(1_000_000);
  expect((await lab<WorkersHealth>('GET', '/health/workers')).body.workers[0]!.models).toEqual(
    expect.arrayContaining(['shared@1.10.0', 'pinned@2.0.0']),
  );
  expect((await callsOf(sluice.url, 'nobody')('GET', '/health/workers')).status).toBe(401);
});

test('what is used is not deleted, and an archived version finishes what was accepted for it', async () => {
  await register(lab, 'busy', '1.0.0', { seed: 10 });
  const { no } = await sluice.db.one<{ no: number }>(sql`
    insert into batches (id, tenant_id, created_by, endpoint, input_file_id, completion_window, deadline, status, sealed, total)
    values ('batch_busy', 'lab', 'ada', '/v1/predict', 'file-none', '1h', now() + interval '1 hour', 'in_progress', true, 1) returning no`);
  await sluice.db.run(sql`insert into batch_models (batch_no, model, total) values (${no}, 'lab:busy@1.0.0', 1)`);
  for (const path of ['/v1/models/busy', '/v1/models/busy/versions/1.0.0'])
    expect(await lab('DELETE', path)).toMatchObject({ status: 409, body: { error: { message: expect.stringContaining('batch_busy') } } });
  expect(await lab('POST', '/v1/models/busy/archive')).toMatchObject({ body: { status: 'archived' } });
  await sluice.models.refresh();
  expect(sluice.models.find('busy', 'lab')).toBeNull();
  expect(sluice.models.all().some(({ name }) => name === 'busy')).toBe(true);
  const client = sluice.clientFor('lab');
  const batch = await createBatch(client, Buffer.from(line('busy')), { endpoint: '/v1/predict' });
  expect(await untilEnded(client, batch.id)).toMatchObject({ status: 'failed', errors: { data: [{ code: 'model_not_found' }] } });
  await sluice.db.run(sql`delete from batches where no = ${no}`);
  expect(await lab('DELETE', '/v1/models/busy')).toMatchObject({ status: 200 });
});

test('a delete waits for work that is being written down, and sees it', async () => {
  await register(lab, 'raced', '1.0.0', { seed: 50 });
  await sluice.models.refresh();
  const spec = sluice.models.get('raced', 'lab');
  const written = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  // As intake publishes a batch.
  const publishing = sluice.db.transaction(async (tx) => {
    expect(await holdVersions(tx, [spec])).toBeNull();
    held.resolve();
    await written.promise;
    const { no } = await tx.one<{ no: number }>(sql`
      insert into batches (id, tenant_id, created_by, endpoint, input_file_id, completion_window, deadline, status, sealed, total)
      values ('batch_raced', 'lab', 'ada', '/v1/predict', 'file-none', '1h', now() + interval '1 hour', 'in_progress', true, 1) returning no`);
    await tx.run(sql`insert into batch_models (batch_no, model, total) values (${no}, 'lab:raced@1.0.0', 1)`);
  });
  await held.promise;
  const deleting = lab('DELETE', '/v1/models/raced');
  const waits = sql`select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database() and query like '%model_versions%for update%'`;
  await expect.poll(async () => (await sluice.db.many(waits)).length).toBeGreaterThan(0);
  written.resolve();
  await publishing;
  expect(await deleting).toMatchObject({ status: 409, body: { error: { message: expect.stringContaining('batch_raced') } } });
  await sluice.db.run(sql`delete from batches where id = 'batch_raced'`);
  expect(await lab('DELETE', '/v1/models/raced')).toMatchObject({ status: 200 });
  // The other way round: what was resolved is gone, and whoever writes work down for it learns so.
  expect(await sluice.db.transaction((tx) => holdVersions(tx, [spec]))).toBe(spec);
});

test('uploads and deletes of the same bytes at once: every version keeps its file, and no other is kept', async () => {
  const names = ['storm/a', 'storm/b', 'storm/c'];
  const life = async (name: string, rounds: number): Promise<void> => {
    for (let round = 0; round < rounds; round++) {
      expect((await lab('POST', '/v1/models', { name })).status).toBe(200);
      expect((await lab('POST', `/v1/models/${name}/upload`, formOf(onnx(60 + (round % 2))))).status).toBe(200);
      const { body } = await lab('GET', `/v1/models/${name}`);
      const { storage_key } = await sluice.db.one<{ storage_key: string }>(
        sql`select storage_key from model_files where sha256 = ${body.file!.sha256}`,
      );
      expect(await sluice.storage.size(storage_key)).toBe(body.file!.bytes);
      if (round < rounds - 1) expect((await lab('DELETE', `/v1/models/${name}`)).status).toBe(200);
    }
  };
  await Promise.all(names.map((name, i) => life(name, 12 + i)));
  const rows = await sluice.db.many<{ storage_key: string; used: boolean }>(sql`
    select storage_key, exists (select from model_versions v where v.file_sha256 = f.sha256) as used from model_files f`);
  expect(rows.filter(({ used }) => !used)).toEqual([]);
  expect((await objects()).toSorted()).toEqual(rows.map((row) => row.storage_key).toSorted());
  for (const name of names) await lab('DELETE', `/v1/models/${name}`);
});

test('aliases move, remember who moved them, and go back one by one', async () => {
  for (const [version, seed] of [
    ['1.0.0', 11],
    ['1.1.0', 12],
    ['2.0.0', 13],
  ] as const)
    await register(lab, 'moving', version, { seed });
  const at = '/v1/models/moving/aliases/champion';
  expect(await lab<ModelAlias>('PUT', at, { version: '1.0.0' })).toMatchObject({
    status: 200,
    body: { alias: 'champion', model: 'moving', version: '1.0.0', moved_by: 'ada' },
  });
  await root<ModelAlias>('PUT', at, { version: '1.1.0' });
  // To where it is already is no move.
  await root<ModelAlias>('PUT', at, { version: '1.1.0' });
  await lab<ModelAlias>('PUT', at, { version: '2.0.0' });
  expect(await lab('GET', '/v1/models/moving@champion')).toMatchObject({ body: { id: 'moving@2.0.0', aliases: ['champion'] } });
  expect(await lab('POST', '/v1/models/moving/versions/2.0.0/archive')).toMatchObject({ status: 409 });
  expect(await lab('DELETE', '/v1/models/moving/versions/2.0.0')).toMatchObject({ status: 409 });
  expect(await lab<ModelAlias>('POST', `${at}/rollback`)).toMatchObject({ body: { version: '1.1.0' } });
  expect(await lab<ModelAlias>('POST', `${at}/rollback`)).toMatchObject({ body: { version: '1.0.0' } });
  expect(await lab('POST', `${at}/rollback`)).toMatchObject({ status: 409 });
  await lab('DELETE', '/v1/models/moving/versions/2.0.0');
  const { body } = await lab<{ data: ModelAliasMove[] }>('GET', `${at}/history`);
  expect(body.data.map(({ from, to, by, rollback, rolled_back }) => [from, to, by, rollback, rolled_back])).toEqual([
    ['1.1.0', '1.0.0', 'ada', true, false],
    ['2.0.0', '1.1.0', 'ada', true, false],
    ['1.1.0', '2.0.0', 'ada', false, true],
    ['1.0.0', '1.1.0', 'ann', false, true],
    [null, '1.0.0', 'ada', false, false],
  ]);
  expect(await lab('PUT', '/v1/models/moving/aliases/latest', { version: '1.0.0' })).toMatchObject({ status: 400 });
  expect(await lab('PUT', '/v1/models/moving/aliases/1.0.0', { version: '1.0.0' })).toMatchObject({ status: 400 });
  expect(await lab('PUT', at, { version: '9.9.9' })).toMatchObject({ status: 400 });
  expect(await lab('DELETE', at)).toMatchObject({ status: 200 });
  expect(await lab('GET', at)).toMatchObject({ status: 404 });
});

test('an upload that is cut off, too large, empty or of another field leaves nothing', async () => {
  const before = await objects();
  await lab('POST', '/v1/models', { name: 'cut', version: '1.0.0' });
  const stays = async () => {
    expect(await lab('GET', '/v1/models/cut')).toMatchObject({ body: { status: 'pending', file: null } });
    expect(await objects()).toEqual(before);
    expect(
      (
        await sluice.db.one<{ count: number }>(
          sql`select count(*)::int as count from model_files f where not exists (select from model_versions v where v.file_sha256 = f.sha256)`,
        )
      ).count,
    ).toBe(0);
  };
  const { hostname, port } = new URL(sluice.url);
  const socket = connect(Number(port), hostname);
  const head = '--b\r\ncontent-disposition: form-data; name="file"; filename="m.onnx"\r\n\r\n';
  const part = `${head}${'x'.repeat(50_000)}`;
  const request = 'host: x\r\nauthorization: Bearer lab\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: 100000';
  await new Promise((resolve) => socket.write(`POST /v1/models/cut/upload HTTP/1.1\r\n${request}\r\n\r\n${part}`, resolve));
  socket.destroy();
  await expect.poll(stays.bind(null)).toBeUndefined();
  expect(await lab('POST', '/v1/models/cut/upload', formOf(new Uint8Array(200_001)))).toMatchObject({
    status: 400,
    body: { error: { code: 'file_too_large' } },
  });
  expect(await lab('POST', '/v1/models/cut/upload', formOf(new Uint8Array(0)))).toMatchObject({ status: 400 });
  const other = new FormData();
  other.append('file', new Blob([new Uint8Array(onnx())]), 'm.onnx');
  other.append('path', '/etc/passwd');
  expect(await lab('POST', '/v1/models/cut/upload', other)).toMatchObject({ status: 400, body: { error: { param: 'path' } } });
  expect(await lab('POST', '/v1/models/cut/upload', { path: '/etc/passwd' })).toMatchObject({
    status: 400,
    body: { error: { param: 'path' } },
  });
  expect(await lab('POST', '/v1/models/cut/upload', { url: 'http://169.254.169.254/' })).toMatchObject({ status: 400 });
  expect(await lab('POST', '/v1/models/cut/upload', { file_id: 'file-none' })).toMatchObject({ status: 404 });
  await stays();
});

test('a completed upload in parts becomes the file of a version, and so does a file', async () => {
  const client = sluice.clientFor('lab');
  const bytes = Buffer.from(onnx(20));
  const upload = await client.uploads.create({
    filename: 'm.onnx',
    purpose: 'user_data',
    bytes: bytes.length,
    mime_type: 'application/octet-stream',
  });
  const parts = [];
  for (const piece of [bytes.subarray(0, 50), bytes.subarray(50)])
    parts.push(await client.uploads.parts.create(upload.id, { data: new File([new Uint8Array(piece)], 'p') }));
  await lab('POST', '/v1/models', { name: 'parted', version: '1.0.0' });
  expect(await lab('POST', '/v1/models/parted/upload', { upload_id: upload.id })).toMatchObject({ status: 409 });
  const done = await client.uploads.complete(upload.id, { part_ids: parts.map(({ id }) => id) });
  const sha256 = hash('sha256', bytes, 'hex');
  expect(await lab('POST', '/v1/models/parted/upload', { upload_id: upload.id })).toMatchObject({
    status: 200,
    body: { status: 'uploaded', file: { sha256 } },
  });
  expect(await plant('POST', '/v1/models', { name: 'parted', version: '1.0.0' })).toMatchObject({ status: 200 });
  expect(await plant('POST', '/v1/models/parted/upload', { file_id: done.file!.id })).toMatchObject({ status: 404 });
  await client.files.delete(done.file!.id);
  await vet(sluice.db);
  // The copy is the registry's own.
  const batch = await createBatch(client, Buffer.from(line('parted')), { endpoint: '/v1/predict' });
  expect(await untilEnded(client, batch.id)).toMatchObject({ status: 'completed', request_counts: { completed: 1 } });
  await plant('DELETE', '/v1/models/parted');
});

test('what may come through the API, and from whom', async () => {
  const wrong = async (call: typeof lab, body: object, expected: object) =>
    expect(await call('POST', '/v1/models', { name: 'wrong', version: '1.0.0', ...body }), JSON.stringify(body)).toMatchObject(expected);
  for (const name of ['', 'a/../b', '/a', 'a//b', 'by-name/x', 'a/versions', 'a b', 'a@b'])
    await wrong(root, { name }, { status: 400, body: { error: { param: 'name' } } });
  for (const version of ['1', '1.0', 'v1.0.0', '01.0.0', 'latest'])
    await wrong(root, { version }, { status: 400, body: { error: { param: 'version' } } });
  for (const executor of ['echo', 'command', 'nonsense'])
    await wrong(root, { executor }, { status: 400, body: { error: { param: 'executor' } } });
  await wrong(
    root,
    { options: { path: '/etc/passwd' } },
    { status: 400, body: { error: { param: 'options.path', message: expect.stringContaining('sluice.yaml') } } },
  );
  await wrong(root, { options: { nonsense: 1 } }, { status: 400 });
  await wrong(lab, { options: { timeout_ms: 3_600_000 } }, { status: 403 });
  await wrong(lab, { options: { processes: 200 } }, { status: 403, body: { error: { code: 'permission_denied' } } });
  const openai = (options: object) => ({ executor: 'openai', options });
  await wrong(lab, openai({ base_url: 'http://127.0.0.1:9/v1' }), { status: 403 });
  await wrong(root, openai({ base_url: 'http://127.0.0.1:9/v1', api_key_file: '/etc/passwd' }), {
    status: 400,
    body: { error: { param: 'options.api_key_file' } },
  });
  for (const base_url of [
    'http://169.254.169.254/latest',
    'http://10.0.0.1/v1',
    'http://example.com/v1',
    'http://[::1]/v1',
    'http://0xa000001/',
  ])
    await wrong(root, openai({ base_url }), {
      status: 400,
      body: { error: { param: 'options.base_url', message: expect.stringContaining('registry.upstreams') } },
    });
  const made = await root('POST', '/v1/models', {
    name: 'up',
    version: '1.0.0',
    ...openai({ base_url: 'http://0x7f000001:9/v1', api_key: 'hidden' }),
  });
  expect(made).toMatchObject({ status: 200, body: { status: 'ready', latest: '1.0.0' } });
  expect(JSON.stringify(made)).not.toContain('hidden');
  expect(await root('POST', '/v1/models/up/upload', formOf(onnx()))).toMatchObject({ status: 409 });
});

test('a version that is deleted while its file arrives leaves no bytes', async () => {
  const before = await objects();
  await lab('POST', '/v1/models', { name: 'vanishing', version: '1.0.0' });
  const { hostname, port } = new URL(sluice.url);
  const socket = connect(Number(port), hostname);
  const [head, tail] = ['--b\r\ncontent-disposition: form-data; name="file"; filename="m.onnx"\r\n\r\n', '\r\n--b--\r\n'];
  const content = 'x'.repeat(50_000);
  const request = `host: x\r\nauthorization: Bearer lab\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: ${head.length + content.length + tail.length}`;
  socket.write(`POST /v1/models/vanishing/upload HTTP/1.1\r\n${request}\r\n\r\n${head}${content}`);
  // Storage writes under another name first; the request is under way once the version has been looked up.
  await expect.poll(async () => (await lab('DELETE', '/v1/models/vanishing')).status).toBe(200);
  socket.write(tail);
  const [reply] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  expect(reply.toString()).toMatch(/^HTTP\/1\.1 404/);
  await expect.poll(objects).toEqual(before);
});

test('nothing a client sends is an error of the server', async () => {
  await lab('POST', '/v1/models', { name: 'fuzzed', version: '1.0.0' });
  let deep: unknown = {};
  for (let i = 0; i < 2_000; i++) deep = { a: deep };
  const bodies = [
    { name: 'fuzzed', version: '2.0.0', card: 'a\0b\ud800', tags: ['\0', '\udc00'] },
    { name: 'fuzzed', version: '3.0.0', options: { outputs: ['\0'] } },
    { name: 'fuzzed', version: '4.0.0', schema: { title: '\0' } },
    { name: 'fuzzed', version: '5.0.0', schema: { title: '\ud800' } },
    { name: 'fuzzed', version: '6.0.0', schema: deep },
    { name: 'fuzzed', version: '7.0.0', schema: { __proto__: null, constructor: 1 } },
    { name: 'fuzzed\0', version: '7.0.0' },
    { name: 'fuzzed', version: '9'.repeat(60) + '.0.0' },
    { name: 'fuzzed', version: null },
    { name: ['fuzzed'], executor: {} },
    [],
    null,
  ];
  for (const [i, body] of bodies.entries()) {
    expect((await lab('POST', '/v1/models', body)).status, `body ${i}`).toBeLessThan(500);
    expect((await lab('PATCH', '/v1/models/fuzzed', body)).status, `patch ${i}`).toBeLessThan(500);
  }
  for (const path of [
    '%00',
    'fuzzed/aliases/%00',
    'fuzzed/aliases/%00/history',
    'fuzzed/versions/%00',
    '%ff',
    'fuzzed/aliases/%ff',
    'a'.repeat(500),
    '..%2f..',
    'fuzzed@%00',
    'by-name/%00/latest',
  ])
    for (const method of ['GET', 'DELETE', 'PATCH', 'POST', 'PUT'] as const)
      expect(
        (await lab(method, `/v1/models/${path}`, method === 'PUT' ? { version: '\0' } : undefined)).status,
        `${method} ${path}`,
      ).toBeLessThan(500);
  for (const query of ['after=%00', 'q=%00', 'tag=%00', 'limit=-1', 'limit=x', 'status=gone', 'executor=%00'])
    expect((await lab('GET', `/v1/models?${query}`)).status, query).toBeLessThan(500);
  for (const body of [null, [], 'x', { upload_id: '\0' }, { file_id: '\0' }, { upload_id: 'a', file_id: 'b' }, {}])
    expect((await lab('POST', '/v1/models/fuzzed/upload', body)).status, JSON.stringify(body)).toBeLessThan(500);
  await lab('DELETE', '/v1/models/fuzzed');
});

test('a vetting whose worker is lost is taken up again, and after three of them the version is refused', async () => {
  await register(lab, 'deadly', '1.0.0', { seed: 30, ready: false });
  const lose = async () => {
    const lease = await takeForVetting(sluice.db, 'w', 0);
    expect(lease).toMatchObject({ name: 'deadly' });
    await expect
      .poll(async () => (await rescueVettings(sluice.db), (await lab('GET', '/v1/models/deadly')).body.status))
      .not.toBe('validating');
    expect(
      await finishVetting(sluice.db, lease!, {
        status: 'ready',
        reason: null,
        report: { steps: [] },
        inputs: null,
        outputs: null,
        metadata: null,
      }),
    ).toBe('lost');
  };
  await lose();
  expect(await lab('GET', '/v1/models/deadly')).toMatchObject({ body: { status: 'uploaded', reason: null } });
  await lose();
  await lose();
  expect(await lab('GET', '/v1/models/deadly')).toMatchObject({
    body: { status: 'failed', reason: expect.stringContaining('lost 3 times') },
  });
  expect(await takeForVetting(sluice.db, 'w', 30)).toBeNull();
});

test('every process knows of a version that is ready without being asked', async () => {
  const other = new Models([], registrySource(sluice.db));
  await other.refresh();
  let statements = 0;
  const { db } = sluice;
  const counted = new Models([], registrySource({ ...db, one: (s) => (statements++, db.one(s)), many: (s) => (statements++, db.many(s)) }));
  await counted.refresh();
  statements = 0;
  await counted.refresh();
  // Where nothing has changed it is one short statement.
  expect(statements).toBe(1);
  const told = once(sluice.models, 'changed');
  await register(lab, 'news', '1.0.0', { seed: 40 });
  await told;
  await expect.poll(() => sluice.models.find('news', 'lab')?.file?.sha256).toBe(hash('sha256', onnx(40), 'hex'));
  expect(other.find('news', 'lab')).toBeNull();
  expect((await other.resolve('news@1.0.0', 'lab')).tenant).toBe('lab');
  await expect(other.resolve('news', 'plant')).rejects.toMatchObject({ code: 'model_not_found' });
});
