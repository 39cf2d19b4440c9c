import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { processesIn, startOf } from '../src/lib/processes.ts';
import { makeDatabase } from './support/database.ts';
import { runProgram } from './support/program.ts';

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

const folder = async (): Promise<string> => {
  const made = await mkdtemp(join(tmpdir(), 'sluice-roles-'));
  // As root PostgreSQL runs as somebody else, who must get through.
  await chmod(made, 0o711);
  folders.push(made);
  return made;
};

const childrenOf = (pid: number): { pid: number; command: string }[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const parent = Number(readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[1]);
        return parent === pid ? [{ pid: Number(name), command: readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ') }] : [];
      } catch {
        return [];
      }
    });

const ready = /(?:ready|metrics) at (http:\/\/127\.0\.0\.1:\d+)/;
const urlOf = (message: string): string => ready.exec(message)![1]!;

test.runIf(process.platform === 'linux')(
  'all on one machine: a key, a lock, children that come back, a database that comes back, a clean stop',
  async () => {
    const cwd = await folder();
    await using sluice = runProgram(['start', '--port', '0'], { cwd });
    const url = urlOf(await sluice.logged(/Sluice is ready/));

    const key = (await readFile(join(cwd, '.sluice/api-key'), 'utf8')).trim();
    expect((await stat(join(cwd, '.sluice/api-key'))).mode & 0o777).toBe(0o600);
    expect(sluice.text()).toContain(key);
    expect(JSON.stringify(sluice.log())).not.toContain(key);
    const models = await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
    expect(models.status).toBe(200);

    const second = runProgram(['start', '--port', '0'], { cwd });
    expect(await second.ended).toBe(1);
    expect(second.log().at(-1)!.msg).toContain(`in use by process ${sluice.pid}`);
    expect(second.log().at(-1)!.msg).toContain(url);

    expect(await (await fetch(`${url}/health/ready`)).json()).toMatchObject({
      status: 'ok',
      checks: { database: { status: 'ok' }, storage: { status: 'ok' } },
    });
    const figures = await (await fetch(`${url}/metrics`)).text();
    for (const role of ['api', 'scheduler', 'worker']) expect(figures).toContain(`sluice_build_info{role="${role}",process="${role}"`);
    expect(figures).toContain('sluice_worker_leases{role="worker",process="worker"} 0');

    const seen = sluice.log().length;
    const worker = childrenOf(sluice.pid).find(({ command }) => command.includes('main.ts worker'))!;
    process.kill(worker.pid, 'SIGKILL');
    await sluice.logged('ready', { role: 'worker', after: seen });

    const database = processesIn(join(cwd, '.sluice/postgres'))!.find((pid) => childrenOf(sluice.pid).some((child) => child.pid === pid))!;
    process.kill(database, 'SIGKILL');
    await sluice.logged('the embedded database answers again');
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);

    const children = childrenOf(sluice.pid);
    expect(children).toHaveLength(4);
    const before = sluice.log().length;
    sluice.kill('SIGTERM');
    expect(await sluice.ended).toBe(0);
    const order = sluice
      .log()
      .slice(before)
      .filter(({ msg }) => msg === 'stopped')
      .map(({ role }) => role);
    expect(order).toEqual(['api', 'worker', 'scheduler', 'sluice']);
    for (const { pid } of children) expect(startOf(pid)).toBeNull();
  },
);

test.runIf(process.platform === 'linux')('what a killed supervisor leaves is taken over', async () => {
  const cwd = await folder();
  await using first = runProgram(['start', '--port', '0'], { cwd });
  await first.logged(/Sluice is ready/);
  const roles = childrenOf(first.pid).filter(({ command }) => command.includes('main.ts'));
  expect(roles).toHaveLength(3);
  first.kill('SIGKILL');
  // Its pipes close when the last of its children has gone.
  await first.ended;
  for (const { pid } of roles) await expect.poll(() => startOf(pid)).toBeNull();

  await using next = runProgram(['start', '--port', '0'], { cwd });
  await next.logged(/Sluice is ready/);
  expect(next.text()).not.toContain('printed this once');
  next.kill('SIGINT');
  expect(await next.ended).toBe(0);
  expect(processesIn(join(cwd, '.sluice/postgres'))).toEqual([]);
});

