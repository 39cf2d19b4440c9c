import { EventEmitter } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import type { Db } from '../db/db.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { Worker } from '../workers/worker.ts';
import { healthServer, type Dependency } from './health.ts';
import { createMetrics, figuresOf, render } from './metrics.ts';
import { observeScheduler, observeWorker } from './observe.ts';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each[Symbol.asyncDispose]();
});

const serve = async (dependencies: Dependency[], stopping = new AbortController().signal): Promise<string> => {
  const server = await healthServer({
    host: '127.0.0.1',
    port: 0,
    health: { dependencies, stopping, metrics: async () => 'sluice_x 1\n' },
  });
  open.push(server);
  return server.url;
};

test('ready names each dependency, and fails only for those that are needed', async () => {
  const fine = { name: 'database', check: async () => {} };
  const broken = { name: 'cache', check: () => Promise.reject(new Error('gone')) };
  const url = await serve([fine, { ...broken, optional: true }]);
  const reply = await fetch(`${url}/health/ready`);
  expect(reply.status).toBe(200);
  expect(await reply.json()).toEqual({
    status: 'ok',
    checks: {
      database: { status: 'ok', ms: expect.any(Number) },
      cache: { status: 'error', ms: expect.any(Number), optional: true, message: 'gone' },
    },
  });
  const other = await serve([fine, broken]);
  expect((await fetch(`${other}/health/ready`)).status).toBe(503);
  expect((await fetch(`${other}/health/live`)).status).toBe(200);
  expect((await fetch(`${other}/else`)).status).toBe(404);
  expect(await (await fetch(`${other}/metrics`)).text()).toBe('sluice_x 1\n');
});

test('a process that stops is not ready any more', async () => {
  const stopping = new AbortController();
  const url = await serve([], stopping.signal);
  expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  stopping.abort();
  expect((await fetch(`${url}/health/ready`)).status).toBe(503);
});

test('what a worker and a scheduler tell becomes figures', async () => {
  const metrics = createMetrics({ version: '9.9.9' });
  const worker = Object.assign(new EventEmitter(), { leases: 3 });
  const scheduler = new EventEmitter();
  observeWorker(worker as unknown as Worker, metrics, 'spot');
  const db = { maybe: async () => ({ met: 5, violated: 1 }) };
  observeScheduler(scheduler as unknown as Scheduler, metrics, db as unknown as Db);
  worker.emit('settled', {
    model: 'm@1.0.0',
    completed: 5,
    failed: 1,
    retried: 2,
    usage: { input: 120, cached: 0, output: 60, reasoning: 0 },
    ms: [1, 20, 300],
  });
  worker.emit('fenced', {});
  worker.emit('claimed', { lines: [1, 9], waited: 2 });
  scheduler.emit('interrupted', [{ pool: 'spot', by: 'file', count: 1 }]);
  scheduler.emit('controlled', ['batch_x', 'batch_y']);
  scheduler.emit('finalized', { batchId: 'batch_x', result: 'completed', bytes: 10, seconds: 1 });
  scheduler.emit('intake', { result: 'failed', lines: 7, bytes: 1, seconds: 1 });
  scheduler.emit('rescued', 4);
  const page = await render([
    { role: 'worker', process: 'worker-1', figures: await figuresOf(metrics) },
    { role: 'worker', process: 'worker-2', figures: await figuresOf(metrics) },
  ]);
  const at = 'role="worker",process="worker-1"';
  for (const line of [
    `sluice_requests_total{${at},model="m@1.0.0",outcome="completed"} 5`,
    `sluice_requests_total{${at},model="m@1.0.0",outcome="failed"} 1`,
    `sluice_requests_total{${at},model="m@1.0.0",outcome="retried"} 2`,
    `sluice_tokens_total{${at},model="m@1.0.0",direction="input"} 120`,
    `sluice_request_duration_seconds_count{${at},model="m@1.0.0"} 3`,
    `sluice_worker_leases{${at}} 3`,
    `sluice_fenced_writes_total{${at}} 1`,
    `sluice_batches_total{${at},status="completed"} 1`,
    `sluice_batches_total{${at},status="failed"} 1`,
    `sluice_rescued_leases_total{${at}} 4`,
    `sluice_intake_lines_total{${at}} 7`,
    'sluice_fenced_writes_total{role="worker",process="worker-2"} 1',
    `worker_dequeue_total{${at},pool="spot"} 8`,
    `worker_completed_total{${at},pool="spot"} 5`,
    `worker_failed_total{${at},pool="spot"} 1`,
    `sluice_queue_wait_seconds_sum{${at},pool="spot"} 2`,
    `sluice_worker_interruptions_total{${at},pool="spot",by="file"} 1`,
    `sluice_escalations_total{${at}} 2`,
    `requests_sla_met_total{${at}} 5`,
    `requests_sla_violated_total{${at}} 1`,
  ])
    expect(page.split('\n')).toContain(line);
  expect(page).toMatch(/sluice_request_duration_seconds_bucket\{[^}]*le="0.05"[^}]*\} 2/);
  expect(page).toMatch(/sluice_tokens_per_second\{[^}]*model="m@1.0.0"\} (?!0\n)/);
  expect(page).toContain('nodejs_eventloop_lag_p99_seconds');
  expect(page).toContain(`version="9.9.9"`);
  expect(page.match(/# TYPE sluice_requests_total /g)).toHaveLength(1);
});
