import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Listener } from '../../src/db/listen.ts';
import { sql } from '../../src/db/sql.ts';
import { silent } from '../../src/lib/log.ts';
import { Vetter } from '../../src/vetting/vetter.ts';
import { endless, identity, secondAxis, smallMlp } from '../support/onnx-models.ts';
import { externalTensor, model, node, port } from '../support/onnx-writer.ts';
import { callsOf, formOf } from '../support/registry.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

let sluice: Sluice;
let call: ReturnType<typeof callsOf>;
// Never started: it is told of uploads by hand, where a test wants that.
const listener = new Listener('postgres://nobody@127.0.0.1:1/nothing', []);

beforeAll(async () => {
  sluice = await startSluice({ workers: 0 });
  call = callsOf(sluice.url, 'test-key');
});
afterAll(() => sluice[Symbol.asyncDispose]());

const vetterOf = (stepMs = 20_000, leaseSeconds = 30) =>
  new Vetter({ db: sluice.db, storage: sluice.storage, listener, log: silent, leaseSeconds, limits: { stepMs } });

const upload = async (name: string, file: Uint8Array, options: Record<string, unknown> = {}): Promise<void> => {
  expect(await call('POST', '/v1/models', { name, version: '1.0.0', options })).toMatchObject({ status: 200 });
  expect(await call('POST', `/v1/models/${name}/upload`, formOf(file))).toMatchObject({ status: 200, body: { status: 'uploaded' } });
};

const versionOf = async (name: string) => (await call('GET', `/v1/models/${name}/versions/1.0.0`)).body;

/** Has whatever waits vetted, until `name` is. */
const vetted = async (name: string): Promise<Awaited<ReturnType<typeof versionOf>>> => {
  await using vetter = vetterOf();
  const done = new Promise<void>((resolve) => {
    vetter.on('vetted', (vetting) => vetting.name === name && resolve());
  });
  vetter.start();
  await done;
  return await versionOf(name);
};

/** Processes that vet. */
const vetting = (): string[] =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /sluice-vetting-.*\/vet-/.test(readlinkSync(`/proc/${pid}/cwd`));
    } catch {
      return false;
    }
  });

test('a file that is uploaded is vetted, and served with what was found', async () => {
  await upload('mlp', smallMlp());
  const version = await vetted('mlp');
  expect(version).toMatchObject({
    status: 'ready',
    reason: null,
    inputs: [{ name: 'x', type: 'float32', shape: ['N', 64], batch_axis: 0 }],
    outputs: [{ name: 'y', type: 'float32', shape: ['N', 10], batch_axis: 0 }],
    metadata: {
      opsets: { 'ai.onnx': 13 },
      producer: 'sluice-test',
      metadata: { author: 'test' },
      deterministic: true,
      batching: { safe: true, inputs: { x: 0 }, outputs: { y: 0 } },
    },
  });
  expect(version.report!.steps.map(({ name }) => name)).toEqual([
    'size',
    'walk',
    'ports',
    'load',
    'trial',
    'outputs',
    'batch_axis',
    'batch_equivalence',
    'batching_gain',
    'time_and_memory',
  ]);
  await sluice.models.refresh();
  expect(sluice.models.find('mlp', 'default')).toMatchObject({ version: '1.0.0' });
});

test('axes other than the first, and inputs without rows, are written down', async () => {
  await upload('states', secondAxis());
  expect(await vetted('states')).toMatchObject({
    inputs: [{ batch_axis: 0 }, { batch_axis: 1 }, { name: 'sr', batch_axis: null }],
    outputs: [{ batch_axis: 0 }, { batch_axis: 1 }],
  });
});

