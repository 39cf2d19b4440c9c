import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chatLine, createBatch, jsonl, linesIn, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

/** What a line may look like, and what is said of it where it may not: always by its number, never by a crash. */
let sluice: Sluice;
beforeAll(async () => {
  sluice = await startSluice();
});
afterAll(() => sluice[Symbol.asyncDispose]());

type Line = Record<string, unknown>;
const text = (line: Line | string): string => (typeof line === 'string' ? line : JSON.stringify(line));
const bytes = (...pieces: (string | Buffer)[]): Buffer => Buffer.concat(pieces.map((piece) => Buffer.from(piece as string)));
const bom = Buffer.of(0xef, 0xbb, 0xbf);
const run = async (content: Buffer) => untilEnded(sluice.client, (await createBatch(sluice.client, content)).id);
const [a, b] = [text(chatLine('a')), text(chatLine('b'))];

describe('accepted', () => {
  test.each<[string, Buffer, string[]]>([
    ['a byte order mark', bytes(bom, a, '\n', b, '\n'), ['a', 'b']],
    ['CRLF', bytes(a, '\r\n', b, '\r\n'), ['a', 'b']],
    ['no last line end', bytes(a, '\n', b), ['a', 'b']],
    ['all of these', bytes(bom, a, '\r\n', b), ['a', 'b']],
    ['one line, with only a CR after it', bytes(a, '\r'), ['a']],
    ['space around the object', bytes(` \t${a} \n`, b, '\t\n'), ['a', 'b']],
    ['a byte order mark as text inside', bytes(text(chatLine('\ufeff')), '\n'), ['\ufeff']],
    [
      'ids of all scripts, with quotes, line ends, NUL and half a pair written as escapes',
      jsonl(['日本', '🧪', 'a"b\\c', 'x\ny', 'n\0l', '\ud83e', '__proto__', '\u2028'].map((id) => chatLine(id))),
      ['日本', '🧪', 'a"b\\c', 'x\ny', 'n\0l', '\ud83e', '__proto__', '\u2028'],
    ],
    ['an id of 512 characters', jsonl([chatLine('i'.repeat(512))]), ['i'.repeat(512)]],
    ['64 levels', jsonl([chatLine('deep', { metadata: nested(63) })]), ['deep']],
  ])('%s', async (_, content, ids) => {
    const ended = await run(content);
    expect(ended).toMatchObject({ status: 'completed', errors: null, request_counts: { total: ids.length, completed: ids.length } });
    expect((await linesIn(sluice.client, ended.output_file_id)).map((line) => line['custom_id'])).toEqual(ids);
  });

  test('multi-byte characters everywhere, over the borders of blocks', async () => {
    // 2.5 MB of lines whose lengths differ by one, so that borders fall into every place of a character.
    const lines = Array.from({ length: 2_500 }, (_, i) =>
      chatLine(`${i}`, { body: { model: 'echo', messages: [{ role: 'user', content: `${'x'.repeat(i % 7)}${'🧪é日'.repeat(100)}` }] } }),
    );
    const ended = await run(jsonl(lines));
    expect(ended.request_counts).toMatchObject({ total: 2_500, completed: 2_500 });
    const output = await linesIn(sluice.client, ended.output_file_id);
    const said = (line: Line) =>
      (line['response'] as { body: { choices: [{ message: { content: string } }] } }).body.choices[0].message.content;
    expect(output.every((line, i) => said(line) === `${'x'.repeat(i % 7)}${'🧪é日'.repeat(100)}`)).toBe(true);
  });
});

