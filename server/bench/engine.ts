/**
 * 100,000 requests of 400 bytes from file to file, against two queues that store their results in the same
 * PostgreSQL. One after the other in every round; the ratio is taken within the round.
 */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { round, type Bench, type Figure } from './figures.ts';
import {
  call,
  createBatch,
  makeDatabase,
  Process,
  startPostgres,
  startRoles,
  untilEnded,
  upload,
  type Installation,
} from './installation.ts';
import { inQuiet, median } from './machine.ts';
import type { PeerJob, PeerName } from './peer.ts';
import { requestLines } from './work.ts';

const requests = 100_000;
const bytes = 400;
const rounds = 3;

/** Requests a second from the first byte of the upload until the batch shows its output file. */
const sluiceRound = async (url: string, input: Buffer): Promise<number> => {
  const began = performance.now();
  const file = await upload(url, input);
  const batch = await untilEnded(url, (await createBatch(url, file.id)).id);
  const seconds = (performance.now() - began) / 1_000;
  if (batch.request_counts?.completed !== requests) throw new Error(`the batch ended with ${JSON.stringify(batch.request_counts)}`);
  const output = await call(`${url}/v1/files/${batch.output_file_id}/content`);
  if (output.body.split('\n').length !== requests + 1) throw new Error('the output file does not have a line for each request');
  return requests / seconds;
};

interface Peer extends AsyncDisposable {
  round(): Promise<number>;
}

const startPeer = async (server: string, peer: PeerName): Promise<Peer> => {
  await using stack = new AsyncDisposableStack();
  const database = await makeDatabase(server, peer.replace('-', '_'));
  const start = async (part: PeerJob['part']): Promise<Process> => {
    const job: PeerJob = { peer, part, database, requests, bytes };
    const program = fileURLToPath(new URL('peer.ts', import.meta.url));
    const process = stack.use(new Process(globalThis.process.execPath, [program, JSON.stringify(job)], { ipc: true }));
    await answer(process);
    return process;
  };
  const work = await start('work');
  const add = await start('add');
  const open = stack.move();
  return {
    async round() {
      const began = performance.now();
      work.child.send('go');
      add.child.send('go');
      await Promise.all([answer(add), answer(work)]);
      const seconds = (performance.now() - began) / 1_000;
      work.child.send('clean');
      await answer(work);
      return requests / seconds;
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
};

const answer = async (process: Process): Promise<void> => {
  await Promise.race([once(process.child, 'message'), process.ended]);
  process.assertRuns();
};

const against = async (): Promise<Figure[]> => {
  await using server = await startPostgres();
  await using sluice = await startRoles({ database: await makeDatabase(server.url, 'sluice'), dataDir: server.folder });
  await using graphile = await startPeer(server.url, 'graphile-worker');
  await using boss = await startPeer(server.url, 'pg-boss');
  const input = requestLines(requests, bytes);
  const turns = { sluice: () => sluiceRound(sluice.url, input), 'graphile-worker': () => graphile.round(), 'pg-boss': () => boss.round() };
  const rates: Record<keyof typeof turns, number[]> = { sluice: [], 'graphile-worker': [], 'pg-boss': [] };
  const foreign: number[] = [];
  // The first round warms caches and compilers of all three.
  for (const take of Object.values(turns)) await take();
  for (let i = 0; i < rounds; i++) {
    const { result, foreign: others } = await inQuiet(
      async () => {
        const rate = { sluice: 0, 'graphile-worker': 0, 'pg-boss': 0 };
        for (const [name, take] of Object.entries(turns)) rate[name as keyof typeof turns] = await take();
        return rate;
      },
      { name: `engine, round ${i + 1}` },
    );
    for (const [name, rate] of Object.entries(result)) rates[name as keyof typeof turns].push(Math.round(rate));
    foreign.push(others);
  }
  const ratio = (peer: PeerName) => rates.sluice.map((rate, i) => round(rate / rates[peer][i]!));
  const figure = (name: string, unit: string, runs: number[], target?: Figure['target']): Figure => ({
    bench: 'engine',
    name,
    value: median(runs),
    unit,
    ...(target && { target }),
    runs,
    foreign,
  });
  return [
    figure('sluice, HTTP upload to output file', 'req/s', rates.sluice),
    figure('graphile-worker', 'req/s', rates['graphile-worker']),
    figure('pg-boss', 'req/s', rates['pg-boss']),
    figure('sluice : graphile-worker', 'x', ratio('graphile-worker'), { least: 3 }),
    figure('sluice : pg-boss', 'x', ratio('pg-boss'), { least: 5 }),
  ];
};

/** Five batches in a row on a new database while one old snapshot is held open. */
const fiveInARow = async (server: string, dataDir: string, name: string, input: Buffer): Promise<number[]> => {
  const database = await makeDatabase(server, name);
  await using sluice: Installation = await startRoles({ database, dataDir });
  const holder = new pg.Client({ connectionString: database });
  await holder.connect();
  try {
    await holder.query('set idle_in_transaction_session_timeout = 0');
    // Its processes have just begun: one batch that does not count.
    await sluiceRound(sluice.url, input);
    await holder.query('begin isolation level repeatable read');
    await holder.query('select count(*) from chunks');
    const rates: number[] = [];
    for (let i = 0; i < 5; i++) rates.push(await sluiceRound(sluice.url, input));
    return rates;
  } finally {
    await holder.end();
  }
};

const underSnapshot = async (): Promise<Figure[]> => {
  await using server = await startPostgres();
  const input = requestLines(requests, bytes);
  const runs: number[] = [];
  const foreign: number[] = [];
  for (let i = 0; i < rounds; i++) {
    let tries = 0;
    const { result, foreign: others } = await inQuiet(() => fiveInARow(server.url, server.folder, `sluice_${i}_${tries++}`, input), {
      name: `engine, snapshot ${i + 1}`,
    });
    runs.push(round((100 * result[4]!) / result[0]!));
    foreign.push(others);
  }
  return [
    {
      bench: 'engine',
      name: 'fifth batch : first, snapshot held open',
      value: median(runs),
      unit: '%',
      target: { least: 70 },
      runs,
      foreign,
    },
  ];
};

export const engine: Bench = {
  name: 'engine',
  about: '100,000 requests of 400 bytes, file to file, against graphile-worker and pg-boss',
  run: async () => [...(await against()), ...(await underSnapshot())],
};
