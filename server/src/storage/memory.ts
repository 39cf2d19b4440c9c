import { Readable } from 'node:stream';
import { pour } from './pour.ts';
import { BadKey, checkKey, NotFound, StorageFull, type Storage } from './storage.ts';

interface Held {
  data: Buffer;
  modified: Date;
}

/** Storage in this process's memory, for tests and trials; `capacity` bytes in all, after which it is full. */
export const openMemory = ({ capacity = Infinity }: { capacity?: number } = {}): Storage => {
  const objects = new Map<string, Held>();
  let used = 0;

  const get = (key: string): Buffer => {
    const held = objects.get(checkKey(key));
    if (!held) throw new NotFound(key);
    return held.data;
  };
  const set = (key: string, data: Buffer): void => {
    const old = objects.get(key)?.data.length ?? 0;
    used += data.length - old;
    objects.set(key, { data, modified: new Date() });
  };
  const room = (bytes: number): void => {
    if (used + bytes > capacity) throw new StorageFull(new Error(`${capacity} bytes hold no more`));
  };

  return {
    async put(key, bytes, options) {
      checkKey(key);
      const pieces: Buffer[] = [];
      let size = 0;
      const stored = await pour(
        bytes,
        async (piece) => {
          size += piece.length;
          room(size);
          pieces.push(Buffer.from(piece));
        },
        options,
      );
      set(key, Buffer.concat(pieces));
      return stored;
    },

    async read(key, { start = 0, end = Infinity } = {}) {
      return Buffer.from(get(key).subarray(start, Math.max(start, end)));
    },

    async stream(key, { start = 0, end = Infinity } = {}) {
      const data = get(key).subarray(start, Math.max(start, end));
      return Readable.from(
        (function* () {
          for (let at = 0; at < data.length; at += 65_536) yield data.subarray(at, at + 65_536);
        })(),
        { objectMode: false },
      );
    },

    async size(key) {
      return objects.get(checkKey(key))?.data.length ?? null;
    },

    async *list(prefix) {
      if (prefix !== '' && !prefix.endsWith('/')) throw new BadKey(prefix);
      if (prefix !== '') checkKey(prefix.slice(0, -1));
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).sort((a, b) => (a < b ? -1 : 1));
      for (const key of keys) {
        const held = objects.get(key);
        if (held) yield { key, bytes: held.data.length, modified: held.modified };
      }
    },

    async delete(key) {
      used -= objects.get(checkKey(key))?.data.length ?? 0;
      objects.delete(key);
    },

    async copy(from, to) {
      const data = get(from);
      room(data.length);
      set(checkKey(to), data);
    },

    async sweepTemporary() {
      return 0;
    },

    async check() {
      room(1);
    },
  };
};
