import { expect } from 'vitest';
import { test } from '../../test/support/database.ts';
import { sql } from './sql.ts';

test('numbers of 64 bits are numbers, in lists too', async ({ db }) => {
  expect(
    await db.one(sql`select 7::bigint as one, array[1, 9007199254740991]::bigint[] as many, array[null, 2]::bigint[] as holes`),
  ).toEqual({
    one: 7,
    many: [1, 9_007_199_254_740_991],
    holes: [null, 2],
  });
});
