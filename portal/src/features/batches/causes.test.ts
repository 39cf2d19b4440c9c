import { expect, test } from 'vitest';
import { causeOf, causesIn } from './causes.ts';
import type { RequestSummary } from './queries.ts';

const failed = (line: number, code: string, message: string): RequestSummary =>
  ({ line, state: 'failed', error: { code, message }, finished_at: 100 + line }) as RequestSummary;

test('what differs between requests is no cause', () => {
  expect(causeOf('Timed out after 30.5 s on gpu-17')).toBe(causeOf('Timed out after 2 s on gpu-3'));
  expect(causeOf(`No model 'a'.`)).toBe(causeOf(`No model 'b/c'.`));
  expect(causeOf('request deadbeef01 was lost')).not.toBe(causeOf('request was refused'));
});

test('failures are grouped, the most frequent first, with their lines', () => {
  const causes = causesIn([failed(1, 'timeout', 'after 3 s'), failed(2, 'invalid', 'no'), failed(3, 'timeout', 'after 5 s')]);
  expect(causes.map(({ code, count, lines, first, last }) => ({ code, count, lines, first, last }))).toEqual([
    { code: 'timeout', count: 2, lines: [1, 3], first: 101, last: 103 },
    { code: 'invalid', count: 1, lines: [2], first: 102, last: 102 },
  ]);
});