test('roles apart, on one database: migrate, then each serves its health', async () => {
  const cwd = await folder();
  await using database = await makeDatabase();
  const env = { SLUICE_DATABASE_URL: database.url, SLUICE_API_KEY: 'sk-test' };
  const migrated = runProgram(['migrate'], { cwd, env });
  expect(await migrated.ended).toBe(0);
  await using api = runProgram(['api', '--port', '0'], { cwd, env });
  const url = urlOf(await api.logged(/^ready/));
  expect((await fetch(`${url}/v1/models`, { headers: { authorization: 'Bearer sk-test' } })).status).toBe(200);

  for (const role of ['scheduler', 'worker']) {
    const port = await freePort();
    await using program = runProgram([role, '--health-port', String(port), ...(role === 'worker' ? ['--pool', 'dedicated'] : [])], {
      cwd,
      env,
    });
    await program.logged(/^ready/);
    expect((await fetch(`http://127.0.0.1:${port}/health/live`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${port}/health/ready`)).status).toBe(200);
    expect(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).toContain(`sluice_build_info{role="${role}"`);
    program.kill('SIGTERM');
    expect(await program.ended).toBe(0);
  }

  // Without being told a port: on a free one.
  await using worker = runProgram(['worker'], { cwd, env });
  await worker.logged(/^ready/);
  const at = urlOf(await worker.logged(/^health and metrics at/));
  expect((await fetch(`${at}/health/ready`)).status).toBe(200);
  expect(await (await fetch(`${at}/metrics`)).text()).toContain('worker_idle_seconds');
  await using silent = runProgram(['scheduler', '--health-port', '0'], { cwd, env });
  await silent.logged(/^ready/);
  expect(silent.text()).not.toContain('health and metrics');

  const taken = runProgram(['api', '--port', new URL(url).port], { cwd, env });
  expect(await taken.ended).toBe(1);
  expect(taken.log().at(-1)!.msg).toContain('is in use by another program');
});

test('a wrong start says what is wrong, all of it, and ends with 1', async () => {
  const cwd = await folder();
  await writeFile(join(cwd, 'sluice.yaml'), 'prot: 1\nmodels: [{name: m, version: 1.0.0, executor: echo, options: {nonsense: 1}}]');
  const typo = runProgram(['start', '--data-dri', 'x'], { cwd });
  expect(await typo.ended).toBe(1);
  expect(typo.text()).toContain('sluice.yaml:1: unknown option prot. Did you mean port?');
  expect(typo.text()).toContain('unknown flag --data-dri. Did you mean --data-dir?');

  await writeFile(join(cwd, 'sluice.yaml'), 'models: [{name: m, version: 1.0.0, executor: echo, options: {nonsense: 1}}]');
  const options = runProgram(['start'], { cwd });
  expect(await options.ended).toBe(1);
  expect(options.text()).toContain('nonsense');

  await writeFile(join(cwd, 'sluice.yaml'), '');
  const alone = runProgram(['worker'], { cwd });
  expect(await alone.ended).toBe(1);
  expect(alone.log().at(-1)!.msg).toContain('SLUICE_DATABASE_URL');

  const role = runProgram(['strat'], { cwd });
  expect(await role.ended).toBe(1);
  expect(role.text()).toContain('Did you mean start?');

  const help = runProgram(['--help'], { cwd });
  expect(await help.ended).toBe(0);
  expect(help.text()).toContain('--limits-max-lines');
});

const freePort = async (): Promise<number> => {
  const { createServer } = await import('node:net');
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
};
