import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { echo } from '../../src/models/models.ts';
import { createBatch, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

let sluice: Sluice;
let folder: string;
beforeAll(async () => {
  sluice = await startSluice({
    models: [echo],
    keys: [
      { key: 'test-key', tenant: 'default', user: 'admin', role: 'admin' },
      { key: 'other-key', tenant: 'other', user: 'eve', role: 'admin' },
    ],
  });
  folder = await mkdtemp(join(tmpdir(), 'sluice-results-'));
});
afterAll(async () => {
  await sluice[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const ask = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${sluice.url}/v1/batches/${path}`, { headers: { authorization: 'Bearer test-key', ...headers } });

const text = async (path: string): Promise<string> => {
  const reply = await ask(path);
  const body = await reply.text();
  if (reply.status !== 200) throw new Error(`${reply.status}: ${body}`);
  return body;
};

const rows = async (path: string): Promise<Record<string, unknown>[]> =>
  (await text(path))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const line = (id: string, inputs: unknown, more: object = {}) =>
  `${JSON.stringify({ custom_id: id, method: 'POST', url: '/v1/predict', body: { model: 'echo', inputs, ...more } })}\n`;

const run = async (lines: string): Promise<string> => {
  const batch = await createBatch(sluice.client, Buffer.from(lines), { endpoint: '/v1/predict' });
  await untilEnded(sluice.client, batch.id);
  return batch.id;
};

test('row i out is row i in, whatever became of it', async () => {
  const id = await run(
    line('a', { x: 1, name: 'é "quoted", with\nlines' }) +
      line('b', { x: 2 }, { sluice_echo: { status: 422 } }) +
      line('c', { x: 1, name: null }) +
      line('d', { x: 3, y: [1, { z: true }] }),
  );
  const all = await rows(`${id}/results`);
  expect(all).toEqual([
    expect.objectContaining({
      line: 1,
      custom_id: 'a',
      status: 'completed',
      x: 1,
      name: 'é "quoted", with\nlines',
      'output.x': 1,
      error_code: null,
    }),
    expect.objectContaining({ line: 2, custom_id: 'b', status: 'failed', x: 2, 'output.x': null, error_code: expect.any(String) }),
    expect.objectContaining({ line: 3, custom_id: 'c', status: 'completed', x: 1, name: null }),
    expect.objectContaining({ line: 4, custom_id: 'd', status: 'completed', y: [1, { z: true }], 'output.y': [1, { z: true }] }),
  ]);
});
