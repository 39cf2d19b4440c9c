import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chatLine, createBatch, untilEnded } from '../../server/test/support/requests.ts';
import { startSluice, type Sluice } from '../../server/test/support/sluice.ts';

const program = fileURLToPath(new URL('../bin/sluice', import.meta.url));

let server: Sluice;
let id: string;
beforeAll(async () => {
  server = await startSluice();
  const lines = [chatLine('mol-1'), chatLine('mol-2', { echo: { status: 418 } })];
  ({ id } = await createBatch(server.client, lines, { name: 'Kinase panel' }));
  await untilEnded(server.client, id);
});
afterAll(() => server[Symbol.asyncDispose]());

const sluice = async (...args: string[]): Promise<{ code: unknown; out: string }> => {
  const env = { PATH: process.env['PATH'], SLUICE_URL: server.url, SLUICE_API_KEY: 'test-key' };
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return { code, out };
};

test('what the portal shows, the command line shows', async () => {
  const [overview, attention, search, find, nothing, failures, running, keys] = await Promise.all([
    sluice('overview', '--json=object,batches'),
    sluice('attention'),
    sluice('search', 'mol-2', '--json=kind,line'),
    sluice('batch', 'find', 'kin', 'status:completed', '--json=id'),
    sluice('batch', 'find', '--json=id', '--', '-status:completed'),
    sluice('batch', 'failures', id, '--json=count'),
    sluice('workers', 'running'),
    sluice('keys', '--json=user,current'),
  ]);
  for (const { code } of [overview, attention, search, find, nothing, failures, running, keys]) expect(code).toBe(0);
  expect(JSON.parse(overview.out)).toMatchObject({ object: 'portal.overview', batches: { in_progress: 0 } });
  expect(attention.out).toBe('');
  expect(JSON.parse(search.out)).toEqual([{ kind: 'request', line: 2 }]);
  expect(JSON.parse(find.out)).toEqual([{ id }]);
  expect(JSON.parse(nothing.out)).toEqual([]);
  expect(JSON.parse(failures.out)).toEqual([{ count: 1 }]);
  expect(JSON.parse(keys.out)).toEqual([{ user: 'admin', current: true }]);
});
