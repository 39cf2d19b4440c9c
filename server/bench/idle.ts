/** What Sluice costs while it has nothing to do. */
import { mkdtemp, rm, readFile, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { addressOf } from '../src/db/embedded.ts';
import { round, type Bench, type Figure } from './figures.ts';
import { createBatch, freePort, Process, program, query, untilEnded, untilReady, upload } from './installation.ts';
import { childrenOf, cpuOf, cpuOfTree, median, watched } from './machine.ts';
import { requestLines } from './work.ts';

const seconds = 30;
const rounds = 3;

export const idle: Bench = {
  name: 'idle',
  about: `CPU and statements of \`sluice start\` over ${seconds} s without work`,
  async run() {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
    await chmod(folder, 0o711);
    try {
      return await measure(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

const measure = async (folder: string): Promise<Figure[]> => {
  const port = await freePort();
  await using sluice = new Process(process.execPath, [program, 'start', '--port', String(port)], {
    cwd: folder,
    env: { SLUICE_DATA_DIR: folder, SLUICE_API_KEY: 'bench-key', SLUICE_LOG__LEVEL: 'warn' },
  });
  const url = `http://127.0.0.1:${port}`;
  await untilReady(url, sluice);
  // A database with something in it, and processes that have worked.
  const file = await upload(url, requestLines(10_000, 400));
  await untilEnded(url, (await createBatch(url, file.id)).id);
  const database = (await addressOf(folder))!;
  const postmaster = Number((await readFile(join(folder, 'postgres/postmaster.pid'), 'utf8')).split('\n', 1)[0]);
  const own = [sluice.pid, ...childrenOf(sluice.pid).filter((pid) => pid !== postmaster)];
  // Loops back off from a quarter of a second to ten seconds.
  await delay(25_000);

  const cpu: number[] = [];
  const postgres: number[] = [];
  const statements: number[] = [];
  const foreign: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const [ours, theirs] = [cpuOf(own), cpuOfTree(postmaster)];
    const { foreign: others } = await watched(() => delay(seconds * 1_000));
    cpu.push(round((100 * (cpuOf(own) - ours)) / seconds));
    postgres.push(round((100 * (cpuOfTree(postmaster) - theirs)) / seconds));
    foreign.push(others);
  }
  // Counted in PostgreSQL's own log, apart from the time above: writing it costs.
  await query(database, "alter system set log_statement = 'all'");
  await query(database, 'select pg_reload_conf()');
  for (let i = 0; i < rounds; i++) {
    await delay(1_000);
    const before = await logged(folder);
    await delay(seconds * 1_000);
    statements.push(round(((await logged(folder)) - before) / seconds));
  }
  const figure = (name: string, unit: string, runs: number[], target?: Figure['target']): Figure => ({
    bench: 'idle',
    name,
    value: median(runs),
    unit,
    ...(target && { target }),
    runs,
    foreign,
  });
  return [
    figure('CPU of all Sluice processes', '% of a core', cpu, { most: 1 }),
    figure('CPU of PostgreSQL', '% of a core', postgres),
    figure('statements', 'a second', statements, { most: 10 }),
  ];
};

const logged = async (folder: string): Promise<number> =>
  [...(await readFile(join(folder, 'postgres.log'), 'utf8')).matchAll(/LOG: {2}(statement|execute [^:]*): /g)].length;
