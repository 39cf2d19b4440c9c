import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../lib/app.ts';
import { silent } from '../lib/log.ts';
import { portalPolicy } from './portal-files.ts';
import { buildServer } from './server.ts';

const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
let app: App;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-portal-'));
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>Sluice</title>');
  await writeFile(join(folder, 'manifest.json'), '{}');
  await writeFile(join(folder, 'assets/index-abc.js'), 'let a;');
  await writeFile(join(folder, 'assets/index-abc.js.gz'), gzipSync('let a;'));
  app = await buildServer({ keys: [], log: silent, portal: folder, routes: () => {} });
});
afterAll(async () => {
  await app.close();
  await rm(folder, { recursive: true });
});

test.each(['/', '/batches/batch_1?tab=requests', '/bulk/op_1'])('%s is the page, under its policy, for browsers', async (url) => {
  const page = await app.inject({ url, headers: browser });
  expect([page.statusCode, page.headers['content-type'], page.body]).toEqual([
    200,
    'text/html; charset=utf-8',
    '<!doctype html><title>Sluice</title>',
  ]);
  expect(page.headers).toMatchObject({
    'content-security-policy': portalPolicy,
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  });
});

test('programs get what the API has at such an address, and so do browsers under its paths', async () => {
  expect((await app.inject('/batches/batch_1')).json()).toMatchObject({ error: { code: 'not_found' } });
  for (const url of ['/v1/nothing', '/v2/nothing', '/docs/nothing', '/health/nothing', '/assets/gone-1.js'])
    expect([url, (await app.inject({ url, headers: browser })).statusCode]).toEqual([url, 404]);
  expect((await app.inject({ method: 'POST', url: '/batches', headers: browser })).statusCode).toBe(404);
});

test('assets are kept for ever, and come compressed as they lie', async () => {
  const plain = await app.inject('/assets/index-abc.js');
  expect([plain.body, plain.headers['cache-control']]).toEqual(['let a;', 'public, max-age=31536000, immutable']);
  const packed = await app.inject({ url: '/assets/index-abc.js', headers: { 'accept-encoding': 'gzip' } });
  expect([packed.headers['content-encoding'], gunzipSync(packed.rawPayload).toString()]).toEqual(['gzip', 'let a;']);
  expect(String(packed.headers['content-type'])).toContain('javascript');
});

test('what only the build needs is not served, and where nothing is built there is the API alone', async () => {
  expect((await app.inject('/manifest.json')).statusCode).toBe(404);
  const bare = await buildServer({ keys: [], log: silent, portal: join(folder, 'nothing'), routes: () => {} });
  expect((await bare.inject({ url: '/', headers: browser })).json()).toMatchObject({ error: { code: 'not_found' } });
  await bare.close();
});
