import { hash } from 'node:crypto';
import type { Db } from '../db/db.ts';
import { sql, unsynced } from '../db/sql.ts';
import { Loop } from '../lib/loop.ts';
import type { ApiKey } from './identity.ts';

/** What a key is called: says nothing of it, and stays the same while it does. */
export const keyId = (key: string): string => `key_${hash('sha256', `key id\n${key}`).slice(0, 24)}`;

/** Enough to tell keys apart, and never more than a quarter of one. */
export const keyPrefix = (key: string): string => key.slice(0, Math.min(8, Math.floor(key.length / 4)));

const everyMs = 30_000;

/** When keys were used last, written down twice a minute: noting a use costs a request nothing. */
export class KeyUses implements AsyncDisposable {
  readonly #db: Db;
  readonly #loop: Loop;
  #used = new Set<ApiKey>();

  constructor(db: Db, onError: (error: unknown) => void = () => {}) {
    this.#db = db;
    this.#loop = new Loop({ name: 'key uses', run: () => this.write(), min: everyMs, max: everyMs, onError });
  }

  readonly note = (key: ApiKey): void => void this.#used.add(key);

  start(): void {
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    await this.write().catch(() => {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async write(): Promise<false> {
    if (this.#used.size === 0) return false;
    const ids = [...this.#used].map(({ key }) => keyId(key)).sort();
    this.#used = new Set();
    await this.#db.run(sql`
      insert into key_uses as u (key_id) select id from unnest(${ids}::text[]) id, ${unsynced} order by 1
      on conflict (key_id) do update set last_used_at = now() where u.last_used_at < now() - interval '1 minute'`);
    return false;
  }
}

export const lastUses = async (db: Db, ids: readonly string[]): Promise<Map<string, number>> =>
  new Map(
    (
      await db.many<{ key_id: string; at: number }>(
        sql`select key_id, extract(epoch from last_used_at)::bigint as at from key_uses where key_id = any(${ids}::text[])`,
      )
    ).map(({ key_id, at }) => [key_id, at]),
  );
