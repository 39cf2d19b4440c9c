import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineHash, sameButId } from './line-text.ts';
import { farthest, Repeats } from './repeats.ts';

const body = fc.record({
  model: fc.constant('m'),
  text: fc.string({ unit: 'binary', maxLength: 12 }),
  custom_id: fc.constantFrom('x', 1, null),
});
const id = fc.string({ unit: 'binary', minLength: 1, maxLength: 8 });
/** Where and how a client may write it. */
const shapes = [
  (key: string, rest: string) => `{"custom_id":${key},"body":${rest}}`,
  (key: string, rest: string) => `{"body":${rest},"custom_id" : ${key} }`,
  (key: string, rest: string) => ` {"a":"custom_id","b":"\\"custom_id\\":\\"no\\"", "custom_id":\t${key},"body":${rest}}`,
  (key: string, rest: string) => `{"custom\\u005fid":${key},"body":${rest}}`,
];
const line = fc
  .record({ id, body, shape: fc.nat(shapes.length - 1), escaped: fc.boolean() })
  .map(({ id: own, body: rest, shape, escaped }) => {
    const unitAt = (i: number): string => `\\u${own.charCodeAt(i).toString(16).padStart(4, '0')}`;
    const key = escaped ? `"${Array.from({ length: own.length }, (_, i) => unitAt(i)).join('')}"` : JSON.stringify(own);
    return { own, text: shapes[shape]!(key, JSON.stringify(rest)), rest: JSON.stringify(rest), shape };
  });

const hashOf = (text: string, before = ''): [number, number] | null => {
  const bytes = Buffer.from(before + text + before);
  const hash = new LineHash();
  const start = Buffer.byteLength(before);
  return hash.take(bytes, start, bytes.length - start) ? [hash.a, hash.b] : null;
};

test('two lines of different custom_ids are the same exactly when nothing else differs', () => {
  fc.assert(
    fc.property(line, line, (a, b) => {
      fc.pre(a.own !== b.own);
      const alike = a.shape === b.shape && a.rest === b.rest;
      const same = sameButId(Buffer.from(a.text), Buffer.from(b.text));
      // What lies in the way of finding the custom_id costs a copy, and never gives one.
      expect(alike || !same).toBe(true);
      if (alike && a.shape < 2 && !a.rest.includes('custom_id')) expect(same).toBe(true);
      if (same) expect(hashOf(a.text)).toEqual(hashOf(b.text));
    }),
    { numRuns: 500 },
  );
});

test('lines that are the same have one hash wherever they lie, and others another', () => {
  fc.assert(
    fc.property(line, id, id, fc.string({ maxLength: 9 }), (a, x, y, before) => {
      expect(x.length * y.length).toBeGreaterThan(0);
      const [one, two] = [x, y].map((own) => shapes[a.shape % 3]!(JSON.stringify(own), a.rest));
      if (a.shape % 3 !== 1 || !a.rest.includes('custom_id')) expect(hashOf(one!)).toEqual(hashOf(two!, before));
      const other = shapes[a.shape % 3]!(JSON.stringify(x), a.rest.replace('}', ',"more":1}'));
      if (hashOf(one!) !== null) expect(hashOf(one!)).not.toEqual(hashOf(other));
    }),
  );
});

test('a line names the first like it while that is remembered, and none that lies farther away', () => {
  const repeats = new Repeats();
  expect([repeats.find(1, 2, 1), repeats.find(1, 2, 2), repeats.find(1, 3, 3), repeats.find(2, 2, 4), repeats.find(1, 3, 5)]).toEqual([
    0, 1, 0, 0, 3,
  ]);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(5), fc.integer({ min: 1, max: 60_000 })), { maxLength: 60 }), (steps) => {
      const own = new Repeats();
      const first = new Map<number, number>();
      let at = 0;
      for (const [kind, step] of steps) {
        at += step;
        const found = own.find(kind, kind, at);
        const known = first.get(kind);
        if (found === 0) {
          // Only what is at least a generation away may have been forgotten.
          expect(known === undefined || at - known > farthest / 2).toBe(true);
          first.set(kind, at);
        } else {
          expect(found).toBe(known);
          expect(at - found).toBeLessThan(farthest);
        }
      }
    }),
  );
});
