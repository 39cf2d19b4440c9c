/**
 * `npm run quickstart`: starts everything on its defaults, runs the example batches on real molecules and a sample of a
 * screen, shows what came out, and keeps serving until Ctrl-C; `-- --exit` ends instead. The last line before that is `quickstart ok`.
 */
import { mkdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { Batch } from '@sluice/contract';
import { Client } from '@sluice/contract/client';
import { examples, makeBatches } from '../../examples/make-batches.ts';
import { errorsPath } from './follow.ts';
import { collect } from './follow.ts';
import { prepare } from './input.ts';
import { count, duration, terminal } from './output.ts';
import { Progress, progressLine, Rate, settled } from './progress.ts';
import { firstRows, rowsText } from './quickstart/results.ts';
import { runScreen, topText, type Screened } from './quickstart/screen.ts';
import { startServer, type Server } from './quickstart/server.ts';
import { upload } from './upload.ts';

const out = terminal();
const print = (text = ''): void => void process.stdout.write(`${text}\n`);
const shown = (path: string): string => relative(process.cwd(), path) || path;

interface Finished {
  model: string;
  batch: Batch;
  output: string;
}

const ended = new Set(['completed', 'failed', 'expired', 'cancelled']);

/** Submits both batches at once, follows them together, downloads what they left. */
const runBatches = async (client: Client, folder: string): Promise<{ finished: Finished[]; seconds: number; requests: number }> => {
  const inputs = makeBatches(join(folder, 'inputs'));
  print(`Submitting ${inputs.map(({ model, lines }) => `${count(lines)} molecules to ${model}`).join(' and ')} …`);
  const began = performance.now();
  const ids: string[] = [];
  for (const { model, path } of inputs) {
    const source = await prepare(path, {});
    const file = await upload(client, source, { purpose: 'batch' });
    const body = { input_file_id: file.id, endpoint: source.endpoint, completion_window: '24h', name: model };
    ids.push((await client.post<Batch>('/v1/batches', body)).id);
  }
  const progress = new Progress(out);
  const rates = new Map(ids.map((id) => [id, new Rate()]));
  let batches: Batch[] = [];
  do {
    await new Promise((resolve) => setTimeout(resolve, 200));
    batches = await Promise.all(ids.map((id) => client.get<Batch>(`/v1/batches/${id}`)));
    for (const batch of batches) if (batch.status !== 'validating') rates.get(batch.id)!.add(Date.now(), settled(batch));
    const open = batches.find(({ status }) => !ended.has(status));
    if (open) progress.show(progressLine(open, rates.get(open.id)!.value, Date.now()), Date.now());
  } while (batches.some(({ status }) => !ended.has(status)));
  progress.end();
  const seconds = (performance.now() - began) / 1000;

  const finished: Finished[] = [];
  for (const [i, batch] of batches.entries()) {
    const { model } = inputs[i]!;
    const { total, completed } = batch.request_counts;
    if (batch.status !== 'completed' || completed < total * 0.99)
      throw new Error(
        `${batch.id} (${model}) is ${batch.status}; ${completed} of ${total} succeeded. ${batch.errors?.data[0]?.message ?? ''}`,
      );
    const output = join(folder, `${model}.results.jsonl`);
    await collect(client, batch, output, out);
    finished.push({ model, batch, output });
  }
  return { finished, seconds, requests: batches.reduce((sum, { request_counts: c }) => sum + c.total, 0) };
};

const report = async ({ finished, seconds, requests }: Awaited<ReturnType<typeof runBatches>>, url: string): Promise<void> => {
  for (const { model, batch, output } of finished) {
    const { completed, failed } = batch.request_counts;
    print(`\n${model}: ${count(completed)} predicted, ${count(failed)} refused`);
    print(rowsText(model, await firstRows(model, examples.find((example) => example.model === model)!.table, output, 5)));
    print(`  results  ${shown(output)}`);
    if (batch.error_file_id) print(`  errors   ${shown(errorsPath(output))}`);
    print(`  look     ${url}/batches/${batch.id}`);
  }
  print(`\n${count(requests)} requests in ${duration(seconds)}: ${count(requests / seconds)} a second, upload and validation included`);
};

const reportScreen = (screened: Screened, url: string): void => {
  const { screen, summary, folder, seconds } = screened;
  const residues = screen.proteins.map((protein) => protein.residues).join(' + ');
  print(`\n${screen.model}: HIV protease (${residues} residues) against ${summary.ligands} ligands in ${duration(seconds)}`);
  print('  A SAMPLE: this stand-in for Boltz-2 makes its numbers up. They mean nothing; their way here is the real one.');
  print(topText(screened, 5));
  print(`  results  ${shown(join(folder, 'results/batch_results.csv'))}`);
  print(`  files    ${shown(folder)}/  (structures, confidences and logs under jobs/)`);
  print(`  look     ${url}/screens/${screen.id}`);
};

const next = ({ url, key, log }: Server): string => `
  portal   ${url}/          (sign in with the key)
  API      ${url}/v1          (reference: ${url}/docs)
  key      ${key}
  log      ${shown(log)}

Ask a model:
  curl ${url}/v1/predict -H 'Authorization: Bearer ${key}' -H 'Content-Type: application/json' \\
    -d '{"model": "aqsol-logs", "inputs": {"smiles": "CC(=O)Oc1ccccc1C(=O)O"}}'

Run a file of your own:
  SLUICE_URL=${url} npm run sluice -- batch run FILE --model bbb-b3db --out results.jsonl

Or with OpenAI's client:
  const client = new OpenAI({ baseURL: '${url}/v1', apiKey: '${key}' });
  const file = await client.files.create({ file: fs.createReadStream('batch.jsonl'), purpose: 'batch' });
  await client.batches.create({ input_file_id: file.id, endpoint: '/v1/predict', completion_window: '24h' });
`;

const main = async (args: readonly string[]): Promise<number> => {
  const unknown = args.filter((arg) => arg !== '--exit');
  if (unknown.length > 0) throw new Error(`unknown argument ${unknown[0]}; there is --exit only.`);
  const dataDir = resolve(process.env['SLUICE_DATA_DIR'] ?? '.sluice');
  const folder = join(dataDir, 'quickstart');
  // As root the database runs as somebody else, who must get through; what lies inside is closed by itself.
  mkdirSync(dataDir, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  mkdirSync(folder, { recursive: true });

  const interrupted = Promise.withResolvers<'interrupted'>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.resolve('interrupted'));

  print('Starting Sluice: database, API, scheduler and a worker …');
  const starting = startServer(dataDir, folder);
  const server = await Promise.race([starting, interrupted.promise]);
  if (server === 'interrupted') return 130;
  const crashed = server.ended.then((words) => {
    throw new Error(`The server ended:\n${words}`);
  });
  crashed.catch(() => {});
  try {
    const client = new Client({ url: server.url, key: server.key, fetch });
    const done = await Promise.race([runBatches(client, folder), crashed, interrupted.promise]);
    if (done === 'interrupted') return 130;
    await report(done, server.url);
    print('\nScreening a protein against ligands …');
    const screened = await Promise.race([runScreen(client, out, folder), crashed, interrupted.promise]);
    if (screened === 'interrupted') return 130;
    reportScreen(screened, server.url);
    const exits = args.includes('--exit');
    if (exits) print('\nSluice ends now, as --exit says. What follows is there while it serves: npm run quickstart, or npm start.');
    print(next(server));
    print('quickstart ok');
    if (exits) return 0;
    print(`\nServing at ${server.url} until Ctrl-C.`);
    await Promise.race([interrupted.promise, crashed]);
    return 0;
  } finally {
    await server.stop();
  }
};

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`\nquickstart failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
