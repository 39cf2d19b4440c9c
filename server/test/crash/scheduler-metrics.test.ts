import { expect, inject, test } from 'vitest';
import { chatLine } from '../support/requests.ts';
import { Site } from './site.ts';
import { until } from './until.ts';

const yaml = `
pools:
  - { name: spot, preemptible: true, maximum: 3, startup_seconds: 5 }
  - { name: dedicated, maximum: 2, startup_seconds: 5 }
models:
  - { name: narrow, version: 1.0.0, executor: echo, options: { max_concurrency: 4, prior_rate: 0.5 } }
  - { name: huge, version: 1.0.0, executor: echo, options: { request_gpus: 8 } }
`;

/** Every series of a metric on the page, with the sum of its values. */
const read = (page: string, name: string, labels = ''): { series: number; sum: number } => {
  const values = page.split('\n').filter((line) => line.startsWith(`${name}{`) && line.includes(labels));
  return { series: values.length, sum: values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0) };
};

test('what the scheduler and the workers do can be read at /metrics', { timeout: 240_000 }, async () => {
  await using site = await Site.open({
    postgres: inject('postgres'),
    yaml,
    env: { SLUICE_WORKERS: '2', SLUICE_RETRY__MAX_ATTEMPTS: '2' },
  });
  await site.start('all');
  const page = async (): Promise<string> => {
    const reply = await fetch(`${site.client.url}/metrics`, { signal: AbortSignal.timeout(10_000) });
    expect(reply.status).toBe(200);
    return reply.text();
  };
  const until_ = (what: string, name: string, least: number, labels?: string) =>
    until(what, async () => read(await page(), name, labels).sum >= least);

  // Some go well, some not; a model that no worker is large enough for waits; and one batch is late before it begins.
  const good = await site.client.submit(Array.from({ length: 20 }, (_, i) => chatLine(`g${i}`)));
  const bad = await site.client.submit([chatLine('d1', { echo: { status: 503 } }), chatLine('d2', { echo: { status: 400 } })]);
  const stuck = await site.client.submit(Array.from({ length: 7 }, (_, i) => chatLine(`h${i}`, { model: 'huge' })));
  const tight = await site.client.submit(
    Array.from({ length: 60 }, (_, i) => chatLine(`t${i}`, { model: 'narrow', echo: { delay_ms: 200 } })),
    { completion_window: '1m' },
  );
  await site.ended([good, bad, tight]);
  await until_('the dead letter', 'sluice_dead_letters', 1);
  await until_('the queue', 'sluice_queue_depth', 7, 'model="huge@1.0.0"');
  await until_('ended batches', 'requests_sla_met_total', 82);
  const figures = await page();
  const sum = (name: string, labels?: string): number => read(figures, name, labels).sum;

  expect(sum('worker_dequeue_total', 'pool="dedicated"')).toBeGreaterThanOrEqual(82);
  expect(sum('worker_completed_total')).toBe(80);
  expect(sum('worker_failed_total')).toBe(2);
  expect(sum('worker_idle_seconds')).toBeGreaterThan(0);
  expect(sum('requests_sla_met_total')).toBe(82);
  expect(read(figures, 'requests_sla_violated_total').series).toBeGreaterThan(0);
  expect(sum('sluice_dead_letters', 'model="echo@1.0.0"')).toBe(1);
  expect(sum('sluice_queue_oldest_age_seconds', 'pool="spot"')).toBeGreaterThan(0);
  expect(sum('sluice_queue_wait_seconds_count')).toBeGreaterThan(0);
  expect(sum('sluice_escalations_total')).toBeGreaterThanOrEqual(1);
  // Seven requests wait for spot, one worker for each five of them.
  expect(sum('sluice_pool_desired_workers', 'pool="spot"')).toBeGreaterThanOrEqual(2);
  expect(sum('autoscaler_desired_spot_replicas')).toBe(sum('sluice_pool_desired_workers', 'pool="spot"'));
  expect(sum('autoscaler_desired_dedicated_replicas')).toBe(sum('sluice_pool_desired_workers', 'pool="dedicated"'));
  expect(sum('sluice_pool_actual_workers', 'pool="dedicated"')).toBe(2);
  for (const name of ['sluice_fenced_writes_total', 'sluice_rescued_leases_total', 'sluice_worker_leases'])
    expect(read(figures, name).series).toBeGreaterThan(0);

  // The one that waits has 24 hours; nobody reads events, until somebody does.
  await until_('the nearest deadline', 'sluice_batch_sla_seconds_remaining_min', 80_000);
  expect(read(figures, 'sluice_sse_connections')).toEqual({ series: 1, sum: 0 });
  const left = new AbortController();
  await fetch(`${site.client.url}/v1/events`, { headers: { authorization: `Bearer ${site.client.key}` }, signal: left.signal });
  await until_('the reader', 'sluice_sse_connections', 1);
  left.abort();
  await until('nobody reads any more', async () => read(await page(), 'sluice_sse_connections').sum === 0);
  await site.client.call('POST', '/v1/bulk', { action: 'priority', on: 'batches', ids: [stuck.id], options: { priority: 9 } });
  await until_('the operation', 'sluice_portal_bulk_operations_total', 1, 'action="priority",outcome="completed"');

  // A worker that is told to end is counted, although it does not live to be asked.
  const { data } = await site.client.call<{ data: { id: string; state: string }[] }>('GET', '/v1/workers');
  await site.client.call('POST', `/v1/workers/${data.find(({ state }) => state === 'ready')!.id}/drain`);
  await until_('the interruption', 'sluice_worker_interruptions_total', 1, 'by="api"');
  await site.client.call('POST', `/v1/batches/${stuck.id}/cancel`);
});
