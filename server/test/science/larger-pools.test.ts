import { fileURLToPath } from 'node:url';
import type { Batch, PoolObject, RequestDetails, Screen } from '@sluice/contract';
import { expect, inject, test } from 'vitest';
import { requestId } from '../../src/lib/ids.ts';
import { Site } from '../crash/site.ts';
import { until } from '../crash/until.ts';

const sample = fileURLToPath(new URL('../../../examples/boltz-sample/boltz-sample.mjs', import.meta.url));

/** One ligand that needs forty gigabytes, in pools of 24 and 80. */
const yamlOf = (startupSeconds: number) => `
pools:
  - { name: small, gpu_memory_gb: 24 }
  - { name: big, gpu_memory_gb: 80, startup_seconds: ${startupSeconds} }
models:
  - name: boltz-2
    version: 2.2.0
    executor: boltz
    options:
      program: ${process.execPath}
      args: ['${sample}']
      env: { BOLTZ_SAMPLE: '{"oom_below": {"BrCCBr": 40}}' }
      pass_env: [BOLTZ_SAMPLE_GB]
      max_attempts: 2
`;

const open = (startupSeconds: number) =>
  // A machine that has much else to do is not to lose leases over it.
  Site.open({
    postgres: inject('postgres'),
    yaml: yamlOf(startupSeconds),
    env: { SLUICE_TIMING__LEASE_SECONDS: '6', SLUICE_WORKER__POOL: 'small' },
  });
const startWorker = (site: Site, pool: string, gigabytes: number) =>
  site.start('worker', { SLUICE_WORKER__POOL: pool, BOLTZ_SAMPLE_GB: String(gigabytes) });
const screen = (site: Site): Promise<Screen> =>
  site.client.call('POST', '/v1/screens', {
    protein: 'MTEYKLVVVGAGGVGKSALTIQLIQ',
    ligands: [
      { id: 'small-1', smiles: 'CCO' },
      { id: 'large', smiles: 'BrCCBr' },
      { id: 'small-2', smiles: 'CCN' },
    ],
  });
const ended = (site: Site, id: string): Promise<Batch> =>
  until(
    'the screen has ended',
    async () => {
      const batch = await site.client.call<Batch>('GET', `/v1/batches/${id}`);
      return batch.status === 'completed' && batch;
    },
    patience,
  );
/** Milliseconds: a machine that has much else to do starts a program in seconds. */
const patience = 150_000;
const request = (site: Site, id: string, line: number) => site.client.call<RequestDetails>('GET', `/v1/requests/${requestId(id, line)}`);

test('a ligand that runs out of memory is predicted in a larger pool, and the others where they were', { timeout: 300_000 }, async () => {
  await using site = await open(60);
  await Promise.all([site.start('api'), site.start('scheduler')]);
  await startWorker(site, 'small', 24);
  const { id } = await screen(site);

  // It waits for the larger pool, although the other worker has nothing to do.
  const [waits] = await until('it was given to the larger pool', async () => {
    const found = await site.db.many<{ pool: string; state: string }>({
      text: 'select pool, state from chunks where pool is not null',
      values: [],
    });
    return found.length > 0 && found;
  });
  expect(waits).toEqual({ pool: 'big', state: 'queued' });
  const { data: pools } = await site.client.call<{ data: PoolObject[] }>('GET', '/v1/pools');
  expect(pools.map(({ name, gpu_memory_gb, memory_gb }) => [name, gpu_memory_gb, memory_gb])).toEqual([
    ['big', 80, null],
    ['small', 24, null],
  ]);
  expect(await request(site, id, 2)).toMatchObject({ state: 'queued', pool: 'big', attempts: 1 });
  await startWorker(site, 'big', 80);

  const batch = await ended(site, id);
  expect(batch.request_counts).toMatchObject({ total: 3, completed: 3, failed: 0 });
  const reason = 'it ran out of GPU memory in small, which has 24 GB; big has 80 GB';
  expect(batch.pool_history.at(-1)).toEqual({ at: expect.any(Number), from: 'small', pool: 'big', requests: 1, reason });
  const [first, large] = [await request(site, id, 1), await request(site, id, 2)];
  expect(first).toMatchObject({ pool: 'small', attempts: 1 });
  expect(large).toMatchObject({ pool: 'big', attempts: 2, history: [{ code: 'out_of_memory', kind: 'retryable' }] });
  expect(large.moves.at(-1)).toEqual({ at: expect.any(Number), kind: 'larger', pool: 'big', worker: null, reason });
  expect(first.moves.map(({ kind }) => kind)).not.toContain('larger');
  const { data } = await site.client.call<{ data: { id: string; affinity_pred_value: number | null }[] }>(
    'GET',
    `/v1/batches/${id}/children`,
  );
  expect(data.map((child) => typeof child.affinity_pred_value)).toEqual(Array(3).fill('number'));
});

test('where no worker of the larger pool is there, it is tried where it was and then dead-lettered', { timeout: 300_000 }, async () => {
  await using site = await open(0);
  await Promise.all([site.start('api'), site.start('scheduler')]);
  await startWorker(site, 'small', 24);
  const { id } = await screen(site);
  const batch = await ended(site, id);
  expect(batch.request_counts).toMatchObject({ total: 3, completed: 2, failed: 1 });
  expect(await request(site, id, 2)).toMatchObject({
    state: 'dead_lettered',
    attempts: 2,
    pool: 'small',
    error: { code: 'out_of_memory' },
  });
  expect(site.logs()).toContain('no worker came to the larger pool');
});
