import type { Batch, BatchFailures, BatchPreview, Explanation } from '@sluice/contract';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type OpenAI from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseCsv } from '../../../examples/make-batches.ts';
import type { ModelSpec } from '../../src/models/models.ts';
import { call, createBatch, linesIn, untilEnded, upload } from '../support/requests.ts';
import { untilEvent, untilSettled } from '../support/follow.ts';
import { startSluice, testTiming, type Sluice } from '../support/sluice.ts';
import { sql } from '../../src/db/sql.ts';
import { Listener } from '../../src/db/listen.ts';
import { silent } from '../../src/lib/log.ts';
import { localPool } from '../../src/policy/pools.ts';
import { Worker } from '../../src/workers/worker.ts';

const at = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

const onnx = (name: string, file: string, output: string): ModelSpec => ({
  name,
  version: '1.0.0',
  executor: 'onnx',
  options: { path: at(`examples/models/${file}.onnx`), preprocess: 'smiles-morgan2048-desc16', outputs: [output], processes: 1 },
});
const echo = (name: string, version = '1.0.0'): ModelSpec => ({ name, version, executor: 'echo', options: {} });

type Expected = { id: string; smiles: string; predicted: number };

/** id, SMILES and prediction of the test molecules, computed by the library the models were trained with. */
const expected = (file: string): Expected[] => {
  const [head, ...rows] = parseCsv(readFileSync(at(`server/test/expected/${file}.csv`), 'utf8'));
  const column = (name: string) => head!.indexOf(name);
  return rows.map((row) => ({ id: row[column('id')]!, smiles: row[column('smiles')]!, predicted: Number(row[column('predicted')]) }));
};

const keys = [
  { key: 'ada', tenant: 'lab', user: 'ada' },
  { key: 'eve', tenant: 'other', user: 'eve' },
];

let sluice: Sluice;
/** Without workers: what was taken in stays where it is until somebody acts. */
let still: Sluice;
beforeAll(async () => {
  still = await startSluice({ models: [echo('a'), echo('b'), echo('b', '2.0.0')], keys, workers: 0, quotas: quotas() });
  sluice = await startSluice({
    models: [onnx('aqsol-logs', 'aqsol_logs', 'logS'), onnx('bbb-b3db', 'bbb_b3db', 'p_bbb'), echo('a'), echo('b'), echo('b', '2.0.0')],
    keys,
  });
});
afterAll(async () => {
  for (const worker of sluice.workers) worker.abort();
  await Promise.all([sluice, still].map((each) => each[Symbol.asyncDispose]()));
});

function quotas() {
  const none = { maxBatches: null, maxQueuedRequests: null, maxInFlight: null, maxQueuedBytes: null };
  return { tenant: { ...none, maxQueuedRequests: 1_000 } };
}

const predictLine = (id: string, inputs: object) => ({ custom_id: id, method: 'POST', url: '/v1/predict', body: { inputs } });
const several = (client: OpenAI, lines: object[], options: object) =>
  createBatch(client, lines as Record<string, unknown>[], { endpoint: '/v1/predict', ...options }) as unknown as Promise<Batch>;
const ended = async (client: OpenAI, id: string): Promise<Batch> => (await untilEnded(client, id)) as unknown as Batch;

interface Row {
  custom_id: string;
  response: {
    status_code: number;
    body: { object: string; models: Record<string, { response: { body: Predicted } | null; error: { code: string } | null }> };
  };
  error: { code: string; message: string } | null;
}
type Predicted = { model: string; version: string; outputs: Record<string, number> };
const rowsIn = async (client: OpenAI, id: string | null): Promise<Row[]> => (await linesIn(client, id)) as unknown as Row[];

