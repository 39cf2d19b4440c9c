import { expect, test } from 'vitest';
import type { PoolConfig } from '../../src/policy/pools.ts';
import { call, chatLine, upload } from '../support/requests.ts';
import { startSluice, type SluiceOptions } from '../support/sluice.ts';

const pools: PoolConfig[] = [{ name: 'large', preemptible: false, price: 1, minimum: 0, maximum: 2, backlogRatio: 10, startupSeconds: 1 }];
const slow = { name: 'slow', version: '1.0.0', executor: 'echo', options: { prior_rate: 1 } } as const;

const preview = async (options: SluiceOptions, body: Record<string, unknown> = {}) => {
  await using sluice = await startSluice({ ...options, models: [slow], pools, workers: 0, scheduler: false });
  const { id: input_file_id } = await upload(
    sluice.client,
    Array.from({ length: 600 }, (_, i) => chatLine(i, { model: 'slow' })),
  );
  const create = { input_file_id, endpoint: '/v1/chat/completions', completion_window: '3m', ...body };
  return await call(sluice.client, 'POST', '/v1/batches?dry_run=true', create);
};

test('a preview says at once that a deadline cannot be kept, and from when on it could', async () => {
  const { body } = await preview({ schedule: { admission: 'refuse' } });
  expect(body).toMatchObject({
    valid: false,
    admitted: false,
    errors: { data: [{ code: 'window_not_feasible', param: 'completion_window' }] },
  });
  expect(JSON.stringify(body)).toMatch(/The earliest that can be promised is 20\d\d-/);
});

test('where such batches run with a warning, the preview gives it', async () => {
  expect((await preview({ schedule: { admission: 'flag' } })).body).toMatchObject({ valid: true, errors: null, admitted: false });
  expect((await preview({ schedule: { admission: 'flag' } }, { completion_window: '1h' })).body).toMatchObject({
    valid: true,
    admitted: true,
  });
});

test('a pool that is not there is refused', async () => {
  const { status, body } = await preview({}, { pool: 'gpu' });
  expect(status).toBe(400);
  expect(body).toMatchObject({ error: { param: 'pool', message: "There is no pool 'gpu'. The pools are 'large'." } });
});
