import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nameProblem, parseReference } from './names.ts';
import { Models, type ModelSpec, type Registered } from './models.ts';
import { compareVersions, isVersion } from './versions.ts';
import { isVisible, modelKey, shownKey } from './keys.ts';

const digits = fc.oneof(fc.nat({ max: 20 }).map(String), fc.bigInt({ min: 2n ** 53n, max: 2n ** 80n }).map(String));
const word = fc.oneof(digits, fc.stringMatching(/^[A-Za-z-][0-9A-Za-z-]{0,4}$/));
const version = fc
  .tuple(digits, digits, digits, fc.array(word, { maxLength: 3 }))
  .map(([a, b, c, pre]) => `${a}.${b}.${c}${pre.length > 0 ? `-${pre.join('.')}` : ''}`);

/** Section 11 of semver.org, said another way: each version as a list of things that compare by themselves. */
const byTheBook = (a: string, b: string): number => {
  const parts = (text: string) => {
    const [, core, pre] = /^([\d.]+)(?:-(.+))?$/.exec(text)!;
    return { core: core!.split('.').map(BigInt), pre: pre?.split('.') };
  };
  const [x, y] = [parts(a), parts(b)];
  for (let i = 0; i < 3; i++) if (x.core[i] !== y.core[i]) return x.core[i]! < y.core[i]! ? -1 : 1;
  if (!x.pre || !y.pre) return x.pre ? -1 : y.pre ? 1 : 0;
  for (let i = 0; ; i++) {
    const [l, r] = [x.pre[i], y.pre[i]];
    if (l === undefined || r === undefined) return l === r ? 0 : l === undefined ? -1 : 1;
    if (l === r) continue;
    const [ln, rn] = [/^\d+$/.test(l), /^\d+$/.test(r)];
    if (ln && rn) return BigInt(l) < BigInt(r) ? -1 : 1;
    return ln ? -1 : rn ? 1 : l < r ? -1 : 1;
  }
};

test('versions are in semantic order, numbers beyond 2^53 and pre-releases among them', () => {
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      expect(isVersion(a) || a.length > 64).toBe(true);
      expect(Math.sign(compareVersions(a, b))).toBe(byTheBook(a, b));
      expect(Math.sign(compareVersions(b, a)) + Math.sign(compareVersions(a, b))).toBe(0);
      const sorted = [a, b, c].toSorted(compareVersions);
      expect(compareVersions(sorted[0]!, sorted[2]!)).toBeLessThanOrEqual(0);
    }),
    { numRuns: 2_000 },
  );
  const inOrder = [
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
  ];
  expect(inOrder.toReversed().toSorted(compareVersions)).toEqual(inOrder);
  expect(['1.10.0', '1.9.0'].toSorted(compareVersions)).toEqual(['1.9.0', '1.10.0']);
});

test.each(['1.0', '1.0.0.0', 'v1.0.0', '01.0.0', '1.0.0-', '1.0.0-a..b', '1.0.0-01', '1.0.0+build', '1.0.0 ', ''])(
  '%j is no version',
  (text) => {
    expect(isVersion(text)).toBe(false);
  },
);

const name = fc
  .array(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,5}$/), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('/'))
  .filter((text) => nameProblem(text) === null);
const alias = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,8}$/).filter((text) => text !== 'latest');

test('a reference is a name and a version or an alias, and comes apart as it was put together', () => {
  fc.assert(
    fc.property(name, version, alias, fc.stringMatching(/^[A-Za-z0-9._-]{1,12}$/), (n, v, a, tenant) => {
      fc.pre(isVersion(v));
      expect(parseReference(n)).toEqual({ name: n });
      expect(parseReference(`${n}@${v}`)).toEqual({ name: n, version: v });
      expect(parseReference(`${n}@${a}`)).toEqual({ name: n, alias: a });
      expect(parseReference(`${n}@latest`)).toEqual({ name: n });
      // The key says whose it is, and a client never sees that.
      expect(shownKey(modelKey({ tenant, name: n, version: v }))).toBe(`${n}@${v}`);
      expect(shownKey(modelKey({ name: n, version: v }))).toBe(`${n}@${v}`);
      expect(isVisible(modelKey({ tenant, name: n, version: v }), tenant)).toBe(true);
      expect(isVisible(modelKey({ tenant, name: n, version: v }), `${tenant}x`)).toBe(false);
      expect(isVisible(modelKey({ name: n, version: v }), tenant)).toBe(true);
    }),
  );
});

