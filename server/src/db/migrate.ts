import { readdir, readFile } from 'node:fs/promises';
import { hash } from 'node:crypto';
import pg from 'pg';

const folder = new URL('../../migrations/', import.meta.url);

/** Any number, the same in every process: the advisory lock that lets one process migrate at a time. */
const lock = 7_305_814_911;

export interface Migration {
  name: string;
  text: string;
  digest: string;
}

export const migrations = async (): Promise<Migration[]> => {
  const names = (await readdir(folder)).filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(new URL(name, folder), 'utf8');
      return { name, text, digest: hash('sha256', text, 'hex') };
    }),
  );
};

/**
 * Brings the database up to date, forward only, each file in one transaction; several processes may call it at once.
 * Throws where the database has a migration this program does not know (it is newer), or one whose text has changed.
 *
 * @returns the names of the files that were run now
 */
export const migrate = async (url: string): Promise<string[]> => {
  const client = new pg.Client({ connectionString: url, application_name: 'sluice migrate', connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [lock]);
    await client.query(
      'create table if not exists migrations (name text primary key, digest text not null, run_at timestamptz not null default now())',
    );
    const { rows } = await client.query<{ name: string; digest: string }>('select name, digest from migrations order by name');
    const known = await migrations();
    for (const row of rows) {
      const file = known.find((m) => m.name === row.name);
      if (!file)
        throw new Error(
          `the database was migrated by a newer Sluice: it has ${row.name}, which this one does not know. Start the newer one.`,
        );
      if (file.digest !== row.digest)
        throw new Error(
          `the migration ${row.name} has changed since it was run; migrations are forward only. Restore the file and add a new one.`,
        );
    }
    const done: string[] = [];
    for (const file of known.filter((m) => !rows.some((row) => row.name === m.name))) {
      await client.query('begin');
      await client.query(file.text);
      await client.query('insert into migrations (name, digest) values ($1, $2)', [file.name, file.digest]);
      await client.query('commit');
      done.push(file.name);
    }
    return done;
  } finally {
    await client.end();
  }
};
