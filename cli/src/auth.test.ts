import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSluice, type Sluice } from '../../server/test/support/sluice.ts';

const program = fileURLToPath(new URL('../bin/sluice', import.meta.url));

let server: Sluice;
let folder: string;
beforeAll(async () => {
  server = await startSluice({ workers: 0 });
  folder = await mkdtemp(join(tmpdir(), 'sluice-auth-'));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const sluice = async (args: string[], { input = '', env = {} }: { input?: string; env?: Record<string, string> } = {}) => {
  const all = { PATH: process.env['PATH'], HOME: folder, SLUICE_URL: server.url, ...env };
  const child = spawn(program, args, { cwd: folder, env: all, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(input);
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, out, err };
};

test('a key that the server takes is kept for that server, for its owner’s eyes, until it is forgotten', async () => {
  const file = join(folder, '.config/sluice/keys.json');
  expect(await sluice(['auth', 'login'], { input: 'wrong\n' })).toMatchObject({ code: 4 });
  await expect(stat(file)).rejects.toThrow('ENOENT');
  expect((await sluice(['auth', 'status'])).code).toBe(4);

  const login = await sluice(['auth', 'login'], { input: 'test-key\n' });
  expect(login.code, login.err).toBe(0);
  expect(`${login.out}${login.err}`).not.toContain('test-key');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ [server.url]: 'test-key' });
  expect(JSON.parse((await sluice(['auth', 'status', '--json=server,tenant,user,role,key'])).out)).toEqual({
    server: server.url,
    tenant: 'default',
    user: 'admin',
    role: 'admin',
    key: file,
  });
  // What the environment says is stronger; another server gets no key of this one.
  expect((await sluice(['auth', 'status'], { env: { SLUICE_API_KEY: 'wrong' } })).code).toBe(4);
  expect((await sluice(['batch', 'list', '--url', server.url.replace('127.0.0.1', 'localhost')])).code).not.toBe(0);

  expect((await sluice(['auth', 'logout'])).err).toContain('is forgotten');
  expect((await sluice(['batch', 'list'])).code).toBe(4);
});

test('open says the address of a record, a page, a model, and nothing of what there is not', async () => {
  const env = { SLUICE_API_KEY: 'test-key' };
  const at = async (...what: string[]) => (await sluice(['open', ...what], { env })).out.trim().replace(server.url, '');
  const batch = `batch_${'0'.repeat(32)}`;
  expect(await Promise.all([at(), at(batch), at('job_0123456789abcdef01234567'), at('workers'), at('echo'), at('echo@1.0.0')])).toEqual([
    '/',
    `/batches/${batch}`,
    '/jobs/job_0123456789abcdef01234567',
    '/workers',
    '/models/echo',
    '/models/echo',
  ]);
  const none = await sluice(['open', 'nothing'], { env });
  expect(none).toMatchObject({ code: 1, out: '' });
  expect(none.err).toContain('nothing is no id, no page and no model');
});