describe('refused, by line number', () => {
  const cases: [string, string | Buffer, string, RegExp?][] = [
    ['unparseable', 'custom_id: x', 'invalid_json_line', /not parseable/],
    ['truncated', a.slice(0, 40), 'invalid_json_line', /ends too early|character/],
    ['two objects', `${a}${b}`, 'invalid_json_line', /character/],
    ['blank', '', 'invalid_json_line', /blank/],
    ['of spaces', ' \t ', 'invalid_json_line', /blank/],
    [
      'invalid UTF-8',
      Buffer.concat([Buffer.from(a.slice(0, 20)), Buffer.of(0xff), Buffer.from(a.slice(20))]),
      'invalid_json_line',
      /UTF-8/,
    ],
    [
      'a surrogate in UTF-8',
      Buffer.concat([Buffer.from(a.slice(0, 15)), Buffer.of(0xed, 0xa0, 0x80), Buffer.from(a.slice(15))]),
      'invalid_json_line',
      /UTF-8/,
    ],
    ['NUL', `${a.slice(0, 15)}\0${a.slice(15)}`, 'invalid_json_line', /NUL/],
    ['65 levels', text(chatLine('x', { metadata: nested(64) })), 'invalid_json_line', /deeper than 64/],
    [
      '1,000 levels',
      text(chatLine('x')).replace('"say x"', `${'['.repeat(1_000)}${']'.repeat(1_000)}`),
      'invalid_json_line',
      /deeper than 64/,
    ],
    ['a million levels', `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`, 'invalid_json_line', /not parseable/],
    ['a million levels that never close', '{"a":'.repeat(1_000_000), 'invalid_json_line', /not parseable/],
    ['a number', '7', 'invalid_json_line', /object/],
    ['null', 'null', 'invalid_json_line', /object/],
    ['a repeated custom_id', a, 'duplicate_custom_id', /'a' was used before, in line 1/],
    ['another url', text(chatLine('x', { url: '/v1/embeddings' })), 'invalid_url'],
    ['another method', text(chatLine('x', { method: 'post' })), 'invalid_method'],
    ['an unknown model', text(chatLine('x', { model: 'gpt-9' })), 'model_not_found'],
    ['an unknown version', text(chatLine('x', { model: 'echo@9.0.0' })), 'model_not_found'],
    ['a model that is no model’s name', text(chatLine('x', { model: '__proto__' })), 'model_not_found'],
    ['no body', text({ custom_id: 'x', method: 'POST', url: '/v1/chat/completions' }), 'missing_required_parameter'],
    ['a body that is null', text(chatLine('x', { body: null })), 'invalid_type'],
    ['an id of 513 characters', text(chatLine('i'.repeat(513))), 'invalid_value'],
    // What PostgreSQL cannot hold as text must not keep the batch from failing.
    ['a model’s name with NUL', text(chatLine('x', { model: 'a\0b' })), 'model_not_found', /'a\ufffdb'/],
    ['a model’s name with half a pair', text(chatLine('x', { model: 'a\ud800' })), 'model_not_found'],
    ['a model’s name cut inside a pair', text(chatLine('x', { model: `${'m'.repeat(99)}🧪` })), 'model_not_found'],
  ];
  test.each(cases)('%s', async (_, line, code, message) => {
    const ended = await run(bytes(a, '\n', b, '\n', line, '\n', text(chatLine('c')), '\n'));
    expect(ended).toMatchObject({ status: 'failed', output_file_id: null, request_counts: { total: 0 } });
    expect(ended.errors!.data).toEqual([
      { code, line: 3, param: expect.toSatisfy(() => true) as null, message: expect.stringMatching(message ?? /./) as string },
    ]);
  });

  test('a repeated custom_id with NUL', async () => {
    const ended = await run(jsonl([chatLine('n\0l'), chatLine('n\0l')]));
    expect(ended.errors!.data).toMatchObject([{ code: 'duplicate_custom_id', line: 2 }]);
  });

  test('all of them in one file, with CRLF and a byte order mark', async () => {
    const lines = cases.map(([, line]) => line);
    const ended = await run(bytes(bom, a, ...lines.flatMap((line) => ['\r\n', line])));
    expect([...new Set(ended.errors!.data!.map(({ line }) => line))]).toEqual(lines.map((_, i) => i + 2));
  });

  test('the last line, cut off', async () => {
    const ended = await run(bytes(a, '\n', b.slice(0, -10)));
    expect(ended.errors!.data).toMatchObject([{ code: 'invalid_json_line', line: 2 }]);
  });

  test('a blank line at the end', async () => {
    const ended = await run(bytes(a, '\n\n'));
    expect(ended.errors!.data).toMatchObject([{ code: 'invalid_json_line', line: 2, message: expect.stringContaining('blank') as string }]);
  });
});

/** An object so many levels deep. */
function nested(levels: number): unknown {
  let value: unknown = {};
  for (let i = 1; i < levels; i++) value = i % 2 ? [value] : { a: value };
  return value;
}
