import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../lib/app.ts';
import { silent } from '../lib/log.ts';
import { buildServer } from './server.ts';

let app: App;
beforeAll(async () => {
  app = await buildServer({ keys: [], log: silent, routes: () => {} });
});
afterAll(() => app.close());

test('the page loads what this server has, and nothing from elsewhere', async () => {
  const page = await app.inject('/docs');
  expect([page.statusCode, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
  const loaded = [...page.body.matchAll(/(?:src|href)="([^"]*)"/g)].map((match) => match[1]!);
  expect(loaded).toEqual(['data:,', '/docs/scalar.js', '/docs/page.js']);
  for (const path of loaded.slice(1)) {
    const script = await app.inject(path);
    expect([script.statusCode, script.headers['content-type']]).toEqual([200, 'text/javascript; charset=utf-8']);
  }
  const settings = (await app.inject('/docs/page.js')).body;
  for (const off of ['"withDefaultFonts":false', '"telemetry":false', '"url":"/openapi.json"']) expect(settings).toContain(off);
  expect(settings).not.toMatch(/proxy|https?:/);
});

test('its policy forbids the rest', async () => {
  const policy = String((await app.inject('/docs')).headers['content-security-policy']);
  const rules = new Map(policy.split('; ').map((rule) => [rule.split(' ')[0]!, rule.split(' ').slice(1)]));
  expect(rules.get('default-src')).toEqual(["'none'"]);
  for (const kind of ['script-src', 'connect-src']) expect(rules.get(kind)).toEqual(["'self'"]);
  expect(policy).not.toMatch(/https?:|\*|unsafe-eval/);
});

test('the bundle is fetched once', async () => {
  const { headers } = await app.inject({ method: 'HEAD', url: '/docs/scalar.js' });
  const again = await app.inject({ url: '/docs/scalar.js', headers: { 'if-none-match': String(headers['etag']) } });
  expect([again.statusCode, again.body]).toEqual([304, '']);
});

test('/openapi.json needs no key, and may be read from other pages', async () => {
  const reply = await app.inject('/openapi.json');
  expect(reply.json()).toMatchObject({ openapi: '3.1.0', info: { title: 'Sluice' } });
  expect(reply.headers['access-control-allow-origin']).toBe('*');
});
