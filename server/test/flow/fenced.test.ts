import { expect, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import type { Lease } from '../../src/requests/claim.ts';
import { chatLine, createBatch, untilEnded } from '../support/requests.ts';
import { startSluice } from '../support/sluice.ts';

test('a lease whose loss the heartbeat finds is told of as one that a write finds', { timeout: 60_000 }, async () => {
  await using sluice = await startSluice();
  const [worker] = sluice.workers;
  const told: Lease[] = [];
  worker!.on('fenced', (lease) => told.push(lease));
  const claimed = new Promise<Lease>((resolve) => worker!.once('claimed', resolve));
  const { id } = await createBatch(sluice.client, [chatLine('a', { echo: { delay_ms: 600_000 } })]);
  const lease = await claimed;
  const lost = new Promise<string>((resolve) => worker!.once('ended', (_, how) => resolve(how)));
  // As if it had stood still for longer than its lease; nothing of it is settled before it knows.
  await sluice.db.run(
    sql`update chunks set state = 'queued', token = null, worker_id = null, leased_until = null where token = ${lease.token}`,
  );
  expect(await lost).toBe('lost');
  expect(told.map(({ token }) => token)).toEqual([lease.token]);
  await sluice.client.batches.cancel(id, { body: { mode: 'abort' } });
  expect(await untilEnded(sluice.client, id)).toMatchObject({ status: 'cancelled', request_counts: { total: 1, completed: 0 } });
});

test('a chunk that is given back whole when its worker drains is not one that was lost', { timeout: 60_000 }, async () => {
  await using sluice = await startSluice();
  const [worker] = sluice.workers;
  let fenced = 0;
  worker!.on('fenced', () => fenced++);
  // Claimed while the drain begins: nothing of it has been started.
  worker!.once('claimed', () => worker!.drain('api'));
  const ended = new Promise<string>((resolve) => worker!.once('ended', (_, how) => resolve(how)));
  const { id } = await createBatch(sluice.client, [chatLine('a')]);
  expect(['released', 'done']).toContain(await ended);
  expect(fenced).toBe(0);
  await sluice.client.batches.cancel(id);
});
