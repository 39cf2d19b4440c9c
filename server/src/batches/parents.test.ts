import fc from 'fast-check';
import { expect } from 'vitest';
import type { RequestState } from '@sluice/contract';
import { sql } from '../db/sql.ts';
import { formatLines, linesOf } from '../formats/lines.ts';
import { test } from '../../test/support/database.ts';
import { insertBatch } from '../../test/support/batch.ts';
import { rowCounts, rowOrder, rowsInStates, rowState } from './parents.ts';

const states: readonly RequestState[] = ['queued', 'running', 'waiting', 'completed', 'failed', 'dead_lettered', 'cancelled', 'expired'];

/** The state of each model's request of each line. */
const rows = fc
  .integer({ min: 1, max: 4 })
  .chain((models) =>
    fc.array(fc.array(fc.constantFrom(...states), { minLength: models, maxLength: models }), { minLength: 1, maxLength: 30 }),
  );

test('whatever the states of its children’s requests, a parent’s counts are those of its lines and add up', async ({ db }) => {
  await fc.assert(
    fc.asyncProperty(rows, async (given) => {
      const parent = await insertBatch(db, { lines: given.length, chunk: given.length });
      await db.run(sql`delete from chunks`);
      await db.run(sql`update batches set kind = 'parent' where no = ${parent.no}`);
      for (const model of given[0]!.keys()) {
        const { no } = await insertBatch(db, { lines: given.length, chunk: given.length });
        await db.run(sql`delete from chunks where batch_no = ${no}`);
        await db.run(sql`update batches set parent_no = ${parent.no} where no = ${no}`);
        const of = (...wanted: RequestState[]) => given.flatMap((row, i) => (wanted.includes(row[model]!) ? [i + 1] : []));
        for (const [state, chunk] of [
          ['queued', 'queued'],
          ['running', 'leased'],
          ['cancelled', 'cancelled'],
          ['expired', 'expired'],
        ] as const)
          if (of(state).length > 0)
            await db.run(sql`
              insert into chunks (batch_no, model, lines, state, priority, deadline, token, worker_id, leased_until)
              values (${no}, 'echo@1.0.0', ${formatLines(linesOf(of(state)))}::int4multirange, ${chunk}, 1, now(), ${chunk === 'leased' ? 1 : null},
                ${chunk === 'leased' ? 'w' : null}, ${chunk === 'leased' ? sql`now()` : sql`null`})`);
        for (const state of ['failed', 'dead_lettered'] as const)
          await db.run(sql`
            insert into requests (batch_no, line, state, model, code, message, attempts)
            select ${no}, line, ${state}, 'echo@1.0.0', 'c', 'm', 1 from unnest(${of(state)}::int[]) line`);
        await db.run(sql`insert into waiting select ${no}, line, 'echo@1.0.0', now() from unnest(${of('waiting')}::int[]) line`);
      }
      const merged = given.map(rowState);
      const number = (...wanted: RequestState[]) => merged.filter((state) => wanted.includes(state)).length;
      const counts = await rowCounts(db, { no: parent.no, total: given.length });
      expect(counts).toEqual({
        completed: number('completed'),
        failed: number('failed', 'dead_lettered'),
        cancelled: number('cancelled'),
        expired: number('expired'),
      });
      const open = number('queued', 'running', 'waiting');
      expect(counts.completed + counts.failed + counts.cancelled + counts.expired + open).toBe(given.length);
      for (const state of rowOrder)
        expect(await rowsInStates(db, { no: parent.no, total: given.length }, [state], 1, 100)).toEqual(
          merged.flatMap((each, i) => (each === state ? [i + 1] : [])),
        );
    }),
    { numRuns: 25 },
  );
});
