import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, expect, test } from 'vitest';
import { silent } from '../lib/log.ts';
import { processesIn } from '../lib/processes.ts';
import { startEmbedded, type Embedded } from './embedded.ts';
import { openCluster } from './cluster.ts';

const home = await mkdtemp(join(tmpdir(), 'sluice-embedded-'));
// mkdtemp's folders are closed, and the last test's alone shall be.
await chmod(home, 0o755);
const dataDir = join(home, 'data');
const started: Embedded[] = [];
afterAll(async () => {
  for (const server of started) await server.stop();
  await rm(home, { recursive: true, force: true });
});

const start = async (): Promise<Embedded> => {
  const server = await startEmbedded({ dataDir, log: silent });
  started.push(server);
  return server;
};

const ask = async <T>(url: string, text: string): Promise<T[]> => {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(text)).rows as T[];
  } finally {
    await client.end();
  }
};

test('a first start makes the cluster; a second one finds it', async () => {
  const first = await start();
  await ask(first.url, 'create table kept (n int)');
  expect(await ask(first.url, "select current_setting('server_version_num')::int / 10000 as major")).toEqual([{ major: 18 }]);
  const { mode } = await stat(join(dataDir, 'postgres.password'));
  expect(mode & 0o777).toBe(0o600);
  await first.stop();
  await first.stop();

  const second = await start();
  expect(second.url).toBe(first.url);
  expect(await ask(second.url, 'select * from kept')).toEqual([]);
  await expect(ask(second.url.replace(/:[0-9a-f]{48}@/, ':wrong@'), 'select 1')).rejects.toThrow('password');
});

test('a server that lost its supervisor is ended before another one starts', async () => {
  const orphan = started.at(-1)!;
  const next = await start();
  await orphan.ended;
  expect(next.pid).not.toBe(orphan.pid);
  expect(await ask(next.url, 'select 1 as n')).toEqual([{ n: 1 }]);
});

test('after kill -9 the next start recovers, and finds what was committed', async () => {
  const server = started.at(-1)!;
  await ask(server.url, 'insert into kept values (7)');
  process.kill(server.pid, 'SIGKILL');
  await server.ended;
  const next = await start();
  expect(await ask(next.url, 'select * from kept')).toEqual([{ n: 7 }]);
  await next.stop();
});

test("a stale postmaster.pid whose number is some other program's does not stop it", async () => {
  const { folder, account } = await openCluster(dataDir);
  const other = spawn('sleep', ['60'], { ...account, cwd: '/' });
  try {
    await writeFile(join(folder, 'postmaster.pid'), `${other.pid}\n${folder}\n1\n5432\n\n127.0.0.1\n 1 1\nready   \n`);
    await (await start()).stop();
    expect(other.exitCode).toBeNull();
    expect(processesIn(folder) ?? []).toEqual([]);
  } finally {
    other.kill();
  }
});

test('a port that is taken is chosen again', async () => {
  const file = join(dataDir, 'postgres.port');
  const taken = Number(await readFile(file, 'utf8'));
  const squatter = createServer().listen(taken, '127.0.0.1');
  await once(squatter, 'listening');
  try {
    const server = await start();
    expect(new URL(server.url).port).not.toBe(String(taken));
    expect(await readFile(file, 'utf8')).toBe(new URL(server.url).port);
    await server.stop();
  } finally {
    squatter.close();
  }
});

test.runIf(process.getuid?.() === 0)('as root, a data directory that PostgreSQL cannot reach gets its cluster elsewhere', async () => {
  const closed = await mkdtemp(join(home, 'closed-'));
  const inside = join(closed, 'data');
  await using server = await startEmbedded({ dataDir: inside, log: silent });
  expect(await ask(server.url, 'select 1 as n')).toEqual([{ n: 1 }]);
  const elsewhere = await readFile(join(inside, 'postgres.at'), 'utf8');
  expect(elsewhere).toMatch(/^\/var\/(lib|tmp)\/sluice\//);
  await server.stop();
  await using again = await startEmbedded({ dataDir: inside, log: silent });
  expect(again.url).toBe(server.url);
  await ask(again.url, 'create table kept (n int)');
  await again.stop();

  // Who removes the data directory begins anew.
  await rm(inside, { recursive: true });
  await using anew = await startEmbedded({ dataDir: inside, log: silent });
  expect(await ask(anew.url, "select to_regclass('kept') as t")).toEqual([{ t: null }]);
  await anew.stop();
  const place = join(elsewhere.trim(), '..');
  for (const left of [place, `${place}.old`]) await rm(left, { recursive: true });
});
