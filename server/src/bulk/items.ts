import { skipReasons, type BulkItem, type SkipReason } from '@sluice/contract';
import type { Db } from '../db/db.ts';
import { none, sql } from '../db/sql.ts';
import { countLines, parseLines } from '../formats/lines.ts';
import { ApiError } from '../lib/errors.ts';

/** A batch, or lines of one, that an operation left alone or could not do. */
export type Left = { id: string; lines?: string } & ({ reason: SkipReason; failed?: never } | { reason: string; failed: string });

export const countLeft = (left: readonly Left[]): { skipped: number; failed: number } => {
  const sum = (some: readonly Left[]): number =>
    some.reduce((total, { lines }) => total + (lines === undefined ? 1 : countLines(parseLines(lines))), 0);
  return { skipped: sum(left.filter((each) => each.failed === undefined)), failed: sum(left.filter((each) => each.failed !== undefined)) };
};

/** Writes down what was left, a row an item. */
export const recordLeft = async (tx: Db, operationNo: number, left: readonly Left[]): Promise<void> => {
  const whole = left.filter(({ lines }) => lines === undefined);
  if (whole.length > 0)
    await tx.run(sql`
      insert into bulk_items (operation_no, item, outcome, reason, message)
      select ${operationNo}, l.id, case when l.failed is null then 'skipped' else 'failed' end, l.reason, l.failed
      from unnest(${whole.map((each) => each.id)}::text[], ${whole.map((each) => each.reason)}::text[],
        ${whole.map((each) => each.failed ?? null)}::text[]) with ordinality l (id, reason, failed, place) order by place`);
  for (const { id, lines, reason, failed } of left)
    if (lines !== undefined)
      // The id of a request: its batch's 96 bits and its line, as lib/ids.ts writes it.
      await tx.run(sql`
        insert into bulk_items (operation_no, item, outcome, reason, message)
        select ${operationNo}, 'batch_req_' || substr(${id}, 7, 24) || lpad(to_hex(line), 8, '0'),
          ${failed === undefined ? 'skipped' : 'failed'}, ${reason}, ${failed ?? null}
        from unnest(${lines}::int4multirange) m, generate_series(lower(m), upper(m) - 1) line order by line`);
};

/** A page of what was left, in the order in which it was come across. */
export const listLeft = async (
  db: Db,
  operationNo: number,
  { outcome, after, limit }: { outcome?: 'skipped' | 'failed'; after?: string; limit: number },
): Promise<{ data: BulkItem[]; more: boolean }> => {
  const place =
    after === undefined
      ? null
      : await db.maybe<{ no: number }>(sql`select no from bulk_items where operation_no = ${operationNo} and item = ${after}`);
  if (after !== undefined && place === null) throw new ApiError('invalid_value', `'${after}' is no item of this list.`, { param: 'after' });
  const rows = await db.many<{ item: string; outcome: 'skipped' | 'failed'; reason: string; message: string | null }>(sql`
    select item, outcome, reason, message from bulk_items
    where operation_no = ${operationNo}
      ${place === null ? none : sql`and no > ${place.no}`}
      ${outcome === undefined ? none : sql`and outcome = ${outcome}`}
    order by no limit ${limit + 1}`);
  const data = rows
    .slice(0, limit)
    .map(({ item, message, ...row }): BulkItem => ({ id: item, object: 'bulk_item', ...row, message: message ?? meansOf(row.reason) }));
  return { data, more: rows.length > limit };
};

const meansOf = (reason: string): string => (Object.hasOwn(skipReasons, reason) ? skipReasons[reason as SkipReason] : reason);
