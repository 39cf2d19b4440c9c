import { existsSync } from 'node:fs';
import { expect, inject, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { chatLine } from '../support/requests.ts';
import { checkAll } from './history.ts';
import { Site } from './site.ts';
import { until } from './until.ts';

/** Debian's package `faketime`; others put it elsewhere. */
const library = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib']
  .map((folder) => `${folder}/faketime/libfaketime.so.1`)
  .find((path) => existsSync(path));
if (library === undefined) console.warn('SKIPPED: clocks that are wrong; libfaketime is not installed (apt-get install faketime)');

/** The environment of a process whose clock is wrong by so many seconds; time goes by at its usual pace. */
const skewed = (seconds: number): Record<string, string> => ({
  LD_PRELOAD: library!,
  FAKETIME: `${seconds >= 0 ? '+' : ''}${seconds}`,
  FAKETIME_DONT_FAKE_MONOTONIC: '1',
  DONT_FAKE_MONOTONIC: '1',
});

const hour = 3_600;

test.skipIf(library === undefined)(
  'clocks that are wrong by an hour, either way, on the API, a scheduler and both workers: leases and deadlines are the database’s',
  { timeout: 240_000 },
  async () => {
    await using site = await Site.open({ postgres: inject('postgres') });
    await Promise.all([site.start('api', skewed(hour)), site.start('scheduler', skewed(-hour))]);
    const workers = await Promise.all([site.start('worker', skewed(hour)), site.start('worker', skewed(-hour))]);
    const line = (i: number, ms: number) => chatLine(`r${i}`, { echo: { delay_ms: ms } });
    // Longer than a lease, so that each must be renewed.
    const sent = await site.client.submit(
      Array.from({ length: 200 }, (_, i) => line(i, 10 + (i % 10) * 400)),
      { completion_window: '30m' },
    );
    const skew = await site.client.ask('GET', '/v1/models').then((reply) => Date.parse(reply!.headers.get('date') ?? '') - Date.now());
    expect(Math.abs(skew - hour * 1_000), 'the API’s clock should be wrong').toBeLessThan(60_000);
    await site.ended([sent]);
    // An hour of difference would have ended a window of half an hour at once, or never; and every lease.
    const batch = await site.client.call<{ status: string; created_at: number; expires_at: number; completed_at: number }>(
      'GET',
      `/v1/batches/${sent.id}`,
    );
    expect(batch.status).toBe('completed');
    expect(batch.expires_at - batch.created_at).toBe(1_800);
    expect(Math.abs(batch.created_at * 1_000 - Date.now())).toBeLessThan(120_000);
    expect(await site.db.one(sql`select count(*)::int as attempts from attempts`)).toEqual({ attempts: 0 });
    expect(await site.db.many(sql`select id from chunks where losses > 0`)).toEqual([]);
    expect(workers.filter((worker) => worker.over)).toEqual([]);

    // A dead one's leases run out no later and no sooner, and a deadline is kept, whoever looks.
    const late = await site.client.submit(
      Array.from({ length: 40 }, (_, i) => line(i, 600_000)),
      { completion_window: '30m' },
    );
    await until('it runs', async () => (await site.db.maybe(sql`select from chunks where state = 'leased'`)) !== null);
    await Promise.all(workers.map((worker) => worker.kill()));
    await until('its leases are over', async () => (await site.db.maybe(sql`select from chunks where state = 'leased'`)) === null, 10_000);
    await site.db.run(sql`update batches set deadline = now() + interval '1 second' where id = ${late.id}`);
    await site.ended([late]);
    expect(await site.client.call('GET', `/v1/batches/${late.id}`)).toMatchObject({ status: 'expired', request_counts: { expired: 40 } });
    expect(await checkAll(site.db, site.storage, [sent, late])).toEqual([]);
  },
);
