import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { migrate } from '../../src/db/migrate.ts';
import { startEmbedded } from '../../src/db/embedded.ts';
import { silent } from '../../src/lib/log.ts';
import type { TestProject } from 'vitest/node';
import { runAsAdmin } from './admin.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A PostgreSQL server on which tests may make databases. */
    postgres: string;
    /** The name of a database on it that is migrated, and that nobody is connected to. */
    template: string;
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

/** A database that is migrated already: those of tests are copies of it. */
const makeTemplate = async (url: string): Promise<{ name: string; drop: () => Promise<void> }> => {
  const name = `sluice_template_${randomBytes(6).toString('hex')}`;
  await runAsAdmin(url, `create database ${name}`);
  const at = new URL(url);
  at.pathname = `/${name}`;
  await migrate(at.href);
  return { name, drop: () => runAsAdmin(url, `drop database if exists ${name} with (force)`) };
};

/** The server tests use: the one SLUICE_TEST_DATABASE_URL names, the machine's own, or an embedded one. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const provide = async (url: string): Promise<() => Promise<void>> => {
    const template = await makeTemplate(url);
    project.provide('postgres', url);
    project.provide('template', template.name);
    return template.drop;
  };
  for (const url of [
    process.env['SLUICE_TEST_DATABASE_URL'],
    process.env['SLUICE_TEST_EMBEDDED'] ? undefined : 'postgres://postgres@127.0.0.1:5432/postgres',
  ]) {
    if (url && (await answers(url))) return provide(url);
  }
  const home = await mkdtemp(join(tmpdir(), 'sluice-tests-'));
  // As root PostgreSQL runs as somebody else, who must get through.
  await chmod(home, 0o711);
  // Nothing in it outlives the tests. Those that are about what does have servers of their own.
  const server = await startEmbedded({ dataDir: home, log: silent, durable: false });
  await provide(server.url);
  return async () => {
    await server.stop();
    await rm(home, { recursive: true, force: true });
  };
}
