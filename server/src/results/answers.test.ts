import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newBatchId, requestId } from '../lib/ids.ts';
import { writeAnswers } from './answers.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-answers-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const batch = newBatchId();
const good = (line: number, text: string): string =>
  `{"id":"${requestId(batch, line)}","custom_id":${JSON.stringify(text)},"response":{"status_code":200},"error":null}\n`;
const bad = (line: number, code: string): string =>
  `{"id":"${requestId(batch, line)}","custom_id":"c${line}","response":null,"error":{"code":"${code}","message":"m"}}\n`;

const merged = async (output: string | null, errors: string, total: number): Promise<string> => {
  const at = (name: string): string => join(folder, name);
  if (output !== null) await writeFile(at('output'), output);
  await writeFile(at('errors'), errors);
  await writeAnswers(output === null ? null : at('output'), at('errors'), total, at('answers'));
  return readFile(at('answers'), 'utf8');
};

test('lines of both files come in the order of the input, whichever they are of', async () => {
  const rows = fc.array(fc.record({ failed: fc.boolean(), text: fc.string({ maxLength: 300 }) }), { minLength: 1, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(rows, async (all) => {
      const lines = all.map(({ failed, text }, i) => ({ failed, own: failed ? bad(i + 1, 'wrong') : good(i + 1, text) }));
      const output = lines.filter(({ failed }) => !failed).map(({ own }) => own);
      const answers = await merged(
        output.length === 0 ? null : output.join(''),
        lines
          .filter(({ failed }) => failed)
          .map(({ own }) => own)
          .join(''),
        all.length,
      );
      const found = answers.split('\n').slice(0, -1);
      expect(found).toHaveLength(all.length);
      for (const [i, line] of found.entries())
        if (all[i]!.failed)
          expect(JSON.parse(line)).toEqual({ id: requestId(batch, i + 1), custom_id: `c${i + 1}`, error: { code: 'wrong', message: 'm' } });
        else expect(`${line}\n`).toBe(lines[i]!.own);
    }),
    { numRuns: 60 },
  );
});

test('a line without an answer, with two, or too many: nothing is made of it', async () => {
  await expect(merged(good(1, 'a') + good(3, 'c'), bad(4, 'x'), 4)).rejects.toThrow('line 3 follows line 1');
  await expect(merged(good(1, 'a') + good(2, 'b'), bad(2, 'x'), 2)).rejects.toThrow('line 2 follows line 2');
  await expect(merged(good(1, 'a'), bad(2, 'x'), 3)).rejects.toThrow('end with line 2 of 3');
});

test('the cause of a failure is found in whoever said it', async () => {
  const line = (n: number, response: unknown, error: unknown = null) =>
    `${JSON.stringify({ id: requestId(batch, n), custom_id: `c${n}`, response, error })}\n`;
  const answers = await merged(
    null,
    line(1, { status_code: 422, body: { error: { code: 'invalid_input', message: 'no molecule' } } }) +
      line(2, { status_code: 502, body: { error: 'gone' } }) +
      line(3, { status_code: 500, body: null }) +
      line(4, null, { code: 'batch_expired', message: 'late' }),
    4,
  );
  expect(
    answers
      .split('\n')
      .slice(0, -1)
      .map((each) => (JSON.parse(each) as { error: object }).error),
  ).toEqual([
    { code: 'invalid_input', message: 'no molecule' },
    { code: 'http_502', message: 'gone' },
    { code: 'http_500', message: 'http_500' },
    { code: 'batch_expired', message: 'late' },
  ]);
});