test('two real models by one route: one row a molecule, a group a model, predictions as expected of each', async () => {
  const ada = sluice.clientFor('ada');
  await call(ada, 'PUT', '/v1/routes/admet', { models: ['bbb-b3db', { model: 'aqsol-logs', weight: 2 }] });
  const [logs, bbb] = [expected('aqsol_logs').slice(0, 120), expected('bbb_b3db').slice(0, 120)];
  const molecules = [...logs.map((row) => ({ ...row, id: `logs-${row.id}` })), ...bbb.map((row) => ({ ...row, id: `bbb-${row.id}` }))];
  const hostile = [predictLine('valence', { smiles: 'C(C)(C)(C)(C)C' }), predictLine('empty', { smiles: '' })];
  const lines = [...molecules.map(({ id, smiles }) => predictLine(id, { smiles })), ...hostile];
  const created = await several(ada, lines, { route: { target: 'admet', series: 'unheard-of' } });
  expect(created).toMatchObject({
    kind: 'parent',
    parent: null,
    children: [],
    model: null,
    route: { target: 'admet', series: 'unheard-of', matched: null },
  });
  const batch = await ended(ada, created.id);
  expect(batch).toMatchObject({
    status: 'completed',
    request_counts: { total: lines.length, completed: molecules.length, failed: 2, cancelled: 0, expired: 0 },
    models: ['aqsol-logs@1.0.0', 'bbb-b3db@1.0.0'],
    children: [
      {
        model: 'aqsol-logs@1.0.0',
        label: 'aqsol-logs',
        weight: 2,
        status: 'completed',
        request_counts: { completed: molecules.length, failed: 2 },
      },
      { model: 'bbb-b3db@1.0.0', label: 'bbb-b3db', weight: 1, status: 'completed' },
    ],
  });
  const rows = await rowsIn(ada, batch.output_file_id);
  expect(rows.map(({ custom_id }) => custom_id)).toEqual(molecules.map(({ id }) => id));
  const valueOf = ({ response }: Row, label: string, output: string) => response.body.models[label]!.response!.body.outputs[output]!;
  rows.forEach((row, i) => {
    expect(Object.keys(row.response.body.models)).toEqual(['aqsol-logs', 'bbb-b3db']);
    const { predicted } = molecules[i]!;
    const value = i < logs.length ? valueOf(row, 'aqsol-logs', 'logS') : valueOf(row, 'bbb-b3db', 'p_bbb');
    expect(Math.abs(value - predicted)).toBeLessThan(1e-4);
  });
  const errors = await rowsIn(ada, batch.error_file_id);
  expect(errors.map(({ custom_id, error }) => [custom_id, error!.code])).toEqual([
    ['valence', 'invalid_input'],
    ['empty', 'invalid_input'],
  ]);
  // The children were given the parent's input and index: it was read and checked once.
  const { data } = (await call(ada, 'GET', `/v1/batches/${batch.id}/children`)).body as unknown as { data: Batch[] };
  expect(data.map(({ id, parent, kind }) => [id, parent, kind])).toEqual(batch.children.map(({ id }) => [id, batch.id, 'batch']));
});

const get = async (client: OpenAI, id: string): Promise<Batch> => (await call(client, 'GET', `/v1/batches/${id}`)).body as unknown as Batch;
const post = async (
  client: OpenAI,
  path: string,
  body: unknown = {},
): Promise<Batch & { error?: { code: string; message: string; param: string } }> => (await call(client, 'POST', path, body)).body as never;
const lines = (count: number, inputs: (i: number) => object = (i) => ({ x: i })) =>
  Array.from({ length: count }, (_, i) => predictLine(`r${i + 1}`, inputs(i)));
const list = async (client: OpenAI, query = ''): Promise<Batch[]> =>
  ((await call(client, 'GET', `/v1/batches${query}`)).body as unknown as { data: Batch[] }).data;

