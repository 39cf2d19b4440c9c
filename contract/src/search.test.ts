import fc from 'fast-check';
import { expect, test } from 'vitest';
import { batchStatuses } from './batches.ts';
import { formatSearch, parseSearch, slaNames, type Search } from './search.ts';

test('words, qualifiers, quotes, lists and ages', () => {
  expect(
    parseSearch(
      'kinase  "two words" model:boltz-2,"a, b" status:failed owner:"Ada L" meta.project:"lead \\"op\\"" created:<24h error:timeout',
    ),
  ).toEqual({
    search: {
      words: ['kinase', 'two words'],
      model: ['boltz-2', 'a, b'],
      status: ['failed'],
      owner: ['Ada L'],
      metadata: { project: 'lead "op"' },
      newer: '24h',
      error: ['timeout'],
    },
    problems: [],
  });
});

test('what is left out is said as what is left in', () => {
  expect(parseSearch('-status:cancelled,failed').search.status).toEqual(
    batchStatuses.filter((each) => each !== 'cancelled' && each !== 'failed'),
  );
  expect(parseSearch('status:failed,completed -status:failed').search.status).toEqual(['completed']);
  expect(parseSearch('-sla:met').search.sla).toEqual(['on_track', 'at_risk', 'breached']);
});

test.each([
  ['status:done', /status is one of validating, .*cancelled/],
  ['status:', /a value is missing/],
  ['priority:urgent', /priority is one of normal, medium, high, a number/],
  ['-model:x', /only status and sla/],
  ['created:2h', /created:<24h/],
  ['created:<2 h', /created:<24h/],
  ['meta.:x', /meta\.key:value/],
])('%s is pointed at, and left out', (text, problem) => {
  const { search, problems } = parseSearch(`word ${text}`);
  expect(problems).toEqual([expect.stringMatching(problem)]);
  expect(Object.keys(search)).toEqual(['words']);
});

test('names with colons are words', () => {
  expect(parseSearch('run:7 http://x -dash a-b').search).toEqual({ words: ['run:7', 'http://x', '-dash', 'a-b'] });
});

const text = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' });
const list = <T>(of: fc.Arbitrary<T>) => fc.option(fc.uniqueArray(of, { minLength: 1, maxLength: 4 }), { nil: undefined });
const age = fc.tuple(fc.integer({ min: 1, max: 999_999 }), fc.constantFrom('m', 'h', 'd')).map((parts) => parts.join(''));
const searches: fc.Arbitrary<Search> = fc
  .record({
    words: fc.array(text, { maxLength: 4 }),
    status: list(fc.constantFrom(...batchStatuses)),
    model: list(text),
    owner: list(text),
    pool: list(text),
    priority: list(fc.oneof(fc.constantFrom('normal', 'medium', 'high'), fc.integer({ min: 0, max: 100 }).map(String))),
    sla: list(fc.constantFrom(...slaNames)),
    error: list(text),
    metadata: fc.option(
      fc.dictionary(
        fc.stringMatching(/^[^:\s"]+$/u).filter((key) => key !== '__proto__' && key.length < 20),
        fc.string({ maxLength: 12, unit: 'grapheme' }),
        { minKeys: 1, maxKeys: 3, noNullPrototype: true },
      ),
      { nil: undefined },
    ),
    newer: fc.option(age, { nil: undefined }),
    older: fc.option(age, { nil: undefined }),
  })
  .map((search) => Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as unknown as Search);

test('any filter is written so that it is read as the same', () => {
  fc.assert(
    fc.property(searches, (search) => {
      expect(parseSearch(formatSearch(search))).toEqual({ search, problems: [] });
    }),
    { numRuns: 1_000 },
  );
});

test('any text is read, and what was read means the same when written', () => {
  const pieces = fc.constantFrom('status:', 'model:', '-', '"', '\\', ',', ':', ' ', 'meta.', 'a', 'failed', 'created:<', '1h', 'é', '😀');
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.array(pieces).map((parts) => parts.join('')),
      ),
      (box) => {
        const { search } = parseSearch(box);
        const kept = Object.fromEntries(
          Object.entries(search).filter(([key, value]) => key === 'words' || !Array.isArray(value) || value.length > 0),
        );
        expect(parseSearch(formatSearch(search)).search).toEqual(kept);
      },
    ),
    { numRuns: 2_000 },
  );
});
