import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { identity } from '../../server/test/support/onnx-models.ts';
import { vet } from '../../server/test/support/registry.ts';
import { bareEnvironment } from '../../server/test/support/environment.ts';
import { startSluice, type Sluice } from '../../server/test/support/sluice.ts';

const program = fileURLToPath(new URL('../bin/sluice', import.meta.url));

let server: Sluice;
let folder: string;
beforeAll(async () => {
  server = await startSluice({ workers: 0 });
  folder = await mkdtemp(join(tmpdir(), 'sluice-cli-'));
  await writeFile(join(folder, 'm.onnx'), identity('float32', ['N', 2]));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const sluice = async (...args: string[]): Promise<{ code: unknown; out: string; err: string }> => {
  const env = { ...bareEnvironment(), SLUICE_URL: server.url, SLUICE_API_KEY: 'test-key' };
  const child = spawn(program, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, out, err };
};

const push = (version: string) =>
  sluice('model', 'push', 'm.onnx', '--name', 'team/iris', '--version', version, '--tag', 'a', '--no-wait', '--json=id,status');

test('model: push, validate, list, versions, alias, archive', async () => {
  expect(await push('1.0.0')).toMatchObject({ code: 0, out: '{"id":"team/iris@1.0.0","status":"uploaded"}\n' });
  // Nothing of the way it came is left.
  expect((await server.client.files.list()).data).toEqual([]);
  await vet(server.db, {
    status: 'failed',
    reason: 'trial: it hangs',
    report: { steps: [{ name: 'trial', status: 'failed', ms: 12, message: 'it hangs', hint: 'Mend it.' }] },
  });
  const refused = await sluice('model', 'validate', 'team/iris@1.0.0');
  expect(refused).toMatchObject({ code: 1, out: expect.stringContaining('trial: it hangs') });
  expect(refused.err).toMatch(/failed +trial \(12 ms\): it hangs\n +Mend it\./);
  // The same push again sends a file for the version that was refused.
  expect(await push('1.0.0')).toMatchObject({ code: 0 });
  await vet(server.db);
  expect(await sluice('model', 'validate', 'team/iris')).toMatchObject({ code: 0, out: expect.stringContaining('x float32[N, 2]') });
  const again = await push('1.0.0');
  expect(again).toMatchObject({ code: 1, err: expect.stringContaining('registered already') });
  await push('1.1.0');
  await vet(server.db);
  expect((await sluice('model', 'list', '--search', 'iris', '--json=id')).out).toBe('[{"id":"team/iris"},{"id":"team/iris@1.0.0"}]\n');
  expect((await sluice('model', 'versions', 'team/iris', '--json=version,status')).out).toBe(
    '[{"version":"1.1.0","status":"ready"},{"version":"1.0.0","status":"ready"}]\n',
  );
  await sluice('model', 'alias', 'team/iris', 'champion', '1.0.0');
  await sluice('model', 'alias', 'team/iris', 'champion', '1.1.0');
  expect((await sluice('model', 'get', 'team/iris@champion', '--json=version')).out).toBe('{"version":"1.1.0"}\n');
  expect((await sluice('model', 'alias', 'team/iris', 'champion', '--rollback', '--json=version')).out).toBe('{"version":"1.0.0"}\n');
  expect((await sluice('model', 'alias', 'team/iris', 'champion', '--history', '--json=from,to')).out).toBe(
    '[{"from":"1.1.0","to":"1.0.0"},{"from":"1.0.0","to":"1.1.0"},{"from":null,"to":"1.0.0"}]\n',
  );
  expect((await sluice('model', 'alias', 'team/iris', '--json=alias,version')).out).toBe('[{"alias":"champion","version":"1.0.0"}]\n');
  expect((await sluice('model', 'archive', 'team/iris@1.1.0', '--json=status')).out).toBe('{"status":"archived"}\n');
  expect((await sluice('model', 'archive', 'team/iris@1.1.0', '--restore', '--json=status')).out).toBe('{"status":"ready"}\n');
});
