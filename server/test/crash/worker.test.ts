import { expect, inject, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { chatLine } from '../support/requests.ts';
import { checkAll } from './history.ts';
import { startModelServer, type Call, type ModelServer } from './model-server.ts';
import { Random } from './random.ts';
import { Site } from './site.ts';
import { until } from './until.ts';

const lines = (count: number) => Array.from({ length: count }, (_, i) => chatLine(`r${i}`, { model: 'llm' }));

const openSite = async (stack: AsyncDisposableStack, options: Record<string, number>): Promise<{ site: Site; model: ModelServer }> => {
  const model = stack.use(await startModelServer());
  const site = stack.use(await Site.open({ postgres: inject('postgres'), yaml: model.yaml(options) }));
  await Promise.all([site.start('api'), site.start('scheduler')]);
  return { site, model };
};

const charged = (site: Site): Promise<{ attempts: number; losses: number }> =>
  site.db.one(sql`select (select count(*)::int from attempts) as attempts, (select coalesce(sum(losses), 0)::int from chunks) as losses`);

const settledBy = async (site: Site): Promise<{ worker: string; lines: number }[]> =>
  site.db.many(sql`select worker_id as worker, sum(completed + failed)::int as lines from segments group by 1 order by min(id)`);

test.concurrent.each([1, 2])(
  'a worker killed at its n-th request: the rest is leased again in time, what was done stays (seed %i)',
  { timeout: 240_000 },
  async (seed) => {
    const at = new Random(seed).between(3, 55);
    await using stack = new AsyncDisposableStack();
    const { site, model } = await openSite(stack, { max_concurrency: 2 });
    const worker = await site.start('worker');
    let asked = 0;
    const killed = new Promise<number>((resolve) => {
      model.on = ({ answer }: Call) => {
        if (++asked === at) void worker.kill().then(() => resolve(performance.now()));
        // Slow enough that parts are settled on the way.
        setTimeout(() => void answer(), 15);
      };
    });
    const sent = await site.client.submit(lines(60));
    const since = await killed;
    const before = await settledBy(site);
    const leased = (await site.db.one<{ n: number }>(sql`select count(*)::int as n from chunks where state = 'leased'`)).n;
    await until(
      'the lease is over',
      async () => (await site.db.one<{ n: number }>(sql`select count(*)::int as n from chunks where state = 'leased'`)).n === 0,
    );
    // A lease of two seconds, a sweep every second, which may be a tenth late; ten times that, since others may use the machine.
    expect(performance.now() - since).toBeLessThan(10 * (2_000 + 1_100));
    expect(await charged(site)).toEqual({ attempts: 0, losses: leased });
    // Some came in after the one that it was killed at, and some no further than their first bytes.
    const askedFirst = [...model.calls.values()].reduce((sum, times) => sum + times, 0);
    model.on = ({ answer }) => void answer();
    await site.start('worker');
    await site.ended([sent]);
    expect((await settledBy(site)).slice(0, before.length)).toEqual(before);
    expect((await charged(site)).attempts).toBe(0);
    expect(await checkAll(site.db, site.storage, [sent])).toEqual([]);
    // Asked again was only what had not settled.
    const done = before.reduce((sum, { lines }) => sum + lines, 0);
    expect([...model.calls.values()].filter((times) => times > 1).length).toBeLessThanOrEqual(askedFirst - done);
  },
);

test.concurrent(
  'a worker killed after the upstream answered, before it wrote that down: asked twice, one result',
  { timeout: 240_000 },
  async () => {
    await using stack = new AsyncDisposableStack();
    const { site, model } = await openSite(stack, { max_concurrency: 20 });
    // Of the twelve one is never answered, so that the chunk does not end and nothing is settled.
    model.on = ({ customId, answer }) => void (customId === 'r11' || answer());
    const worker = await site.start('worker', { SLUICE_TIMING__SETTLE_MS: '60000' });
    const sent = await site.client.submit(lines(12));
    await until('eleven are answered', () => model.answered.length === 11 && model.calls.size === 12);
    await worker.kill();
    expect(await site.settled()).toBe(0);
    model.on = ({ answer }) => void answer();
    await site.start('worker');
    await site.ended([sent]);
    expect([...model.calls.values()]).toEqual(Array.from({ length: 12 }, () => 2));
    expect((await charged(site)).attempts).toBe(0);
    expect(await checkAll(site.db, site.storage, [sent])).toEqual([]);
  },
);

test.concurrent.each(['cancelled', 'expired'] as const)(
  'a batch %s while its worker stands still: what was settled is kept, and what comes late is refused',
  { timeout: 240_000 },
  async (end) => {
    await using stack = new AsyncDisposableStack();
    const { site, model } = await openSite(stack, { max_concurrency: 4 });
    const held: Call[] = [];
    let open = 8;
    model.on = (call) => void (open-- > 0 ? void call.answer() : held.push(call));
    const zombie = await site.start('worker', { SLUICE_TIMING__SETTLE_MS: '700' });
    const sent = await site.client.submit(lines(30), { completion_window: '24h' });
    const early = await until('the first are settled', async () => (await site.settled()) || null);
    // Four answers more. When the next four have been asked for, the worker has these in hand and has not settled them.
    await until('four wait', () => held.length >= 4);
    for (const call of held.splice(0, 4)) await call.answer();
    await until('the next are asked for', () => held.length >= 4);
    zombie.signal('SIGSTOP');
    const kept = Math.max(early, await site.settled());
    if (end === 'cancelled') await site.client.call('POST', `/v1/batches/${sent.id}/cancel`);
    else await site.db.run(sql`update batches set deadline = now() where id = ${sent.id}`);
    await site.ended([sent]);
    const batch = () => site.client.call<Record<string, unknown>>('GET', `/v1/batches/${sent.id}`);
    const ended = await batch();
    expect(ended).toMatchObject({ status: end, request_counts: { total: 30, completed: kept, failed: 0, [end]: 30 - kept } });
    zombie.signal('SIGCONT');
    await until('a late write', async () => {
      const rows = new Set((await site.db.many<{ key: string }>(sql`select storage_key as key from segments`)).map(({ key }) => key));
      for await (const { key } of site.storage.list(`default/${sent.id}/`)) if (!key.includes('/index.') && !rows.has(key)) return true;
      return false;
    });
    expect(await batch()).toEqual(ended);
    expect(await checkAll(site.db, site.storage, [sent])).toEqual([]);
    // It is well, and works on.
    model.on = ({ answer }) => void answer();
    const next = await site.client.submit(lines(5));
    await site.ended([next]);
    expect(zombie.over).toBe(false);
  },
);
