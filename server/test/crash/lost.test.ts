import { expect, inject, test } from 'vitest';
import { chatLine } from '../support/requests.ts';
import { apiKey } from './client.ts';
import { PrivatePostgres } from './cluster.ts';
import { checkAll } from './history.ts';
import { isWrite, openProxy, type Fate, type Proxy } from './proxy.ts';
import { Random } from './random.ts';
import { Site } from './site.ts';
import { until } from './until.ts';

/** Every process behind one bad wire to PostgreSQL; the test's own connection is a good one. */
const openSite = async (stack: AsyncDisposableStack, env: Record<string, string> = {}): Promise<{ site: Site; proxy: Proxy }> => {
  let proxy: Proxy | undefined;
  const site = await Site.open({
    postgres: inject('postgres'),
    through: async (url) => (proxy = await openProxy(url)).url,
    env,
  });
  stack.use(proxy!);
  stack.use(site);
  return { site, proxy: proxy! };
};

const lines = (count: number, random: Random) =>
  Array.from({ length: count }, (_, i) =>
    chatLine(`r${i}`, {
      echo: random.chance(0.2)
        ? random.pick([{ delay_ms: random.between(1, 300) }, { fail_times: 1 }, { status: 400 }, { fail_times: 1, status: 503 }])
        : undefined,
    }),
  );

test.concurrent('a connection lost around a commit: each write has happened once, or not at all', { timeout: 240_000 }, async () => {
  const seed = 11;
  const random = new Random(seed);
  await using stack = new AsyncDisposableStack();
  const { site, proxy } = await openSite(stack);
  const roles = await Promise.all([site.start('api'), site.start('scheduler'), site.start('worker')]);
  let writes = 0;
  const lost: string[] = [];
  const losses = new Map<Fate, number>();
  proxy.fate = (statement) => {
    if (!isWrite(statement)) return 'pass';
    writes++;
    if (!random.chance(0.12)) return 'pass';
    const fate = random.pick(['lose request', 'lose reply'] as const);
    losses.set(fate, (losses.get(fate) ?? 0) + 1);
    lost.push(`${fate}: ${statement.trim().slice(0, 30)}`);
    return fate;
  };
  const sent = [];
  for (let i = 0; i < 4; i++) sent.push(await site.client.submit(lines(random.between(50, 400), random)));
  await site.ended(sent);
  expect(await checkAll(site.db, site.storage, sent)).toEqual([]);
  expect(losses.size, `of ${writes} writes: ${lost.join('; ')}`).toBe(2);
  // A write whose reply was lost is looked up, not sent again for a constraint to refuse.
  expect(roles.map(({ log }) => log).join('')).not.toContain('duplicate key');
  // Each of them lived through it.
  expect(roles.filter((role) => role.over).map((role) => role.log)).toEqual([]);
});

test.concurrent('without a single notification everything is found by polling', { timeout: 240_000 }, async () => {
  await using stack = new AsyncDisposableStack();
  const { site, proxy } = await openSite(stack);
  proxy.notify = false;
  await Promise.all([site.start('api'), site.start('scheduler'), site.start('worker')]);
  const sent = [await site.client.submit(lines(300, new Random(5)))];
  await site.ended(sent);
  expect(proxy.lost).toBeGreaterThan(0);
  expect(await checkAll(site.db, site.storage, sent)).toEqual([]);
});

test.concurrent('connections that are there and carry nothing are noticed, and replaced', { timeout: 240_000 }, async () => {
  await using stack = new AsyncDisposableStack();
  const { site, proxy } = await openSite(stack);
  const [, scheduler, worker] = await Promise.all([site.start('api'), site.start('scheduler'), site.start('worker')]);
  const sent = [await site.client.submit(Array.from({ length: 400 }, (_, i) => chatLine(i, { echo: { delay_ms: 1_500 } })))];
  await until(
    'some of it runs',
    async () => (await site.db.one<{ n: number }>({ text: "select count(*) as n from chunks where state = 'leased'", values: [] })).n > 0,
  );
  proxy.strand();
  await site.ended(sent);
  expect(await checkAll(site.db, site.storage, sent)).toEqual([]);
  expect([scheduler.over, worker.over]).toEqual([false, false]);
});

test.concurrent(
  'PostgreSQL stopped or killed in the middle: 503 meanwhile, and nothing is lost or counted twice',
  { timeout: 240_000 },
  async () => {
    await using postgres = await PrivatePostgres.start();
    await using site = await Site.open({ postgres: postgres.url, own: true });
    const roles = await Promise.all([site.start('api'), site.start('scheduler'), site.start('worker')]);
    const sent = [
      await site.client.submit(
        Array.from({ length: 400 }, (_, i) =>
          chatLine(`r${i}`, { echo: { delay_ms: 10 + (i % 50) * 60, ...(i % 9 === 0 && { fail_times: 1 }) } }),
        ),
      ),
    ];
    for (const signal of ['SIGINT', 'SIGKILL', 'SIGQUIT'] as const) {
      const before = await until('', () => site.settled().then((n) => ({ n })));
      await until('work goes on', async () => (await site.settled()) > before.n);
      await postgres.end(signal);
      const reply = await until('an answer', () =>
        fetch(`${site.client.url}/v1/batches/${sent[0]!.id}`, { headers: { authorization: `Bearer ${apiKey}` } }),
      );
      expect([reply.status, reply.headers.get('retry-after')]).toEqual([503, '2']);
      expect(await reply.json()).toMatchObject({ error: { code: 'unavailable' } });
      expect((await fetch(`${site.client.url}/health/ready`)).status).toBe(503);
      expect((await fetch(`${site.client.url}/health/live`)).status).toBe(200);
      await postgres.again();
      await until('it is ready again', async () => (await fetch(`${site.client.url}/health/ready`)).ok);
      sent.push(await site.client.submit([chatLine('after')]));
    }
    await site.ended(sent);
    expect(await until('the checks', () => checkAll(site.db, site.storage, sent))).toEqual([]);
    // The same processes, all the time.
    expect(roles.filter((role) => role.over).map((role) => role.log)).toEqual([]);
  },
);