test.each([
  '',
  '/a',
  'a/',
  'a//b',
  '.a',
  'a/.',
  'a/../b',
  'a b',
  'a:b',
  'a@b@c',
  'meta/versions/1.0.0',
  'a/predict',
  'by-name/a',
  'ä',
  '@1.0.0',
  'a@',
  'a@1.0',
])('%j is no reference', (text) => expect(parseReference(text)).toBeNull());

const own = (tenant: string, text: string, no: number, ready = true): Registered['versions'][number] => {
  const [n, v] = text.split('@');
  return { ready, model: { name: n!, version: v!, executor: 'onnx', options: {}, tenant, no } };
};

const declared: ModelSpec = { name: 'shared', version: '1.0.0', executor: 'echo', options: {} };

test('a tenant sees what is declared and its own, and references mean the newest that is ready', async () => {
  let registered: Registered = {
    revision: 1,
    versions: [own('a', 'm@1.9.0', 1), own('a', 'm@1.10.0', 2), own('a', 'm@2.0.0', 3, false), own('b', 'm@3.0.0', 4)],
    aliases: [
      { tenant: 'a', name: 'm', alias: 'champion', version: '1.9.0' },
      { tenant: 'a', name: 'm', alias: 'gone', version: '2.0.0' },
    ],
  };
  const models = new Models([declared], (known) => Promise.resolve(known === registered.revision ? null : registered));
  expect(models.find('m', 'a')).toBeNull();
  expect((await models.resolve('m', 'a')).version).toBe('1.10.0');
  const version = (reference: string, tenant: string) => models.find(reference, tenant)?.version;
  expect(version('m@latest', 'a')).toBe('1.10.0');
  expect(version('m@champion', 'a')).toBe('1.9.0');
  expect(version('m@gone', 'a')).toBeUndefined();
  expect(version('m@2.0.0', 'a')).toBeUndefined();
  expect(version('m', 'b')).toBe('3.0.0');
  expect(version('m@champion', 'b')).toBeUndefined();
  expect(version('m', 'c')).toBeUndefined();
  expect(version('shared', 'c')).toBe('1.0.0');
  // Not ready any more, and still run.
  expect(models.all().map(modelKey)).toContain('a:m@2.0.0');
  expect(models.seen('a').map(modelKey)).not.toContain('a:m@2.0.0');

  const before = models.find('m@1.9.0', 'a');
  const chunk = models.keyed('a:m@1.10.0');
  registered = { revision: 2, versions: [own('a', 'm@1.9.0', 1), own('a', 'shared@0.1.0', 9)], aliases: [] };
  await models.refresh();
  expect(models.find('m@1.9.0', 'a')).toBe(before);
  expect(version('shared', 'a')).toBe('0.1.0');
  expect(version('shared', 'b')).toBe('1.0.0');
  // What was accepted for a version that is gone from the registry is run to its end.
  expect(models.keyed('a:m@1.10.0')).toBe(chunk);
});

test('a refresh reads what was written before it was asked for', async () => {
  let [revision, gate] = [1, Promise.withResolvers<void>()];
  const models = new Models([], async () => {
    const seen = revision;
    await gate.promise;
    return { revision: seen, versions: [own('a', `m@${seen}.0.0`, seen)], aliases: [] };
  });
  const early = models.refresh();
  await Promise.resolve().then(() => {});
  revision = 2;
  const late = models.refresh();
  gate.resolve();
  await Promise.all([early, late]);
  expect(models.find('m', 'a')?.version).toBe('2.0.0');
});