test('a line that fails in one model keeps what the others answered; one model is retried, or all that failed', async () => {
  const ada = sluice.clientFor('ada');
  const wrong = { smiles: 'C(C)(C)(C)(C)C' };
  const batch = await ended(
    ada,
    (
      await several(ada, [predictLine('one', { smiles: 'CCO' }), predictLine('two', wrong), predictLine('three', { smiles: 'CCN' })], {
        models: ['aqsol-logs', 'a'],
      })
    ).id,
  );
  expect(batch).toMatchObject({ status: 'completed', request_counts: { total: 3, completed: 2, failed: 1 } });
  const [row] = await rowsIn(ada, batch.error_file_id);
  expect(row).toMatchObject({
    custom_id: 'two',
    error: { code: 'invalid_input', message: expect.stringMatching(/^aqsol-logs: /) },
    response: {
      status_code: 207,
      body: { models: { 'aqsol-logs': { response: null, error: { code: 'invalid_input' } }, a: { error: null } } },
    },
  });
  expect(row!.response.body.models['a']!.response!.body).toMatchObject({ model: 'a' });
  // The same by its requests: the line as a whole, and each model's own.
  const requests = (await call(ada, 'GET', `/v1/batches/${batch.id}/requests?state=failed`)).body as unknown as {
    data: { id: string; line: number; error: object }[];
  };
  expect(requests.data).toMatchObject([{ line: 2, custom_id: 'two', state: 'failed', model: null }]);
  const details = (await call(ada, 'GET', `/v1/requests/${requests.data[0]!.id}`)).body;
  expect(details['output']).toEqual(row);
  expect(details['input']).toMatchObject({ custom_id: 'two', body: { inputs: wrong } });
  const all = (await call(ada, 'GET', `/v1/batches/${batch.id}/requests`)).body as unknown as { data: { state: string }[] };
  expect(all.data.map(({ state }) => state)).toEqual(['completed', 'failed', 'completed']);

  // Of the whole: the line that failed, by the model in which it did.
  const again = await ended(ada, (await post(ada, `/v1/batches/${batch.id}/retry`)).id);
  expect(again).toMatchObject({
    kind: 'parent',
    continues: batch.id,
    request_counts: { total: 1, failed: 1 },
    children: [{ model: 'aqsol-logs@1.0.0' }],
  });
  expect((await get(ada, batch.id)).continued_by).toEqual([again.id]);
  const first = await get(ada, batch.children[0]!.id);
  expect(first.continued_by).toEqual([again.children[0]!.id]);
  // Of one model: an ordinary continuation of its batch.
  const alone = await ended(ada, (await post(ada, `/v1/batches/${first.id}/retry`)).id);
  expect(alone).toMatchObject({
    kind: 'batch',
    parent: null,
    continues: first.id,
    models: ['aqsol-logs@1.0.0'],
    request_counts: { total: 1 },
  });
  expect((await post(ada, `/v1/batches/${batch.children[1]!.id}/retry`)).error!.code).toBe('conflict');
  // One line of the whole.
  const line = await ended(ada, (await post(ada, `/v1/requests/${requests.data[0]!.id}/retry`)).id);
  expect(line).toMatchObject({ kind: 'parent', lane: 'interactive', continues: batch.id, request_counts: { total: 1 } });
});

test('why it failed is told of the whole: causes of all its models, summed, and in which of its batches', async () => {
  const ada = sluice.clientFor('ada');
  const odd = lines(6, (i) => (i % 2 === 0 ? { smiles: 'C(C)(C)(C)(C)C' } : { smiles: '' }));
  const { id } = await several(ada, [...odd, predictLine('good', { smiles: 'CCO' })], { models: ['aqsol-logs', 'bbb-b3db', 'a'] });
  const batch = await ended(ada, id);
  const of = async (which: string) => (await call(ada, 'GET', `/v1/batches/${which}/failures`)).body as unknown as BatchFailures;
  const [whole, logs, bbb, echoes] = [await of(id), ...(await Promise.all(batch.children.map((child) => of(child.id))))] as [
    BatchFailures,
    BatchFailures,
    BatchFailures,
    BatchFailures,
  ];
  expect([whole.failed, logs.failed, bbb.failed, echoes.failed]).toEqual([12, 6, 6, 0]);
  for (const { code, cause, count, batches, models, example } of whole.data) {
    const parts = [logs, bbb].map(({ data }) => data.find((each) => each.code === code && each.cause === cause)?.count ?? 0);
    expect(parts.reduce((a, b) => a + b)).toBe(count);
    expect(batches.reduce((sum, each) => sum + each.count, 0)).toBe(count);
    expect(models.length).toBe(batches.length);
    // The example is a request of the batch that had most of it.
    const { body } = await call(ada, 'GET', `/v1/requests/${example.id}`);
    expect(body).toMatchObject({ batch_id: batches[0]!.id, line: example.line, state: 'failed' });
  }
  const [first] = whole.data;
  expect(first!.batches.map((each) => each.id).sort()).toEqual([batch.children[0]!.id, batch.children[1]!.id].sort());
  expect(first!.models).toEqual(['aqsol-logs@1.0.0', 'bbb-b3db@1.0.0']);
  expect(logs.data[0]!.batches).toEqual([{ id: batch.children[0]!.id, count: logs.data[0]!.count }]);
});

