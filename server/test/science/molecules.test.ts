import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSluice, type Sluice } from '../support/sluice.ts';

let sluice: Sluice;
beforeAll(async () => {
  sluice = await startSluice({ workers: 0, scheduler: false });
});
afterAll(() => sluice[Symbol.asyncDispose]());

const headers = { authorization: 'Bearer test-key', 'content-type': 'application/json' };
const depict = (query: Record<string, string>, more: Record<string, string> = {}) =>
  fetch(`${sluice.url}/v1/depict?${new URLSearchParams({ wait: '10000', ...query }).toString()}`, { headers: { ...headers, ...more } });
const post = async (path: string, body: unknown) => {
  const reply = await fetch(`${sluice.url}/v1/molecules/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: reply.status, body: (await reply.json()) as Record<string, unknown> };
};

test('a drawing is an SVG for ever, by its ETag', async () => {
  const reply = await depict({ smiles: 'CC(=O)Oc1ccccc1C(=O)O', w: '160', h: '120', theme: 'dark', hl: 'c1ccccc1' });
  expect(reply.status).toBe(200);
  expect(reply.headers.get('content-type')).toBe('image/svg+xml; charset=utf-8');
  expect(reply.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
  expect(reply.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(await reply.text()).toMatch(/^<svg [^>]*width='160px' height='120px'/);
  const again = await depict(
    { smiles: 'CC(=O)Oc1ccccc1C(=O)O', w: '160', h: '120', theme: 'dark', hl: 'c1ccccc1' },
    { 'if-none-match': reply.headers.get('etag')! },
  );
  expect(again.status).toBe(304);
});

test('one that is not there yet is asked for again', async () => {
  const first = await depict({ smiles: 'CCCCCCCCCCCCN', wait: '0' });
  expect(first.status).toBe(503);
  expect(first.headers.get('retry-after')).toBe('1');
  expect((await depict({ smiles: 'CCCCCCCCCCCCN' })).status).toBe(200);
  expect((await depict({ smiles: 'CCCCCCCCCCCCN', wait: '0' })).status).toBe(200);
});

test('what is no molecule is an error, or a picture of it', async () => {
  const refused = await depict({ smiles: 'CC(' });
  expect([refused.status, await refused.json()]).toMatchObject([400, { error: { code: 'invalid_smiles', param: 'smiles' } }]);
  const pattern = await depict({ smiles: 'CC', hl: '(((' });
  expect([pattern.status, await pattern.json()]).toMatchObject([400, { error: { code: 'invalid_smarts', param: 'hl' } }]);
  for (const smiles of ['CC(', '', 'C'.repeat(700), 'CCO\0', '<script>alert(1)</script>', '&"\'']) {
    const drawn = await depict({ smiles, errors: 'svg' });
    expect(drawn.status).toBe(200);
    const svg = await drawn.text();
    expect(svg).toMatch(/^<svg /);
    expect(svg).not.toContain('<script');
  }
  expect((await depict({ smiles: 'CC', w: '5' })).status).toBe(400);
  expect((await fetch(`${sluice.url}/v1/depict?smiles=CC`)).status).toBe(401);
});

test('molecules are checked row for row', async () => {
  const { status, body } = await post('check', { smiles: ['OCC', 'CC(', 'CC(=O)[O-].[Na+]', 'CCI ethyl iodide'], names: true });
  expect(status).toBe(200);
  expect(body).toMatchObject({
    valid: 3,
    data: [
      { index: 0, valid: true, smiles: 'CCO', inchikey: 'LFQSCWFLJHTTHZ-UHFFFAOYSA-N', fragments: 1, flags: [], error: null },
      { index: 1, valid: false, smiles: null, error: { code: 'invalid_smiles', position: 3 } },
      { index: 2, fragments: 2, flags: ['salt'] },
      { index: 3, smiles: 'CCI', name: 'ethyl iodide' },
    ],
  });
});

test('molecules are matched by substructure, likeness, or both', async () => {
  const smiles = ['CCO', 'CCN', 'CC(', 'Oc1ccccc1'];
  expect((await post('match', { smiles, smarts: '[OX2H]' })).body).toMatchObject({
    matched: 2,
    data: [{ matches: true, similarity: null }, { matches: false }, { matches: null }, { matches: true }],
  });
  const both = await post('match', { smiles, smarts: '[OX2H]', similar_to: 'OCC', threshold: 0.9, scaffolds: true });
  expect(both.body).toMatchObject({
    matched: 1,
    data: [
      { index: 0, matches: true, similarity: 1, scaffold: '' },
      { index: 1, matches: false },
      { index: 2, matches: null, similarity: null, scaffold: null },
      { index: 3, matches: false, scaffold: 'c1ccccc1' },
    ],
  });
  expect(await post('match', { smiles, smarts: '(((' })).toMatchObject({
    status: 400,
    body: { error: { code: 'invalid_smarts', param: 'smarts' } },
  });
  expect(await post('match', { smiles, similar_to: 'CC(' })).toMatchObject({ status: 400, body: { error: { param: 'similar_to' } } });
  expect(await post('match', { smiles })).toMatchObject({ status: 400, body: { error: { code: 'missing_required_parameter' } } });
});