test('a file that is refused says at which step, why, and what to do', async () => {
  const outside = model({
    nodes: [node('Add', ['x', 'w'], ['y'])],
    inputs: [port('x', 'float32', ['N'])],
    outputs: [port('y', 'float32', ['N'])],
    initializers: [externalTensor('w', '../../secret')],
  });
  await upload('thief', outside);
  const { status, reason, report, metadata } = await vetted('thief');
  expect({ status, reason, metadata }).toEqual({
    status: 'failed',
    reason: `walk: graph.initializer[0]: The tensor 'w' has its values in another file, "../../secret".`,
    metadata: null,
  });
  expect(report!.steps.at(-1)).toMatchObject({ name: 'walk', status: 'failed', hint: expect.stringContaining('in one file') });
});

test('options that do not fit the model are found out', async () => {
  await upload('features', smallMlp(), { preprocess: 'smiles-morgan2048-desc16' });
  expect(await vetted('features')).toMatchObject({ status: 'failed', reason: expect.stringMatching(/^ports: .*2064/) });
  await upload('columns', smallMlp(), { outputs: ['a', 'b'] });
  expect(await vetted('columns')).toMatchObject({ status: 'failed', reason: expect.stringMatching(/^ports: .*2 names/) });
});

test('bytes that are lost, or others than were uploaded, are refused', async () => {
  await upload('changed', identity('float32', ['N', 3]));
  await upload('lost', identity('float32', ['N', 5]));
  const keys = await sluice.db.many<{ name: string; key: string }>(sql`
    select m.name, f.storage_key as key from models m join model_versions v on v.model_no = m.no join model_files f on f.sha256 = v.file_sha256`);
  const keyOf = (name: string): string => keys.find((each) => each.name === name)!.key;
  await sluice.storage.put(keyOf('changed'), [identity('float32', ['N', 4])]);
  await sluice.storage.delete(keyOf('lost'));
  await vetted('lost');
  expect(await versionOf('changed')).toMatchObject({ status: 'failed', reason: expect.stringContaining('not those that were uploaded') });
  expect(await versionOf('lost')).toMatchObject({ status: 'failed', reason: expect.stringContaining('not in the storage') });
});

test('a vetter that cannot fetch the file gives it back, after a while', async () => {
  await upload('unread', identity('float32', ['N', 6]));
  let reads = 0;
  const stream = (): Promise<never> => Promise.reject(new Error(`the disk is gone, ${++reads}`));
  const storage = new Proxy(sluice.storage, { get: (target, name) => (name === 'stream' ? stream : Reflect.get(target, name)) });
  const vetter = new Vetter({ db: sluice.db, storage, listener, log: silent, leaseSeconds: 30 });
  const failed = once(vetter.loop, 'failed');
  vetter.start();
  await failed;
  await vetter.stop();
  expect(reads).toBeLessThanOrEqual(2);
  expect(await versionOf('unread')).toMatchObject({ status: 'uploaded', reason: null });
  expect(await vetted('unread')).toMatchObject({ status: 'ready' });
});

test('a vetter that is stopped gives the file back at once, for another; its process is gone', async () => {
  await upload('endless', endless());
  const first = vetterOf();
  first.start();
  await expect.poll(vetting).toHaveLength(1);
  await first.stop();
  expect(vetting()).toEqual([]);
  expect(await versionOf('endless')).toMatchObject({ status: 'uploaded' });
  await using second = vetterOf(2_000);
  const done = once(second, 'vetted');
  second.start();
  await done;
  expect(await versionOf('endless')).toMatchObject({ status: 'failed', reason: 'trial: It took longer than 2 s.' });
});

test('one that has lost its lease ends its process, and writes nothing', async () => {
  await upload('taken', endless());
  await using vetter = vetterOf(60_000, 1);
  vetter.start();
  await expect.poll(vetting).toHaveLength(1);
  const round = once(vetter.loop, 'round');
  await sluice.db.run(sql`
    update model_versions set token = nextval('lease_token'), leased_until = now() + interval '1 hour' where status = 'validating'`);
  await round;
  expect(vetting()).toEqual([]);
  expect(await versionOf('taken')).toMatchObject({ status: 'validating', report: null });
});
