import { expect, inject, test } from 'vitest';
import type { Job } from '@sluice/contract';
import { sql } from '../../src/db/sql.ts';
import { jobLosses } from '../../src/jobs/state.ts';
import { Site } from './site.ts';
import { until } from './until.ts';

const open = () => Site.open({ postgres: inject('postgres') });

const submit = (site: Site, text: string, echo?: Record<string, unknown>): Promise<Job> =>
  site.client.call<Job>('POST', '/v1/jobs', {
    model: 'echo',
    messages: [{ role: 'user', content: text }],
    ...(echo && { sluice_echo: echo }),
  });

const ended = (site: Site, id: string): Promise<Job> =>
  until(`${id} has ended`, async () => {
    const job = await site.client.call<Job>('GET', `/v1/jobs/${id}`);
    return job.ended_at === null ? null : job;
  });

const states = (site: Site) =>
  site.db.many<{ state: string; n: number }>(sql`select state, count(*)::int as n from jobs group by 1 order by 1`);

test.concurrent('a worker killed in the middle: its jobs run again, and each has one result', { timeout: 240_000 }, async () => {
  await using site = await open();
  await Promise.all([site.start('api'), site.start('scheduler')]);
  const first = await site.start('worker');
  const jobs = await Promise.all(Array.from({ length: 40 }, (_, i) => submit(site, `job ${i}`, { delay_ms: i % 2 === 0 ? 0 : 1_500 })));
  await until('some are done, some run', async () => {
    const found = await states(site);
    return found.some(({ state }) => state === 'completed') && found.some(({ state }) => state === 'running');
  });
  await first.kill();
  await site.start('worker');
  const all = await Promise.all(jobs.map(({ id }) => ended(site, id)));
  expect(all.every(({ status }) => status === 'completed')).toBe(true);
  const lost = all.filter(({ history }) => history.length > 0);
  expect(lost.length).toBeGreaterThan(0);
  for (const job of lost) expect(job).toMatchObject({ attempts: 1, history: [{ kind: 'worker_lost' }] });
  for (const [i, { id }] of jobs.entries())
    expect(JSON.stringify(await site.client.call('GET', `/v1/jobs/${id}/result`))).toContain(`job ${i}`);
});

test.concurrent(
  'a worker that stood still for longer than its lease writes nothing over what another wrote',
  { timeout: 240_000 },
  async () => {
    await using site = await open();
    await Promise.all([site.start('api'), site.start('scheduler')]);
    const zombie = await site.start('worker');
    const job = await submit(site, 'slow', { delay_ms: 1_000 });
    await until('it runs', async () => (await site.client.call<Job>('GET', `/v1/jobs/${job.id}`)).status === 'running');
    zombie.signal('SIGSTOP');
    await site.start('worker');
    const done = await ended(site, job.id);
    expect(done.status).toBe('completed');
    zombie.signal('SIGCONT');
    // It is back when it claims again: the other one is gone by then.
    for (const worker of site.running('worker')) if (worker !== zombie) await worker.kill();
    const next = await submit(site, 'next');
    expect((await ended(site, next.id)).worker).not.toBe(done.worker);
    expect(await site.client.call<Job>('GET', `/v1/jobs/${job.id}`)).toEqual(done);
  },
);

test.concurrent('a job that kills its workers is a dead letter, and those beside it complete', { timeout: 240_000 }, async () => {
  await using site = await open();
  await Promise.all([site.start('api'), site.start('scheduler')]);
  const poison = await submit(site, 'poison', { crash: true });
  const others = await Promise.all(Array.from({ length: 10 }, (_, i) => submit(site, `beside ${i}`, { delay_ms: 300 })));
  let [deaths, over] = [0, false];
  // As a supervisor does: a worker that died is started again.
  const keeping = (async () => {
    while (!over) {
      const worker = site.begin('worker');
      await worker.ended;
      if (!worker.meant) deaths++;
    }
  })();
  const dead = await ended(site, poison.id);
  for (const { id } of others) expect((await ended(site, id)).status).toBe('completed');
  over = true;
  await Promise.all(site.running('worker').map((worker) => worker.kill()));
  await keeping;
  expect(dead).toMatchObject({ status: 'dead_lettered', attempts: 0, error: { code: 'worker_lost' } });
  expect(deaths).toBe(jobLosses);
});