test('two versions of one model have groups of their own; a clone runs the same ones, or others', async () => {
  const ada = sluice.clientFor('ada');
  const batch = await ended(ada, (await several(ada, lines(5), { models: ['b', 'b@1.0.0'], max_concurrent: 3 })).id);
  expect(batch.children.map(({ model, label }) => [model, label])).toEqual([
    ['b@2.0.0', 'b@2.0.0'],
    ['b@1.0.0', 'b@1.0.0'],
  ]);
  const [row] = await rowsIn(ada, batch.output_file_id);
  expect(Object.keys(row!.response.body.models)).toEqual(['b@2.0.0', 'b@1.0.0']);
  const children = await list(ada, `?parent=${batch.id}`);
  expect(children.map(({ max_concurrent }) => max_concurrent)).toEqual([1, 2]);
  expect(await ended(ada, (await post(ada, `/v1/batches/${batch.id}/clone`)).id)).toMatchObject({
    kind: 'parent',
    models: ['b@1.0.0', 'b@2.0.0'],
  });
  expect(await ended(ada, (await post(ada, `/v1/batches/${batch.id}/clone`, { model: 'a' })).id)).toMatchObject({
    kind: 'batch',
    model: 'a',
    children: [],
    request_counts: { completed: 5 },
  });
  const repeat = async () =>
    (
      await call(
        ada,
        'POST',
        '/v1/batches',
        { input_file_id: batch.input_file_id, endpoint: '/v1/predict', completion_window: '1h', models: ['a', 'b'] },
        { 'idempotency-key': 'one' },
      )
    ).body['id'];
  expect(await repeat()).toBe(await repeat());
});

test('what cannot be run by several models is said at once, or with the line', async () => {
  const ada = still.clientFor('ada');
  const refused = async (body: object) =>
    (await post(ada, '/v1/batches', { input_file_id: 'file-none', endpoint: '/v1/predict', completion_window: '1h', ...body })).error!;
  expect(await refused({ models: ['a', 'nobody'] })).toMatchObject({ code: 'model_not_found', param: 'models[1]' });
  expect(await refused({ models: ['b', 'b@2.0.0'] })).toMatchObject({ code: 'invalid_value', param: 'models[1]' });
  expect(await refused({ models: [] })).toMatchObject({ param: 'models' });
  expect(await refused({ models: ['a'], model: 'b' })).toMatchObject({ code: 'invalid_value', param: 'models' });
  expect(await refused({ models: ['a', 'b'], max_concurrent: 1 })).toMatchObject({ code: 'invalid_value', param: 'max_concurrent' });
  expect(await refused({ route: { target: 'nothing' } })).toMatchObject({ code: 'route_not_found', param: 'route' });
  const now = Math.floor(Date.now() / 1_000);
  for (const [valid_from, valid_until, words] of [
    [now + 3_600, null, 'the first holds from'],
    [null, now - 3_600, 'do not hold any more'],
  ] as const) {
    await call(ada, 'PUT', '/v1/routes/dated', { models: [{ model: 'a', valid_from, valid_until }] });
    expect(await refused({ route: { target: 'dated' } })).toMatchObject({ code: 'route_empty', message: expect.stringContaining(words) });
  }
  await call(ada, 'PUT', '/v1/routes/dated', {
    models: [
      { model: 'a', valid_until: now - 1 },
      { model: 'b', valid_from: now - 1, weight: 3 },
    ],
  });
  const one = await several(ada, lines(2), { route: { target: 'dated' } });
  expect(one).toMatchObject({ kind: 'batch', route: { target: 'dated', series: null } });
  await untilEvent(ada, one.id, 'batch.in_progress');
  expect(await get(ada, one.id)).toMatchObject({ model: 'b', models: ['b@2.0.0'] });

  const named = [predictLine('fine', {}), { ...predictLine('names', {}), body: { model: 'a', inputs: {} } }];
  const failed = await ended(ada, (await several(ada, named, { models: ['a', 'b'] })).id);
  expect(failed).toMatchObject({ status: 'failed', children: [], errors: { data: [{ line: 2, param: 'body.model' }] } });
  // A quota counts what every model is to do.
  const many = await ended(ada, (await several(ada, lines(600), { models: ['a', 'b'] })).id);
  expect(many).toMatchObject({
    status: 'failed',
    errors: { data: [{ code: 'quota_exceeded', message: expect.stringContaining('1200 more') }] },
  });
});

