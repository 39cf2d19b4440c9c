import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { openPool } from '../../src/db/db.ts';
import { addressOf } from '../../src/db/embedded.ts';
import { sql } from '../../src/db/sql.ts';
import { lossLimit } from '../../src/requests/queue.ts';
import { isAlive } from '../../src/lib/processes.ts';
import { openDisk } from '../../src/storage/disk.ts';
import { chatLine } from '../support/requests.ts';
import { chaos } from './chaos.ts';
import { apiKey, Client } from './client.ts';
import { startModelServer } from './model-server.ts';
import { placeOfPostgres, removeDataDir } from './cluster.ts';
import { checkAll, keepHistory } from './history.ts';
import { descendants, freePort, hasty, Process } from './process.ts';
import { Site } from './site.ts';
import { until } from './until.ts';

const open = (options: Partial<Parameters<typeof Site.open>[0]> = {}): Promise<Site> =>
  Site.open({ postgres: inject('postgres'), ...options });

test.concurrent('chaos: everything is killed, every line is accounted for (seed 7)', { timeout: 240_000 }, async () => {
  const result = await chaos({ seed: 7, seconds: 8 });
  expect(result.wrong, JSON.stringify(result.faults) + result.logs).toEqual([]);
});

test.concurrent('a worker stopped for longer than its lease writes nothing when it goes on', { timeout: 240_000 }, async () => {
  await using model = await startModelServer();
  await using site = await open({ yaml: model.yaml({ max_concurrency: 4 }) });
  await Promise.all([site.start('api'), site.start('scheduler')]);
  // Nothing is due to be written down before the lease is over: what it was told stays in its hands.
  const zombie = await site.start('worker', { SLUICE_TIMING__SETTLE_MS: '60000' });
  const llm = (count: number) => Array.from({ length: count }, (_, i) => chatLine(`r${i}`, { model: 'llm' }));
  // The twentieth gets no answer. It is asked for when no more than three of the others are still without.
  const stopped = new Promise<void>((resolve) => {
    model.on = ({ answer }) => {
      if (model.calls.size < 20) return void answer();
      zombie.signal('SIGSTOP');
      model.on = (call) => void call.answer();
      resolve();
    };
  });
  const sent = [await site.client.submit(llm(20))];
  await stopped;
  const other = await site.start('worker');
  await site.ended(sent);
  zombie.signal('SIGCONT');
  // What it had in hand it writes down, and is refused: the object stays without a row.
  await until('a late write', async () => {
    const rows = new Set((await site.db.many<{ key: string }>(sql`select storage_key as key from segments`)).map(({ key }) => key));
    for await (const { key } of site.storage.list(`default/${sent[0]!.id}/`)) if (!key.includes('/index.') && !rows.has(key)) return true;
    return false;
  });
  // It finds out, and works again: the next batch is its alone.
  await other.kill();
  const next = await site.client.submit(llm(60));
  await site.ended([next]);
  expect(zombie.over).toBe(false);
  expect(await checkAll(site.db, site.storage, [...sent, next])).toEqual([]);
  const { workers } = await site.db.one<{ workers: number }>(sql`
    select count(distinct worker_id) as workers from segments s join batches b on b.no = s.batch_no where b.id = ${next.id}`);
  expect(workers).toBe(1);
});

test.concurrent('a request that kills its workers is dead-lettered, and the rest completes', { timeout: 240_000 }, async () => {
  await using site = await open();
  await Promise.all([site.start('api'), site.start('scheduler')]);
  const lines = Array.from({ length: 40 }, (_, i) => chatLine(`r${i}`, { echo: i === 17 ? { crash: true } : undefined }));
  const sent = await site.client.submit(lines);
  let deaths = 0;
  let over = false;
  // As a supervisor does: a worker that died is started again.
  const keeping = (async () => {
    while (!over) {
      const worker = site.begin('worker');
      await worker.ended;
      if (!worker.meant) deaths++;
    }
  })();
  await site.ended([sent]);
  over = true;
  await Promise.all(site.running('worker').map((worker) => worker.kill()));
  await keeping;
  expect(deaths).toBeGreaterThan(lossLimit);
  expect(await checkAll(site.db, site.storage, [sent])).toEqual([]);
  expect(await site.db.many(sql`select line, state, code from requests`)).toEqual([
    { line: 18, state: 'dead_lettered', code: 'worker_lost' },
  ]);
});

test.concurrent('an API killed in the middle of an upload shows nothing of it, and the rest is swept', { timeout: 240_000 }, async () => {
  await using site = await open();
  const api = await site.start('api');
  const head =
    '--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--b\r\ncontent-disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n';
  const stop = new AbortController();
  const cut = fetch(`${site.client.url}/v1/files`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'multipart/form-data; boundary=b' },
    body: new ReadableStream<Uint8Array>({
      start: (body) => {
        body.enqueue(Buffer.from(`${head}${'{"custom_id":"1"}\n'.repeat(100_000)}`));
      },
    }),
    duplex: 'half',
    signal: stop.signal,
  }).then(
    () => 'answered',
    () => 'lost',
  );
  const writing = join(site.storage.root, '~writing');
  await until('bytes arrive', async () => (await readdir(writing)).length > 0);
  await api.kill();
  expect(await cut).toBe('lost');
  const next = await site.start('api');
  expect(await site.client.call('GET', '/v1/files')).toMatchObject({ data: [] });
  expect(await readdir(writing)).toHaveLength(1);
  expect(await site.storage.sweepTemporary(new Date())).toBe(1);
  expect(next.over).toBe(false);
});

test.concurrent('a worker killed with a model loaded leaves no process behind', { timeout: 240_000 }, async () => {
  const model = new URL('../../../examples/models/aqsol_logs.onnx', import.meta.url).pathname;
  await using site = await open({
    yaml: `models:\n  - name: aqsol-logs\n    version: 1.0.0\n    executor: onnx\n    options:\n      path: ${model}\n      preprocess: smiles-morgan2048-desc16\n      outputs: [logS]\n`,
  });
  await Promise.all([site.start('api'), site.start('scheduler')]);
  const worker = await site.start('worker');
  const lines = Array.from({ length: 3_000 }, (_, i) => ({
    custom_id: `r${i}`,
    method: 'POST',
    url: '/v1/predict',
    body: { model: 'aqsol-logs', inputs: { smiles: `${'C'.repeat((i % 40) + 1)}O` } },
  }));
  const sent = await site.client.submit(lines, { endpoint: '/v1/predict' });
  await until('something has settled', async () => (await site.settled()) > 0);
  const children = descendants(worker.pid);
  expect(children.length).toBeGreaterThan(0);
  await worker.kill();
  await until('its children have ended', () => children.every((pid) => !isAlive(pid)));
  await site.start('worker');
  await site.ended([sent]);
  expect(await checkAll(site.db, site.storage, [sent])).toEqual([]);
});

test.concurrent(
  'a supervisor that is killed leaves nothing that the next start cannot take over',
  { timeout: 240_000 },
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
    await third.said(/Sluice is ready/);
    await until('the first one’s children have ended', () => roles.every((pid) => !isAlive(pid)));
    await using db = openPool({ url: (await addressOf(dataDir))!, name: 'crash test', max: 2 });
    await until(
      'the batch has ended',
      async () => (await db.one<{ status: string }>(sql`select status from batches`)).status === 'completed',
    );
    expect(await checkAll(db, await openDisk(join(dataDir, 'storage')), [sent])).toEqual([]);
  },
);
