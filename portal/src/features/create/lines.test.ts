import fc from 'fast-check';
import { expect, test } from 'vitest';
import { corrected, LineChecker, type Rules } from './lines.ts';

const rules: Rules = { maxLines: 1_000, maxLineBytes: 10_000, models: ['echo'] };
const line = (id: string, model = 'echo') =>
  JSON.stringify({ custom_id: id, method: 'POST', url: '/v1/chat/completions', body: { model, text: 'é試🧪' } });

const check = (bytes: Uint8Array, cuts: readonly number[] = [], given: Rules = rules) => {
  const checker = new LineChecker(given);
  let from = 0;
  for (const cut of [...cuts.map((each) => each % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    checker.feed(bytes.slice(from, cut));
    from = cut;
  }
  return checker.end();
};

const encode = (text: string) => new TextEncoder().encode(text);

test('however a file is cut into pieces, it is the same file', () => {
  const text = `\uFEFF${[line('a'), line('b'), '{"custom_id":', line('a'), '', line('c')].join('\r\n')}`;
  const whole = check(encode(text));
  expect(whole.lines).toBe(6);
  expect(whole.bad.map(({ line: n, code }) => [n, code])).toEqual([
    [3, 'invalid_json_line'],
    [4, 'duplicate_custom_id'],
    [5, 'invalid_json_line'],
  ]);
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 12 }), (cuts) => {
      expect(check(encode(text), cuts)).toEqual(whole);
    }),
  );
});

test('each fault has its code and its line', () => {
  const faults: [string, string][] = [
    ['[1]', 'invalid_json_line'],
    [JSON.stringify({ method: 'POST', url: '/v1/x', body: {} }), 'missing_custom_id'],
    [JSON.stringify({ custom_id: 'm', method: 'GET', url: '/v1/x', body: {} }), 'invalid_method'],
    [JSON.stringify({ custom_id: 'u', method: 'POST', body: {} }), 'missing_url'],
    [JSON.stringify({ custom_id: 'n', method: 'POST', url: '/v1/chat/completions' }), 'missing_body'],
    [JSON.stringify({ custom_id: 'o', method: 'POST', url: '/v1/embeddings', body: { model: 'echo' } }), 'url_mismatch'],
    [line('q', 'nobody'), 'model_not_found'],
    [`"${'x'.repeat(10_001)}"`, 'line_too_long'],
  ];
  const { bad } = check(encode([line('first'), ...faults.map(([text]) => text)].join('\n')));
  expect(bad.map(({ line: n, code }) => [n, code])).toEqual(faults.map(([, code], i) => [i + 2, code]));
  expect(check(encode(JSON.stringify({ custom_id: 'p', method: 'POST', url: '/v1/x', body: {} })))).toMatchObject({
    badCount: 0,
    unnamed: 1,
  });
  expect(check(encode('')).bad.map(({ code }) => code)).toEqual(['empty_file']);
  expect(check(encode([line('a'), line('b')].join('\n')), [], { ...rules, maxLines: 1 }).bad.map(({ code }) => code)).toEqual([
    'too_many_tasks',
  ]);
});

test('a line that is corrected, or left out, leaves the others byte for byte', async () => {
  const text = [line('a'), 'broken', line('b'), 'worse', line('c')].join('\n');
  const { bad } = check(encode(text));
  const fixed = corrected(new Blob([text]), [
    { ...bad[0]!, text: line('fixed') },
    { ...bad[1]!, text: null },
  ]);
  const again = check(new Uint8Array(await fixed.arrayBuffer()));
  expect([again.badCount, again.lines]).toEqual([0, 4]);
  expect(await fixed.text()).toBe([line('a'), line('fixed'), line('b'), line('c')].join('\n'));
});
