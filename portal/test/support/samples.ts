import type OpenAI from 'openai';
import { vi } from 'vitest';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { untilEvent, untilSettled } from '../../../server/test/support/follow.ts';
import type { ModelSpec } from '../../../server/src/models/models.ts';
import { identity, smallMlp } from '../../../server/test/support/onnx-models.ts';
import { call, chatLine, createBatch, untilEnded } from '../../../server/test/support/requests.ts';

type Line = Record<string, unknown>;

const examples = fileURLToPath(new URL('../../../examples/', import.meta.url));

const molecular = (name: string, file: string, output: string): ModelSpec => ({
  name,
  version: '1.0.0',
  executor: 'onnx',
  options: { path: join(examples, 'models', file), preprocess: 'smiles-morgan2048-desc16', outputs: [output], processes: 1 },
});

/** Two real models of molecules. */
export const tableModels: ModelSpec[] = [
  molecular('aqsol-logs', 'aqsol_logs.onnx', 'logS'),
  molecular('bbb-b3db', 'bbb_b3db.onnx', 'p_bbb'),
];

/** Real molecules through both models, one row in each answer; one of them is none. */
export const makeTable = async (client: OpenAI): Promise<string> => {
  const [, ...lines] = readFileSync(join(examples, 'data/b3db.csv'), 'utf8').split('\n').slice(0, 40);
  const rows = lines.map((line, i) => ({ id: `mol-${i + 1}`, smiles: line.split(',')[1] }));
  const body = {
    rows: [...rows, { id: 'mol-40', smiles: 'CC(' }],
    models: tableModels.map(({ name }) => name),
    completion_window: '1h',
    name: 'Blood-brain barrier, 40 molecules',
  };
  const { id } = (await call(client, 'POST', '/v1/batches', body)).body as { id: string };
  await untilEnded(client, id);
  return id;
};

const many = (count: number, of: (i: number) => Line): Line[] => Array.from({ length: count }, (_, i) => of(i + 1));

/** What the addresses of the pages' `looks` are filled in with. */
export interface Samples extends Record<string, string> {
  /** Completed, with a few failures of two causes. */
  batch: string;
  /** Has begun, and goes on for as long as anybody looks. */
  running: string;
  /** Its file was refused. */
  invalid: string;
  /** All went well. */
  fine: string;
  /** Failed requests of `batch`, run again. */
  continued: string;
  /** A bulk operation. */
  operation: string;
  /** A job that was answered, and one that was not. */
  job: string;
  failedJob: string;
  /** A request of `continued` that used up its attempts. */
  dead: string;
  /** A table of molecules through two models. */
  table: string;
  /** A model that is served, with an alias and predictions, and one that was refused. */
  model: string;
  refused: string;
  /** A screen that has ended, of the sample program: some ligands predicted, one out of memory, one that is no molecule. */
  screen: string;
}

const awkward = (i: number): Line => {
  if (i % 41 === 0) return chatLine(`mol-${i}`, { echo: { status: 503 } });
  if (i % 67 === 0) return chatLine(`mol-${i}`, { echo: { status: 422 } });
  return chatLine(`mol-${i}`);
};

/** Registers a model, uploads its file, and waits until it was vetted. */
const makeModel = async (client: OpenAI, name: string, version: string, file: Uint8Array): Promise<void> => {
  await call(client, 'POST', '/v1/models', { name, version, tags: ['sample'], card: 'Made for a look at this page.' });
  const form = new FormData();
  form.append('file', new Blob([new Uint8Array(file)]), 'model.onnx');
  const path = `${client.baseURL}/models/${encodeURIComponent(name)}/versions/${version}`;
  const headers = { authorization: `Bearer ${client.apiKey}` };
  const sent = await fetch(`${path}/upload`, { method: 'POST', headers, body: form });
  if (!sent.ok) throw new Error(await sent.text());
  await vi.waitFor(
    async () => {
      const { status } = (await (await fetch(path, { headers })).json()) as { status: string };
      if (!/ready|failed/.test(status)) throw new Error(`${name} is ${status}`);
    },
    { timeout: 30_000, interval: 200 },
  );
};

const makeModels = async (client: OpenAI): Promise<{ model: string; refused: string }> => {
  await makeModel(client, 'team/iris', '1.0.0', smallMlp());
  await makeModel(client, 'team/iris', '1.1.0', identity('float32', ['N', 64]));
  await makeModel(client, 'team/broken', '1.0.0', smallMlp().subarray(0, 900));
  await call(client, 'PUT', '/v1/models/team%2Firis/aliases/champion', { version: '1.0.0' });
  return { model: 'team%2Firis', refused: 'team%2Fbroken' };
};

