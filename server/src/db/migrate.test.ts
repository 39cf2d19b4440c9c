import { expect } from 'vitest';
import { sql } from './sql.ts';
import { migrate } from './migrate.ts';
import { test } from '../../test/support/database.ts';

test('a database that is up to date is left alone', async ({ db }) => {
  expect(await migrate(db.url)).toEqual([]);
});

test('a migration whose text has changed is refused', async ({ db }) => {
  await db.transaction(async (tx) => {
    await tx.run(sql`update migrations set digest = 'other'`);
  });
  await expect(migrate(db.url)).rejects.toThrow('has changed since it was run');
  await db.run(sql`delete from migrations`);
  await db.run(sql`insert into migrations (name, digest) values ('9999_later.sql', 'x')`);
  await expect(migrate(db.url)).rejects.toThrow('newer Sluice');
});
