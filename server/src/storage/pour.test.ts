import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pour } from './pour.ts';

test('one write at a time, of bytes that stay as they are until it is done', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(200_000), { maxLength: 20 }), async (sizes) => {
      let value = 0;
      async function* source() {
        for (const size of sizes) yield Buffer.alloc(size, ++value);
      }
      const written: Buffer[] = [];
      let active = 0;
      const stored = await pour(source(), async (bytes) => {
        expect(++active).toBe(1);
        // Time for the next piece to be made, and to spoil this one.
        for (let i = 0; i < 5; i++) await setImmediate();
        written.push(Buffer.from(bytes));
        active--;
      });
      expect(active).toBe(0);
      const expected = Buffer.concat(sizes.map((size, i) => Buffer.alloc(size, i + 1)));
      expect(Buffer.concat(written).equals(expected)).toBe(true);
      expect(stored.bytes).toBe(expected.length);
    }),
    { numRuns: 50 },
  );
});

test('a write that fails ends the pour, also the last one', async () => {
  for (const pieces of [1, 20]) {
    async function* source() {
      for (let i = 0; i < pieces; i++) yield Buffer.alloc(100_000);
    }
    await expect(pour(source(), () => Promise.reject(new Error('no write')))).rejects.toThrow('no write');
  }
});
