import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import type { ModelSpec } from '../../src/models/models.ts';
import { Nim, recorded, reportTo, type NimCall } from '../support/nim.ts';
import { call, createBatch, linesIn, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

const sequence = 'MKTVRQERLKSIVRILERSKEPVSGAQLAEELSVSRQVIVQDIAYLRSLGYNIVATPRGYVLAGG';
const secret = randomBytes(32);

const nim = await Nim.open();
const scratch = await mkdtemp(join(tmpdir(), 'sluice-http-'));
const secretFile = join(scratch, 'secret');
let sluice: Sluice;
let boltz: ModelSpec;

beforeAll(async () => {
  await writeFile(secretFile, `whsec_${secret.toString('base64')}\n`);
  const options = {
    api: 'nim-boltz2',
    base_url: nim.url,
    status_url: `${nim.url}/status`,
    api_key: 'nim-key',
    poll_ms: 30,
    tool_version: '1.6.0',
  };
  boltz = { name: 'boltz-2-nim', version: '1.6.0', executor: 'http', options };
  const told: ModelSpec = {
    ...boltz,
    name: 'boltz-2-told',
    options: { ...options, poll_ms: 3_600_000, callback_url: 'https://sluice.example.com/', callback_secret_file: secretFile },
  };
  sluice = await startSluice({ models: [boltz, told], retry: { maxAttempts: 2 }, workers: 1 });
});
afterEach(() => {
  nim.onAsked = () => {};
});
afterAll(async () => {
  await sluice[Symbol.asyncDispose]();
  await nim[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true, force: true });
});

const line = (id: string, smiles: string | null, model = 'boltz-2-nim') => ({
  custom_id: id,
  method: 'POST',
  url: '/v1/predict',
  body: { model, inputs: { protein: sequence, ...(smiles !== null && { smiles }) }, parameters: { sampling_steps: 50, step_scale: 1.638 } },
});

interface Answer {
  outputs: Record<string, unknown> & { affinity_members?: object[] };
}

test('the request is that of the API, the reply is read, and what it calls pIC50 is not', async () => {
  const created = await createBatch(
    sluice.client,
    [line('alone', null), line('with', 'CCO'), line('no', 'refused'), line('odd', 'garbled')],
    { endpoint: '/v1/predict' },
  );
  const batch = await untilEnded(sluice.client, created.id);
  expect(batch.request_counts).toMatchObject({ completed: 2, failed: 2 });
  const [alone, together] = (await linesIn(sluice.client, batch.output_file_id)).map((each) => (each['response'] as { body: Answer }).body);
  expect(alone!.outputs).toMatchObject({
    confidence_score: 0.9414734840393066,
    ptm: 0.9060187935829163,
    msa: 'single_sequence',
    tool: { name: 'nim-boltz2', version: '1.6.0' },
  });
  expect(alone!.outputs).not.toHaveProperty('pic50');
  // 6 - 2.028, not the 5.418 of the reply.
  expect(together!.outputs).toMatchObject({
    affinity_pred_value: 2.028,
    pic50: 3.972,
    ic50_um: 106.66,
    affinity_probability_binary: 0.229,
  });
  const errors = await linesIn(sluice.client, batch.error_file_id);
  expect(JSON.stringify(errors[0])).toContain('Invalid SMILES');
  expect(JSON.stringify(errors[1])).toContain('not as its API has it');
  const asked = nim.calls.find(({ body }) => body.ligands?.[0]?.smiles === 'CCO')!.body;
  expect(asked).toMatchObject({
    polymers: [{ id: 'A', molecule_type: 'protein', sequence }],
    ligands: [{ id: 'B', smiles: 'CCO', predict_affinity: true }],
    recycling_steps: 3,
    sampling_steps: 50,
    step_scale: 1.638,
    output_format: 'mmcif',
  });
  const structure = await call(sluice.client, 'GET', `/v1/batches/${batch.id}/requests/1/artifacts/structure.cif`);
  expect(structure.body['text']).toBe((recorded['structures'] as { structure: string }[])[0]!.structure);
});

