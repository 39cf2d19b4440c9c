import { randomBytes } from 'node:crypto';
import type { RemoteCalls } from '../executors/executor.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';

/** Calls under way at servers elsewhere, by the request they are for, as every worker knows them. */
export const remoteCalls = (db: Db): RemoteCalls => ({
  find: async (key) => {
    const row = await db.maybe<{ call_id: string | null }>(sql`select call_id from remote_calls where key = ${key}`);
    return row?.call_id == null ? null : { id: row.call_id };
  },
  keep: async (key, { id, model }) => {
    await db.run(sql`
      insert into remote_calls (key, model, call_id) values (${key}, ${model}, ${id})
      on conflict (key) do update set call_id = excluded.call_id`);
  },
  announce: async (key, model) => {
    const token = randomBytes(24).toString('base64url');
    await db.run(sql`
      insert into remote_calls (key, model, token) values (${key}, ${model}, ${token})
      on conflict (key) do update set token = excluded.token, told_at = null, told_by = null`);
    return token;
  },
  told: async (key) => (await db.maybe(sql`select from remote_calls where key = ${key} and told_at is not null`)) !== null,
  forget: async (key) => {
    await db.run(sql`delete from remote_calls where key = ${key}`);
  },
});
