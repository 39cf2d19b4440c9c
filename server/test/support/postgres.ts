import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbedded } from '../../src/db/embedded.ts';
import { silent } from '../../src/lib/log.ts';
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
  for (const url of [
    process.env['SLUICE_TEST_DATABASE_URL'],
    process.env['SLUICE_TEST_EMBEDDED'] ? undefined : 'postgres://postgres@127.0.0.1:5432/postgres',
  ]) {
    if (url && (await answers(url))) {
      project.provide('postgres', url);
      return async () => {};
    }
  }
  const home = await mkdtemp(join(tmpdir(), 'sluice-tests-'));
  // As root PostgreSQL runs as somebody else, who must get through.
  await chmod(home, 0o711);
  const server = await startEmbedded({ dataDir: home, log: silent });
  project.provide('postgres', server.url);
  return async () => {
    await server.stop();
    await rm(home, { recursive: true, force: true });
  };
}