test('whoever gets the request after a crash asks after the same call', async () => {
  const created = await createBatch(sluice.client, [line('a', 'later-1')], { endpoint: '/v1/predict' });
  const first = await new Promise<NimCall>((resolve) => {
    nim.onAsked = resolve;
  });
  expect(await sluice.db.many(sql`select call_id from remote_calls where call_id = ${first.id}`)).toHaveLength(1);
  // What runs is ended in the middle, as a worker's end ends it; the request goes back, and is claimed again.
  const again = new Promise<void>((resolve) => sluice.workers[0]!.once('claimed', () => resolve()));
  sluice.workers[0]!.abort();
  await again;
  first.done = true;
  const batch = await untilEnded(sluice.client, created.id);
  expect(batch.request_counts).toMatchObject({ completed: 1 });
  expect(nim.calls.filter(({ body }) => body.ligands?.[0]?.smiles === 'later-1')).toHaveLength(1);
  expect(await sluice.db.many(sql`select from remote_calls where call_id = ${first.id}`)).toEqual([]);
});

test('a call that the server has forgotten is made again by the next attempt', async () => {
  nim.onAsked = (asked) => {
    if (asked.id === lost) asked.gone = true;
    else asked.done = true;
  };
  const lost = `req-${nim.calls.length + 1}`;
  const created = await createBatch(sluice.client, [line('a', 'later-2')], { endpoint: '/v1/predict' });
  const batch = await untilEnded(sluice.client, created.id);
  expect(batch.request_counts).toMatchObject({ completed: 1 });
  expect(nim.calls.filter(({ body }) => body.ligands?.[0]?.smiles === 'later-2')).toHaveLength(2);
});

test('a report that a call has ended is taken once, where it is signed, and the answer fetched then', async () => {
  const before = nim.calls.length;
  const created = await createBatch(sluice.client, [line('a', 'later-3', 'boltz-2-told')], { endpoint: '/v1/predict' });
  await expect.poll(() => nim.calls[before]?.callback, { timeout: 20_000 }).toBeDefined();
  const made = nim.calls[before]!;
  expect(made.callback).toMatch(/^https:\/\/sluice\.example\.com\/v1\/callbacks\/[\w-]{32}$/);
  const path = new URL(made.callback!).pathname;
  const report = ({ key = secret, to = path, ...signed }: { key?: Buffer; to?: string; at?: number } = {}) =>
    reportTo(sluice.url + to, key, signed);
  expect((await report({ key: randomBytes(32) })).status).toBe(403);
  expect((await report({ at: 1_000_000 })).status).toBe(403);
  expect((await report({ to: '/v1/callbacks/unknown' })).status).toBe(403);
  expect((await fetch(sluice.url + path, { method: 'POST', body: '{}' })).status).toBe(403);
  await expect.poll(() => sluice.db.many(sql`select from remote_calls where call_id = ${made.id}`), { timeout: 20_000 }).toHaveLength(1);
  made.done = true;
  const first = await report();
  expect([first.status, await first.json()]).toEqual([200, { object: 'callback', accepted: true }]);
  const batch = await untilEnded(sluice.client, created.id);
  expect(batch.request_counts).toMatchObject({ completed: 1 });
  expect(made.asked).toBe(1);
});

test('a report that comes again changes nothing, and another one is refused', async () => {
  const token = 'tokentokentokentoken';
  await sluice.db.run(sql`insert into remote_calls (key, model, token) values ('r.1', 'boltz-2-told@1.6.0', ${token})`);
  const report = (id: string) => reportTo(`${sluice.url}/v1/callbacks/${token}`, secret, { id });
  expect(await (await report('msg_1')).json()).toMatchObject({ accepted: true });
  expect(await (await report('msg_1')).json()).toMatchObject({ accepted: false });
  expect((await report('msg_2')).status).toBe(409);
});

test('what the server does not take is refused, and not left out', async () => {
  const asked = (parameters: object) =>
    call(sluice.client, 'POST', '/v1/screens', { model: 'boltz-2-nim', protein: sequence, ligands: ['C'], parameters });
  expect((await asked({ seed: 1 })).body).toMatchObject({ error: { message: 'parameters.seed is not taken by this server.' } });
  expect((await asked({ sampling_steps: 5 })).body).toMatchObject({ error: { message: expect.stringContaining('from 10 to 1000') } });
});
