import { batchStatuses, type PortalBatchCounts, type PortalBatchFilter } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import { countAll, countSome, type CountRow } from '../batches/counts.ts';
import { countedFields, slaStates, type BatchFilter, type CountedField } from '../batches/filter.ts';
import type { Db } from '../db/db.ts';
import { shownKey } from '../models/keys.ts';
import { timeNow } from './batches.ts';
import { filterOf } from './filter.ts';

/** Values of a field that a row has; several of models. */
const valuesOf: Record<CountedField, (row: CountRow) => string[]> = {
  status: ({ status }) => [status],
  model: ({ models }) => (models === '' ? [] : models.split(',').map(shownKey)),
  user: ({ owner }) => [owner],
  pool: ({ pool }) => (pool === '' ? [] : [pool]),
  priority: ({ priority }) => [String(priority)],
  sla: ({ sla }) => (sla === '' ? [] : [sla]),
};

const fits = (row: CountRow, field: CountedField, filter: BatchFilter): boolean => {
  const wanted: readonly (string | number)[] | undefined = filter[field];
  if (wanted === undefined) return true;
  const values = valuesOf[field](row);
  return wanted.some((each) => values.some((value) => value === String(each) || (field === 'model' && value.startsWith(`${each}@`))));
};

/** Counts of each field, of the rows that all the other fields let through. */
export const countBy = (
  rows: readonly CountRow[],
  filter: BatchFilter,
): { total: number; by: Record<CountedField, Map<string, number>> } => {
  const by = Object.fromEntries(countedFields.map((field) => [field, new Map<string, number>()])) as Record<
    CountedField,
    Map<string, number>
  >;
  let total = 0;
  for (const row of rows) {
    const missed = countedFields.filter((field) => !fits(row, field, filter));
    if (missed.length === 0) total += row.count;
    for (const field of missed.length === 0 ? countedFields : missed.length === 1 ? missed : [])
      for (const value of valuesOf[field](row)) by[field].set(value, (by[field].get(value) ?? 0) + row.count);
  }
  return { total, by };
};

/** How many batches each value of a filter would leave. */
export const countsOf = async (db: Db, { tenant }: Identity, query: PortalBatchFilter): Promise<PortalBatchCounts> => {
  const filter = filterOf(query, await timeNow(db));
  const { status: _, model: __, user: ___, pool: ____, priority: _____, sla: ______, ...others } = filter;
  const counted = Object.values(others).every((value) => value === undefined);
  const { rows, estimate } = counted ? { rows: await countAll(db, tenant), estimate: null } : await countSome(db, tenant, others);
  const sample = rows.reduce((sum, { count }) => sum + count, 0);
  const scale = estimate === null ? 1 : estimate / sample;
  const { total, by } = countBy(rows, filter);
  const shown = (field: CountedField) =>
    [...by[field]]
      .map(([value, count]) => ({ value, count: Math.round(count * scale) }))
      .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
      .slice(0, 200);
  const each = <T extends string>(field: 'status' | 'sla', values: readonly T[]) =>
    values.map((value) => ({ value, count: Math.round((by[field].get(value) ?? 0) * scale) }));
  return {
    object: 'portal.batch_counts',
    total: Math.round(total * scale),
    estimated: estimate !== null,
    status: each('status', batchStatuses),
    sla: each('sla', slaStates),
    model: shown('model'),
    user: shown('user'),
    pool: shown('pool'),
    priority: shown('priority'),
  };
};
