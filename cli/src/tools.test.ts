import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Batch, FileObject, PoolObject, WorkerObject } from '@sluice/contract';
import { Client } from '@sluice/contract/client';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { bareEnvironment } from '../../server/test/support/environment.ts';
import { runProgram, type Program } from '../../server/test/support/program.ts';
import type { Figures } from './loadtest/figures.ts';
import { metricNames } from './verify/description.ts';
import type { Finding } from './verify/check.ts';

const program = fileURLToPath(new URL('../bin/sluice', import.meta.url));
const examples = fileURLToPath(new URL('../../examples/models', import.meta.url));

// A test starts up to six programs, each of which takes seconds where the machine is busy or what runs is counted.
vi.setConfig({ testTimeout: 180_000 });

let server: Program;
let folder: string;
let url: string;
let client: Client;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-tools-'));
  await chmod(folder, 0o711);
  await writeFile(
    join(folder, 'sluice.yaml'),
    `models:\n  - { name: aqsol-logs, version: 1.0.0, executor: onnx, options: { path: ${examples}/aqsol_logs.onnx, preprocess: smiles-morgan2048-desc16, outputs: [logS] } }\n`,
  );
  server = runProgram(['start', '--port', '0'], { cwd: folder, env: { SLUICE_API_KEY: 'sk-tools' } });
  url = /http:\S+/.exec(await server.logged(/Sluice is ready/))![0];
  client = new Client({ url, key: 'sk-tools', fetch });
}, 60_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const sluice = async (args: readonly string[], env: Record<string, string> = {}) => {
  const child = spawn(program, args, { cwd: folder, env: { ...bareEnvironment(), SLUICE_API_KEY: 'sk-tools', ...env } });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
};

const namesLeft = async (): Promise<string[]> => [
  ...(await client.get<{ data: Batch[] }>('/v1/batches')).data.map(({ name }) => name ?? ''),
  ...(await client.get<{ data: FileObject[] }>('/v1/files')).data.map(({ filename }) => filename),
];