test('lists show the parent, and its batches when asked; another tenant sees neither', async () => {
  const [ada, eve] = [still.clientFor('ada'), still.clientFor('eve')];
  const { id } = await several(ada, lines(3), { models: ['a', 'b'] });
  await untilEvent(ada, id, 'batch.in_progress');
  const parent = await get(ada, id);
  expect((await list(ada)).map((batch) => batch.id)).toContain(id);
  expect((await list(ada)).filter((batch) => batch.parent !== null)).toEqual([]);
  const children = await list(ada, `?parent=${id}`);
  expect(children.map((batch) => batch.id).sort()).toEqual(parent.children.map((child) => child.id).sort());
  const [child] = parent.children;
  for (const [method, path, body] of [
    ['GET', `/v1/batches?parent=${id}`],
    ['GET', `/v1/batches/${id}/children`],
    ['GET', `/v1/batches/${child!.id}`],
    ['POST', `/v1/batches/${child!.id}/cancel`, {}],
    ['POST', `/v1/batches/${id}/retry`, {}],
    ['DELETE', `/v1/batches/${id}`],
  ] as const)
    expect((await call(eve, method, path, body)).status).toBe(404);
  // One batch, as quotas count.
  const usage = (await call(ada, 'GET', '/v1/usage')).body as unknown as { tenant: { batches: { used: number } } };
  expect(usage.tenant.batches.used).toBe((await list(ada, '?limit=100')).filter(({ status }) => status === 'in_progress').length);
  await post(ada, `/v1/batches/${id}/cancel`);
  expect(await ended(ada, id)).toMatchObject({ status: 'cancelled', request_counts: { total: 3, cancelled: 3 } });
  for (const each of parent.children)
    expect(await get(ada, each.id)).toMatchObject({ status: 'cancelled', request_counts: { cancelled: 3 } });
  expect(await linesIn(ada, (await get(ada, id)).error_file_id)).toHaveLength(3);
});

