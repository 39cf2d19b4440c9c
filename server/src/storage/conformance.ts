import { hash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BadKey, NotFound, putFile, TooLarge, type Bytes, type Storage } from './storage.ts';

/** What every storage promises; run on each implementation from its own test file. */
export const conformance = (name: string, open: () => Promise<Storage>): void => {
  const text = (words: string) => [Buffer.from(words)];
  const keys = async (storage: Storage, prefix: string) => {
    const found: string[] = [];
    for await (const { key } of storage.list(prefix)) found.push(key);
    return found;
  };
  /** `count` pieces of `size` bytes, each made when it is asked for. */
  async function* made(count: number, size: number): AsyncGenerator<Buffer> {
    for (let i = 0; i < count; i++) {
      await setImmediate();
      yield Buffer.alloc(size, i);
    }
  }

  describe(`${name} as a storage`, () => {
    test('gives back what was put, whole, by range and as a stream', async () => {
      const storage = await open();
      const data = randomBytes(300_000);
      expect(await storage.put('t/files/a', [data])).toEqual({ bytes: data.length, sha256: null });
      expect(await storage.size('t/files/a')).toBe(data.length);
      expect(await storage.read('t/files/a')).toEqual(data);
      expect(await storage.read('t/files/a', { start: 1000 })).toEqual(data.subarray(1000));
      expect(await storage.read('t/files/a', { start: 5, end: 70_000 })).toEqual(data.subarray(5, 70_000));
      expect(await storage.read('t/files/a', { start: 299_000, end: 400_000 })).toEqual(data.subarray(299_000));
      expect(await storage.read('t/files/a', { start: 299_000, end: 9e9 })).toEqual(data.subarray(299_000));
      expect(await storage.read('t/files/a', { start: 300_000, end: 300_001 })).toHaveLength(0);
      expect(await storage.read('t/files/a', { start: 9, end: 9 })).toHaveLength(0);
      expect(await buffer(await storage.stream('t/files/a'))).toEqual(data);
      expect(await buffer(await storage.stream('t/files/a', { start: 7, end: 200_001 }))).toEqual(data.subarray(7, 200_001));
      expect(await buffer(await storage.stream('t/files/a', { start: 400_000 }))).toHaveLength(0);
    });

    test('takes a file of this machine, which is gone then, and replaces what was there', async () => {
      const storage = await open();
      const folder = await mkdtemp(join(tmpdir(), 'sluice-take-'));
      const path = join(folder, 'made');
      const file = { path, open: () => createReadStream(path) };
      await writeFile(path, 'first', { mode: 0o644 });
      expect(await putFile(storage, 't/taken', file)).toEqual({ bytes: 5, sha256: null });
      await rm(path, { force: true });
      await writeFile(path, 'the second');
      expect(await putFile(storage, 't/taken', file)).toEqual({ bytes: 10, sha256: null });
      if (storage.take !== undefined) await expect(stat(path)).rejects.toThrow(/ENOENT/);
      expect((await storage.read('t/taken')).toString()).toBe('the second');
      await rm(path, { force: true });
      await expect(putFile(storage, 't/absent', file)).rejects.toThrow(/ENOENT/);
      expect(await storage.size('t/absent')).toBeNull();
      await writeFile(path, 'x');
      await expect(async () => await putFile(storage, '../out', file)).rejects.toThrow(BadKey);
      await rm(folder, { recursive: true });
    });

    test('holds objects of no bytes', async () => {
      const storage = await open();
      expect(await storage.put('empty', [], { digest: true })).toEqual({ bytes: 0, sha256: hash('sha256', '') });
      expect(await storage.size('empty')).toBe(0);
      expect(await storage.read('empty')).toHaveLength(0);
      expect(await buffer(await storage.stream('empty'))).toHaveLength(0);
    });

    test('any pieces are one object, with its size and digest', async () => {
      const storage = await open();
      const piece = fc.oneof(fc.nat(300), fc.nat(400_000)).map((size) => randomBytes(size));
      await fc.assert(
        fc.asyncProperty(fc.array(piece, { maxLength: 12 }), fc.nat(3), async (pieces, kind) => {
          const whole = Buffer.concat(pieces);
          async function* stream() {
            // Small buffers are used again at once by those who made them, large ones when another has been made.
            const [small, rooms] = [Buffer.alloc(60_000), [Buffer.alloc(400_000), Buffer.alloc(400_000)]];
            for (const [i, each] of pieces.entries()) {
              const room = each.length > small.length ? rooms[i & 1]! : small;
              each.copy(room);
              yield room.subarray(0, each.length);
            }
          }
          const bytes: Bytes = kind === 0 ? pieces : kind === 1 ? new Set(pieces) : stream();
          const stored = await storage.put('p/any', bytes, { digest: true, ...(kind === 3 && { signal: new AbortController().signal }) });
          expect(stored).toEqual({ bytes: whole.length, sha256: hash('sha256', whole) });
          expect((await storage.read('p/any')).equals(whole)).toBe(true);
        }),
        { numRuns: 30 },
      );
    });

    test('a second put replaces the object at once; who reads the old one reads it to the end', async () => {
      const storage = await open();
      const old = randomBytes(2_000_000);
      await storage.put('t/x', [old]);
      const reader = await storage.stream('t/x');
      async function* slow() {
        yield Buffer.from('new');
        expect(await storage.size('t/x')).toBe(old.length);
      }
      await storage.put('t/x', slow());
      expect(await storage.read('t/x')).toEqual(Buffer.from('new'));
      await storage.delete('t/x');
      expect((await buffer(reader)).equals(old)).toBe(true);
    });

    test('a put is not seen before it is whole, and one that fails leaves nothing', async () => {
      const storage = await open();
      await storage.put('t/kept', text('kept'));
      async function* broken() {
        yield* made(4, 100_000);
        expect(await storage.size('t/cut')).toBe(null);
        expect(await keys(storage, '')).toEqual(['t/kept']);
        throw new Error('cut off');
      }
      for (const key of ['t/cut', 't/kept']) await expect(storage.put(key, broken())).rejects.toThrow('cut off');
      expect(await keys(storage, '')).toEqual(['t/kept']);
      expect((await storage.read('t/kept')).toString()).toBe('kept');
      await expect(storage.read('t/cut')).rejects.toThrow(NotFound);
    });

    test('more bytes than the limit leave nothing', async () => {
      const storage = await open();
      await expect(storage.put('t/big', [Buffer.alloc(11)], { limit: 10 })).rejects.toThrow(TooLarge);
      await expect(storage.put('t/big', made(30, 100_000), { limit: 2_000_000 })).rejects.toThrow(TooLarge);
      expect(await keys(storage, '')).toEqual([]);
      await storage.put('t/big', made(20, 100_000), { limit: 2_000_000 });
      expect(await storage.size('t/big')).toBe(2_000_000);
    });

    test('an abort ends a put whose source never comes to an end', async () => {
      const storage = await open();
      const controller = new AbortController();
      async function* stuck() {
        yield Buffer.alloc(100_000);
        controller.abort(new Error('gone'));
        await new Promise(() => {});
      }
      await expect(storage.put('t/stuck', stuck(), { signal: controller.signal })).rejects.toThrow('gone');
      await expect(storage.put('t/stuck', text('late'), { signal: controller.signal })).rejects.toThrow('gone');
      expect(await keys(storage, '')).toEqual([]);
    });

    test('takes no more from a source than it can write', async () => {
      const storage = await open();
      let taken = 0;
      async function* source() {
        for (; taken < 1000; taken++) yield Buffer.alloc(100_000);
      }
      await expect(storage.put('t/much', source(), { limit: 1_000_000 })).rejects.toThrow(TooLarge);
      expect(taken).toBeLessThan(15);
    });

    test('what is not there', async () => {
      const storage = await open();
      await storage.put('t/there', text('x'));
      for (const key of ['none', 't', 't/none', 't/there/below', 'none/of/these']) {
        await expect(storage.read(key)).rejects.toThrow(NotFound);
        await expect(storage.read(key, { end: 10 })).rejects.toThrow(NotFound);
        await expect(storage.stream(key)).rejects.toThrow(NotFound);
        await expect(storage.copy(key, 't/copy')).rejects.toThrow(NotFound);
        expect(await storage.size(key)).toBe(null);
        await storage.delete(key);
      }
      expect(await keys(storage, '')).toEqual(['t/there']);
    });

    test('lists by whole names, in order, with sizes and times', async () => {
      const storage = await open();
      const all = ['a', 'b-c/x', 'b.c', 'b/1', 'b/2/z', 'b/20', 'ba/1', 'c'];
      for (const key of all.toReversed()) await storage.put(key, text(key));
      expect(await keys(storage, '')).toEqual([...all].sort((x, y) => (x < y ? -1 : 1)));
      expect(await keys(storage, 'b/')).toEqual(['b/1', 'b/2/z', 'b/20']);
      expect(await keys(storage, 'none/')).toEqual([]);
      await expect(keys(storage, 'b')).rejects.toThrow(BadKey);
      await expect(keys(storage, '../')).rejects.toThrow(BadKey);
      for await (const { key, bytes, modified } of storage.list('')) {
        expect(bytes).toBe(key.length);
        expect(Math.abs(modified.getTime() - Date.now())).toBeLessThan(60_000);
      }
    });

    test('deletes, and makes again in a place that was emptied', async () => {
      const storage = await open();
      for (let round = 0; round < 3; round++) {
        await storage.put('t/b/c/d', text('x'));
        await storage.delete('t/b/c/d');
        await storage.delete('t/b/c/d');
        expect(await keys(storage, '')).toEqual([]);
      }
    });

    test('puts and deletes side by side in one place never get into each other’s way', async () => {
      const storage = await open();
      await Promise.all(
        Array.from({ length: 8 }, async (_, i) => {
          for (let round = 0; round < 20; round++) {
            await storage.put(`t/busy/${i}`, text('x'));
            expect(await storage.size(`t/busy/${i}`)).toBe(1);
            await storage.delete(`t/busy/${i}`);
          }
        }),
      );
      expect(await keys(storage, '')).toEqual([]);
    });

    test('copies, also over what is there, and the copy is its own', async () => {
      const storage = await open();
      await storage.put('t/from', text('first'));
      await storage.put('t/to', text('old'));
      await storage.copy('t/from', 't/to');
      await storage.copy('t/from', 't/to');
      await storage.copy('t/from', 'u/new/to');
      await storage.put('t/from', text('second'));
      await storage.delete('t/from');
      for (const key of ['t/to', 'u/new/to']) expect((await storage.read(key)).toString()).toBe('first');
    });

    test('refuses keys that are not plain names', async () => {
      const storage = await open();
      await storage.put('t/x', text('x'));
      const bad = [
        '',
        '/',
        '/etc/passwd',
        '../x',
        't/../x',
        't/./x',
        't//x',
        't/',
        '..',
        't/\0',
        't/x\0',
        't\\x',
        't/ü',
        '~writing/x',
        't/a b',
      ];
      for (const key of [...bad, 'x'.repeat(201), 'x/'.repeat(500) + 'x']) {
        await expect(storage.put(key, text('x'))).rejects.toThrow(BadKey);
        await expect(storage.read(key)).rejects.toThrow(BadKey);
        await expect(storage.stream(key)).rejects.toThrow(BadKey);
        await expect(storage.size(key)).rejects.toThrow(BadKey);
        await expect(storage.delete(key)).rejects.toThrow(BadKey);
        await expect(storage.copy('t/x', key)).rejects.toThrow(BadKey);
        await expect(storage.copy(key, 't/y')).rejects.toThrow(BadKey);
      }
      expect(await keys(storage, '')).toEqual(['t/x']);
    });

    test('says that it can be written', async () => {
      const storage = await open();
      await storage.check();
      expect(await keys(storage, '')).toEqual([]);
    });
  });
};
