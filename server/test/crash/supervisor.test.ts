import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openPool } from '../../src/db/db.ts';
import { sql } from '../../src/db/sql.ts';
import { addressOf } from '../../src/db/embedded.ts';
import { isAlive } from '../../src/lib/processes.ts';
import { openDisk } from '../../src/storage/disk.ts';
import { chatLine } from '../support/requests.ts';
import { placeOfPostgres, removeDataDir } from './cluster.ts';
import { checkAll, keepHistory } from './history.ts';
import { apiKey, Client } from './client.ts';
import { descendants, freePort, hasty, Process } from './site.ts';
import { until } from './until.ts';

test.concurrent(
  'a supervisor that is killed leaves nothing that the next start cannot take over',
  { timeout: 90_000 },
  async ({ onTestFinished }) => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-crash-all-'));
    const dataDir = join(folder, 'data');
    const port = await freePort();
    const env = { ...hasty, SLUICE_DATA_DIR: dataDir, SLUICE_API_KEY: apiKey, SLUICE_PORT: String(port) };
    const started: Process[] = [];
    const begin = (extra: Record<string, string> = {}): Process => {
      const process = new Process('all', { ...env, ...extra }, folder);
      started.push(process);
      return process;
    };
    onTestFinished(async () => {
      for (const process of started.filter((p) => !p.over)) {
        process.signal('SIGTERM');
        await process.ended;
      }
      await removeDataDir(dataDir);
      await rm(folder, { recursive: true, force: true });
    });

    const first = begin();
    await first.said(/Sluice is ready/);
    const databaseUrl = (await addressOf(dataDir))!;
    {
      await using db = openPool({ url: databaseUrl, name: 'crash test', max: 1 });
      await keepHistory(db);
    }
    const client = new Client(port);
    const sent = await client.submit(Array.from({ length: 300 }, (_, i) => chatLine(`r${i}`, { echo: { delay_ms: (i % 30) * 100 } })));

    const second = begin({ SLUICE_PORT: String(await freePort()) });
    expect(await second.ended).toBe(1);
    expect(second.log).toContain(`in use by process ${first.pid}`);
    expect(second.log).toContain(`answers at http://127.0.0.1:${port}`);

    {
      await using db = openPool({ url: databaseUrl, name: 'crash test', max: 1 });
      await until('some of it is done', async () => (await db.one<{ n: number }>(sql`select count(*) as n from segments`)).n > 0);
    }
    const children = descendants(first.pid);
    expect(children.length).toBeGreaterThanOrEqual(3);
    const postmaster = Number((await readFile(join(await placeOfPostgres(dataDir), 'postmaster.pid'), 'utf8')).split('\n')[0]);
    const roles = children.filter((pid) => pid !== postmaster && !descendants(postmaster).includes(pid));
    await first.kill();

    // At once, as whatever watches over services does.
    const third = begin();
    await third.said(/Sluice is ready/, 45_000);
    await until('the first one’s children have ended', () => roles.every((pid) => !isAlive(pid)), 40_000);
    await using db = openPool({ url: (await addressOf(dataDir))!, name: 'crash test', max: 2 });
    await until(
      'the batch has ended',
      async () => (await db.one<{ status: string }>(sql`select status from batches`)).status === 'completed',
    );
    expect(await checkAll(db, await openDisk(join(dataDir, 'storage')), [sent])).toEqual([]);
  },
);
