import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseExactly } from '../formats/exact-json.ts';
import { answerKey } from './key.ts';
import { llmInput, llmWords, type LlmBody } from './llm-input.ts';
import { asksForSampling } from './sampling.ts';

const url = '/v1/chat/completions';
const parsed = (text: string): LlmBody => parseExactly(text) as LlmBody;
const keyOf = (text: string, endpoint = url): string | null => {
  const input = llmInput(endpoint, parsed(text));
  return input === null ? null : answerKey('digest', input);
};

test('a key is made of its parts, and of where one ends', () => {
  const part = fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom('1:', ':', '0:1:a'));
  fc.assert(
    fc.property(fc.array(part, { minLength: 2, maxLength: 5 }), fc.array(part, { minLength: 2, maxLength: 5 }), (a, b) => {
      const key = ([digest, input, ...rest]: string[]): string => answerKey(digest!, input!, ...rest);
      expect(key(a) === key(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      expect(key(a)).toMatch(/^[0-9a-f]{64}$/);
      expect(answerKey(a[0]!, Buffer.from(a[1]!), ...a.slice(2))).toBe(key(a));
    }),
  );
});

/** What the upstream would be sent, its fields in one order: the executor's own way of making it. */
const sent = (text: string): string => {
  const { model: _, stream: __, stream_options: ___, ...body } = parsed(text);
  return JSON.stringify(Object.entries(body).sort(([a], [b]) => (a < b ? -1 : 1)));
};

const number = fc.oneof(
  fc.constantFrom(
    '0',
    '-0',
    '0.0',
    '1',
    '1.0',
    '1e0',
    '10e-1',
    '9007199254740992',
    '9007199254740993',
    '9007199254740993.0',
    '1e400',
    '0.1',
    '0.10',
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
);
const value: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    number,
    fc.string({ unit: 'binary', maxLength: 4 }).map((text) => JSON.stringify(text)),
    fc.constantFrom('null', 'true', '"a"', '"\\u0061"', '"\\ud800"'),
    fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join(' , ')}]`),
    fc.dictionary(fc.constantFrom('a', 'b', '1'), tie('value'), { maxKeys: 3 }).map(
      (object) =>
        `{${Object.entries(object)
          .map(([name, inner]) => `"${name}" : ${inner}`)
          .join()}}`,
    ),
  ),
})).value;
const bodies = fc
  .tuple(
    fc.dictionary(fc.constantFrom('messages', 'temperature', 'seed', 'tools', 'x'), value, { maxKeys: 4 }),
    fc.constantFrom('"model":"m"', '"model":"n"', '"stream":false'),
    fc.boolean(),
  )
  .map(([fields, more, first]) => {
    const own = Object.entries(fields).map(([name, inner]) => `"${name}":${inner}`);
    return `{${(first ? [more, ...own] : [...own.toReversed(), more]).join(', ')}}`;
  });

test('two requests have one key exactly when the same is sent upstream', () => {
  fc.assert(
    fc.property(bodies, bodies, (a, b) => {
      expect(keyOf(a) === keyOf(b)).toBe(sent(a) === sent(b));
    }),
    { numRuns: 500 },
  );
});

test('numbers are what they are sent as; what a double would round is kept apart', () => {
  const key = (text: string): string | null => keyOf(`{"seed":${text}}`);
  for (const [a, b] of [
    ['1', '1.0'],
    ['1', '1e0'],
    ['0', '-0'],
    ['100', '1E2'],
    ['0.1', '0.10'],
  ] as const)
    expect(key(a), `${a} ${b}`).toBe(key(b));
  for (const [a, b] of [
    ['9007199254740992', '9007199254740993'],
    ['1', '"1"'],
    ['1', 'true'],
    ['null', '0'],
    ['1e400', '1e401'],
  ] as const)
    expect(key(a), `${a} ${b}`).not.toBe(key(b));
});

test('fields that do not change the answer do not count, where the answer does not show them', () => {
  const asked = '"messages":[{"role":"user","content":"x"}]';
  const plain = keyOf(`{${asked}}`);
  for (const more of [
    '"user":"ann"',
    '"metadata":{"a":"b"}',
    '"service_tier":"flex"',
    '"model":"other"',
    '"prompt_cache_key":"k"',
    '"store":false',
  ])
    expect(keyOf(`{${asked},${more}}`) === plain, more).toBe(more !== '"store":false');
  expect(keyOf(`{${asked},"max_tokens":1}`)).not.toBe(plain);
  expect(keyOf(`{${asked}}`, '/v1/completions')).not.toBe(plain);
  expect(keyOf('{"input":"x","metadata":{"a":"b"}}', '/v1/responses')).not.toBe(keyOf('{"input":"x"}', '/v1/responses'));
  for (const more of ['"store":true', '"background":true', '"conversation":"conv_1"'])
    expect(keyOf(`{"input":"x",${more}}`, '/v1/responses')).toBe(null);
  // A template prints a tool as it was written.
  expect(keyOf('{"tools":[{"a":1,"b":2}]}')).not.toBe(keyOf('{"tools":[{"b":2,"a":1}]}'));
});

test('the words of a request, and the rest', () => {
  const words = (body: LlmBody) => llmWords(url, body);
  const one = words({ messages: [{ role: 'user', content: 'hello' }], max_tokens: 3, model: 'm' });
  expect(one?.words).toBe('user: hello');
  expect(words({ messages: [{ role: 'user', content: 'other' }], max_tokens: 3 })?.rest).toBe(one?.rest);
  expect(words({ messages: [{ role: 'user', content: 'hello' }], max_tokens: 4 })?.rest).not.toBe(one?.rest);
  expect(words({ prompt: 'hello' })?.words).toBe('hello');
  for (const messages of [[{ role: 'user', content: [{ type: 'image_url' }] }], [], 5]) expect(words({ messages })).toBe(null);
  expect(words({ messages: [{ role: 'user', content: 'x' }], store: true })).toBe(null);
});

test('who asks for chance', () => {
  for (const body of [{ temperature: 0.1 }, { n: 2 }, { temperature: 1, seed: null }]) expect(asksForSampling(body)).toBe(true);
  for (const body of [{}, { temperature: 0 }, { temperature: 1, seed: 0 }, { n: 1 }, { temperature: null }])
    expect(asksForSampling(body)).toBe(false);
});
