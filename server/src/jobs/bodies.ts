import { NotFound, type Storage } from '../storage/storage.ts';

/** Bytes up to which a body or an answer lives in its row: larger ones would be copied with every move of the row. */
const inline = 8_192;

/** A text where it lives: in the row, or in storage under a key. */
export type Kept = { text: string; key: null } | { text: null; key: string };

/** Puts a text where it belongs; in storage under `key`, which is written before the row that names it. */
export const keep = async (storage: Storage, key: string, text: string): Promise<Kept> => {
  // UTF-8 takes at most three bytes for a UTF-16 unit.
  if (text.length * 3 <= inline || (text.length <= inline && Buffer.byteLength(text) <= inline)) return { text, key: null };
  await storage.put(key, [Buffer.from(text)]);
  return { text: null, key };
};

/** The text itself; null where its object is gone. */
export const textOf = async (storage: Storage, text: string | null, key: string | null): Promise<string | null> => {
  if (key === null) return text;
  try {
    return (await storage.read(key)).toString('utf8');
  } catch (error) {
    if (error instanceof NotFound) return null;
    throw error;
  }
};

const folder = (tenant: string): string => `${tenant}/jobs/`;

export const bodyKey = (tenant: string, id: string): string => `${folder(tenant)}${id}.body`;

/** Named by the token: what a worker wrote that lost its lease is another object. */
export const resultKey = (tenant: string, id: string, token: number): string => `${folder(tenant)}${id}.${token}`;
