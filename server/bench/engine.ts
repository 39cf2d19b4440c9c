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

const startPeer = async (server: string, peer: PeerName, overlap: boolean): Promise<Peer> => {
  await using stack = new AsyncDisposableStack();
  const database = await makeDatabase(server, `${peer.replace('-', '_')}_${overlap}`);
  const start = async (part: PeerJob['part']): Promise<Process> => {
    const job: PeerJob = { peer, part, database, requests, bytes, overlap };
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
      if (overlap) await Promise.all([tell(work, 'go'), tell(add, 'go')]);
      else {
        await tell(add, 'go');
        await tell(work, 'go');
      }
      const seconds = (performance.now() - began) / 1_000;
      await tell(work, 'clean');
      return requests / seconds;
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
};

const tell = (process: Process, order: 'go' | 'clean'): Promise<void> => {
  process.child.send(order);
  return answer(process);
};

const answer = async (process: Process): Promise<void> => {
  await Promise.race([once(process.child, 'message'), process.ended]);
  process.assertRuns();
};

/** pg-boss also with requests worked on while others are added; graphile-worker: see `method.ts`. */
const opponents = [
  ['graphile-worker', false],
  ['pg-boss', true],
  ['pg-boss', false],
] as const;
const nameOf = ([peer, overlap]: (typeof opponents)[number]): string =>
  `${peer}, ${overlap ? 'adding while working' : 'adding, then working'}`;

const against = async (): Promise<Figure[]> => {
  await using server = await startPostgres();
  await using sluice = await startRoles({ database: await makeDatabase(server.url, 'sluice'), dataDir: server.folder });
  await using stack = new AsyncDisposableStack();
  const input = requestLines(requests, bytes);
  const turns: [string, () => Promise<number>][] = [['sluice', () => sluiceRound(sluice.url, input)]];
  for (const opponent of opponents) {
    const peer = stack.use(await startPeer(server.url, opponent[0], opponent[1]));
    turns.push([nameOf(opponent), () => peer.round()]);
  }
  const rates = new Map<string, number[]>(turns.map(([name]) => [name, []]));
  const foreign: number[] = [];
  // The first round warms caches and compilers of all of them.
  for (const [, take] of turns) await take();
  for (let i = 0; i < rounds; i++) {
    const { result, foreign: others } = await inQuiet(
      async () => {
        const rate: [string, number][] = [];
        for (const [name, take] of turns) rate.push([name, await take()]);
        return rate;
      },
      { name: `engine, round ${i + 1}` },
    );
    for (const [name, rate] of result) rates.get(name)!.push(Math.round(rate));
    foreign.push(others);
  }
  const figure = (name: string, unit: string, runs: number[], target?: Figure['target']): Figure => ({
    bench: 'engine',
    name,
    value: median(runs),
    unit,
    ...(target && { target }),
    runs,
    foreign,
  });
  const ours = rates.get('sluice')!;
  return [
    figure('sluice, HTTP upload to output file', 'req/s', ours),
    ...opponents.map((opponent) => figure(nameOf(opponent), 'req/s', rates.get(nameOf(opponent))!)),
    ...opponents.map((opponent) => {
      const theirs = rates.get(nameOf(opponent))!;
      const ratios = ours.map((rate, i) => round(rate / theirs[i]!));
      return figure(`sluice : ${nameOf(opponent)}`, 'x', ratios, { least: opponent[0] === 'pg-boss' ? 5 : 3 });
    }),
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
