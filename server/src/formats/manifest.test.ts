import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeManifest, Manifest, settledStates, type Copied, type Settled } from './manifest.ts';

const copied: fc.Arbitrary<Copied | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.record({ kind: fc.constant('batch' as const), line: fc.integer({ min: 1, max: 2 ** 31 }) }),
  fc.record({ kind: fc.constant('cache' as const), request: fc.option(fc.string({ maxLength: 40 })) }),
  fc.record({
    kind: fc.constant('semantic' as const),
    request: fc.string({ maxLength: 40 }),
    similarity: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
);

const entry = fc
  .record({
    line: fc.integer({ min: 1, max: 2 ** 31 }),
    state: fc.constantFrom(...settledStates),
    attempts: fc.nat(255),
    status: fc.nat(599),
    offset: fc.nat(),
    length: fc.nat(),
    startedAt: fc.integer({ min: 1e12, max: 1e12 + 1e9 }),
    ms: fc.nat(1e9),
    copied,
  })
  .map(({ copied: own, ...rest }): Settled => ({ ...rest, ...(own && { copied: own }) }));

test('a manifest says of each line what it was told, copies and all', () => {
  fc.assert(
    fc.property(fc.uniqueArray(entry, { selector: ({ line }) => line, maxLength: 20 }), (found) => {
      const entries = found.sort((a, b) => a.line - b.line);
      const manifest = new Manifest(encodeManifest(entries));
      expect(Array.from({ length: manifest.count }, (_, i) => manifest.at(i))).toEqual(entries);
      entries.forEach(({ line, state }, i) => {
        expect(manifest.completed(i)).toBe(state === 'completed');
        expect(manifest.find(line)).toEqual(entries[i]);
      });
    }),
  );
});
