import pg from 'pg';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** A PostgreSQL server on which tests may make databases. */
    postgres: string;
  }
}

const answers = async (url: string): Promise<boolean> => {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
};

/** The server tests use: the one SLUICE_TEST_DATABASE_URL names, the machine's own, or an embedded one. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  for (const url of [process.env['SLUICE_TEST_DATABASE_URL'], 'postgres://postgres@127.0.0.1:5432/postgres']) {
    if (url && (await answers(url))) {
      project.provide('postgres', url);
      return async () => {};
    }
  }
  throw new Error('no PostgreSQL to test on');
}
