import { randomBytes } from 'node:crypto';
import { inject, test as base } from 'vitest';
import { openPool, type Pool } from '../../src/db/db.ts';
import { runAsAdmin } from './admin.ts';

/** A new, migrated database of the caller's own; dropped on dispose. */
export const makeDatabase = async (): Promise<{ url: string } & AsyncDisposable> => {
  const name = `sluice_test_${randomBytes(6).toString('hex')}`;
  const server = inject('postgres');
  await runAsAdmin(server, `create database ${name} template ${inject('template')}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, [Symbol.asyncDispose]: () => runAsAdmin(server, `drop database if exists ${name} with (force)`) };
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
