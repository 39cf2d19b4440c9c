import { expect, test } from 'vitest';
import { chatLine } from '../support/requests.ts';
import { PrivatePostgres } from './cluster.ts';
import { checkAll } from './history.ts';
import { apiKey } from './client.ts';
import { Site } from './site.ts';
import { until } from './until.ts';

test.concurrent('PostgreSQL killed in the middle: 503 meanwhile, and nothing is lost or counted twice', { timeout: 90_000 }, async () => {
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
  for (const signal of ['SIGKILL', 'SIGQUIT'] as const) {
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
});
