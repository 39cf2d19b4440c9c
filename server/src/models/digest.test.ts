import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestOf, Digests } from './digest.ts';
import type { ModelSpec } from './models.ts';

const upstream = (options: Record<string, unknown>, more: Partial<ModelSpec> = {}): ModelSpec => ({
  name: 'm',
  version: '1.0.0',
  executor: 'openai',
  options: { base_url: 'http://a/v1', ...options },
  ...more,
});

test('an upstream is its name, version and what is asked of it, and neither its keys nor how it is run', async () => {
  const plain = await digestOf(upstream({}));
  for (const options of [
    { api_key: 'x' },
    { api_key_file: '/x' },
    { max_concurrency: 5, connect_timeout_ms: 1, breaker_open_ms: 3, prior_rate: 2 },
    { headers: { Authorization: 'Bearer x', 'X-Api-Key': 'y', cookie: 'z' } },
  ])
    expect((await digestOf(upstream(options))) === plain, JSON.stringify(options)).toBe(!('headers' in options));
  expect(await digestOf(upstream({ headers: { Authorization: 'a', 'x-lane': '1' } }))).toBe(
    await digestOf(upstream({ headers: { 'X-Lane': '1' } })),
  );
  for (const other of [
    upstream({ upstream_model: 'n' }),
    upstream({ base_url: 'http://b/v1' }),
    upstream({}, { version: '1.0.1' }),
    upstream({}, { name: 'n' }),
  ])
    expect(await digestOf(other)).not.toBe(plain);
  expect(await digestOf(upstream({}, { digest: 'its own' }))).toBe('its own');
});

test('a model from a file is its bytes, wherever they lie, and another once they change', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-digest-'));
  try {
    const [a, b] = [join(folder, 'a.onnx'), join(folder, 'b.onnx')];
    await writeFile(a, 'one');
    await writeFile(b, 'one');
    const model = (path: string): ModelSpec => upstream({ base_url: undefined, path }, { executor: 'onnx' });
    const digests = new Digests();
    const before = await digests.of(model(a));
    expect(await digests.of(model(b))).toBe(before);
    await writeFile(a, 'another');
    expect(await digests.of(model(a))).not.toBe(before);
    expect(await digests.of(model(b))).toBe(before);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
