import { expect, inject, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { chatLine } from '../support/requests.ts';
import { checkAll } from './history.ts';
import { Site } from './site.ts';
import { until } from './until.ts';

const yaml = `
pools:
  - { name: spot, preemptible: true, maximum: 3, startup_seconds: 5 }
  - { name: dedicated, maximum: 3, startup_seconds: 5 }
models:
  - { name: narrow, version: 1.0.0, executor: echo, options: { max_concurrency: 4 } }
`;

test('of two schedulers one is killed and one stands still: what they decide holds, and nobody flaps', { timeout: 240_000 }, async () => {
  await using site = await Site.open({ postgres: inject('postgres'), yaml });
  await site.db.run(sql`create table decisions (seq bigint generated always as identity, pool text not null, desired integer not null)`);
  await site.db.run(sql`
    create function decided() returns trigger language plpgsql as $$
    begin
      insert into decisions (pool, desired) values (new.name, new.desired);
      return null;
    end $$`);
  await site.db.run(
    sql`create trigger decided after update of desired on pools for each row when (old.desired <> new.desired) execute function decided()`,
  );
  const [, first, second] = await Promise.all([site.start('api'), site.start('scheduler'), site.start('scheduler')]);
  // A day for what two workers do in a minute: spot is enough, and stays enough.
  const sent = await site.client.submit(
    Array.from({ length: 400 }, (_, i) => chatLine(`r${i}`, { model: 'narrow', echo: { delay_ms: 20 } })),
  );
  const wantedOf = async (pool: string): Promise<number[]> =>
    (await site.db.many<{ desired: number }>(sql`select desired from decisions where pool = ${pool} order by seq`)).map(
      ({ desired }) => desired,
    );
  const state = () =>
    site.db.one<{ decided: number; planned: number; plan: number }>(sql`
      select extract(epoch from now() - min(decided_at))::float8 as decided, extract(epoch from now() - p.planned_at)::float8 as planned, p.current as plan
      from pools, plan p group by 2, 3`);
  const fresh = async (what: string): Promise<void> => {
    const { plan } = await state();
    await until(what, async () => {
      const now = await state();
      return now.plan > plan + 1 && now.decided < 2 && now.planned < 2;
    });
  };
  await until('workers are wanted', async () => (await site.db.maybe(sql`select from pools where name = 'spot' and desired = 3`)) !== null);
  await fresh('both decide and plan');
  await first.kill();
  await fresh('the other goes on');
  second.signal('SIGSTOP');
  const third = await site.start('scheduler');
  await fresh('a third takes over');
  second.signal('SIGCONT');
  await fresh('and goes on beside the one that woke up');
  // Nothing has changed meanwhile, and so nobody changed his mind.
  expect(await wantedOf('spot')).toEqual([3]);
  expect((await wantedOf('dedicated')).length).toBeLessThanOrEqual(1);
  await Promise.all([0, 1].map(() => site.start('worker', { SLUICE_WORKER__POOL: 'spot' })));
  await site.ended([sent]);
  const wanted = await wantedOf('spot');
  // On the way down it went one way.
  expect(wanted).toEqual(wanted.toSorted((a, b) => b - a));
  expect([second.over, third.over]).toEqual([false, false]);
  const ends = await site.db.many(
    sql`select e.type, count(*)::int as n from events e where e.type ~ 'completed|in_progress|finalizing' group by 1 having count(*) > 1`,
  );
  expect(ends).toEqual([]);
  expect(await checkAll(site.db, site.storage, [sent])).toEqual([]);
});
