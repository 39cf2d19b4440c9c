import fc from 'fast-check';
import { expect, test } from 'vitest';
import { address, param, readQuery, secondOf, writeQuery } from './url.ts';

const statuses = ['failed', 'completed', 'in_progress'] as const;
const codec = address({
  status: param.list(statuses),
  q: param.text(),
  sort: param.sort(['created', 'name'], { by: 'created', down: true }),
  from: param.moment(),
  line: param.whole(1, 10_000_000),
  tab: param.choice(['overview', 'requests'], 'overview'),
});

const values = fc.record({
  status: fc.uniqueArray(fc.constantFrom(...statuses)),
  q: fc.string({ unit: 'grapheme', maxLength: 60 }),
  sort: fc.record({ by: fc.constantFrom('created' as const, 'name' as const), down: fc.boolean() }),
  from: fc.constantFrom('', '24h', '7d', '2026-11-22', '2026-11-22T10:00:00Z'),
  line: fc.option(fc.integer({ min: 1, max: 10_000_000 })),
  tab: fc.constantFrom('overview' as const, 'requests' as const),
});

test('what is written into an address is read back, through the address itself', () => {
  fc.assert(
    fc.property(values, (given) => {
      const { values: read, dropped } = codec.parse(readQuery(writeQuery(codec.format(given))));
      expect(dropped).toEqual([]);
      expect(read).toEqual(given);
    }),
  );
});

test('whatever stands in an address, a page gets values of its own kinds', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('status', 'q', 'sort', 'from', 'line', 'tab', 'other', '__proto__'), fc.string()), (raw) => {
      const { values } = codec.parse(raw);
      const again = codec.parse(codec.format(values));
      expect(again).toEqual({ values, dropped: [] });
    }),
  );
});

test('what does not parse is dropped by name, and the rest holds', () => {
  const { values, dropped } = codec.parse({ status: 'failed,nonsense', line: '-3', tab: 'moon', sort: '-name', q: 'kinase' });
  expect(dropped).toEqual(['line', 'tab']);
  expect(values).toMatchObject({ status: ['failed'], line: null, tab: 'overview', sort: { by: 'name', down: true }, q: 'kinase' });
});

test('an address of defaults is empty, and reads well otherwise', () => {
  expect(codec.format(codec.parse({}).values)).toEqual({});
  expect(writeQuery(codec.format({ status: ['failed', 'completed'], q: 'model:boltz-2 created:>2h' }))).toBe(
    '?status=failed,completed&q=model:boltz-2+created:%3E2h',
  );
});

test('times that are relative stay so', () => {
  expect(secondOf('24h', 1_000_000)).toBe(1_000_000 - 86_400);
  expect(secondOf('2026-11-22T00:00:00Z')).toBe(Date.UTC(2026, 10, 22) / 1_000);
  expect(secondOf('nonsense')).toBeNull();
});
