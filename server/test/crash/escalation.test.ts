import { expect, inject, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { chatLine } from '../support/requests.ts';
import { Client } from './client.ts';
import { checkAll } from './history.ts';
import { Site } from './site.ts';
import { until } from './until.ts';

/** One worker does eight requests a second of it at half a second each: 320 are 40 worker-seconds. */
const narrow = `
  - name: narrow
    version: 1.0.0
    executor: echo
    options: { max_concurrency: 4 }`;

const lines = (count: number, ms: number) =>
  Array.from({ length: count }, (_, i) => chatLine(`r${i}`, { model: 'narrow', echo: { delay_ms: ms } }));

interface Shown {
  id: string;
  pool: string | null;
  escalated_at: number | null;
}

/** What earlier batches have taught. */
const teach = (site: Site, rate: number): Promise<number> =>
  site.db.run(sql`insert into model_rates (model, rate, settled) values ('narrow@1.0.0', ${rate}::float8, 1000)`);

test('the whole spot pool is killed while a deadline nears: dedicated workers keep it', { timeout: 240_000 }, async () => {
  const yaml = `
pools:
  - { name: spot, preemptible: true, maximum: 2, startup_seconds: 5 }
  # As long as one takes to start where the machine has much else to do.
  - { name: dedicated, maximum: 2, startup_seconds: 15 }
models:${narrow}
`;
  await using site = await Site.open({ postgres: inject('postgres'), yaml });
  await teach(site, 8);
  await Promise.all([site.start('api'), site.start('scheduler')]);
  const spot = await Promise.all([1, 2].map(() => site.start('worker', { SLUICE_WORKER__POOL: 'spot' })));
  const sent = await site.client.submit(lines(320, 500), { completion_window: '1m' });
  const read = () => site.client.call<Record<string, unknown>>('GET', `/v1/batches/${sent.id}`);
  const desired = async (): Promise<number> =>
    (await site.db.maybe<{ desired: number }>(sql`select desired from pools where name = 'dedicated'`))?.desired ?? 0;

  await until('spot works', async () => (await site.settled()) > 0);
  expect(await read()).toMatchObject({ sla: 'on_track', escalated_at: null });
  expect(await desired()).toBe(0);
  await Promise.all(spot.map((worker) => worker.kill()));
  const before = await site.settled();

  // Nobody works, and time goes by, until the line is crossed; then the pool is given what it asks for.
  await until('it is at risk', async () => (await read())['sla'] === 'at_risk');
  expect((await read())['escalated_at']).toEqual(expect.any(Number));
  const asked = await until('dedicated workers are asked for', desired);
  expect(asked).toBe(2);
  expect(await site.settled()).toBe(before);
  await Promise.all(Array.from({ length: asked }, () => site.start('worker')));
  await site.ended([sent]);

  expect(await read()).toMatchObject({ status: 'completed', sla: 'met', request_counts: { total: 320, completed: 320, failed: 0 } });
  const events = await site.db.many<{ type: string }>(
    sql`select e.type from events e join batches b on b.no = e.batch_no where b.id = ${sent.id} and e.type = 'batch.escalated'`,
  );
  expect(events).toHaveLength(1);
  const done = await site.db.many<{ kind: string; lines: number }>(sql`
    select w.kind, sum(s.completed)::int as lines from segments s join workers w on w.id = s.worker_id group by 1 order by 1`);
  expect(done).toEqual([
    { kind: 'dedicated', lines: 320 - before },
    { kind: 'spot', lines: before },
  ]);
  expect(await site.db.many(sql`select line from attempts`)).toEqual([]);

  // The batch and each of its requests tell where they were given, when they moved and why.
  const batch = await read();
  // With its work nearly done it may go back to spot.
  expect((batch['pool_history'] as unknown[]).slice(0, 2)).toEqual([
    { at: expect.any(Number), pool: 'spot', reason: expect.stringContaining('spot') },
    { at: expect.any(Number), pool: 'dedicated', reason: expect.stringMatching(/of 2 dedicated workers/) },
  ]);
  const list = await site.client.call<{ data: Shown[] }>('GET', `/v1/batches/${sent.id}/requests?limit=400`);
  const by = Map.groupBy(list.data, ({ pool }) => pool);
  expect([by.get('spot')!.length, by.get('dedicated')!.length]).toEqual([before, 320 - before]);
  for (const { pool, escalated_at: at } of list.data) expect(at).toEqual(pool === 'spot' ? null : expect.any(Number));
  const lost = new Set<string>();
  for (const { id } of by.get('dedicated')!) {
    const { moves } = await site.client.call<{ moves: { kind: string; worker: string | null }[] }>('GET', `/v1/requests/${id}`);
    expect(moves.map(({ kind }) => kind)).toContain('escalated');
    for (const { kind, worker } of moves) if (kind === 'lost') lost.add(worker!);
    if (lost.size === 2) break;
  }
  // Both workers of the spot pool held some.
  expect(lost.size).toBe(2);
  expect(await checkAll(site.db, site.storage, [sent])).toEqual([]);
});

test('a tenant with a hundredth of the backlog is served as much as the other', { timeout: 240_000 }, async () => {
  const yaml = `
keys:
  - { key: small-key, tenant: small, user: small }
models:${narrow}
`;
  await using site = await Site.open({ postgres: inject('postgres'), yaml });
  // Chunks of 16 lines, also after the first heartbeats have told what workers really do.
  await teach(site, 8);
  await site.db.run(sql`create function stays() returns trigger language plpgsql as $$ begin return null; end $$`);
  await site.db.run(sql`create trigger stays before update on model_rates for each row execute function stays()`);
  await Promise.all([site.start('api'), site.start('scheduler')]);
  await site.db.run(sql`create table arrivals (id text primary key, seq bigint not null)`);
  await site.db.run(sql`
    create function arrives() returns trigger language plpgsql as $$
    begin
      insert into arrivals select new.id, coalesce(max(seq), 0) from history on conflict do nothing;
      return null;
    end $$`);
  await site.db.run(sql`
    create trigger arrives after update of status on batches for each row when (new.status = 'in_progress') execute function arrives()`);
  const workers = 2;
  const large = await site.client.submit(lines(12_000, 25), { completion_window: '24h' });
  await Promise.all(Array.from({ length: workers }, () => site.start('worker')));
  await until('the large one is under way', async () => (await site.settled()) > 100);

  const small = await new Client(Number(new URL(site.client.url).port), 'small-key').submit(lines(120, 25));
  await site.ended([small]);
  expect(await site.settled()).toBeLessThan(3_000);
  await site.client.call('POST', `/v1/batches/${large.id}/cancel`);
  await site.ended([large]);

  // Each claim, in order, with the lines that were done under it.
  const claims = await site.db.many<{ lines: number; small: boolean }>(sql`
    select d.lines, b.id = ${small.id} as small
    from history h join (select batch_no, chunk_id, token, sum(completed)::int as lines from segments group by 1, 2, 3) d using (chunk_id, token)
      join batches b on b.no = d.batch_no
    where h.what = 'claim' and h.seq > (select seq from arrivals where id = ${small.id}) order by h.seq`);
  const sizes = claims.slice(0, claims.findLastIndex((claim) => claim.small) + 1);
  const largest = Math.max(...sizes.map((claim) => claim.lines));
  // S5: twice the work that workers may hold, and one chunk. A worker holds two chunks of a model, and one that settles.
  const bound = 2 * (workers * 3 * largest + largest);
  const served = { small: 0, large: 0 };
  let worst = 0;
  for (const claim of sizes) {
    served[claim.small ? 'small' : 'large'] += claim.lines;
    worst = Math.max(worst, Math.abs(served.small - served.large));
  }
  expect(served.small).toBe(120);
  console.log(
    `fairness: ${worst} requests apart at most, of ${bound}; ${served.large} of the large tenant while the small one's 120 were taken`,
  );
  expect(worst).toBeLessThanOrEqual(bound);
  // With turns in the order of arrival it would have waited for all of the other's 12,000.
  expect(bound).toBeLessThan(300);
  expect(await checkAll(site.db, site.storage, [small, large])).toEqual([]);
});
