import { once } from 'node:events';
import type { PortalAttention, PortalOverview } from '@sluice/contract';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { insertBatch, insertParent } from '../support/batch.ts';
import { call, chatLine, createBatch, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

let sluice: Sluice;
beforeAll(async () => {
  sluice = await startSluice({
    keys: [
      { key: 'ada', tenant: 'lab', user: 'ada' },
      { key: 'eve', tenant: 'other', user: 'eve' },
      { key: 'eva', tenant: 'other', user: 'eva' },
      { key: 'sid', tenant: 'several', user: 'sid' },
    ],
    quotas: { user: { maxBatches: 10, maxQueuedRequests: null, maxInFlight: null, maxQueuedBytes: null } },
  });
});
afterAll(() => sluice[Symbol.asyncDispose]());

// As it is now: a page may be a second behind.
const overview = async (key: string, range = '1h') => {
  const { status, body } = await call(sluice.clientFor(key), 'GET', `/v1/portal/overview?range=${range}`);
  expect(status).toBe(200);
  return body as unknown as PortalOverview;
};
const attention = async (key: string) =>
  (await call(sluice.clientFor(key), 'GET', '/v1/portal/attention')).body as unknown as PortalAttention;

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

describe('after a batch has ended and its worker has gone', () => {
  beforeAll(async () => {
    const ada = sluice.clientFor('ada');
    const good = Array.from({ length: 40 }, (_, i) => chatLine(i));
    const bad = Array.from({ length: 12 }, (_, i) => chatLine(`bad-${i}`, { echo: { status: 400, message: `no such thing: "${i}"` } }));
    const { id } = await createBatch(ada, [...good, ...bad]);
    await untilEnded(ada, id);
    await createBatch(ada, [chatLine(1, { model: 'nobody' })]).then(({ id: refused }) => untilEnded(ada, refused));
    // What a worker has counted it tells with its heartbeats, and when it ends.
    await sluice.workers[0]!.stop();
    await once(sluice.scheduler, 'swept');
  });

  test('the overview says what was done, how fast and how well', async () => {
    const figures = await overview('ada');
    expect(figures).toMatchObject({
      requests: { running: 0, queued: 0, waiting: 0 },
      batches: { validating: 0, in_progress: 0, finalizing: 0, cancelling: 0 },
      failed_24h: { failed: 12, settled: 52, share: 12 / 52 },
      sla_7d: { met: 1, breached: 0, share: 1 },
      oldest_queued_seconds: null,
      queue_eta_seconds: null,
      workers: { ready: 0, utilisation: null },
    });
    expect(sum(figures.sparkline)).toBe(52);
    expect([sum(figures.series.completed), sum(figures.series.failed)]).toEqual([40, 12]);
    const quick = figures.series.p50_ms.filter((each) => each !== null);
    expect(quick.length).toBeGreaterThan(0);
    expect(Math.max(...quick, ...figures.series.p95_ms.map((each) => each ?? 0))).toBeLessThan(60_000);
    for (const { name, status } of figures.health) expect([name, status]).toEqual([name, name === 'workers' ? 'error' : 'ok']);
    expect(figures.health.map(({ name }) => name)).toEqual(['storage', 'scheduler', 'workers']);
    for (const [range, steps, seconds] of [
      ['6h', 72, 300],
      ['24h', 96, 900],
      ['7d', 168, 3_600],
    ] as const) {
      const { series } = await overview('ada', range);
      expect([series.step_seconds, series.at.length, sum(series.completed), sum(series.failed)]).toEqual([seconds, steps, 40, 12]);
      expect(series.at.every((at, i) => at % seconds === 0 && (i === 0 || seconds === at - series.at[i - 1]!))).toBe(true);
    }
  });

  test('another tenant sees nothing of it', async () => {
    expect(await overview('eve')).toMatchObject({ failed_24h: { settled: 0, share: null }, sla_7d: { met: 0, share: null }, models: [] });
    expect((await attention('eve')).data).toEqual([]);
  });

  test('what has ended is counted once, and what is deleted no more', async () => {
    const counts = () =>
      sluice.db.many<{ status: string; sla: string; models: string; count: number }>(sql`
        select status, sla, models, sum(count)::int as count from (
          select status, sla, models, count from batch_counts where tenant_id = 'lab'
          union all select status, sla, models, count from batch_count_changes where tenant_id = 'lab') c
        group by 1, 2, 3 having sum(count) > 0 order by 1`);
    expect(await counts()).toEqual([
      { status: 'completed', sla: 'met', models: 'echo@1.0.0', count: 1 },
      { status: 'failed', sla: '', models: '', count: 1 },
    ]);
    const ada = sluice.clientFor('ada');
    const list = (await ada.batches.list()).data;
    for (const { id } of list) expect((await call(ada, 'DELETE', `/v1/batches/${id}`)).status).toBe(200);
    expect(await counts()).toEqual([]);
    await once(sluice.scheduler, 'swept');
    expect(await counts()).toEqual([]);
    expect(await sluice.db.one(sql`select sum(met)::int as met from batch_ends where tenant_id = 'lab'`)).toEqual({ met: 1 });
  });
});

describe('what is open', () => {
  // Written into the tables as no scheduler would leave it: one that came by would put it right.
  beforeAll(() => sluice.scheduler.stop());
  // It was there a moment ago: that it is gone is another trouble.
  beforeEach(async () => {
    await sluice.db.run(sql`update plan set planned_at = now()`);
  });

  test('is counted as it stands, with what needs looking at', async () => {
    const nos: number[] = [];
    for (let i = 0; i < 10; i++) nos.push((await insertBatch(sluice.db, { tenant: 'other', lines: 100, chunk: 50 })).no);
    await sluice.db.run(
      sql`update batches set created_by = 'eva', created_at = now() - interval '1 hour', in_progress_at = now() - interval '1 hour' where tenant_id = 'other'`,
    );
    await sluice.db.run(
      sql`update batches set deadline = now() - interval '1 minute', name = 'late', expiring = true where no = ${nos[0]}`,
    );
    await sluice.db.run(sql`update batches set at_risk = true where no = any(${nos.slice(1, 4)}::bigint[])`);
    await sluice.db.run(
      sql`insert into workers (id, pool, host, pid, models, seen_at) values ('worker_lost', 'dedicated', 'h', 1, '{}', now() - interval '10 minutes')`,
    );
    await sluice.db.run(sql`
      insert into figures (tenant_id, minutes, at, model, completed, failed, retried, copied, input_tokens, output_tokens, busy_ms, spread)
      values ('other', 5, date_bin('5 minutes', now(), 'epoch'), 'm@1', 50, 50, 0, 0, 0, 0, 0, '{}')`);
    await sluice.db.run(sql`
      insert into requests (batch_no, line, state, model, code, message, attempts)
      select ${nos[5]}, line, 'dead_lettered', 'm@1', 'executor_error', 'connection ' || line || ' refused', 4 from generate_series(1, 50) line`);
    const figures = await overview('eve', '7d');
    expect(figures).toMatchObject({ requests: { queued: 1_000, running: 0 }, batches: { in_progress: 10 } });
    expect(figures.oldest_queued_seconds).toBeGreaterThan(3_000);
    expect(figures.models[0]).toMatchObject({ model: 'echo@1.0.0', queued: 1_000, workers: 0 });
    const { data } = await attention('eva');
    const kinds = new Map(data.map((each) => [each.kind, each]));
    expect(kinds.get('sla_missed')).toMatchObject({ severity: 'critical', count: 1, detail: 'late', link: { screen: 'batch' } });
    expect(kinds.get('stalled')).toMatchObject({ severity: 'critical', count: 10 });
    expect(kinds.get('failure_spike')).toMatchObject({
      title: '50 % of requests failed in the last 15 minutes',
      detail: '50 × executor_error: connection # refused',
    });
    expect(kinds.get('dead_letters')).toMatchObject({ count: 50, at_least: false, link: { screen: 'dead-letters' } });
    expect(kinds.get('worker_lost')).toMatchObject({ count: 1 });
    expect(kinds.get('quota')).toMatchObject({ severity: 'critical', detail: '10 of 10' });
    // The worst come first.
    const severities = data.map(({ severity }) => severity);
    expect(severities).toEqual([...severities].sort());
  });

  test('a batch of several models counts once, and where its own page is', async () => {
    const of = async (name: string) => {
      const children = [await insertBatch(sluice.db, { tenant: 'several' }), await insertBatch(sluice.db, { tenant: 'several' })];
      const parent = await insertParent(sluice.db, children, { tenant: 'several' });
      await sluice.db.run(sql`update batches set name = ${name} where no = ${parent.no}`);
      return { ...parent, all: [parent, ...children].map(({ no }) => no) };
    };
    const [late, risky] = [await of('late'), await of('risky')];
    await sluice.db.run(
      sql`update batches set deadline = now() - interval '1 minute', expiring = true where no = any(${late.all}::bigint[])`,
    );
    await sluice.db.run(sql`update batches set at_risk = true where no = any(${risky.all}::bigint[])`);
    await sluice.db.run(
      sql`update batches set created_at = now() - interval '1 hour', in_progress_at = now() - interval '1 hour' where no = any(${risky.all}::bigint[])`,
    );
    const kinds = new Map((await attention('sid')).data.map((each) => [each.kind, each]));
    expect(kinds.get('sla_missed')).toMatchObject({ count: 1, detail: 'late', link: { screen: 'batch', id: late.id } });
    expect(kinds.get('sla_at_risk')).toMatchObject({ count: 1, detail: 'risky', link: { screen: 'batch', id: risky.id } });
    expect(kinds.get('stalled')).toMatchObject({ count: 2, detail: 'late, risky', link: { screen: 'batches' } });
  });
});
