import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { chatLine } from '../support/requests.ts';
import { checkAll, type Sent } from './history.ts';
import { freePort, type Process } from './process.ts';
import { Site } from './site.ts';
import { until } from './until.ts';

/** Few at a time, so that most of a chunk has not started when the notice comes. */
const yaml = `models:\n  - name: narrow\n    version: 1.0.0\n    executor: echo\n    options:\n      max_concurrency: 4\n`;

const lines = (count: number, ms: number) =>
  Array.from({ length: count }, (_, i) => chatLine(`r${i}`, { model: 'narrow', echo: { delay_ms: ms } }));

interface Begun extends AsyncDisposable {
  site: Site;
  worker: Process;
  sent: Sent;
}

/** A worker in the middle of the only batch, four of its requests under way. */
const begin = async ({ count, ms, env }: { count: number; ms: number; env: Record<string, string> }): Promise<Begun> => {
  const site = await Site.open({ postgres: inject('postgres'), yaml });
  await Promise.all([site.start('api'), site.start('scheduler')]);
  const worker = await site.start('worker', env);
  const sent = await site.client.submit(lines(count, ms));
  await until('it works', async () => (await held(site)) > 0);
  return { site, worker, sent, [Symbol.asyncDispose]: () => site[Symbol.asyncDispose]() };
};

const count = async (site: Site, state: 'queued' | 'leased'): Promise<number> =>
  (
    await site.db.one<{ n: number }>(sql`
      select coalesce(sum((select sum(upper(r) - lower(r)) from unnest(lines) r)), 0)::int as n from chunks where state = ${state}`)
  ).n;

const held = (site: Site): Promise<number> => count(site, 'leased');

/** Nothing was charged: no failed attempt, and no worker counted as lost. */
const charged = (site: Site): Promise<{ attempts: number; losses: number }> =>
  site.db.one(sql`select (select count(*)::int from attempts) as attempts, (select coalesce(sum(losses), 0)::int from chunks) as losses`);

test.concurrent('SIGTERM: what has not started goes back before what runs has ended', { timeout: 120_000 }, async () => {
  await using begun = await begin({ count: 24, ms: 6_000, env: { SLUICE_WORKER__NOTICE_SECONDS: '30' } });
  const { site, worker, sent } = begun;
  const before = await held(site);
  const settled = await site.settled();
  worker.signal('SIGTERM');
  await until('the rest is queued', async () => (await held(site)) <= 4 && (await held(site)) > 0, 5_000);
  expect(await count(site, 'queued')).toBeGreaterThanOrEqual(before - 4);
  expect(worker.over).toBe(false);
  expect(await worker.ended).toBe(0);
  // The four that fitted in the notice are done.
  expect(await site.settled()).toBeGreaterThan(settled);
  expect(await held(site)).toBe(0);
  // What it gave back says so, and by whom; who told it stands with the worker.
  expect(
    await site.db.many(sql`select distinct i.kind, i.pool, w.interrupted_by from interruptions i join workers w on w.id = i.worker_id`),
  ).toEqual([{ kind: 'drained', pool: 'dedicated', interrupted_by: 'signal' }]);
  await site.start('worker');
  await site.ended([sent], 90_000);
  expect(await charged(site)).toEqual({ attempts: 0, losses: 0 });
  expect(await checkAll(site.db, site.storage, [sent])).toEqual([]);
});

test.concurrent('SIGTERM, and SIGKILL when the notice is over: what does not fit in it goes back', { timeout: 120_000 }, async () => {
  await using begun = await begin({ count: 8, ms: 5_000, env: { SLUICE_WORKER__NOTICE_SECONDS: '3' } });
  const { site, worker, sent } = begun;
  worker.signal('SIGTERM');
  const killer = setTimeout(() => worker.signal('SIGKILL'), 3_000);
  expect(await worker.ended).toBe(0);
  clearTimeout(killer);
  expect([await site.settled(), await held(site), await count(site, 'queued')]).toEqual([0, 0, 8]);
  expect(await site.db.many(sql`select state from workers`)).toEqual([{ state: 'stopped' }]);
  await site.start('worker');
  await site.ended([sent], 90_000);
  expect(await charged(site)).toEqual({ attempts: 0, losses: 0 });
  expect(await checkAll(site.db, site.storage, [sent])).toEqual([]);
});

test.concurrent('a notice by file, endpoint or API drains like a signal', { timeout: 120_000 }, async () => {
  const port = await freePort();
  const env = { SLUICE_WORKER__NOTICE_SECONDS: '20', SLUICE_WORKER__NOTICE_FILE: 'going', SLUICE_HEALTH_PORT: String(port) };
  await using begun = await begin({ count: 40, ms: 2_000, env });
  const { site, sent } = begun;
  const drained = async (worker: Process): Promise<void> => {
    await until('the rest is queued', async () => (await held(site)) <= 4 && (await count(site, 'queued')) > 0, 1_800);
    expect(await worker.ended).toBe(0);
    expect(await held(site)).toBe(0);
  };
  const next = async (own: Record<string, string>): Promise<Process> => {
    const worker = await site.start('worker', own);
    await until('it works', async () => (await held(site)) > 4);
    return worker;
  };
  await writeFile(join(site.folder, 'going'), '20\n');
  await drained(begun.worker);

  const second = await next({ ...env, SLUICE_WORKER__NOTICE_FILE: 'none' });
  const post = (init: RequestInit = {}) => fetch(`http://127.0.0.1:${port}/notice`, { method: 'POST', ...init });
  expect((await post({ headers: { origin: 'http://evil.example' } })).status).toBe(403);
  expect((await post({ body: '{"seconds":-1}' })).status).toBe(400);
  expect((await post({ method: 'GET' })).status).toBe(405);
  expect(second.log).not.toContain('will be taken away');
  expect((await post({ body: '{"seconds":20}' })).status).toBe(202);
  await drained(second);

  const third = await next({ SLUICE_WORKER__NOTICE_SECONDS: '20' });
  const { data } = await site.client.call<{ data: { id: string; state: string }[] }>('GET', '/v1/workers');
  const { id } = data.find(({ state }) => state === 'ready')!;
  expect(await site.client.call('POST', `/v1/workers/${id}/drain`)).toMatchObject({ state: 'draining' });
  await drained(third);

  await site.start('worker');
  await site.ended([sent], 90_000);
  expect(await charged(site)).toEqual({ attempts: 0, losses: 0 });
  expect(await checkAll(site.db, site.storage, [sent])).toEqual([]);
});

test.concurrent('a worker told to run once ends by itself when nothing is left', { timeout: 120_000 }, async () => {
  await using site = await Site.open({ postgres: inject('postgres'), yaml });
  await Promise.all([site.start('api'), site.start('scheduler')]);
  const sent = await site.client.submit(lines(40, 20));
  await until('there is work', async () => (await count(site, 'queued')) === 40);
  const worker = site.begin('worker', { SLUICE_WORKER__ONCE: 'true' });
  expect(await worker.ended).toBe(0);
  await site.ended([sent]);
  expect(await checkAll(site.db, site.storage, [sent])).toEqual([]);
});
