import { expect, inject, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { checkAll, type Sent } from './history.ts';
import { Random } from './random.ts';
import { Site } from './site.ts';
import { until } from './until.ts';

interface Line {
  custom_id: string;
  response: { body: { outputs: unknown } } | null;
}

/** A tenth of the lines are different; some need a second attempt, some never succeed. */
const lines = (batch: number, count: number) =>
  Array.from({ length: count }, (_, i) => {
    const kind = (i * 7) % Math.ceil(count / 10);
    const script = kind % 9 === 0 ? { fail_times: 1 } : kind % 13 === 0 ? { status: 400 } : {};
    return {
      custom_id: `${batch}-${i}`,
      method: 'POST',
      url: '/v1/predict',
      body: { model: 'echo', inputs: kind, sluice_echo: { delay_ms: 20, ...script } },
    };
  });

test(
  'workers are killed and stopped while requests wait for each other: each line gets its own answer once',
  { timeout: 240_000 },
  async () => {
    const random = new Random(11);
    await using site = await Site.open({ postgres: inject('postgres') });
    await Promise.all([site.start('api'), site.start('scheduler'), site.start('worker'), site.start('worker')]);
    const asked = [1, 2, 3].map((batch) => lines(batch, 600));
    const sent: Sent[] = [];
    for (const each of asked) sent.push(await site.client.submit(each, { endpoint: '/v1/predict', dedup: 'exact' }));
    for (let round = 0; round < 8; round++) {
      const before = await site.settled();
      const ended = async () => (await site.db.many(sql`select from batches where status not in ('completed', 'failed')`)).length === 0;
      await until(
        'something is under way, or all of it has ended',
        async () =>
          (await site.db.many(sql`select from chunks where state = 'leased'`)).length > 0 ||
          (await site.settled()) > before ||
          (await ended()),
        20_000,
      );
      if (await ended()) break;
      const worker = random.pick(site.running('worker'));
      if (random.chance(0.5)) await worker.kill();
      else worker.signal('SIGTERM');
      await site.start('worker');
    }
    await site.ended(sent);
    expect(await checkAll(site.db, site.storage, sent)).toEqual([]);
    const rows = await site.db.many<{ id: string; output_file_id: string; hits: Record<string, number>; key: string }>(sql`
    select b.id, b.hits, f.storage_key as key from batches b join files f on f.id = b.output_file_id order by b.no`);
    for (const [i, { key, hits }] of rows.entries()) {
      const wanted = new Map(asked[i]!.map(({ custom_id, body }) => [custom_id, body.inputs]));
      const output = (await site.storage.read(key))
        .toString('utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Line);
      for (const { custom_id, response } of output) expect(response?.body.outputs, custom_id).toBe(wanted.get(custom_id));
      expect(hits['batch']! + hits['cache']!).toBeGreaterThan(output.length / 2);
    }
    expect(rows).toHaveLength(3);
  },
);
