import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { chatLine, createBatch, untilEnded } from '../../server/test/support/requests.ts';
import { startSluice } from '../../server/test/support/sluice.ts';

const program = fileURLToPath(new URL('../bin/sluice', import.meta.url));

test('a batch is explained and repaired, and what is in use is shown', async () => {
  await using server = await startSluice();
  const sluice = async (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> => {
    const env = { ...process.env, SLUICE_URL: server.url, SLUICE_API_KEY: 'test-key' };
    try {
      return { code: 0, ...(await promisify(execFile)(program, args, { env })) };
    } catch (error) {
      return error as { code: number; stdout: string; stderr: string };
    }
  };
  const { id } = await createBatch(server.client, [chatLine(1), chatLine(2, { echo: { status: 400 } })]);
  await untilEnded(server.client, id);
  const explained = await sluice('batch', 'explain', id);
  expect(explained.code).toBe(0);
  expect(explained.stdout).toMatch(new RegExp(`^${id} is completed\\. It completed at .*1 completed, 1 failed`));
  expect(explained.stdout).toMatch(/Next:\n {2}`sluice batch retry/);
  expect(JSON.parse((await sluice('batch', 'explain', id, '--json=status,stalled')).stdout)).toEqual({
    status: 'completed',
    stalled: false,
  });
  expect(await sluice('batch', 'repair', id)).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('nothing to repair') });
  expect(await sluice('batch', 'repair', '--all-stuck')).toMatchObject({ code: 0, stdout: '', stderr: 'No batch is stuck.\n' });
  expect((await sluice('batch', 'repair')).code).toBe(1);
  expect((await sluice('usage')).stdout).toBe('batches\t0\t0\t0\nqueued requests\t0\t0\t0\nin flight\t0\t0\t0\nqueued bytes\t0\t0\t0\n');
});