/** The program that stands in for Boltz-2 where there is no GPU; `BrCCBr` is too large for it. */
export const boltz: ModelSpec = {
  name: 'boltz-2',
  version: '2.2.0',
  executor: 'boltz',
  options: {
    program: process.execPath,
    args: [fileURLToPath(new URL('../../../examples/boltz-sample/boltz-sample.mjs', import.meta.url))],
    env: { BOLTZ_SAMPLE: JSON.stringify({ oom_always: ['BrCCBr'], bad: ['C1CCX'] }) },
    max_attempts: 2,
  },
};

/** What the samples are run with. */
export const sampleModels: ModelSpec[] = [...tableModels, boltz];

const protein = 'MTEYKLVVVGAGGVGKSALTIQLIQNHFVDEYDPTIEDSYRKQVVIDGETCLLDILDTAGQEEYSAMRDQYMRTGEGFLCVFAINNTKSFEDIHHYREQ';

const startScreen = async (client: OpenAI): Promise<string> => {
  const ligands = [
    'CC(=O)Oc1ccccc1C(=O)O aspirin',
    'Cn1cnc2c1c(=O)n(C)c(=O)n2C caffeine',
    'CC(C)Cc1ccc(cc1)C(C)C(=O)O ibuprofen',
    'BrCCBr too large',
    'C1CCX a ring that stays open',
  ].join('\n');
  return (
    await call(client, 'POST', '/v1/screens', { name: 'KRAS, sample', protein, ligands, parameters: { seed: 7, write_full_pae: true } })
  ).body['id'] as string;
};

/** Its files are made a moment after its end. */
const untilGathered = async (client: OpenAI, id: string): Promise<void> => {
  await untilEnded(client, id);
  await vi.waitFor(
    async () => {
      const { results } = (await call(client, 'GET', `/v1/screens/${id}`)).body as { results: { status: string } };
      if (results.status !== 'ready') throw new Error(`the files of the screen are ${results.status}`);
    },
    { timeout: 30_000, interval: 50 },
  );
};

/**
 * Batches in every state, as users leave them: made through the API, run by real workers. More of a page's own go into
 * the object that is returned.
 */
export const makeSamples = async (client: OpenAI): Promise<Samples> => {
  const screen = await startScreen(client);
  const fine = await createBatch(
    client,
    many(120, (i) => chatLine(`row-${i}`)),
    { name: 'Solubility, test set', priority: 'high', metadata: { project: 'solubility' } },
  );
  const batch = await createBatch(client, many(400, awkward), {
    name: 'Kinase panel',
    metadata: { project: 'kinase', owner: 'ada' },
  });
  const invalid = await createBatch(client, ['{"custom_id": "a"', JSON.stringify(chatLine('b')), JSON.stringify(chatLine('b'))], {
    name: 'Broken export',
  });
  const cancelled = await createBatch(
    client,
    many(60, (i) => chatLine(`slow-${i}`, { echo: { delay_ms: 60_000 } })),
    { name: 'Stopped by hand' },
  );
  await createBatch(
    client,
    many(30, (i) => chatLine(`名前-${i}`)),
    { name: 'مجموعة الاختبار 試験 🧪' },
  );
  await untilEvent(client, cancelled.id, 'batch.in_progress');
  await call(client, 'POST', `/v1/batches/${cancelled.id}/cancel`, { mode: 'abort' });
  for (const { id } of [fine, batch, invalid, cancelled]) await untilEnded(client, id);
  const continued = (await call(client, 'POST', `/v1/batches/${batch.id}/retry`, { name: 'Kinase panel, again' })).body['id'] as string;
  await untilEnded(client, continued);
  const operation = (
    await call(client, 'POST', '/v1/bulk', { on: 'batches', action: 'priority', ids: [fine.id, batch.id], options: { priority: 5 } })
  ).body['id'] as string;
  // Before what runs for as long as anybody looks has all of the worker.
  const table = await makeTable(client);
  const running = await createBatch(
    client,
    many(500, (i) => chatLine(`protein-${i}`, { echo: { delay_ms: i <= 40 ? 5 : 3_600_000, ...(i === 7 && { status: 422 }) } })),
    { name: 'Docking, 500 ligands', priority: 'medium', completion_window: '2h' },
  );
  await untilSettled(client, running.id, 30);
  const job = async (body: object): Promise<string> => {
    const wait = { prefer: 'wait=20' };
    return (await call(client, 'POST', '/v1/jobs', { model: 'echo', endpoint: '/v1/chat/completions', body, max_attempts: 2 }, wait)).body[
      'id'
    ] as string;
  };
  const ask = { messages: [{ role: 'user', content: 'Which of these bind?' }] };
  const jobs = { job: await job(ask), failedJob: await job({ ...ask, sluice_echo: { status: 422 } }) };
  await untilGathered(client, screen);
  const letters = (await call(client, 'GET', `/v1/dead_letters?batch=${continued}&limit=1`)).body['data'] as { id: string }[];
  return {
    ...(await makeModels(client)),
    table,
    ...jobs,
    screen,
    dead: letters[0]!.id,
    batch: batch.id,
    running: running.id,
    invalid: invalid.id,
    fine: fine.id,
    continued,
    operation,
  };
};
