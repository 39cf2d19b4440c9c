import { channels } from '../db/listen.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';

/** Ids a notification holds: it may have 8,000 bytes. */
const most = 300;

const prefix = 'job_';

export const idsOf = (payload: string): string[] => (payload === '' ? [] : payload.split(',').map((id) => prefix + id));

/**
 * Tells of jobs, one notification at a time: what comes up while one is on its way goes with the next. A commit that
 * notifies holds a lock of the whole server, so it is a statement of its own, which waits for no disk. Everybody who
 * listens also polls: a failure to tell is no failure of what was done.
 */
export class Announcer {
  readonly #db: Db;
  #queued = false;
  #ended: string[] = [];
  #telling = false;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Wakes the workers. */
  queued(): void {
    this.#queued = true;
    this.#begin();
  }

  /** Wakes those who wait for these jobs. */
  ended(ids: readonly string[]): void {
    for (const id of ids) this.#ended.push(id.slice(prefix.length));
    if (this.#ended.length > 0) this.#begin();
  }

  #begin(): void {
    if (this.#telling) return;
    this.#telling = true;
    void this.#tell();
  }

  async #tell(): Promise<void> {
    // All that comes in this turn of the event loop goes together.
    await new Promise(setImmediate);
    while (this.#queued || this.#ended.length > 0) {
      const payloads: { channel: string; payload: string }[] = [];
      if (this.#queued) payloads.push({ channel: channels.jobs, payload: '' });
      this.#queued = false;
      const ended = this.#ended.splice(0, 10 * most);
      for (let at = 0; at < ended.length; at += most)
        payloads.push({ channel: channels.jobEnds, payload: ended.slice(at, at + most).join(',') });
      await this.#db
        .run(
          sql`select pg_notify(channel, payload) from unnest(${payloads.map(({ channel }) => channel)}::text[], ${payloads.map(({ payload }) => payload)}::text[]) n (channel, payload)`,
        )
        .catch(() => {});
    }
    // In the same breath: what comes up after this begins anew.
    this.#telling = false;
  }
}
