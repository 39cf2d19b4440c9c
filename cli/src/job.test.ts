import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bareEnvironment } from '../../server/test/support/environment.ts';
import { startSluice, type Sluice } from '../../server/test/support/sluice.ts';

const program = fileURLToPath(new URL('../bin/sluice', import.meta.url));

let server: Sluice;
let folder: string;
beforeAll(async () => {
  server = await startSluice();
  folder = await mkdtemp(join(tmpdir(), 'sluice-cli-job-'));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const sluice = async (...args: string[]): Promise<{ code: number | null; out: string; err: string }> => {
  const env = { ...bareEnvironment(), SLUICE_URL: server.url, SLUICE_API_KEY: 'test-key' };
  const child = spawn(program, args, { cwd: folder, env });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
};

test('a job is submitted, waited for, listed, looked at', async () => {
  const done = await sluice('job', 'run', '--model', 'echo', '--input', '{"id": 9007199254740993}', '--wait');
  expect(done.code, done.err).toBe(0);
  expect(done.out).toContain('"outputs":{"id":9007199254740993}');
  await writeFile(join(folder, 'chat.json'), '{"messages": [{"role": "user", "content": "from a file"}]}');
  const chat = await sluice('job', 'run', '--model', 'echo', '--input', '@chat.json', '--wait', '-q');
  expect(chat.out).toContain('from a file');
  const listed = await sluice('job', 'list', '--status', 'completed', '--json=id,status,endpoint');
  const jobs = JSON.parse(listed.out) as { id: string; endpoint: string }[];
  expect(jobs.map(({ endpoint }) => endpoint)).toEqual(['/v1/chat/completions', '/v1/predict']);
  expect((await sluice('job', 'get', jobs[0]!.id)).out).toContain('status\tcompleted');
});

test('a job that fails says why; one that is cancelled ends the wait', async () => {
  const failed = await sluice('job', 'run', '--model', 'echo', '--input', '{"messages": [], "sluice_echo": {"status": 422}}', '--wait');
  expect([failed.code, failed.out]).toEqual([1, '']);
  expect(failed.err).toContain('failed');
  const long = await sluice(
    'job',
    'run',
    '--model',
    'echo',
    '--input',
    '{"messages": [], "sluice_echo": {"delay_ms": 60000}}',
    '--json=id',
  );
  const { id } = JSON.parse(long.out) as { id: string };
  expect((await sluice('job', 'cancel', id)).code).toBe(0);
  expect((await sluice('job', 'run', '--model', 'echo', '--input', '{oops')).err).toContain('--input: no JSON');
});
