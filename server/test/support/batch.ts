import type { Db } from '../../src/db/db.ts';
import { sql } from '../../src/db/sql.ts';
import { newBatchId } from '../../src/lib/ids.ts';
import { enqueue } from '../../src/requests/queue.ts';
import { cutChunks } from '../../src/batches/sizing.ts';

/** A batch as intake leaves it, without a file behind it: for tests of the queue alone. */
export const insertBatch = async (
  db: Db,
  { lines = 10, chunk = 5, model = 'echo@1.0.0', priority = 1, tenant = 'default', windowSeconds = 3_600 } = {},
): Promise<{ no: number; id: string }> => {
  const id = newBatchId();
  return db.transaction(async (tx) => {
    const batch = await tx.one<{ no: number; deadline: Date }>(sql`
      insert into batches (id, tenant_id, created_by, endpoint, input_file_id, input_key, index_key, completion_window, deadline, status, sealed, total, priority)
      values (${id}, ${tenant}, 'tester', '/v1/chat/completions', 'file-none', 'none', 'none', '1h', now() + make_interval(secs => ${windowSeconds}),
        'in_progress', true, ${lines}, ${priority})
      returning no, deadline`);
    await enqueue(tx, { no: batch.no, priority, deadline: batch.deadline }, cutChunks(model, [1, lines + 1], chunk));
    await tx.run(sql`insert into batch_models (batch_no, model, total) values (${batch.no}, ${model}, ${lines})`);
    return { no: batch.no, id };
  });
};

/** One of several models over these batches, as intake leaves it: they are its children from now on, and it has no requests of its own. */
export const insertParent = async (
  db: Db,
  children: readonly { no: number }[],
  { tenant = 'default', lines = 10, windowSeconds = 3_600 } = {},
): Promise<{ no: number; id: string }> => {
  const id = newBatchId();
  return db.transaction(async (tx) => {
    const { no } = await tx.one<{ no: number }>(sql`
      insert into batches (id, kind, tenant_id, created_by, endpoint, input_file_id, input_key, index_key, completion_window, deadline, status, sealed, total, priority)
      values (${id}, 'parent', ${tenant}, 'tester', '/v1/chat/completions', 'file-none', 'none', 'none', '1h', now() + make_interval(secs => ${windowSeconds}),
        'in_progress', true, ${lines}, 1)
      returning no`);
    const own = children.map((child) => child.no);
    await tx.run(sql`update batches set parent_no = ${no} where no = any(${own}::bigint[])`);
    await tx.run(
      sql`insert into batch_models (batch_no, model, total) select ${no}, model, max(total) from batch_models where batch_no = any(${own}::bigint[]) group by 2`,
    );
    return { no, id };
  });
};
