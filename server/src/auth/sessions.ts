import { hash, randomBytes } from 'node:crypto';
import type { Db } from '../db/db.ts';
import { sql, unsynced } from '../db/sql.ts';
import { ApiError } from '../lib/errors.ts';
import { type ApiKey, type Identity } from './identity.ts';

/**
 * Browsers that are signed in with a key. A session is 32 random bytes in a cookie; the table has their digest, so that
 * whoever reads it can be nobody. It lasts while it is used, ends 30 days after it began at the latest, and ends at
 * once with its key: which one that was is asked each time, of the keys there are.
 */
export interface Session {
  identity: Identity;
  /** The digest of the key it was opened with, for what is noted of keys. */
  key: ApiKey;
  /** What a page sends in `x-csrf-token` with all that changes something. */
  csrfToken: string;
  /** Seconds since the epoch: when it ends, if it is not used before. */
  expiresAt: number;
}

export interface Sessions {
  /** Signs in; null: no such key. */
  open: (key: string, agent: string) => Promise<(Session & { secret: string }) | null>;
  /** The session of a cookie; throws `session_ended`. */
  find: (secret: string) => Promise<Session>;
  close: (secret: string) => Promise<void>;
}

const longestDays = 30;

const digest = (...parts: string[]): Buffer => hash('sha256', parts.join('\n'), 'buffer');

/** Known to the page that is told of it, and to nobody who only makes the browser send its cookie. */
const csrfOf = (secret: string): string => digest('csrf', secret).toString('base64url');

export const sessionEnded = (): ApiError =>
  new ApiError('session_ended', 'You are signed out: the session has ended, or its key is gone. Sign in again.');

interface Row {
  tenant_id: string;
  user_id: string;
  key_mark: Buffer;
  stale: boolean;
  expires_at: number;
}

export const openSessions = ({ db, keys, idleSeconds }: { db: Db; keys: readonly ApiKey[]; idleSeconds: number }): Sessions => {
  const byDigest = new Map(keys.map((key) => [digest(key.key).toString('hex'), key]));
  const session = (key: ApiKey, secret: string, expiresAt: number): Session => {
    const { key: _, ...identity } = key;
    return { identity, key, csrfToken: csrfOf(secret), expiresAt };
  };
  return {
    async open(text, agent) {
      const key = byDigest.get(digest(text).toString('hex'));
      if (key === undefined) return null;
      const secret = randomBytes(32).toString('base64url');
      await db.run(sql`delete from sessions where ends_at < now() or seen_at < now() - make_interval(secs => ${idleSeconds})`);
      const { expires_at } = await db.one<{ expires_at: number }>(sql`
        insert into sessions (id, tenant_id, user_id, key_mark, agent, ends_at)
        values (${digest(secret)}, ${key.tenant}, ${key.user}, ${digest(secret, key.key)}, ${agent.slice(0, 200).toWellFormed()},
          now() + make_interval(days => ${longestDays}))
        returning ${expiry(idleSeconds)}`);
      return { ...session(key, secret, expires_at), secret };
    },
    async find(secret) {
      const id = digest(secret);
      const row = await db.maybe<Row>(sql`
        select tenant_id, user_id, key_mark, seen_at < now() - interval '1 minute' as stale, ${expiry(idleSeconds)}
        from sessions where id = ${id} and ends_at > now() and seen_at > now() - make_interval(secs => ${idleSeconds})`);
      const key =
        row &&
        keys.find((each) => each.tenant === row.tenant_id && each.user === row.user_id && digest(secret, each.key).equals(row.key_mark));
      if (!row || !key) throw sessionEnded();
      if (row.stale) await db.run(sql`update sessions set seen_at = now() from ${unsynced} where id = ${id}`);
      return session(key, secret, row.expires_at);
    },
    async close(secret) {
      await db.run(sql`delete from sessions where id = ${digest(secret)}`);
    },
  };
};

const expiry = (idleSeconds: number) =>
  sql`extract(epoch from least(ends_at, seen_at + make_interval(secs => ${idleSeconds})))::float8 as expires_at`;
