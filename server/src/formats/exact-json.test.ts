import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseExactly } from './exact-json.ts';

test('numbers no double can hold come out as they went in', () => {
  const text = '{"seed":9007199254740993,"x":[0.1,1e400,-9223372036854775808],"y":0.12345678901234567890,"z":1234567890123456}';
  expect(JSON.stringify(parseExactly(text))).toBe(text);
});

test('everything else is what JSON.parse makes of it', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(JSON.stringify(parseExactly(text))).toBe(JSON.stringify(JSON.parse(text)));
    }),
  );
  expect(parseExactly('{"a":1234567890123456}')).toEqual({ a: 1_234_567_890_123_456 });
});
