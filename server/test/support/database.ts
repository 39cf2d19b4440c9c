import { randomBytes } from 'node:crypto';
import { inject, test as base } from 'vitest';
import pg from 'pg';
import { openPool, type Pool } from '../../src/db/db.ts';
import { migrate } from '../../src/db/migrate.ts';

const admin = async (statement: string): Promise<void> => {
  const client = new pg.Client({ connectionString: inject('postgres') });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
};

/** A new, migrated database of the caller's own; dropped on dispose. */
export const makeDatabase = async (): Promise<{ url: string } & AsyncDisposable> => {
  const name = `sluice_test_${randomBytes(6).toString('hex')}`;
  await admin(`create database ${name}`);
  const url = new URL(inject('postgres'));
  url.pathname = `/${name}`;
  await migrate(url.href);
  return { url: url.href, [Symbol.asyncDispose]: () => admin(`drop database if exists ${name} with (force)`) };
};

/** `db`: a pool on a database that one test file has to itself; tests in it share what they write. */
export const test = base.extend<{ db: Pool }>({
  db: [
    async ({}, use) => {
      await using database = await makeDatabase();
      await using pool = openPool({ url: database.url, name: 'test' });
      await use(pool);
    },
    { scope: 'file' },
  ],
});
