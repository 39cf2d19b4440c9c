import { expect, test } from 'vitest';
import { jsonOf, kindOf, oneOf, sampleOf, type Schema } from './schema.ts';

test('each type has its field, and what has none is asked as JSON', () => {
  const kinds: [Schema, string][] = [
    [{ type: 'string' }, 'text'],
    [{ type: 'string', maxLength: 2_000 }, 'long'],
    [{ type: ['integer', 'null'] }, 'number'],
    [{ type: 'boolean' }, 'yes'],
    [{ type: 'string', enum: ['a', 'b'] }, 'choice'],
    [{ type: 'array', items: { type: 'number' } }, 'json'],
    [{ anyOf: [{ type: 'string' }, { type: 'number' }] }, 'json'],
    [{}, 'json'],
  ];
  for (const [schema, kind] of kinds) expect([schema, kindOf(schema)]).toEqual([schema, kind]);
});

test('a form begins with examples and defaults, and with nothing where there are none', () => {
  expect(
    sampleOf({
      type: 'object',
      properties: { smiles: { type: 'string', examples: ['CCO'] }, steps: { type: 'integer', default: 200 }, name: { type: 'string' } },
    }),
  ).toEqual({ smiles: 'CCO', steps: 200 });
  expect(sampleOf({ type: 'object', properties: { name: { type: 'string' } } })).toBeUndefined();
});

test('what does not parse says why', () => {
  expect(jsonOf('{"a": [1]}')).toEqual({ value: { a: [1] } });
  expect(jsonOf('{').wrong).toMatch(/JSON/);
});

test('what may be null is asked for as what it is', () => {
  const seed = { anyOf: [{ type: 'integer', minimum: 0 }, { type: 'null' }], default: null, title: 'Seed' };
  expect(oneOf(seed)).toEqual({ type: 'integer', minimum: 0, default: null, title: 'Seed' });
  const either = { anyOf: [{ type: 'string' }, { type: 'object' }] };
  expect(oneOf(either)).toBe(either);
});