describe('verify', () => {
  test('finds a good deployment good, and leaves nothing behind', async () => {
    const { code, out, err } = await sluice(['verify', '--url', url, '--json']);
    const findings = JSON.parse(out) as Finding[];
    expect(findings.filter(({ status }) => status === 'fail')).toEqual([]);
    expect([code, findings.length]).toEqual([0, 28]);
    expect(err).toContain('0 wrong');
    expect(findings.find(({ name }) => name === 'health ready')!.detail).toMatch(/database .* ms, storage .* ms/);
    expect(await namesLeft()).toEqual([]);
  });

  test('of a key that is not known is 1, at the check that says so', async () => {
    const { code, out } = await sluice(['verify', '--url', url], { SLUICE_API_KEY: 'nope' });
    expect(code).toBe(1);
    const rows = out
      .trim()
      .split('\n')
      .map((row) => row.split('\t'));
    expect(rows.at(-1)).toEqual([
      'fail',
      'key accepted',
      expect.stringMatching(/^\d+$/),
      expect.stringContaining('Incorrect API key'),
      'Set SLUICE_API_KEY to a key of this server.',
    ]);
  });

  test('names what a deployment gets wrong', async () => {
    // A proxy with ideas of its own.
    const proxy = createServer((request, reply) => {
      const body: Buffer[] = [];
      request.on('data', (part: Buffer) => body.push(part));
      request.on('end', () => {
        void (async () => {
          const type = request.headers['content-type'];
          const answer = await fetch(url + request.url, {
            method: request.method!,
            headers: { authorization: 'Bearer sk-tools', ...(type && { 'content-type': type }) },
            ...(body.length > 0 ? { body: Buffer.concat(body) } : {}),
          });
          const text = Buffer.from(await answer.arrayBuffer());
          reply.setHeader('date', new Date(Date.now() - 3_600_000).toUTCString());
          if (answer.status === 404) reply.writeHead(404).end('<html>not found</html>');
          else if (request.url === '/metrics') reply.writeHead(200).end('<html>metrics</html>');
          else reply.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' }).end(text);
        })();
      });
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    try {
      const { code, out } = await sluice(['verify', '--url', `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, '--json']);
      expect(code).toBe(1);
      const wrong = (JSON.parse(out) as Finding[]).filter(({ status }) => status === 'fail').map(({ name }) => name);
      expect(wrong).toEqual(
        expect.arrayContaining([
          'wrong key refused',
          'no key refused',
          'x-request-id',
          'openai-version',
          'unknown route is 404',
          'wrong method is 405',
          'clock',
          'metrics',
          'part of a file',
        ]),
      );
      // It lost the Idempotency-Key, which made a batch too many; that one is removed as well.
      expect(wrong).toContain('batch end to end');
      expect(wrong).not.toContain('cancel');
      expect(await namesLeft()).toEqual([]);
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  });

  test('of nobody is 1', async () => {
    expect(await sluice(['verify', '--url', 'http://127.0.0.1:9'])).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^fail\tserver reached\t/) as string,
    });
  });
});

describe('loadtest', () => {
  test('keeps the rate, counts every call, and leaves nothing behind', async () => {
    const { code, out, err } = await sluice(['loadtest', '--url', url, '--rate', '100/s', '--duration', '1s', '--json']);
    expect([code, err]).toEqual([0, expect.stringContaining('100 calls a second')]);
    const { operations, total } = JSON.parse(out) as { operations: Figures[]; total: Figures };
    expect(Object.fromEntries(operations.map(({ operation, calls }) => [operation, calls]))).toEqual({
      predict: 50,
      batch: 10,
      status: 40,
    });
    expect(total).toMatchObject({ calls: 100, succeeded: 100, errors: {} });
    expect(total.ms!.p50).toBeLessThanOrEqual(total.ms!.p99);
    expect(total.ms!.p99).toBeLessThanOrEqual(total.ms!.max);
    expect(await namesLeft()).toEqual([]);
  });

  test('keeps so many clients busy, to the count, as a table', async () => {
    const { code, out } = await sluice(['loadtest', '--url', url, '--concurrency', '4', '--count', '60', '--mix', 'list,upload', '-q']);
    expect(code).toBe(0);
    expect(
      out
        .trim()
        .split('\n')
        .map((row) => row.split('\t').slice(0, 2)),
    ).toEqual([
      ['list', '30'],
      ['upload', '30'],
      ['all', '60'],
    ]);
    expect(await namesLeft()).toEqual([]);
  });

  test('tells failures by class', async () => {
    const { code, out } = await sluice([
      'loadtest',
      '--url',
      url,
      '--count',
      '10',
      '--rate',
      '200/s',
      '--mix',
      'predict:1,list:1',
      '--model',
      'aqsol-log',
      '--json',
    ]);
    expect([code, JSON.parse(out)]).toMatchObject([0, { total: { calls: 10, succeeded: 5, errors: { '404 model_not_found': 5 } } }]);
    const none = await sluice([
      'loadtest',
      '--url',
      url,
      '--count',
      '3',
      '--mix',
      'predict',
      '--model',
      'aqsol-log',
      '--json=total.errors',
    ]);
    expect(none).toMatchObject({ code: 1, out: '{"total.errors":{"404 model_not_found":3}}\n' });
  });

  test.each([
    [['--rate', '0']],
    [['--rate', '5', '--concurrency', '5']],
    [['--mix', 'nope:1']],
    [['--duration', '2h']],
    [['--count', '99999999']],
  ])('%s is refused', async (args) => {
    expect(await sluice(['loadtest', '--url', url, ...args])).toMatchObject({ code: 1, out: '' });
  });

  test('without a server named is refused', async () => {
    expect(await sluice(['loadtest'])).toMatchObject({ code: 1, err: expect.stringContaining('--url') as string });
  });
});

test('demo runs the examples the server has models for', async () => {
  const { code, out, err } = await sluice(['demo', '--url', url, '--limit', '5', '--json=name,status,request_counts.completed']);
  expect([code, err]).toEqual([0, expect.stringContaining('5 of 5 succeeded')]);
  expect(JSON.parse(out)).toEqual([{ name: 'demo aqsol-logs', status: 'completed', 'request_counts.completed': 5 }]);
});

test('pools and workers are listed; one is drained', async () => {
  const pools = JSON.parse((await sluice(['pools', '--url', url, '--json'])).out) as PoolObject[];
  expect(pools).toMatchObject([{ object: 'pool', preemptible: false }]);
  expect((await sluice(['pools', '--url', url])).out).toContain(`${pools[0]!.name}\tdedicated\t`);
  const workers = JSON.parse((await sluice(['workers', 'list', '--url', url, '--json'])).out) as WorkerObject[];
  const ready = workers.find(({ state }) => state === 'ready')!;
  expect((await sluice(['workers', 'list', '--url', url])).out).toContain(ready.id);
  expect(await sluice(['workers', 'drain', ready.id, '--url', url])).toMatchObject({
    code: 0,
    err: expect.stringContaining(`${ready.id} is draining`) as string,
  });
  expect(await sluice(['workers', 'drain', 'nobody', '--url', url])).toMatchObject({ code: 1 });
});

test('a page of metrics is read, or the line named that is none', () => {
  const page = '# HELP a_total x\n# TYPE a_total counter\na_total{path="/{id}",q="\\""} 1\na_total 2.5e-7\n# TYPE b gauge\nb NaN\nb +Inf\n';
  expect([...metricNames(page)]).toEqual(['a_total', 'b']);
  expect(() => metricNames('# TYPE a gauge\na one\n')).toThrow('line 2');
});
