/** From `npm start` to the first ready answer, on a data directory that has been used. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { holderOf } from '../src/lib/lock.ts';
import { round, type Bench } from './figures.ts';
import { createBatch, freePort, Process, untilEnded, untilReady, upload } from './installation.ts';
import { inQuiet, median } from './machine.ts';
import { requestLines } from './work.ts';

const rounds = 5;
const root = fileURLToPath(new URL('../../', import.meta.url));

export const start: Bench = {
  name: 'start',
  about: '`npm start` to /health/ready on an existing data directory',
  async run() {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
    await chmod(folder, 0o711);
    const begin = async (use?: (url: string) => Promise<void>): Promise<number> => {
      const port = await freePort();
      const began = performance.now();
      const sluice = new Process('npm', ['start', '--silent'], {
        cwd: root,
        env: { SLUICE_PORT: String(port), SLUICE_DATA_DIR: folder, SLUICE_API_KEY: 'bench-key', SLUICE_LOG__LEVEL: 'warn' },
      });
      await untilReady(`http://127.0.0.1:${port}`, sluice, 5);
      const seconds = (performance.now() - began) / 1_000;
      await use?.(`http://127.0.0.1:${port}`);
      // The one that npm started, and npm with it: the shell between them passes no signal on.
      for (let holder = await holderOf(folder); holder; holder = await holderOf(folder)) {
        process.kill(holder.pid, 'SIGTERM');
        while ((await holderOf(folder))?.pid === holder.pid) await delay(20);
      }
      await sluice.ended;
      return seconds;
    };
    try {
      await begin(async (url) => {
        const file = await upload(url, requestLines(10_000, 400));
        await untilEnded(url, (await createBatch(url, file.id)).id);
      });
      const runs: number[] = [];
      const foreign: number[] = [];
      for (let i = 0; i < rounds; i++) {
        const { result, foreign: others } = await inQuiet(() => begin(), { name: `start, round ${i + 1}` });
        runs.push(round(result));
        foreign.push(others);
      }
      return [{ bench: 'start', name: '`npm start` to ready', value: median(runs), unit: 's', target: { most: 3 }, runs, foreign }];
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};
