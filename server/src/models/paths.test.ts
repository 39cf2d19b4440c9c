import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nameProblem, tails } from './names.ts';
import { foldModelName } from './paths.ts';

const part = fc.oneof(fc.constantFrom(...tails, 'by-name'), fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,6}$/));
const name = fc
  .array(part, { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('/'))
  .filter((text) => nameProblem(text) === null);
const suffix = fc.constantFrom(
  '',
  '/versions',
  '/versions/1.0.0',
  '/versions/1.0.0-rc.1/upload',
  '/upload',
  '/schema',
  '/aliases/champion/rollback',
  '?limit=3',
  '/versions?x=/a/b',
  '/',
);

test('a name with slashes becomes one part of the path, whatever follows it', () => {
  fc.assert(
    fc.property(fc.constantFrom('/v1/models/', '/v2/models/'), name, suffix, (prefix, n, rest) => {
      expect(foldModelName(`${prefix}${n}${rest}`)).toBe(`${prefix}${n.replaceAll('/', '%2F')}${rest}`);
    }),
    { numRuns: 2_000 },
  );
  fc.assert(
    fc.property(name, fc.constantFrom('/versions', '/latest?ready_only=true'), (n, rest) => {
      expect(foldModelName(`/v1/models/by-name/${n}${rest}`)).toBe(`/v1/models/by-name/${n.replaceAll('/', '%2F')}${rest}`);
    }),
  );
});

test.each(['/v1/models', '/v1/models?limit=1', '/v1/models/', '/v1/models//a', '/v1/files/a/b', '/', '*', '/v1/models/a%2Fb/versions'])(
  '%s stays as it is',
  (url) => expect(foldModelName(url)).toBe(url),
);
