import { expect, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { chatLine } from '../support/requests.ts';
import { PrivatePostgres } from './cluster.ts';
import { Site } from './site.ts';

test('processes that start before their database wait for it, and work when it is there', { timeout: 120_000 }, async () => {
  await using postgres = await PrivatePostgres.start();
  await using site = await Site.open({ postgres: postgres.url, own: true });
  await postgres.end('SIGINT');
  const early = (['api', 'scheduler', 'worker'] as const).map((role) => site.begin(role));
  await Promise.all(early.map((process) => process.said(/the database cannot be reached yet/)));
  await postgres.again();
  await Promise.all(early.map((process) => process.said(/"msg":"ready/)));
  await site.ended([await site.client.submit([chatLine('a')])]);
  expect(await site.db.many(sql`select status, completed from batches`)).toEqual([{ status: 'completed', completed: 1 }]);
});