test('a change of the parent comes to its batches; a deadline is the parent’s alone', async () => {
  const ada = still.clientFor('ada');
  const { id } = await several(ada, lines(3), { models: ['a', 'b'], priority: 2 });
  await untilEvent(ada, id, 'batch.in_progress');
  const { children } = await get(ada, id);
  const patch = (which: string, body: object) => call(ada, 'PATCH', `/v1/batches/${which}`, body);
  expect((await patch(children[0]!.id, { completion_window: '7d' })).status).toBe(409);
  expect((await patch(children[0]!.id, { name: 'mine', priority: 4 })).status).toBe(200);
  const changed = (await patch(id, { completion_window: '7d', priority: 9 })).body as unknown as Batch;
  for (const child of children)
    expect(await get(ada, child.id)).toMatchObject({ completion_window: '7d', priority: 9, expires_at: changed.expires_at });
  expect(
    await still.db.many(
      sql`select distinct c.priority from chunks c join batches b on b.no = c.batch_no join batches p on p.no = b.parent_no where p.id = ${id}`,
    ),
  ).toEqual([{ priority: 9 }]);
  expect((await call(ada, 'DELETE', `/v1/batches/${children[0]!.id}`)).status).toBe(409);
  // Late, with nothing done: each batch has expired, and so has the whole.
  await patch(id, { deadline: Math.floor(Date.now() / 1_000) + 1 });
  const expired = await ended(ada, id);
  expect(expired).toMatchObject({ status: 'expired', request_counts: { total: 3, expired: 3 } });
  expect((await rowsIn(ada, expired.error_file_id)).map(({ error }) => error!.code)).toEqual(Array(3).fill('batch_expired'));
  const files = await still.db.many<{ key: string }>(
    sql`select f.storage_key as key from files f join batches b on f.id = b.error_file_id where b.id = any(${[id, ...children.map((child) => child.id)]})`,
  );
  expect(files).toHaveLength(3);
  expect((await call(ada, 'DELETE', `/v1/batches/${children[0]!.id}`)).status).toBe(409);
  expect((await call(ada, 'DELETE', `/v1/batches/${id}`)).status).toBe(200);
  for (const each of [id, ...children.map((child) => child.id)]) expect((await call(ada, 'GET', `/v1/batches/${each}`)).status).toBe(404);
  const left: string[] = [];
  for await (const { key } of still.storage.list('lab/'))
    if ([id, ...children.map((child) => child.id)].some((each) => key.includes(each))) left.push(key);
  expect(left).toEqual([]);
});

test('one model is cancelled alone: the parent goes on, and completes with what the others did', async () => {
  const ada = still.clientFor('ada');
  const { id } = await several(ada, lines(4), { models: ['a', 'b'] });
  await untilEvent(ada, id, 'batch.in_progress');
  const [a, b] = (await get(ada, id)).children;
  const told = async () => (await call(ada, 'GET', `/v1/batches/${id}/explain`)).body as unknown as Explanation;
  expect((await told()).reasons.map(({ code, text }) => [code, text.split(' ')[0]])).toEqual([
    ['children', 'It'],
    ['child', a!.id],
    ['no_worker', `${a!.id}:`],
    ['child', b!.id],
    ['no_worker', `${b!.id}:`],
    ['deadline', 'Its'],
  ]);
  await post(ada, `/v1/batches/${b!.id}/cancel`);
  await ended(ada, b!.id);
  expect(await told()).toMatchObject({
    status: 'in_progress',
    stalled: true,
    summary: 'It runs by 2 models: 0 of 4 rows settled in every model.',
    reasons: [
      { code: 'children', text: 'It waits for 1 of its 2 batches.' },
      { code: 'child', text: `${a!.id} (a@1.0.0) is in_progress: 0 of 4 requests settled, 0 running, 4 queued, 0 waiting for a retry.` },
      { code: 'no_worker' },
      { code: 'deadline' },
    ],
    next: [
      'Start a worker that runs a@1.0.0.',
      expect.stringContaining('merged'),
      expect.stringContaining(`sluice batch explain ${a!.id}`),
    ],
  });
  expect(await get(ada, id)).toMatchObject({ status: 'in_progress', request_counts: { total: 4, completed: 0, cancelled: 0 } });
  await using listener = new Listener(still.db.url, ['chunks', 'control']);
  await listener.start();
  const worker = { pool: 'dedicated', chunks: 4, modelMemory: 2 ** 30, noticeSeconds: 5, noticeFile: null, once: false };
  await using one = new Worker({
    ...still,
    config: { timing: testTiming, retry: { maxAttempts: 4, baseMs: 1, capMs: 20 }, worker, pools: [localPool] },
    log: silent,
    listener,
  });
  await one.start();
  const batch = await ended(ada, id);
  expect(batch).toMatchObject({
    status: 'completed',
    output_file_id: null,
    request_counts: { total: 4, completed: 0, cancelled: 4 },
    children: [
      { id: a!.id, status: 'completed' },
      { id: b!.id, status: 'cancelled' },
    ],
  });
  const rows = await rowsIn(ada, batch.error_file_id);
  expect(rows.map(({ error }) => error!.code)).toEqual(Array(4).fill('batch_cancelled'));
  for (const { response } of rows) expect(response.body.models['a']!.response!.body).toMatchObject({ model: 'a' });
  // What was cancelled is run again where that is asked for.
  expect((await post(ada, `/v1/batches/${id}/retry`)).error!.code).toBe('conflict');
  const again = await ended(ada, (await post(ada, `/v1/batches/${id}/retry`, { states: ['cancelled'] })).id);
  expect(again).toMatchObject({ status: 'completed', request_counts: { total: 4, completed: 4 }, children: [{ model: 'b@2.0.0' }] });
});

