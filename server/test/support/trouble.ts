import { setTimeout as delay } from 'node:timers/promises';
import type { Storage } from '../../src/storage/storage.ts';

/** What goes wrong, as shares of the calls. */
export interface Trouble {
  /** Calls that fail at once, as a 503 of an object store. */
  refuses: number;
  /** Puts that fail when half of the bytes were sent. */
  breaks: number;
  /** Puts that fail although the object was written: the answer was lost. */
  forgets: number;
  /** Calls that take longer, and milliseconds they take at most. */
  slow: number;
  slowMs: number;
  /** The keys that have trouble; absent: all. */
  only?: RegExp;
}

/** As an object store's client reports it once its own tries are used up. */
class Unavailable extends Error {
  constructor(call: string) {
    super(`${call}: 503 SlowDown: Please reduce your request rate.`);
    this.name = 'Unavailable';
  }
}

export interface Troubled extends Storage {
  /** Null: all goes well. */
  trouble: Trouble | null;
  /** How often each kind of trouble was had. */
  had: Record<'refused' | 'broke' | 'forgot' | 'slow', number>;
}

/** A storage that is to be reached over a bad network; the promises of `Storage` hold all the same: an object is whole or not there. */
export const troubled = (storage: Storage, random: () => number = Math.random): Troubled => {
  const had = { refused: 0, broke: 0, forgot: 0, slow: 0 };
  const troubleOf = (key: string): Trouble | null => (shelf.trouble?.only?.test(key) === false ? null : shelf.trouble);
  const meet = async (call: string, key: string): Promise<void> => {
    const trouble = troubleOf(key);
    if (trouble === null) return;
    if (random() < trouble.slow) {
      had.slow++;
      await delay(random() * trouble.slowMs);
    }
    if (random() < trouble.refuses) {
      had.refused++;
      throw new Unavailable(call);
    }
  };
  async function* half(bytes: Parameters<Storage['put']>[1]): AsyncGenerator<Uint8Array> {
    for await (const piece of bytes) {
      yield piece.subarray(0, piece.length >> 1);
      break;
    }
    throw new Unavailable('put');
  }
  const shelf: Troubled = {
    ...storage,
    trouble: null,
    had,
    async put(key, bytes, options) {
      await meet('put', key);
      const chance = random();
      const { breaks, forgets } = troubleOf(key) ?? { breaks: 0, forgets: 0 };
      if (chance < breaks) {
        had.broke++;
        return storage.put(key, half(bytes), options);
      }
      const stored = await storage.put(key, bytes, options);
      if (chance < breaks + forgets) {
        had.forgot++;
        throw new Unavailable('put');
      }
      return stored;
    },
    async read(key, range) {
      await meet('read', key);
      return storage.read(key, range);
    },
    async stream(key, range) {
      await meet('stream', key);
      return storage.stream(key, range);
    },
    async size(key) {
      await meet('size', key);
      return storage.size(key);
    },
    async copy(from, to) {
      await meet('copy', from);
      return storage.copy(from, to);
    },
    async delete(key) {
      await meet('delete', key);
      return storage.delete(key);
    },
  };
  return shelf;
};
