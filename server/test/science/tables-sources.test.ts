import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { linesIn, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

/** It comes without types. */
const S3rver = createRequire(import.meta.url)('@20minutes/s3rver') as new (options: object) => {
  run(): Promise<AddressInfo>;
  close(): Promise<void>;
};

const csv = 'name,x\na,1\nb,2\n';
const stack = new AsyncDisposableStack();
let server: Server;
let sluice: Sluice;
let port: number;

beforeAll(async () => {
  server = createServer((request, reply) => {
    const path = request.url!.split('?')[0]!;
    if (path === '/table.csv') reply.end(csv);
    else if (path === '/moved') reply.writeHead(302, { location: '/table.csv' }).end();
    else if (path === '/inside') reply.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' }).end();
    else if (path === '/round') reply.writeHead(302, { location: '/round' }).end();
    else if (path === '/large') {
      reply.writeHead(200);
      const more = (): void => {
        while (!reply.destroyed && reply.write('x'.repeat(65_536)));
        if (!reply.destroyed) reply.once('drain', more);
      };
      reply.write('a,b\n');
      more();
    } else if (path === '/short') {
      reply.writeHead(200, { 'content-length': 1_000 }).write('a,b\n');
      setImmediate(() => reply.destroy());
    } else reply.writeHead(404).end('secret words of an inner server');
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  stack.defer(() => void server.close());
  port = (server.address() as AddressInfo).port;
  const folder = await mkdtemp(join(tmpdir(), 'sluice-s3-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const s3 = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory: folder,
    configureBuckets: [{ name: 'tables' }, { name: 'secrets' }],
  });
  const { port: s3Port } = await s3.run();
  stack.defer(() => s3.close());
  const s3Endpoint = `http://127.0.0.1:${s3Port}`;
  const client = new S3Client({
    endpoint: s3Endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
  });
  for (const Bucket of ['tables', 'secrets']) await client.send(new PutObjectCommand({ Bucket, Key: 'in/molecules 1.csv', Body: csv }));
  client.destroy();
  const sources = { hosts: `localhost:${port}`, s3Endpoint, s3AccessKey: 'S3RVER', s3SecretKey: 'S3RVER', s3Buckets: 'tables/in/' };
  sluice = stack.use(
    await startSluice({ sources, limits: { maxFileBytes: 1_000_000 }, timing: { leaseSeconds: 1, heartbeatSeconds: 0.3 } }),
  );
});
afterAll(() => stack.disposeAsync());

const post = async (path: string, body: unknown): Promise<Record<string, unknown>> => {
  const reply = await fetch(`${sluice.url}/v1${path}`, {
    method: 'POST',
    headers: { authorization: 'Bearer test-key', 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await reply.json()) as Record<string, unknown>;
};
const body = (url: string) => ({ source: { url }, model: 'echo', completion_window: '1h' });
const run = async (url: string) => {
  const batch = await post('/batches', body(url));
  expect(batch['id'], JSON.stringify(batch)).toBeDefined();
  return untilEnded(sluice.client, String(batch['id']));
};

test.each([
  ['a server that is listed', () => `http://localhost:${port}/table.csv?key=secret`, 'table.csv'],
  ['a redirect within it', () => `http://localhost:${port}/moved`, 'moved'],
  ['S3', () => 's3://tables/in/molecules%201.csv', 'molecules 1.csv'],
])('an input from %s is copied in, and run from the copy', async (_, url, filename) => {
  const ended = await run(url());
  expect(ended).toMatchObject({
    status: 'completed',
    request_counts: { total: 2, completed: 2 },
    source: { kind: 'url', url: url().replace(/\?.*/, ''), format: 'csv', columns: { x: 'x', id: 'name' }, rows: 2 },
  });
  expect((await linesIn(sluice.client, ended.output_file_id)).map((line) => line['custom_id'])).toEqual(['a', 'b']);
  const file = await sluice.client.files.retrieve(ended.input_file_id);
  expect(file).toMatchObject({ filename, bytes: csv.length, purpose: 'batch' });
  const clone = await untilEnded(sluice.client, String((await post(`/batches/${ended.id}/clone`, {}))['id']));
  expect(clone).toMatchObject({ status: 'completed', input_file_id: ended.input_file_id, request_counts: { total: 2, completed: 2 } });
});

test.each([
  ['leads inside by a redirect', '/inside', 'https://'],
  ['redirects for ever', '/round', 'redirects too often'],
  ['is not there', '/none', 'answered 404'],
  ['has no end', '/large', 'more than 1,000,000 bytes'],
])('a source that %s fails its batch, and says no more than that', async (_, path, message) => {
  const failed = await run(`http://localhost:${port}${path}`);
  expect(failed).toMatchObject({
    status: 'failed',
    errors: { data: [{ code: 'invalid_source', param: 'source.url', message: expect.stringContaining(message) as string }] },
  });
  expect(JSON.stringify(failed)).not.toContain('secret words');
  expect(await sluice.storage.size(`default/files/${failed.input_file_id}`)).toBe(null);
});

test('a source that breaks off is tried again, and is never taken for whole', async () => {
  const failed = await run(`http://localhost:${port}/short`);
  expect(failed).toMatchObject({ status: 'failed', errors: { data: [{ code: 'invalid_source' }] } });
});

test('what resolves to a private address, or is not listed, is refused', async () => {
  expect(await run('https://localhost/table.csv')).toMatchObject({
    status: 'failed',
    errors: { data: [{ message: expect.stringContaining('not public') as string }] },
  });
  for (const url of [`http://127.0.0.1:${port}/table.csv`, 's3://secrets/in/molecules 1.csv', 'file:///etc/passwd'])
    expect(await post('/batches', body(url))).toMatchObject({ error: { code: 'invalid_value', param: 'source.url' } });
});

test('a dry run looks at a source, and keeps nothing of it', async () => {
  expect(await post('/batches?dry_run=true', body(`http://localhost:${port}/table.csv`))).toMatchObject({
    valid: true,
    lines: 2,
    table: { columns: { x: 'x', id: 'name' }, first: [{ name: 'a', x: 1 }, {}] },
  });
  expect(await Array.fromAsync(sluice.storage.list('default/dry-run/'))).toEqual([]);
});