test('what every model has answered can be read while the rest runs; both cancelled is the whole cancelled', async () => {
  const ada = sluice.clientFor('ada');
  const held = lines(4).map((line, i) => ({
    ...line,
    body: { ...line.body, ...(i === 1 && { sluice_echo: { delay_ms: 600_000 } }), ...(i === 2 && { sluice_echo: { status: 400 } }) },
  }));
  const { id } = await several(ada, held, { models: ['a', 'b'] });
  await untilSettled(ada, id, 3);
  const running = await get(ada, id);
  expect(running).toMatchObject({ status: 'in_progress', request_counts: { total: 4, completed: 2, failed: 1 } });
  expect(running.children.map(({ request_counts }) => request_counts.completed)).toEqual([2, 2]);
  const output = await fetch(`${sluice.url}/v1/batches/${id}/output`, { headers: { authorization: 'Bearer ada' } });
  expect(output.headers.get('x-sluice-incomplete')).toBe('true');
  const text = await output.text();
  expect(
    text
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as Row).custom_id),
  ).toEqual(['r1', 'r4']);
  const states = (await call(ada, 'GET', `/v1/batches/${id}/requests`)).body as unknown as { data: { state: string }[] };
  expect(states.data.map(({ state }) => state)).toEqual(['completed', 'running', 'failed', 'completed']);
  for (const child of running.children) await post(ada, `/v1/batches/${child.id}/cancel`, { mode: 'abort' });
  const batch = await ended(ada, id);
  expect(batch).toMatchObject({ status: 'cancelled', request_counts: { total: 4, completed: 2, failed: 1, cancelled: 1 } });
  expect((await rowsIn(ada, batch.error_file_id)).map(({ custom_id }) => custom_id)).toEqual(['r2', 'r3']);
  const analytics = (await call(ada, 'GET', '/v1/analytics')).body as unknown as {
    batches: { total: number };
    models: { model: string; requests: number }[];
  };
  expect(analytics.batches.total).toBe((await list(ada, '?limit=100')).length);
});

