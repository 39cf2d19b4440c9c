import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { chatLine } from '../support/requests.ts';
import { checkAll, type Sent } from './history.ts';
import { startModelServer, type Call } from './model-server.ts';
import { freePort, type Process } from './process.ts';
import { Site } from './site.ts';
import { until } from './until.ts';

const lines = (count: number) => Array.from({ length: count }, (_, i) => chatLine(`r${i}`, { model: 'llm' }));

interface Begun extends AsyncDisposable {
  site: Site;
  worker: Process;
  sent: Sent;
  /** Requests that have been asked for and not answered. */
  open: Call[];
  /** Answers them, and from now on each at once. */
  answerAll: () => void;
}

/** A worker in the middle of the only batch, four of its requests under way: few, so that most of a chunk has not started. */
const begin = async ({ count, env }: { count: number; env: Record<string, string> }): Promise<Begun> => {
  const stack = new AsyncDisposableStack();
  const model = stack.use(await startModelServer());
  const open: Call[] = [];
  model.on = (call) => void open.push(call);
  const site = stack.use(await Site.open({ postgres: inject('postgres'), yaml: model.yaml({ max_concurrency: 4 }) }));
  await Promise.all([site.start('api'), site.start('scheduler')]);
  const worker = await site.start('worker', env);
  const sent = await site.client.submit(lines(count));
  await until('it works', () => open.length === 4);
  const answerAll = (): void => {
    model.on = ({ answer }) => void answer();
    for (const call of open.splice(0)) void call.answer();
  };
  return { site, worker, sent, open, answerAll, [Symbol.asyncDispose]: () => stack.disposeAsync() };
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

test.concurrent('SIGTERM: what has not started goes back before what runs has ended', { timeout: 240_000 }, async () => {
  await using begun = await begin({ count: 24, env: { SLUICE_WORKER__NOTICE_SECONDS: '120' } });
  const { site, worker, sent, answerAll } = begun;
  const before = await held(site);
  worker.signal('SIGTERM');
  await until('the rest is queued', async () => (await held(site)) === 4);
  expect(await count(site, 'queued')).toBeGreaterThanOrEqual(before - 4);
  expect([worker.over, await site.settled()]).toEqual([false, 0]);
  answerAll();
  expect(await worker.ended).toBe(0);
  // The four that fitted in the notice are done.
  expect([await site.settled(), await held(site)]).toEqual([4, 0]);
  // What it gave back says so, and by whom; who told it stands with the worker.
  expect(
    await site.db.many(sql`select distinct i.kind, i.pool, w.interrupted_by from interruptions i join workers w on w.id = i.worker_id`),
  ).toEqual([{ kind: 'drained', pool: 'dedicated', interrupted_by: 'signal' }]);
  await site.start('worker');
  await site.ended([sent]);
  expect(await charged(site)).toEqual({ attempts: 0, losses: 0 });
  expect(await checkAll(site.db, site.storage, [sent])).toEqual([]);
});

test.concurrent('SIGTERM: what is not answered when the notice is over goes back', { timeout: 240_000 }, async () => {
  await using begun = await begin({ count: 8, env: { SLUICE_WORKER__NOTICE_SECONDS: '3' } });
  const { site, worker, sent, answerAll } = begun;
  worker.signal('SIGTERM');
  // Nothing is answered: it is the notice that ends it.
  expect(await worker.ended).toBe(0);
  expect([await site.settled(), await held(site), await count(site, 'queued')]).toEqual([0, 0, 8]);
  expect(await site.db.many(sql`select state from workers`)).toEqual([{ state: 'stopped' }]);
  answerAll();
  await site.start('worker');
  await site.ended([sent]);
  expect(await charged(site)).toEqual({ attempts: 0, losses: 0 });
  expect(await checkAll(site.db, site.storage, [sent])).toEqual([]);
});

test.concurrent('a notice by file, endpoint or API drains like a signal', { timeout: 240_000 }, async () => {
  const port = await freePort();
  const env = { SLUICE_WORKER__NOTICE_SECONDS: '120', SLUICE_WORKER__NOTICE_FILE: 'going', SLUICE_HEALTH_PORT: String(port) };
  await using begun = await begin({ count: 40, env });
  const { site, sent, open, answerAll } = begun;
  /** The rest goes back while the four that run are not answered; then they are, and the worker ends. */
  const drained = async (worker: Process): Promise<void> => {
    await until('the rest is queued', async () => (await held(site)) === 4 && (await count(site, 'queued')) > 0);
    expect(worker.over).toBe(false);
    for (const call of open.splice(0)) void call.answer();
    expect(await worker.ended).toBe(0);
    expect(await held(site)).toBe(0);
  };
  const next = async (own: Record<string, string>): Promise<Process> => {
    const worker = await site.start('worker', own);
    await until('it works', () => open.length === 4);
    return worker;
  };
  await writeFile(join(site.folder, 'going'), '120\n');
  await drained(begun.worker);

  const second = await next({ ...env, SLUICE_WORKER__NOTICE_FILE: 'none' });
  const post = (init: RequestInit = {}) => fetch(`http://127.0.0.1:${port}/notice`, { method: 'POST', ...init });
  expect((await post({ headers: { origin: 'http://evil.example' } })).status).toBe(403);
  expect((await post({ body: '{"seconds":-1}' })).status).toBe(400);
  expect((await post({ method: 'GET' })).status).toBe(405);
  expect(second.log).not.toContain('will be taken away');
  expect((await post({ body: '{"seconds":120}' })).status).toBe(202);
  await drained(second);

  const third = await next({ SLUICE_WORKER__NOTICE_SECONDS: '120' });
  const { data } = await site.client.call<{ data: { id: string; state: string }[] }>('GET', '/v1/workers');
  const { id } = data.find(({ state }) => state === 'ready')!;
  expect(await site.client.call('POST', `/v1/workers/${id}/drain`)).toMatchObject({ state: 'draining' });
  await drained(third);

  answerAll();
  await site.start('worker');
  await site.ended([sent]);
  expect(await charged(site)).toEqual({ attempts: 0, losses: 0 });
  expect(await checkAll(site.db, site.storage, [sent])).toEqual([]);
});

test.concurrent('a worker told to run once ends by itself when nothing is left', { timeout: 240_000 }, async () => {
  await using site = await Site.open({ postgres: inject('postgres') });
  await Promise.all([site.start('api'), site.start('scheduler')]);
  const sent = await site.client.submit(Array.from({ length: 40 }, (_, i) => chatLine(`r${i}`)));
  await until('there is work', async () => (await count(site, 'queued')) === 40);
  const worker = site.begin('worker', { SLUICE_WORKER__ONCE: 'true' });
  expect(await worker.ended).toBe(0);
  await site.ended([sent]);
  expect(await checkAll(site.db, site.storage, [sent])).toEqual([]);
});
