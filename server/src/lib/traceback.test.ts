import { expect, test } from 'vitest';
import { tracebackOf } from './traceback.ts';

test('a traceback says where in the program, and neither where that is installed nor what is secret', () => {
  const error = new Error('postgres://sluice:hunter2@db/x refused us: Authorization: Bearer abcdef123456, key=sk-abcdef123456');
  const text = tracebackOf(error);
  expect(text).toMatch(/^Error: postgres:/);
  expect(text).toContain('server/src/lib/traceback.test.ts');
  expect(text).not.toContain(import.meta.dirname);
  expect(text).not.toMatch(/hunter2|abcdef123456/);
});