test('a table by a route: each row once, those with a problem in their place, carried columns where the parent has them', async () => {
  const ada = sluice.clientFor('ada');
  await call(ada, 'PUT', '/v1/routes/both', { models: ['aqsol-logs', 'bbb-b3db'] });
  const molecules = expected('aqsol_logs').slice(0, 6);
  const rows = [
    ...molecules.map(({ id, smiles }) => ({ compound: id, SMILES: smiles, note: `of ${id}` })),
    { compound: 'bad', SMILES: 'C(C)(C)(C)(C)C', note: 'five bonds' },
    { compound: 'again', SMILES: molecules[0]!.smiles, note: 'twice' },
  ];
  const body = { rows, route: { target: 'both' }, columns: { smiles: 'SMILES', id: 'compound' }, completion_window: '1h' };
  const preview = (await call(ada, 'POST', '/v1/batches/preview', body)).body as unknown as BatchPreview;
  const created = await post(ada, '/v1/batches', body);
  const batch = await ended(ada, created.id);
  expect(batch).toMatchObject({ kind: 'parent', status: 'completed', request_counts: { total: 8, completed: 7, failed: 1 } });
  expect(preview).toMatchObject({
    valid: true,
    kind: 'parent',
    lines: batch.request_counts.total,
    models: batch.children.map(({ model, label, weight }) => ({ model, label, weight, requests: 7 })),
    requests: 14,
    table: { rows: 8, refused: 1, duplicates: 1 },
  });
  const done = await rowsIn(ada, batch.output_file_id);
  expect(done.map(({ custom_id }) => custom_id)).toEqual([...molecules.map(({ id }) => id), 'again']);
  const logS = done.map(({ response }) => response.body.models['aqsol-logs']!.response!.body.outputs['logS']!);
  molecules.forEach(({ predicted }, i) => expect(Math.abs(logS[i]! - predicted)).toBeLessThan(1e-4));
  expect(logS[6]).toBe(logS[0]);
  const [bad] = await rowsIn(ada, batch.error_file_id);
  expect(bad).toMatchObject({ custom_id: 'bad', error: { code: 'invalid_input' } });
  for (const child of await list(ada, `?parent=${batch.id}`)) {
    expect(child).toMatchObject({ source: batch.source, request_counts: { total: 8, completed: 7, failed: 1 } });
    expect((await linesIn(ada, child.output_file_id)).map((line) => line['custom_id'])).toEqual(done.map(({ custom_id }) => custom_id));
  }
  // All rows refused: every model has nothing to do, and says so.
  const none = await ended(ada, (await post(ada, '/v1/batches', { ...body, rows: rows.slice(6, 7) })).id);
  expect(none).toMatchObject({ status: 'completed', request_counts: { total: 1, failed: 1 }, output_file_id: null });
  expect(none.children.map(({ request_counts }) => request_counts.failed)).toEqual([1, 1]);
});

test('a preview says what a create would come to, and keeps nothing', async () => {
  const ada = still.clientFor('ada');
  const file = await upload(ada, lines(30));
  const body = { input_file_id: file.id, endpoint: '/v1/predict', completion_window: '1h', models: ['a', 'b'] };
  const kept = () =>
    still.db.one(
      sql`select (select count(*) from batches) as batches, (select count(*) from files) as files, (select count(*) from events) as events`,
    );
  const before = await kept();
  const ask = async (changes: object): Promise<BatchPreview & { error?: { code: string } }> =>
    (await call(ada, 'POST', '/v1/batches/preview', { ...body, ...changes })).body as never;
  const preview = await ask({});
  expect(preview).toMatchObject({
    object: 'batch.preview',
    valid: true,
    errors: null,
    kind: 'parent',
    lines: 30,
    requests: 60,
    route: null,
  });
  expect(preview.models.map(({ model, requests }) => [model, requests])).toEqual([
    ['a@1.0.0', 30],
    ['b@2.0.0', 30],
  ]);
  expect(preview.pools).toMatchObject([{ pool: 'dedicated', kind: 'dedicated', workers: 0, seconds: null, takes: true }]);
  const [pool] = preview.pools;
  expect(pool!.worker_seconds).toBeCloseTo(preview.models.reduce((sum, { requests, rate }) => sum + requests / rate, 0));
  expect(pool!.cost).toBeCloseTo((pool!.worker_seconds / 3_600) * pool!.price);
  const queued = preview.quotas.find(({ what }) => what === 'queued_requests')!;
  expect(queued).toMatchObject({ scope: 'tenant', limit: 1_000, needed: 60, left: 1_000 - queued.used - 60 });
  // What a create would refuse, at once or later, and with which words.
  for (const changes of [{ models: ['a', 'nobody'] }, { models: undefined, route: { target: 'nothing' } }, { max_concurrent: 1 }])
    expect((await ask(changes)).error).toEqual((await post(ada, '/v1/batches', { ...body, ...changes })).error);
  const many = await upload(ada, lines(600));
  const over = await ask({ input_file_id: many.id });
  expect(over).toMatchObject({ valid: false, requests: 1_200, errors: { data: [{ code: 'quota_exceeded' }] } });
  expect(await kept()).toEqual({ ...(before as object), files: (before as { files: number }).files + 1 });
  const refused = await ended(ada, (await post(ada, '/v1/batches', { ...body, input_file_id: many.id })).id);
  expect(refused.errors!.data).toEqual(over.errors!.data);
});
