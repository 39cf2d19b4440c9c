import { isDeepStrictEqual } from 'node:util';
import { labelsOf } from '../batches/pinned.ts';
import type { BatchRow } from '../batches/rows.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import type { Models } from '../models/models.ts';
import { outputColumnsOf } from '../registry/output-columns.ts';
import type { Column } from './layout.ts';

/** The models that answered a batch, or its children, by their keys. */
const modelsOf = (db: Db, batchNo: number): Promise<{ model: string }[]> =>
  db.many(sql`
    select distinct m.model from batch_models m
    where m.batch_no = ${batchNo} or m.batch_no in (select no from batches where parent_no = ${batchNo})`);

/**
 * The columns with titles and units, as the models that the batch was run by declare them now. An output of several models
 * in one column has them where all that declare it agree.
 */
export const declaredColumns = async (
  { db, models }: { db: Db; models: Models },
  { no }: Pick<BatchRow, 'no'>,
  columns: readonly Column[],
): Promise<Column[]> => {
  const specs = (await modelsOf(db, no)).flatMap(({ model }) => models.keyed(model) ?? []);
  const labels = labelsOf(specs.map(({ name, version }) => `${name}@${version}`));
  const known = specs.map((spec) => ({ label: labels.get(`${spec.name}@${spec.version}`), columns: outputColumnsOf(spec) }));
  return columns.map((column) => {
    if (column.role !== 'output') return column;
    const said = known
      .filter(({ label }) => column.model === undefined || column.model === label)
      .flatMap((each) => each.columns[column.key ?? column.name] ?? []);
    return said.length > 0 && said.every((each) => isDeepStrictEqual(each, said[0])) ? { ...column, ...said[0] } : column;
  });
};
