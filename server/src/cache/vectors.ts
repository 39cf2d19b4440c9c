import { hash } from 'node:crypto';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';

/** Vectors of one scope and space that are looked through, the newest: 10,000 of 384 numbers take 15 MB and 4 ms a look. */
export const mostVectors = 10_000;

export const digestText = (...parts: readonly string[]): string => hash('sha256', JSON.stringify(parts), 'hex');

/** The vector at length 1, so that a product is a cosine; null where it has no direction. */
export const unit = (values: readonly number[]): Float32Array | null => {
  let sum = 0;
  for (const value of values) sum += value * value;
  const length = Math.sqrt(sum);
  return length > 0 && Number.isFinite(length) ? Float32Array.from(values, (value) => value / length) : null;
};

interface Entry {
  no: number;
  key: string;
  rest: string;
  vector: Float32Array;
}

interface Shelf {
  entries: Entry[];
  last: number;
}

/** Scopes and spaces kept in memory at once, the last used ones. */
const mostShelves = 4;

/**
 * Answers by the vectors of what was asked: an exact search through a bounded set, read from the database once and then only
 * what came since. An index of vectors would find most neighbours faster; at this size there is nothing to gain.
 */
export class Vectors {
  readonly #db: Db;
  readonly #shelves = new Map<string, Shelf>();

  constructor(db: Db) {
    this.#db = db;
  }

  /** Reads what was added since it was read last. */
  async refresh(scope: string, space: string): Promise<void> {
    const shelf = this.#shelf(scope, space);
    const rows = await this.#db.many<{ no: number; key: string; rest: string; vector: Buffer }>(sql`
      select no, encode(key, 'hex') as key, encode(rest, 'hex') as rest, vector from (
        select * from result_vectors where scope = ${scope} and space = decode(${space}, 'hex') and no > ${shelf.last}
        order by no desc limit ${mostVectors}) newest
      order by no`);
    for (const { no, key, rest, vector } of rows) {
      shelf.last = Math.max(shelf.last, no);
      const values = new Float32Array(vector.length / 4);
      for (let i = 0; i < values.length; i++) values[i] = vector.readFloatLE(i * 4);
      shelf.entries.push({ no, key, rest, vector: values });
    }
    if (shelf.entries.length > mostVectors) shelf.entries.splice(0, shelf.entries.length - mostVectors);
  }

  /** The most similar of those with the same rest, where one is similar enough. */
  nearest(scope: string, space: string, rest: string, vector: Float32Array, threshold: number): { key: string; similarity: number } | null {
    let best: Entry | null = null;
    let most = threshold;
    for (const entry of this.#shelf(scope, space).entries) {
      if (entry.rest !== rest || entry.vector.length !== vector.length) continue;
      const cosine = dot(entry.vector, vector);
      if (cosine < most) continue;
      most = cosine;
      best = entry;
    }
    return best && { key: best.key, similarity: Math.min(1, Number(most.toFixed(6))) };
  }

  /** Its answer is gone. */
  forget(scope: string, space: string, key: string): void {
    const shelf = this.#shelf(scope, space);
    shelf.entries = shelf.entries.filter((entry) => entry.key !== key);
  }

  #shelf(scope: string, space: string): Shelf {
    const name = `${scope} ${space}`;
    const shelf = this.#shelves.get(name) ?? { entries: [], last: 0 };
    this.#shelves.delete(name);
    this.#shelves.set(name, shelf);
    if (this.#shelves.size > mostShelves) this.#shelves.delete(this.#shelves.keys().next().value!);
    return shelf;
  }
}

const dot = (a: Float32Array, b: Float32Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/** Forgets vectors beyond the newest of each scope and space; says how many. */
export const trimVectors = (db: Db): Promise<number> =>
  db.run(sql`
    delete from result_vectors v using (
      select scope, space, (array_agg(no order by no desc))[${mostVectors}] as least
      from result_vectors group by scope, space having count(*) > ${mostVectors}) full_up
    where v.scope = full_up.scope and v.space = full_up.space and v.no < full_up.least`);
